//! What a server may ask of a client: elicitation, sampling, roots.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::{JsonObject, Meta, Outcome};
use crate::jsonrpc::Members;

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

impl<'de> Deserialize<'de> for ClientCapabilities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let declared = Box::<RawValue>::deserialize(deserializer)?;
        match declared.get() {
            "null" => Ok(Self::default()),
            text if text.starts_with('{') => Ok(ClientCapabilities(declared)),
            _ => Err(D::Error::custom("capabilities must be an object")),
        }
    }
}

fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    Members::read(object).ok()?.get(name)
}

fn is_object(value: &RawValue) -> bool {
    value.get().starts_with('{')
}

/// Asks the person to fill in a form or to visit an address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "lowercase")]
pub enum Elicitation {
    /// A form. Never for secrets.
    Form {
        /// What is asked, for the person.
        message: String,
        /// A flat object schema of primitive properties.
        #[serde(rename = "requestedSchema")]
        requested_schema: Value,
    },
    /// An address to visit (since 2025-11-25).
    Url {
        /// What is asked, for the person.
        message: String,
        /// The address.
        url: String,
    },
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
    pub content: Option<JsonObject>,
}

/// Asks the client's model for a message; the parameters of `sampling/createMessage`.
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
    pub model_preferences: Option<Value>,
    /// Tools for the model; needs the client's `sampling.tools`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Value>,
    /// How the model chooses among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Value>,
}

impl Sampling {
    /// One text of the person.
    pub fn prompt(text: impl Into<String>, max_tokens: u64) -> Self {
        Sampling {
            messages: vec![SamplingMessage {
                role: super::Role::User,
                content: json!({ "type": "text", "text": text.into() }),
            }],
            max_tokens,
            ..Sampling::default()
        }
    }
}

/// One message of a sampling dialogue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamplingMessage {
    /// Who speaks.
    pub role: super::Role,
    /// One block, or an array of them.
    pub content: Value,
}

/// The answer to a [`Sampling`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SamplingResult {
    /// Who speaks.
    pub role: super::Role,
    /// One block, or an array of them.
    pub content: Value,
    /// Which model wrote it.
    pub model: String,
    /// Why it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}

impl SamplingResult {
    /// The text, if the content is one text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.content.get("text").and_then(Value::as_str)
    }
}

/// A folder or file that the client lets the server know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// A `file:` address.
    pub uri: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
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

    /// The parameters.
    #[must_use]
    pub fn params(&self) -> Option<Value> {
        match self {
            Ask::Elicit(elicitation) => serde_json::to_value(elicitation).ok(),
            Ask::Sample(sampling) => serde_json::to_value(sampling).ok(),
            Ask::Roots => None,
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
                if (sampling.tools.is_some() || sampling.tool_choice.is_some())
                    && !declared.has_part("sampling", "tools") =>
            {
                Some(json!({ "sampling": { "tools": {} } }))
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
        let mut object = JsonObject::new();
        object.insert("method".to_owned(), Value::from(self.method()));
        if let Some(params) = self.params() {
            object.insert("params".to_owned(), params);
        }
        object.serialize(serializer)
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
        ask.tools = Some(json!([]));
        assert_eq!(
            Ask::Sample(ask).missing(&sampling),
            Some(json!({ "sampling": { "tools": {} } }))
        );
        assert_eq!(Ask::Roots.missing(&sampling), Some(json!({ "roots": {} })));
        let url = Ask::Elicit(Elicitation::Url {
            message: "m".into(),
            url: "https://a.example".into(),
        });
        assert_eq!(
            url.missing(&sampling),
            Some(json!({ "elicitation": { "url": {} } }))
        );
    }

    #[test]
    fn an_answer_fits_its_own_kind_of_question() {
        let form = Ask::Elicit(Elicitation::Form {
            message: "m".into(),
            requested_schema: json!({}),
        });
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
        let form = Ask::Elicit(Elicitation::Form {
            message: "m".into(),
            requested_schema: json!({"type":"object"}),
        });
        assert_eq!(
            serde_json::to_value(form).unwrap(),
            json!({ "method": "elicitation/create", "params": { "mode": "form", "message": "m", "requestedSchema": {"type":"object"} } })
        );
    }
}
