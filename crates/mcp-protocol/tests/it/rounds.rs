//! Calls in several rounds: what is echoed, what is new in each, and where it ends.

use std::collections::BTreeMap;

use mcp_protocol::RpcError;
use mcp_protocol::client::{BadAnswer, ClientError, Host, Limits, Reply, Replying};
use mcp_protocol::types::{
    Ask, ClientCapabilities, ElicitationAction, ElicitationResult, RawObject, RootList,
};
use serde_json::{Value, json};

use crate::client::{Seen, Server, modern, raw, result, said};

/// Accepts every form with nothing in it, names no roots, and lets nobody use its model.
pub(crate) struct Willing;

impl Host for Willing {
    fn capabilities(&self) -> ClientCapabilities {
        let declared = json!({"elicitation": {"form": {}}, "roots": {}, "sampling": {}});
        ClientCapabilities::from(declared.as_object().unwrap().clone())
    }

    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
        Box::pin(async move {
            match ask {
                Ask::Elicit(_) => Ok(Reply::Elicited(ElicitationResult {
                    action: ElicitationAction::Accept,
                    content: Some(RawObject::new()),
                })),
                Ask::Roots => Ok(Reply::Roots(RootList::default())),
                _ => Err(RpcError::invalid_params("not with this model")),
            }
        })
    }
}

fn form() -> Value {
    json!({"method": "elicitation/create",
           "params": {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}})
}

fn required(requests: Value, state: Option<&str>) -> Value {
    let mut required = json!({"resultType": "input_required"});
    if requests != json!({}) {
        required["inputRequests"] = requests;
    }
    if let Some(state) = state {
        required["requestState"] = json!(state);
    }
    required
}

/// A server whose nth answer to a call is the nth of these, and the last one for ever.
fn in_rounds(answers: Vec<Value>) -> Server {
    let next = std::sync::Mutex::new(answers.into_iter().peekable());
    modern(move |seen| {
        let mut next = next.lock().unwrap();
        let answer = next.next().unwrap();
        if next.peek().is_none() {
            *next = vec![answer.clone()].into_iter().peekable();
        }
        result(seen, answer)
    })
}

async fn call(server: &Server) -> Result<String, ClientError> {
    let client = server.client().with_host(Willing);
    let called = client.call_tool("t", &raw(json!({"a": 1}))).await?;
    Ok(called.result.content[0].as_text().unwrap().to_owned())
}

/// What the calls said beside their arguments, and their ids.
fn calls(server: &Server) -> (Vec<(Value, Value)>, Vec<Value>) {
    let seen: Vec<Seen> = server.seen().into_iter().skip(1).collect();
    let said = seen.iter().map(|seen| {
        let params = &seen.body["params"];
        assert_eq!(params["arguments"], json!({"a": 1}));
        let of = |name: &str| params.get(name).cloned().unwrap_or(json!("absent"));
        (of("inputResponses"), of("requestState"))
    });
    let ids = seen.iter().map(|seen| seen.body["id"].clone()).collect();
    (said.collect(), ids)
}

#[tokio::test]
async fn the_state_comes_back_as_it_was_and_only_in_the_next_round() {
    let odd = "{\"a\" : \"\\u00e9\"}\n\u{7f} é\u{1f600} \\ / \"";
    let server = in_rounds(vec![
        required(
            json!({"sure": form(), "where": {"method": "roots/list"}}),
            Some(odd),
        ),
        required(json!({"again": form()}), None),
        required(json!({}), Some("")),
        said("done"),
    ]);
    assert_eq!(call(&server).await.unwrap(), "done");
    let (said, mut ids) = calls(&server);
    let accepted = json!({"action": "accept", "content": {}});
    let absent = json!("absent");
    assert_eq!(
        said,
        [
            (absent.clone(), absent.clone()),
            (
                json!({"sure": accepted, "where": {"roots": []}}),
                json!(odd)
            ),
            (json!({"again": accepted}), absent.clone()),
            (absent, json!("")),
        ]
    );
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[tokio::test]
async fn another_call_carries_nothing_of_it() {
    let server = in_rounds(vec![
        required(json!({"sure": form()}), Some("s")),
        said("done"),
    ]);
    call(&server).await.unwrap();
    let client = server.client().with_host(Willing);
    client.call_tool("other", &raw(json!({}))).await.unwrap();
    let seen = server.seen();
    let params = &seen.last().unwrap().body["params"];
    assert_eq!(params["name"], "other");
    assert!(params.get("inputResponses").is_none() && params.get("requestState").is_none());
}

#[tokio::test]
async fn a_call_that_asks_for_ever_ends() {
    let server = in_rounds(vec![required(json!({"sure": form()}), None)]);
    let client = server.client().with_host(Willing).with_limits(Limits {
        max_rounds: 3,
        ..Limits::default()
    });
    let refused = client
        .call_tool("t", &raw(json!({"a": 1})))
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::Answer(BadAnswer::EndlessRounds(3))),
        "{refused:?}"
    );
    assert_eq!(calls(&server).0.len(), 3);
}

/// Counts how often it is asked, and declines.
struct Counting(std::sync::Arc<std::sync::atomic::AtomicUsize>);

impl Host for Counting {
    fn capabilities(&self) -> ClientCapabilities {
        Willing.capabilities()
    }

    fn answer<'a>(&'a self, ask: &'a Ask) -> Replying<'a> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Willing.answer(ask)
    }
}

#[tokio::test]
async fn nobody_is_asked_for_an_answer_that_does_not_go_out() {
    for (max_rounds, questions) in [(3, 2), (1, 0), (0, 0)] {
        let server = in_rounds(vec![required(json!({"sure": form()}), None)]);
        let asked = std::sync::Arc::default();
        let client = server
            .client()
            .with_host(Counting(std::sync::Arc::clone(&asked)))
            .with_limits(Limits {
                max_rounds,
                ..Limits::default()
            });
        let refused = client.call_tool("t", &raw(json!({"a": 1}))).await;
        assert!(
            matches!(refused, Err(ClientError::Answer(BadAnswer::EndlessRounds(n))) if n == max_rounds),
            "{refused:?}"
        );
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), questions);
        assert_eq!(calls(&server).0.len(), questions + 1);
    }
}

#[tokio::test]
async fn without_rounds_a_call_that_needs_none_is_made() {
    let server = in_rounds(vec![said("done")]);
    let client = server.client().with_limits(Limits {
        max_rounds: 0,
        ..Limits::default()
    });
    let called = client.call_tool("t", &raw(json!({"a": 1}))).await;
    assert!(called.is_ok(), "{called:?}");
}

#[tokio::test]
async fn what_cannot_be_answered_ends_the_call_with_its_reason() {
    let sampling =
        json!({"method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}});
    let refused = call(&in_rounds(vec![required(json!({"m": sampling}), None)])).await;
    assert!(
        matches!(&refused, Err(ClientError::Unanswered(error)) if error.message == "not with this model"),
        "{refused:?}"
    );
    let broken = json!({"method": "elicitation/create", "params": {"message": 5}});
    let refused = call(&in_rounds(vec![required(json!({"m": broken}), None)])).await;
    assert!(
        matches!(refused, Err(ClientError::Unanswered(_))),
        "{refused:?}"
    );

    for unknown in [json!({"method": "tasks/invent"}), json!({}), json!(5)] {
        let refused = call(&in_rounds(vec![required(json!({"m": unknown}), None)])).await;
        assert!(
            matches!(refused, Err(ClientError::InputRequired(_))),
            "{refused:?}"
        );
    }

    let refused = call(&in_rounds(vec![required(json!({}), None)])).await;
    assert!(
        matches!(refused, Err(ClientError::Answer(BadAnswer::NothingAsked))),
        "{refused:?}"
    );
    let many: serde_json::Map<String, Value> = (0..33).map(|n| (n.to_string(), form())).collect();
    let refused = call(&in_rounds(vec![required(many.into(), None)])).await;
    assert!(
        matches!(
            refused,
            Err(ClientError::Answer(BadAnswer::TooManyQuestions(32)))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn resources_and_prompts_may_ask_and_lists_may_not() {
    let contents = json!({"resultType": "complete", "contents": []});
    let server = in_rounds(vec![required(json!({"sure": form()}), Some("s")), contents]);
    server
        .client()
        .with_host(Willing)
        .read_resource("a:1")
        .await
        .unwrap();
    assert_eq!(server.seen()[2].body["params"]["requestState"], "s");
    assert_eq!(server.seen()[2].body["params"]["uri"], "a:1");

    let messages = json!({"resultType": "complete", "messages": []});
    let server = in_rounds(vec![required(json!({"sure": form()}), Some("s")), messages]);
    let none = BTreeMap::new();
    server
        .client()
        .with_host(Willing)
        .get_prompt("p", &none)
        .await
        .unwrap();
    assert_eq!(server.seen()[2].body["params"]["requestState"], "s");

    let server = in_rounds(vec![required(json!({"sure": form()}), Some("s"))]);
    let refused = server
        .client()
        .with_host(Willing)
        .list_tools()
        .await
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::InputRequired(_)),
        "{refused:?}"
    );
    assert_eq!(server.methods(), ["server/discover", "tools/list"]);
}

#[tokio::test]
async fn what_the_host_can_do_is_declared_with_every_request() {
    let server = in_rounds(vec![said("done")]);
    call(&server).await.unwrap();
    for seen in server.seen() {
        assert_eq!(
            seen.body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"],
            json!({"elicitation": {"form": {}}, "roots": {}, "sampling": {}})
        );
    }
}
