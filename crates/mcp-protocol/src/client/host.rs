//! The one who answers what a server asks: the program around the client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::extension::Extension;
use crate::jsonrpc::RpcError;
use crate::types::{
    Ask, ClientCapabilities, Elicitation, ElicitationResult, Json, RawObject, RootList, Sampling,
    SamplingResult,
};

/// What a [`Host`] gives for a question, when it is ready.
pub type Replying<'a> = Pin<Box<dyn Future<Output = Result<Reply, RpcError>> + Send + 'a>>;

/// Answers what servers ask, in both eras: forms, messages of a model, folders.
///
/// The client asks only for what [`Host::capabilities`] declares, whatever a server wants.
///
/// Does not check: whether the person agrees with what is sent; the host asks them.
///
/// Specification: MCP 2025-11-25 and 2026-07-28, client features; 2026-07-28, multi round-trip requests.
pub trait Host: Send + Sync {
    /// What is declared to servers; asked once, when the client is made.
    fn capabilities(&self) -> ClientCapabilities;

    /// Answers one question; the reply is of the kind that was asked for.
    ///
    /// In the older era an error goes to the server; in the newest, where there is no way to say it, it ends the call.
    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a>;
}

/// What is given for a question.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Reply {
    /// For [`Ask::Elicit`].
    Elicited(ElicitationResult),
    /// For [`Ask::Sample`].
    Sampled(SamplingResult),
    /// For [`Ask::Roots`].
    Roots(RootList),
}

impl Reply {
    /// MCP-ELI-06, MCP-ROOT-01: what was filled in fits its form, and roots are files.
    fn may_go_out(&self, ask: &Ask) -> Result<(), String> {
        let told = |what: &str, why: String| format!("{what}: {why}");
        match (self, ask.form()) {
            (Reply::Elicited(answer), Some(form)) => answer
                .check(&form)
                .map_err(|problem| told("the answer does not fit", problem.to_string())),
            (Reply::Roots(roots), _) => roots
                .check()
                .map_err(|problem| told("the roots cannot be given", problem.to_string())),
            _ => Ok(()),
        }
    }

    fn fits(&self, ask: &Ask) -> bool {
        matches!(
            (self, ask),
            (Reply::Elicited(_), Ask::Elicit(_))
                | (Reply::Sampled(_), Ask::Sample(_))
                | (Reply::Roots(_), Ask::Roots)
        )
    }
}

/// The values that a form has before anybody touches it: the `default` of each property that has one.
///
/// Does not check: whether a default fits its own schema.
///
/// Specification: MCP 2025-11-25, elicitation, requested schema.
#[must_use]
pub fn form_defaults(requested_schema: &Json) -> RawObject {
    #[derive(Deserialize)]
    struct Schema {
        #[serde(default)]
        properties: RawObject,
    }
    #[derive(Deserialize)]
    struct Property {
        #[serde(default)]
        default: Option<Json>,
    }
    let schema = requested_schema.read::<Schema>();
    let properties = schema.map(|schema| schema.properties).unwrap_or_default();
    properties
        .into_iter()
        .filter_map(|(name, property)| Some((name, property.read::<Property>().ok()?.default?)))
        .collect()
}

/// A host that declares nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nobody;

impl Host for Nobody {
    fn capabilities(&self) -> ClientCapabilities {
        ClientCapabilities::default()
    }

    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
        Box::pin(async { Err(RpcError::method_not_found(ask.method())) })
    }
}

/// The host, and what it declared.
pub(super) struct Answers {
    host: Box<dyn Host>,
    /// By the host.
    pub(super) of_host: ClientCapabilities,
    /// The same with the extensions that the client declares.
    pub(super) declared: ClientCapabilities,
}

impl Answers {
    pub(super) fn new(host: impl Host + 'static) -> Self {
        let declared = host.capabilities();
        Self {
            host: Box::new(host),
            of_host: declared.clone(),
            declared,
        }
    }

    /// Declares an extension, beside what the host declares.
    pub(super) fn declare(&mut self, extension: &Extension) {
        let read = Json::new(&self.declared).and_then(|declared| declared.read::<RawObject>());
        // What was declared is an object, whatever is in it.
        let mut declared = read.unwrap_or_default();
        let mut extensions: RawObject = declared
            .get("extensions")
            .and_then(|extensions| extensions.read().ok())
            .unwrap_or_default();
        let settings = Value::Object(extension.settings().clone());
        extensions.insert(extension.name().to_owned(), settings.into());
        if let Ok(extensions) = Json::new(&extensions) {
            declared.insert("extensions".to_owned(), extensions);
        }
        self.declared = declared.into();
    }

    /// Whether a question of this method may be answered at all.
    pub(super) fn can(&self, method: &str) -> bool {
        match method {
            "elicitation/create" => self.declared.has("elicitation"),
            "sampling/createMessage" => self.declared.has("sampling"),
            "roots/list" => self.declared.has("roots"),
            _ => false,
        }
    }

    /// Has one question answered.
    pub(super) async fn to(&self, method: &str, params: Option<Value>) -> Result<Value, RpcError> {
        let ask = self.admit(method, params)?;
        self.put(&ask).await
    }

    /// Looks at a question before anybody is asked.
    ///
    /// 1. The method is one that the host declared.
    /// 2. The parameters are those of the method.
    /// 3. Mode and parts are declared as well.
    /// 4. It may be asked.
    pub(super) fn admit(&self, method: &str, params: Option<Value>) -> Result<Admitted, RpcError> {
        if !self.can(method) {
            return Err(RpcError::method_not_found(method));
        }
        let mut ask = read(method, params)?;
        // MCP-SAMP-01: clients may leave the context aside, and servers of the older revisions ask for it without a look.
        if let Ask::Sample(sampling) = &mut ask
            && !self.declared.has_part("sampling", "context")
        {
            sampling.include_context = None;
        }
        // MCP 2025-11-25, elicitation, error handling: a mode that was not declared is -32602.
        if let Some(missing) = ask.missing(&self.declared) {
            return Err(RpcError::invalid_params(format!(
                "not declared by this client: {missing}"
            )));
        }
        // MCP-ELI-02, MCP-SAMP-02: nobody is bothered with what may not be asked.
        ask.check()
            .map_err(|problem| RpcError::invalid_params(problem.to_string()))?;
        Ok(Admitted(ask))
    }

    /// Puts a question to the host; the reply is of the kind that was asked for, and may be given.
    pub(super) async fn put(&self, Admitted(ask): &Admitted) -> Result<Value, RpcError> {
        let reply = self.host.answer(ask).await?;
        if !reply.fits(ask) {
            return Err(RpcError::internal("the answer is of another kind"));
        }
        reply.may_go_out(ask).map_err(RpcError::internal)?;
        serde_json::to_value(reply)
            .map_err(|_| RpcError::internal("the answer cannot be written as JSON"))
    }
}

/// A question that the host declared that it answers; made by [`Answers::admit`].
#[derive(Debug)]
pub(super) struct Admitted(Ask);

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("declared", &self.declared)
            .finish_non_exhaustive()
    }
}

fn read(method: &str, params: Option<Value>) -> Result<Ask, RpcError> {
    let wrong = |error: serde_json::Error| RpcError::invalid_params(error.to_string());
    let params = match params {
        Some(Value::Object(params)) => params,
        None => Map::new(),
        Some(_) => return Err(RpcError::invalid_params("the parameters are not an object")),
    };
    match method {
        "elicitation/create" => {
            let asked: Elicitation = serde_json::from_value(params.into()).map_err(wrong)?;
            Ok(Ask::Elicit(asked))
        }
        "sampling/createMessage" => {
            let asked: Sampling = serde_json::from_value(params.into()).map_err(wrong)?;
            Ok(Ask::Sample(asked))
        }
        "roots/list" => Ok(Ask::Roots),
        _ => Err(RpcError::method_not_found(method)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::ElicitationAction;
    use crate::violation::code;

    /// Declares this, and replies to everything with the same.
    struct Fixed(Value, Reply);

    impl Host for Fixed {
        fn capabilities(&self) -> ClientCapabilities {
            ClientCapabilities::from(self.0.as_object().unwrap().clone())
        }

        fn answer<'a>(&'a self, _: &'a Ask) -> Replying<'a> {
            Box::pin(async { Ok(self.1.clone()) })
        }
    }

    fn declined() -> Reply {
        Reply::Elicited(ElicitationResult {
            action: ElicitationAction::Decline,
            content: None,
        })
    }

    async fn asked(
        declared: Value,
        reply: Reply,
        method: &str,
        params: Value,
    ) -> Result<Value, i64> {
        let answers = Answers::new(Fixed(declared, reply));
        let reply = answers.to(method, Some(params)).await;
        reply.map_err(|error| error.code)
    }

    #[tokio::test]
    async fn a_form_with_and_without_a_mode_is_answered() {
        for params in [
            json!({"message": "m", "requestedSchema": {"type": "object"}}),
            json!({"mode": "form", "message": "m", "requestedSchema": {"type": "object"}, "_meta": {}}),
        ] {
            let reply = asked(
                json!({"elicitation": {}}),
                declined(),
                "elicitation/create",
                params,
            );
            assert_eq!(reply.await, Ok(json!({"action": "decline"})));
        }
    }

    #[tokio::test]
    async fn what_was_not_declared_is_not_answered() {
        let form = json!({"message": "m", "requestedSchema": {}});
        let url = json!({"mode": "url", "message": "m", "url": "https://a.example"});
        for (declared, method, params, wanted) in [
            (
                json!({}),
                "elicitation/create",
                form.clone(),
                code::METHOD_NOT_FOUND,
            ),
            (
                json!({"elicitation": {}}),
                "roots/list",
                json!({}),
                code::METHOD_NOT_FOUND,
            ),
            (
                json!({"elicitation": {}}),
                "sampling/createMessage",
                json!({}),
                code::METHOD_NOT_FOUND,
            ),
            (
                json!({"elicitation": {}}),
                "tools/list",
                json!({}),
                code::METHOD_NOT_FOUND,
            ),
            (
                json!({"elicitation": {}}),
                "elicitation/create",
                url,
                code::INVALID_PARAMS,
            ),
            (
                json!({"elicitation": {"url": {}}}),
                "elicitation/create",
                form,
                code::INVALID_PARAMS,
            ),
            (
                json!({"elicitation": {}}),
                "elicitation/create",
                json!({"message": 5}),
                code::INVALID_PARAMS,
            ),
            (
                json!({"elicitation": {}}),
                "elicitation/create",
                json!([]),
                code::INVALID_PARAMS,
            ),
        ] {
            let reply = asked(declared.clone(), declined(), method, params).await;
            assert_eq!(reply, Err(wanted), "{declared} {method}");
        }
    }

    #[test]
    fn context_that_was_not_declared_is_left_aside() {
        for (declared, kept) in [
            (json!({"sampling": {}}), None),
            (json!({"sampling": {"context": {}}}), Some("thisServer")),
        ] {
            let answers = Answers::new(Fixed(declared, declined()));
            let params = json!({"messages": [], "maxTokens": 1, "includeContext": "thisServer"});
            let Admitted(ask) = answers
                .admit("sampling/createMessage", Some(params))
                .unwrap();
            let Ask::Sample(sampling) = ask else {
                panic!("{ask:?}");
            };
            assert_eq!(sampling.include_context.as_deref(), kept);
        }
    }

    #[tokio::test]
    async fn a_reply_of_another_kind_does_not_go_out() {
        let reply = asked(json!({"roots": {}}), declined(), "roots/list", json!({})).await;
        assert_eq!(reply, Err(code::INTERNAL_ERROR));
    }

    #[tokio::test]
    async fn what_may_not_be_asked_is_refused_before_anybody_is_bothered() {
        let everything = json!({"elicitation": {}, "sampling": {}});
        let nested = json!({"type": "object", "properties": {"a": {"type": "object"}}});
        let result = json!({"type": "tool_result", "toolUseId": "x", "content": []});
        let messages = json!([{"role": "user", "content": result}]);
        for (method, params) in [
            (
                "elicitation/create",
                json!({"message": "m", "requestedSchema": nested}),
            ),
            (
                "sampling/createMessage",
                json!({"messages": messages, "maxTokens": 1}),
            ),
        ] {
            // Were the host asked, its reply would be of the wrong kind for one of them, or go out for the other.
            let reply = asked(everything.clone(), declined(), method, params).await;
            assert_eq!(reply, Err(code::INVALID_PARAMS), "{method}");
        }
    }

    #[tokio::test]
    async fn a_reply_that_breaks_the_rules_does_not_go_out() {
        let form = json!({"message": "m", "requestedSchema": {"type": "object",
            "properties": {"a": {"type": "boolean"}}, "required": ["a"]}});
        let filled = |content: Value| {
            Reply::Elicited(ElicitationResult {
                action: ElicitationAction::Accept,
                content: serde_json::from_value(content).unwrap(),
            })
        };
        let forms = json!({"elicitation": {}});
        for (content, good) in [
            (json!({"a": true}), true),
            (json!({"a": "x"}), false),
            (json!({}), false),
        ] {
            let reply = asked(
                forms.clone(),
                filled(content),
                "elicitation/create",
                form.clone(),
            );
            assert_eq!(reply.await.is_ok(), good);
        }
        for (uri, good) in [
            ("file:///a", true),
            ("https://a.example", false),
            ("file:///a/../b", false),
        ] {
            let uri = uri.to_owned();
            let roots = vec![crate::types::Root {
                uri,
                ..Default::default()
            }];
            let reply = Reply::Roots(RootList { roots });
            let reply = asked(json!({"roots": {}}), reply, "roots/list", json!({})).await;
            assert_eq!(reply.is_ok(), good);
        }
    }

    #[test]
    fn a_form_begins_with_its_defaults() {
        let schema = json!({"type": "object", "properties": {
            "name": {"type": "string", "default": "John"},
            "age": {"type": "integer", "default": 0},
            "sure": {"type": "boolean", "default": false},
            "colour": {"type": "string"}, "odd": true}});
        assert_eq!(
            serde_json::to_value(form_defaults(&schema.into())).unwrap(),
            json!({"name": "John", "age": 0, "sure": false})
        );
        assert!(form_defaults(&json!(null).into()).is_empty());
    }
}
