//! What a server may ask of a client: elicitation, sampling, roots.

use std::collections::BTreeMap;

use serde::de::{self, DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::json::is_object;
use super::{ContentBlock, Json, JsonObject, Meta, Outcome, RawObject};
use crate::jsonrpc::Members;
use crate::revision::{Era, Feature, Revision};

/// What the client declared; kept as the text that it sent, and read when it is asked for.
///
/// Equal when they are written alike.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ClientCapabilities(Box<RawValue>);

impl ClientCapabilities {
    /// Whether this capability is declared.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        member(&self.0, name).is_some_and(is_object)
    }

    /// Whether this part of a capability is declared, such as `sampling`, `tools`.
    #[must_use]
    pub fn has_part(&self, name: &str, part: &str) -> bool {
        member(&self.0, name)
            .and_then(|value| member(value, part))
            .is_some_and(is_object)
    }

    /// Whether the extension is declared.
    #[must_use]
    pub fn extension(&self, name: &str) -> bool {
        self.has_part("extensions", name)
    }

    /// Whether forms may be asked for.
    ///
    /// MCP-ELI-01: an empty object means form only.
    #[must_use]
    pub fn elicits_forms(&self) -> bool {
        self.has("elicitation")
            && (self.has_part("elicitation", "form") || !self.has_part("elicitation", "url"))
    }

    /// Whether the client opens addresses.
    #[must_use]
    pub fn elicits_urls(&self) -> bool {
        self.has_part("elicitation", "url")
    }
}

impl Default for ClientCapabilities {
    /// Nothing.
    fn default() -> Self {
        JsonObject::new().into()
    }
}

impl From<RawObject> for ClientCapabilities {
    fn from(declared: RawObject) -> Self {
        // A JSON object can always be written.
        ClientCapabilities(to_raw_value(&declared).unwrap_or_default())
    }
}

impl From<JsonObject> for ClientCapabilities {
    fn from(declared: JsonObject) -> Self {
        // A JSON object can always be written.
        ClientCapabilities(to_raw_value(&declared).unwrap_or_default())
    }
}

impl PartialEq for ClientCapabilities {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl ClientCapabilities {
    /// Those that a request declares: an object, kept as it is.
    pub(crate) fn of_request(declared: &RawValue) -> Option<Self> {
        is_object(declared).then(|| ClientCapabilities(declared.to_owned()))
    }
}

impl<'de> Deserialize<'de> for ClientCapabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let declared = Box::<RawValue>::deserialize(deserializer)?;
        match declared.get() {
            "null" => Ok(Self::default()),
            _ if is_object(&declared) => Ok(ClientCapabilities(declared)),
            _ => Err(D::Error::custom("capabilities must be an object")),
        }
    }
}

fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    Members::read(object).ok()?.get(name)
}

/// Asks the person to fill in a form or to visit an address.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Elicitation {
    /// A form. Never for secrets.
    Form {
        /// What is asked, for the person.
        message: String,
        /// A flat object schema of primitive properties; its text keeps their order.
        #[serde(rename = "requestedSchema")]
        requested_schema: Json,
    },
    /// An address to visit (since 2025-11-25).
    Url {
        /// What is asked, for the person.
        message: String,
        /// The address.
        url: String,
        /// The id by which the server says that it is done; only in 2025-11-25, which wants one.
        #[serde(rename = "elicitationId", skip_serializing_if = "Option::is_none")]
        elicitation_id: Option<String>,
    },
}

impl Elicitation {
    /// A form.
    pub fn form(message: impl Into<String>, requested_schema: impl Into<Json>) -> Self {
        Elicitation::Form {
            message: message.into(),
            requested_schema: requested_schema.into(),
        }
    }

    /// An address to visit.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Elicitation::Url {
            message: message.into(),
            url: url.into(),
            elicitation_id: None,
        }
    }
}

impl<'de> Deserialize<'de> for Elicitation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Members {
            #[serde(default)]
            mode: Option<String>,
            message: String,
            #[serde(default)]
            requested_schema: Option<Json>,
            #[serde(default)]
            url: Option<String>,
            #[serde(default)]
            elicitation_id: Option<String>,
        }
        let Members {
            mode,
            message,
            requested_schema,
            url,
            elicitation_id,
        } = Members::deserialize(deserializer)?;
        match mode.as_deref() {
            // MCP-ELI-01: without a mode it is a form.
            None | Some("form") => Ok(Elicitation::Form {
                message,
                requested_schema: requested_schema
                    .ok_or_else(|| de::Error::missing_field("requestedSchema"))?,
            }),
            Some("url") => Ok(Elicitation::Url {
                message,
                url: url.ok_or_else(|| de::Error::missing_field("url"))?,
                elicitation_id,
            }),
            Some(other) => Err(de::Error::unknown_variant(other, &["form", "url"])),
        }
    }
}

/// What the person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ElicitationAction {
    /// Said yes, with the content.
    Accept,
    /// Said no.
    Decline,
    /// Went away.
    Cancel,
}

/// The answer to an [`Elicitation`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElicitationResult {
    /// What the person did.
    pub action: ElicitationAction,
    /// What was filled in; see [`ElicitationResult::check`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<RawObject>,
}

impl ElicitationResult {
    /// Reads what was filled in; nothing is as good as `{}`.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        Json::new(self.content.as_ref().unwrap_or(&RawObject::new()))?.read()
    }
}

/// Asks the client's model for a message; the parameters of `sampling/createMessage`.
///
/// Deprecated since 2026-07-28, and legal until the first revision on or after 2027-07-28 at the earliest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sampling {
    /// The messages so far.
    pub messages: Vec<SamplingMessage>,
    /// The most tokens to write.
    pub max_tokens: u64,
    /// The system prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// How much chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Where to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_sequences: Option<Vec<String>>,
    /// Which model would be good; as it stands in the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<Json>,
    /// Tools for the model; needs the client's `sampling.tools`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Json>,
    /// How the model chooses among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Json>,
    /// Whose context the client may add: `none`, `thisServer` or `allServers`. The last two need the client's
    /// `sampling.context`, which came with 2025-11-25, and are deprecated since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_context: Option<String>,
    /// For the provider of the model, as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Json>,
}

impl Sampling {
    /// One text of the person.
    pub fn prompt(text: impl Into<String>, max_tokens: u64) -> Self {
        Sampling {
            messages: vec![SamplingMessage {
                role: super::Role::User,
                content: json!({ "type": "text", "text": text.into() }).into(),
            }],
            max_tokens,
            ..Sampling::default()
        }
    }

    fn wants_context(&self) -> bool {
        self.include_context
            .as_deref()
            .is_some_and(|whose| whose != "none")
    }

    /// Whether the model may use tools.
    fn has_tools(&self) -> bool {
        self.tools.is_some() || self.tool_choice.is_some()
    }
}

/// One message of a sampling dialogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplingMessage {
    /// Who speaks.
    pub role: super::Role,
    /// One block, or an array of them.
    pub content: Json,
}

/// The answer to a [`Sampling`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SamplingResult {
    /// Who speaks.
    pub role: super::Role,
    /// One block, or an array of them.
    pub content: Json,
    /// Which model wrote it.
    pub model: String,
    /// Why it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

impl SamplingResult {
    /// The text, if the content is one text.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self.content.read() {
            Ok(ContentBlock::Text { text, .. }) => Some(text),
            Ok(_) | Err(_) => None,
        }
    }
}

/// A folder or file that the client lets the server know of.
///
/// Roots are deprecated since 2026-07-28, and legal until the first revision on or after 2027-07-28 at the earliest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// A `file:` address.
    pub uri: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Metadata.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// The answer to `roots/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootList {
    /// The roots.
    pub roots: Vec<Root>,
}

/// Something that a server asks of a client.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Ask {
    /// `elicitation/create`.
    Elicit(Elicitation),
    /// `sampling/createMessage`.
    Sample(Sampling),
    /// `roots/list`.
    Roots,
}

impl Ask {
    /// The method.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Ask::Elicit(_) => "elicitation/create",
            Ask::Sample(_) => "sampling/createMessage",
            Ask::Roots => "roots/list",
        }
    }

    /// The parameters, as the newest revision has them.
    #[must_use]
    pub fn params(&self) -> Option<Json> {
        match self {
            Ask::Elicit(Elicitation::Url { message, url, .. }) => {
                Json::new(&Elicitation::url(message, url)).ok()
            }
            Ask::Elicit(form) => Json::new(form).ok(),
            Ask::Sample(sampling) => Json::new(sampling).ok(),
            Ask::Roots => None,
        }
    }

    /// The parameters, as this revision has them; `fresh_id` is for a question that needs an id and brings none.
    ///
    /// Specification: MCP 2025-06-18 and 2025-11-25, elicitation.
    #[must_use]
    pub fn params_in(&self, revision: Revision, fresh_id: impl FnOnce() -> String) -> Option<Json> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Form<'a> {
            message: &'a str,
            requested_schema: &'a Json,
        }
        match self {
            // The mode came with the second way to elicit.
            Ask::Elicit(Elicitation::Form {
                message,
                requested_schema,
            }) if !revision.has(Feature::UrlElicitation) => Json::new(&Form {
                message,
                requested_schema,
            })
            .ok(),
            Ask::Elicit(Elicitation::Url {
                message,
                url,
                elicitation_id,
            }) if revision.era() == Era::Legacy => Json::new(&Elicitation::Url {
                message: message.clone(),
                url: url.clone(),
                elicitation_id: Some(elicitation_id.clone().unwrap_or_else(fresh_id)),
            })
            .ok(),
            _ => self.params(),
        }
    }

    /// Whether a revision has this question at all, whatever the client declares.
    ///
    /// MCP-LIFE-04.
    #[must_use]
    pub fn is_of(&self, revision: Revision) -> bool {
        match self {
            Ask::Elicit(Elicitation::Form { .. }) => revision.has(Feature::Elicitation),
            Ask::Elicit(Elicitation::Url { .. }) => revision.has(Feature::UrlElicitation),
            Ask::Sample(sampling) if sampling.has_tools() => revision.has(Feature::SamplingTools),
            Ask::Sample(_) | Ask::Roots => true,
        }
    }

    /// What the client would have to declare, if it has not.
    ///
    /// MCP-MRTR-03: never ask for a kind, mode or part that was not declared.
    #[must_use]
    pub fn missing(&self, declared: &ClientCapabilities) -> Option<Value> {
        match self {
            Ask::Elicit(Elicitation::Form { .. }) if !declared.elicits_forms() => {
                Some(json!({ "elicitation": { "form": {} } }))
            }
            Ask::Elicit(Elicitation::Url { .. }) if !declared.elicits_urls() => {
                Some(json!({ "elicitation": { "url": {} } }))
            }
            Ask::Sample(_) if !declared.has("sampling") => Some(json!({ "sampling": {} })),
            Ask::Sample(sampling)
                if sampling.has_tools() && !declared.has_part("sampling", "tools") =>
            {
                Some(json!({ "sampling": { "tools": {} } }))
            }
            // MCP-SAMP-01.
            Ask::Sample(sampling)
                if sampling.wants_context() && !declared.has_part("sampling", "context") =>
            {
                Some(json!({ "sampling": { "context": {} } }))
            }
            Ask::Roots if !declared.has("roots") => Some(json!({ "roots": {} })),
            _ => None,
        }
    }

    /// Whether an answer has the shape that this question wants.
    ///
    /// What a person filled in fits the form, too, if the schema is one.
    #[must_use]
    pub fn fits(&self, answer: &Value) -> bool {
        match self {
            Ask::Elicit(_) => ElicitationResult::deserialize(answer)
                .is_ok_and(|answer| self.form().is_none_or(|form| answer.check(&form).is_ok())),
            Ask::Sample(_) => SamplingResult::deserialize(answer).is_ok(),
            Ask::Roots => RootList::deserialize(answer).is_ok(),
        }
    }
}

impl Serialize for Ask {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Asked {
            method: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            params: Option<Json>,
        }
        Asked {
            method: self.method(),
            params: self.params(),
        }
        .serialize(serializer)
    }
}

/// An interim result: the call goes on when these are answered (2026-07-28).
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputRequired {
    /// What is asked, by key.
    #[serde(rename = "inputRequests", skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, Ask>,
    /// To be sent back as it is. What comes back is hostile, unless the server seals it: protect it if
    /// it decides anything.
    #[serde(rename = "requestState", skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl Outcome for InputRequired {
    fn take_meta(&mut self) -> Option<Meta> {
        self.meta.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(value: Value) -> ClientCapabilities {
        value.as_object().unwrap().clone().into()
    }

    #[test]
    fn an_empty_elicitation_capability_is_form_only() {
        let plain = declared(json!({ "elicitation": {} }));
        assert!(plain.elicits_forms() && !plain.elicits_urls());
        let url = declared(json!({ "elicitation": { "url": {} } }));
        assert!(!url.elicits_forms() && url.elicits_urls());
        let none = declared(json!({}));
        assert!(!none.elicits_forms() && !none.elicits_urls());
    }

    #[test]
    fn what_is_missing_is_named_in_the_shape_of_capabilities() {
        let sampling = declared(json!({ "sampling": {} }));
        let mut ask = Sampling::prompt("hi", 5);
        assert_eq!(Ask::Sample(ask.clone()).missing(&sampling), None);
        ask.tools = Some(json!([]).into());
        assert_eq!(
            Ask::Sample(ask).missing(&sampling),
            Some(json!({ "sampling": { "tools": {} } }))
        );
        for (whose, needed) in [
            ("none", None),
            ("thisServer", Some(json!({ "sampling": { "context": {} } }))),
            ("allServers", Some(json!({ "sampling": { "context": {} } }))),
        ] {
            let mut ask = Sampling::prompt("hi", 5);
            ask.include_context = Some(whose.to_owned());
            let ask = Ask::Sample(ask);
            assert_eq!(ask.missing(&sampling), needed, "{whose}");
            let context = declared(json!({ "sampling": { "context": {} } }));
            assert_eq!(ask.missing(&context), None, "{whose}");
        }
        assert_eq!(Ask::Roots.missing(&sampling), Some(json!({ "roots": {} })));
        let url = Ask::Elicit(Elicitation::url("m", "https://a.example"));
        assert_eq!(
            url.missing(&sampling),
            Some(json!({ "elicitation": { "url": {} } }))
        );
    }

    #[test]
    fn an_answer_fits_its_own_kind_of_question() {
        let form = Ask::Elicit(Elicitation::form("m", json!({})));
        let sampling = Ask::Sample(Sampling::prompt("hi", 5));
        let answers = [
            json!({ "action": "accept", "content": { "a": 1 } }),
            json!({ "role": "assistant", "content": { "type": "text", "text": "x" }, "model": "m" }),
            json!({ "roots": [] }),
            json!({ "action": "maybe" }),
            json!(5),
        ];
        for (ask, fitting) in [(form, 0), (sampling, 1), (Ask::Roots, 2)] {
            for (at, answer) in answers.iter().enumerate() {
                assert_eq!(ask.fits(answer), at == fitting, "{ask:?} {answer}");
            }
        }
    }

    #[test]
    fn an_ask_is_method_and_params() {
        assert_eq!(
            serde_json::to_value(Ask::Roots).unwrap(),
            json!({ "method": "roots/list" })
        );
        let form = Ask::Elicit(Elicitation::form("m", json!({"type":"object"})));
        assert_eq!(
            serde_json::to_value(form).unwrap(),
            json!({ "method": "elicitation/create", "params": { "mode": "form", "message": "m", "requestedSchema": {"type":"object"} } })
        );
    }

    #[test]
    fn an_elicitation_without_a_mode_is_a_form_and_its_schema_keeps_its_order() {
        let text =
            r#"{"message":"m","requestedSchema":{"properties":{"z":{},"a":{"default":1.50}}}}"#;
        let form: Elicitation = serde_json::from_str(text).unwrap();
        let written = serde_json::to_string(&form).unwrap();
        assert_eq!(written, text.replacen('{', r#"{"mode":"form","#, 1));
        assert_eq!(serde_json::from_str::<Elicitation>(&written).unwrap(), form);
        for (text, reason) in [
            (r#"{"message":"m"}"#, "missing field `requestedSchema`"),
            (r#"{"mode":"url","message":"m"}"#, "missing field `url`"),
            (r#"{"mode":"fax","message":"m"}"#, "unknown variant `fax`"),
            (r#"{"mode":"form"}"#, "missing field `message`"),
        ] {
            let error = serde_json::from_str::<Elicitation>(text).unwrap_err();
            assert!(error.to_string().starts_with(reason), "{error}");
        }
    }

    #[test]
    fn a_question_has_the_form_of_its_revision() {
        let form = Ask::Elicit(Elicitation::form("m", json!({})));
        let url = Ask::Elicit(Elicitation::url("m", "https://a.example"));
        let named = Ask::Elicit(Elicitation::Url {
            message: "m".into(),
            url: "https://a.example".into(),
            elicitation_id: Some("mine".into()),
        });
        let params = |ask: &Ask, revision| {
            let params = ask.params_in(revision, || "fresh".to_owned());
            params.unwrap().to_value()
        };
        let (old, middle, new) = (
            Revision::V2025_06_18,
            Revision::V2025_11_25,
            Revision::V2026_07_28,
        );
        assert_eq!(
            params(&form, old),
            json!({"message": "m", "requestedSchema": {}})
        );
        let with_mode = json!({"mode": "form", "message": "m", "requestedSchema": {}});
        assert_eq!(
            (params(&form, middle), params(&form, new)),
            (with_mode.clone(), with_mode)
        );
        let bare = json!({"mode": "url", "message": "m", "url": "https://a.example"});
        assert_eq!(
            (params(&url, new), params(&named, new)),
            (bare.clone(), bare)
        );
        assert_eq!(params(&url, middle)["elicitationId"], "fresh");
        assert_eq!(params(&named, middle)["elicitationId"], "mine");
    }

    #[test]
    fn what_a_person_filled_in_is_read_into_a_type() {
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        struct Person {
            name: String,
        }
        let read = |text: &str| {
            let result: ElicitationResult = serde_json::from_str(text).unwrap();
            result.read::<Person>().ok()
        };
        let ada = Person { name: "Ada".into() };
        assert_eq!(
            read(r#"{"action":"accept","content":{"name":"Ada","x":1}}"#),
            Some(ada)
        );
        assert_eq!(read(r#"{"action":"decline"}"#), Some(Person::default()));
        assert_eq!(read(r#"{"action":"accept","content":{"name":5}}"#), None);
        assert!(
            serde_json::from_str::<ElicitationResult>(r#"{"action":"accept","content":5}"#)
                .is_err()
        );
    }

    #[test]
    fn a_sampled_text_is_read_and_other_content_is_not() {
        let sampled = |content: Value| SamplingResult {
            role: super::super::Role::Assistant,
            content: content.into(),
            model: "m".into(),
            stop_reason: None,
        };
        let text = sampled(json!({"type": "text", "text": "a"}));
        assert_eq!(text.text().as_deref(), Some("a"));
        let other = sampled(json!([{"type": "tool_use", "id": "1", "name": "n", "input": {}}]));
        assert_eq!(other.text(), None);
    }
}
