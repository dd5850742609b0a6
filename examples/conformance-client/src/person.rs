//! The person in front of the client, as the suite imagines one: agrees to everything and keeps what a form suggests.

use mcp_protocol::client::{Host, Reply, Replying, form_defaults};
use mcp_protocol::types::{
    Ask, ClientCapabilities, Elicitation, ElicitationAction, ElicitationResult, Json, RawObject,
    Role, RootList, Sampling, SamplingResult,
};
use mcp_protocol::{RpcError, types::Root};
use serde_json::{Value, json};

/// The person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person;

impl Host for Person {
    fn capabilities(&self) -> ClientCapabilities {
        let declared = [
            ("elicitation", json!({ "form": {} })),
            ("roots", json!({})),
            ("sampling", json!({})),
        ];
        ClientCapabilities::from(
            declared
                .into_iter()
                .map(|(name, value)| (name.to_owned(), Json::from(value)))
                .collect::<RawObject>(),
        )
    }

    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
        Box::pin(async move {
            match ask {
                Ask::Elicit(Elicitation::Form {
                    requested_schema, ..
                }) => Ok(Reply::Elicited(accepted(requested_schema))),
                Ask::Sample(sampling) => Ok(Reply::Sampled(said(sampling))),
                Ask::Roots => Ok(Reply::Roots(RootList {
                    roots: vec![Root {
                        uri: "file:///project".to_owned(),
                        ..Root::default()
                    }],
                })),
                _ => Err(RpcError::method_not_found(ask.method())),
            }
        })
    }
}

fn accepted(requested_schema: &Json) -> ElicitationResult {
    ElicitationResult {
        action: ElicitationAction::Accept,
        content: Some(filled_in(requested_schema)),
    }
}

fn said(_: &Sampling) -> SamplingResult {
    SamplingResult {
        role: Role::Assistant,
        content: json!({ "type": "text", "text": "yes" }).into(),
        model: "none".to_owned(),
        stop_reason: Some("endTurn".to_owned()),
    }
}

/// A form or the arguments of a tool: what is suggested stays, and what is left has a value of its type.
pub(crate) fn filled_in(schema: &Json) -> RawObject {
    let mut content = form_defaults(schema);
    let schema = schema.to_value();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        if !content.contains_key(name)
            && let Some(value) = of_type(property)
        {
            content.insert(name.clone(), value.into());
        }
    }
    content
}

fn of_type(property: &Value) -> Option<Value> {
    let first = property.get("enum").and_then(|values| values.get(0));
    first
        .cloned()
        .or_else(|| match property.get("type")?.as_str()? {
            "string" => Some(json!("text")),
            "integer" | "number" => Some(json!(1)),
            "boolean" => Some(json!(true)),
            "array" => Some(json!([])),
            "object" => Some(json!({})),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_suggested_stays_and_the_rest_has_its_type() {
        let schema = json!({"properties": {
            "name": {"type": "string", "default": "John"}, "sure": {"type": "boolean"},
            "off": {"type": "boolean", "default": false}, "colour": {"type": "string", "enum": ["red", "blue"]},
            "many": {"type": "array"}, "odd": {"$ref": "#/$defs/odd"}}});
        assert_eq!(
            serde_json::to_value(filled_in(&schema.into())).unwrap(),
            json!({"name": "John", "sure": true, "off": false, "colour": "red", "many": []})
        );
    }

    #[tokio::test]
    async fn each_kind_of_question_has_an_answer_of_its_kind() {
        let form = Ask::Elicit(Elicitation::form("m", json!({})));
        assert!(matches!(Person.answer(&form).await, Ok(Reply::Elicited(_))));
        let sample = Ask::Sample(Sampling::prompt("hi", 5));
        assert!(matches!(
            Person.answer(&sample).await,
            Ok(Reply::Sampled(_))
        ));
        assert!(matches!(
            Person.answer(&Ask::Roots).await,
            Ok(Reply::Roots(_))
        ));
        for ask in [form, sample, Ask::Roots] {
            assert_eq!(ask.missing(&Person.capabilities()), None);
        }
    }
}
