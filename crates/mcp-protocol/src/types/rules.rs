//! Whether what is asked, and what is answered, is what the specification allows.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::value::RawValue;

use super::form::{ContentProblem, Form, FormProblem};
use super::{
    Ask, Elicitation, ElicitationAction, ElicitationResult, JsonObject, Role, Root, RootList,
    Sampling, ServerCapabilities, Tool,
};
use crate::names::{self, Key, KeyProblem, ToolNameProblem};
use crate::schema::{self, SchemaProblem};

/// What is wrong with a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskProblem {
    /// The schema is no form.
    #[error(transparent)]
    Form(#[from] FormProblem),
    /// The address is none.
    #[error("url must be an address with a scheme, such as https://")]
    NoAddress,
    /// The address has a user name or a password in it.
    #[error("url must have no user name and no password in it")]
    Credentials,
    /// The messages break the rules about tools.
    #[error(transparent)]
    Sampling(#[from] SamplingProblem),
}

/// What is wrong with the messages of a sampling request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SamplingProblem {
    /// A message with results of tools has something else in it.
    #[error("message {0}: tool results mixed with other content")]
    Mixed(usize),
    /// A use of a tool has no result in the next message.
    #[error("message {0}: a tool use has no result in the next message")]
    Unanswered(usize),
    /// A result belongs to no use in the message before.
    #[error("message {0}: a tool result belongs to no tool use in the message before")]
    Unasked(usize),
}

/// What is wrong with a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RootProblem {
    /// Not a `file://` address.
    #[error("a root must be a file:// address")]
    NotAFile,
    /// The path has a segment that leads up.
    #[error("a root must not have . or .. in its path")]
    Traversal,
}

/// What is wrong with a tool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolProblem {
    /// The name.
    #[error("the name {0}")]
    Name(#[from] ToolNameProblem),
    /// The schema of the arguments.
    #[error("inputSchema {0}")]
    Input(SchemaProblem),
    /// The schema of the structured content.
    #[error("outputSchema {0}")]
    Output(SchemaProblem),
}

impl Tool {
    /// Whether this may be listed: for the tests of whoever writes a server.
    ///
    /// Does not check: annotations for headers ([`crate::http::header_params`]); that no other tool has this name.
    ///
    /// MCP-TOOL-02, MCP-TOOL-03, MCP-SCH-01.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ToolProblem> {
        names::check_tool_name(&self.name)?;
        // Their text was read as JSON before, so this does not fail.
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Null);
        schema::check_input(&value(&self.input_schema)).map_err(ToolProblem::Input)?;
        match &self.output_schema {
            Some(output) => schema::check(&value(output)).map_err(ToolProblem::Output),
            None => Ok(()),
        }
    }
}

impl ServerCapabilities {
    /// Declares an extension with its settings.
    ///
    /// MCP-VER-05: its name has a prefix and follows the grammar.
    ///
    /// # Errors
    /// What is wrong with the name.
    pub fn with_extension(mut self, name: &str, settings: JsonObject) -> Result<Self, KeyProblem> {
        Key::extension(name)?;
        self.extensions.insert(name.to_owned(), settings.into());
        Ok(self)
    }
}

impl Ask {
    /// Whether this may be asked at all: a form is flat, and messages about tools belong together.
    ///
    /// Does not check: what the client declared ([`Ask::missing`]); whether a form asks for a secret without saying so; whether
    /// an address is a way in by itself, which only who made it knows.
    ///
    /// # Errors
    /// What is wrong, with the property or the message that it is wrong with.
    pub fn check(&self) -> Result<(), AskProblem> {
        match self {
            Ask::Elicit(Elicitation::Form {
                requested_schema, ..
            }) => {
                Form::read(&requested_schema.to_value())?;
            }
            Ask::Elicit(Elicitation::Url { url, .. }) => check_address(url)?,
            Ask::Roots => {}
            Ask::Sample(sampling) => sampling.check()?,
        }
        Ok(())
    }
}

/// Whether a person may be sent to this address.
// MCP-ELI-03: nothing about the person is in it, and least of all a password.
fn check_address(url: &str) -> Result<(), AskProblem> {
    let (scheme, rest) = url.split_once("://").ok_or(AskProblem::NoAddress)?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    // Browsers read a backslash as a slash.
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or(rest);
    if !is_scheme || authority.is_empty() {
        return Err(AskProblem::NoAddress);
    }
    if authority.contains('@') {
        return Err(AskProblem::Credentials);
    }
    Ok(())
}

impl Ask {
    /// The form, if this is one.
    #[must_use]
    pub fn form(&self) -> Option<Form> {
        match self {
            Ask::Elicit(Elicitation::Form {
                requested_schema, ..
            }) => Form::read(&requested_schema.to_value()).ok(),
            _ => None,
        }
    }
}

impl ElicitationResult {
    /// Whether what was accepted fits the form; what was declined or cancelled has nothing to fit.
    ///
    /// # Errors
    /// The first property that does not fit.
    pub fn check(&self, form: &Form) -> Result<(), ContentProblem> {
        match (self.action, &self.content) {
            (ElicitationAction::Accept, content) => {
                let content = content.iter().flatten();
                form.check(
                    &content
                        .map(|(name, value)| (name.clone(), value.to_value()))
                        .collect(),
                )
            }
            (ElicitationAction::Decline | ElicitationAction::Cancel, _) => Ok(()),
        }
    }
}

impl Sampling {
    /// Whether uses and results of tools belong together.
    ///
    /// MCP-SAMP-02.
    ///
    /// # Errors
    /// The first message that breaks the rule, counted from 0.
    pub fn check(&self) -> Result<(), SamplingProblem> {
        let mut asked: BTreeSet<String> = BTreeSet::new();
        for (at, message) in self.messages.iter().enumerate() {
            let blocks = blocks(message.content.to_value());
            let results = blocks.iter().filter(|block| kind(block) == "tool_result");
            let answered: BTreeSet<String> = results
                .clone()
                .filter_map(|block| Some(block.get("toolUseId")?.as_str()?.to_owned()))
                .collect();
            let number = results.count();
            // Results are the person's side of the dialogue, where they are alone.
            if number > 0 && (message.role != Role::User || number < blocks.len()) {
                return Err(SamplingProblem::Mixed(at));
            }
            if !answered.is_subset(&asked) || answered.len() < number {
                return Err(SamplingProblem::Unasked(at));
            }
            if !asked.is_subset(&answered) {
                return Err(SamplingProblem::Unanswered(at.saturating_sub(1)));
            }
            asked = if message.role == Role::Assistant {
                let uses = blocks.iter().filter(|block| kind(block) == "tool_use");
                uses.filter_map(|block| Some(block.get("id")?.as_str()?.to_owned()))
                    .collect()
            } else {
                BTreeSet::new()
            };
        }
        if asked.is_empty() {
            Ok(())
        } else {
            Err(SamplingProblem::Unanswered(
                self.messages.len().saturating_sub(1),
            ))
        }
    }
}

/// One block, or an array of them.
fn blocks(content: Value) -> Vec<Value> {
    match content {
        Value::Array(blocks) => blocks,
        one => vec![one],
    }
}

fn kind(block: &Value) -> &str {
    block
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

impl RootList {
    /// Whether each root may be given to a server.
    ///
    /// Does not check: whether the person permits it, or whether it exists; the host knows.
    ///
    /// MCP-ROOT-01.
    ///
    /// # Errors
    /// What is wrong with the first that is wrong.
    pub fn check(&self) -> Result<(), RootProblem> {
        self.roots.iter().try_for_each(Root::check)
    }
}

impl Root {
    /// Whether this may be given to a server; see [`RootList::check`].
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), RootProblem> {
        let path = self
            .uri
            .strip_prefix("file://")
            .ok_or(RootProblem::NotAFile)?;
        let plain = path.replace("%2e", ".").replace("%2E", ".");
        let separated = plain.replace("%2f", "/").replace("%2F", "/");
        let leads_up = separated
            .split(['/', '\\'])
            .any(|segment| segment == "." || segment == "..");
        if leads_up {
            Err(RootProblem::Traversal)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::types::SamplingMessage;

    fn dialogue(messages: &[(Role, Value)]) -> Result<(), SamplingProblem> {
        let messages = messages.iter().map(|(role, content)| SamplingMessage {
            role: *role,
            content: content.clone().into(),
        });
        let sampling = Sampling {
            messages: messages.collect(),
            ..Sampling::default()
        };
        sampling.check()
    }

    fn text() -> Value {
        json!({ "type": "text", "text": "x" })
    }

    fn uses(id: &str) -> Value {
        json!({ "type": "tool_use", "id": id, "name": "t", "input": {} })
    }

    fn result(id: &str) -> Value {
        json!({ "type": "tool_result", "toolUseId": id, "content": [] })
    }

    #[test]
    fn uses_and_results_of_tools_belong_together() {
        use Role::{Assistant, User};
        for good in [
            vec![],
            vec![(User, text())],
            vec![(User, json!([text(), text()])), (Assistant, text())],
            vec![(User, text()), (Assistant, uses("a")), (User, result("a"))],
            vec![
                (Assistant, json!([text(), uses("a"), uses("b")])),
                (User, json!([result("b"), result("a")])),
                (Assistant, uses("a")),
                (User, json!([result("a")])),
            ],
        ] {
            assert_eq!(dialogue(&good), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn what_does_not_belong_together_is_named() {
        use Role::{Assistant, User};
        use SamplingProblem::{Mixed, Unanswered, Unasked};
        for (bad, problem) in [
            (
                vec![(Assistant, uses("a")), (User, json!([result("a"), text()]))],
                Mixed(1),
            ),
            (vec![(Assistant, result("a"))], Mixed(0)),
            (vec![(User, result("a"))], Unasked(0)),
            (
                vec![
                    (Assistant, uses("a")),
                    (User, json!([result("a"), result("b")])),
                ],
                Unasked(1),
            ),
            (
                vec![
                    (Assistant, uses("a")),
                    (User, json!([result("a"), result("a")])),
                ],
                Unasked(1),
            ),
            (
                vec![(Assistant, uses("a")), (User, text()), (User, result("a"))],
                Unanswered(0),
            ),
            (
                vec![
                    (Assistant, json!([uses("a"), uses("b")])),
                    (User, result("a")),
                ],
                Unanswered(0),
            ),
            (vec![(User, text()), (Assistant, uses("a"))], Unanswered(1)),
        ] {
            assert_eq!(dialogue(&bad), Err(problem), "{bad:?}");
        }
    }

    #[test]
    fn a_root_is_a_file_and_does_not_lead_up() {
        let check = |uri: &str| {
            let (uri, name) = (uri.to_owned(), None);
            let roots = vec![Root {
                uri,
                name,
                meta: None,
            }];
            RootList { roots }.check()
        };
        for good in ["file:///", "file:///home/me/a..b/.git", "file://host/share"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["https://a.example/", "/etc", "FILE:///a", "file:/a", ""] {
            assert_eq!(check(bad), Err(RootProblem::NotAFile), "{bad}");
        }
        for bad in [
            "file:///a/../b",
            "file:///a/.",
            "file:///%2e%2E/b",
            "file:///a%2f..%2Fb",
            "file:///a\\..\\b",
        ] {
            assert_eq!(check(bad), Err(RootProblem::Traversal), "{bad}");
        }
    }

    #[test]
    fn a_tool_has_a_name_and_schemas_that_can_be_used() {
        let tool = |name: &str, input: Value, output: Option<Value>| {
            let mut tool = Tool::new(name, "d", &input).unwrap();
            tool.output_schema = output.map(|one| serde_json::value::to_raw_value(&one).unwrap());
            tool.check()
        };
        let object = || json!({ "type": "object", "additionalProperties": false });
        assert_eq!(tool("a", object(), None), Ok(()));
        assert_eq!(
            tool("a", object(), Some(json!({ "type": "array" }))),
            Ok(())
        );
        assert_eq!(
            tool("a b", object(), None),
            Err(ToolProblem::Name(ToolNameProblem::Character))
        );
        assert_eq!(
            tool("a", json!({}), None),
            Err(ToolProblem::Input(SchemaProblem::Root))
        );
        let old = json!({ "$schema": "http://json-schema.org/draft-04/schema#" });
        assert!(matches!(
            tool("a", object(), Some(old)),
            Err(ToolProblem::Output(SchemaProblem::Dialect(_)))
        ));
    }

    #[test]
    fn an_extension_is_declared_by_a_name_with_a_prefix() {
        let declared = |name| ServerCapabilities::default().with_extension(name, JsonObject::new());
        let extensions = declared("com.example/x").unwrap().extensions;
        assert_eq!(Value::Object(extensions), json!({ "com.example/x": {} }));
        assert_eq!(declared("x"), Err(KeyProblem::NoPrefix));
    }

    #[test]
    fn only_forms_and_dialogues_in_order_are_asked() {
        let form = |schema: Value| {
            let (message, requested_schema) = ("m".to_owned(), schema);
            Ask::Elicit(Elicitation::Form {
                message,
                requested_schema: requested_schema.into(),
            })
            .check()
        };
        assert_eq!(form(json!({ "type": "object", "properties": {} })), Ok(()));
        assert_eq!(form(json!({})), Err(AskProblem::Form(FormProblem::Root)));
        let mut sampling = Sampling::prompt("hi", 5);
        assert_eq!(Ask::Sample(sampling.clone()).check(), Ok(()));
        sampling.messages[0].content = result("a").into();
        assert_eq!(
            Ask::Sample(sampling).check(),
            Err(AskProblem::Sampling(SamplingProblem::Unasked(0)))
        );
        assert_eq!(Ask::Roots.check(), Ok(()));
    }

    #[test]
    fn mcp_eli_03_an_address_has_no_user_name_and_no_password() {
        let url = |url: &str| Ask::Elicit(Elicitation::url("m", url)).check();
        for good in [
            "https://a.example/sign-in?mail=b@c.example",
            "http://localhost:8080",
            "https://a.example#@",
        ] {
            assert_eq!(url(good), Ok(()), "{good}");
        }
        for secret in ["https://me:secret@a.example/", "https://me@a.example"] {
            assert_eq!(url(secret), Err(AskProblem::Credentials), "{secret}");
        }
        for none in [
            "",
            "a.example",
            "https://",
            "https:///a",
            "1s://a",
            "javascript:alert(1)",
        ] {
            assert_eq!(url(none), Err(AskProblem::NoAddress), "{none}");
        }
    }

    #[test]
    fn only_what_was_accepted_has_to_fit() {
        let schema = json!({ "type": "object", "properties": { "a": { "type": "boolean" } }, "required": ["a"] });
        let form = Form::read(&schema).unwrap();
        let check = |answer: Value| {
            let answer: ElicitationResult = serde_json::from_value(answer).unwrap();
            answer.check(&form).map_err(|problem| problem.why)
        };
        assert_eq!(
            check(json!({ "action": "accept", "content": { "a": true } })),
            Ok(())
        );
        assert_eq!(check(json!({ "action": "decline" })), Ok(()));
        assert_eq!(check(json!({ "action": "cancel", "content": {} })), Ok(()));
        assert_eq!(check(json!({ "action": "accept" })), Err("is required"));
        let wrong = json!({ "action": "accept", "content": { "a": 1 } });
        assert_eq!(check(wrong), Err("must be true or false"));
    }
}
