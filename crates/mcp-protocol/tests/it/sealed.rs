//! Sealed request state: who may bring it back, with which call, until when, and how often.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use mcp_protocol::seal::{Key, Keys, Purpose, Refused};
use mcp_protocol::serve::{Context, Error, HttpService, Options, Sealing};
use mcp_protocol::types::{Ask, Elicitation, InputRequired, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::drive::*;

/// Asks twice; the second question depends on the state, and so does what is done.
pub(crate) async fn work(context: &Context, call: &ToolCall) -> Result<ToolResult, Error> {
    let form = |message: &str| {
        Ask::Elicit(Elicitation::Form {
            message: message.to_owned(),
            requested_schema: json!({ "type": "object", "properties": {} }).into(),
        })
    };
    match (call.name.as_str(), context.request_state()) {
        // State without questions: the client is to call again by itself.
        ("transfer-later", None) => Err(Error::input_required(InputRequired {
            state: Some("later".to_owned()),
            ..InputRequired::default()
        })),
        ("transfer-later", state) => Ok(ToolResult::text(format!("{state:?}"))),
        (_, state) => {
            let state = state.map(str::to_owned);
            let first = context
                .ask_all([("sure", form("Sure?"))], Some("asked".to_owned()))
                .await?;
            drop(first.read::<Value>("sure")?);
            context
                .ask_all([("code", form("Code?"))], Some("sure".to_owned()))
                .await?;
            Ok(ToolResult::text(state.unwrap_or_default()))
        }
    }
}

/// A server that seals, its clock, and what its operator is told.
struct Node {
    service: Service,
    seconds: Arc<AtomicU64>,
    told: Arc<Mutex<Vec<(Purpose, Refused)>>>,
}

fn key(number: u8) -> Key {
    Key::new([number; 32])
}

fn node() -> Node {
    node_with(Keys::new(key(1)), |sealing| sealing)
}

fn node_with(keys: Keys, set: impl FnOnce(Sealing) -> Sealing) -> Node {
    let seconds = Arc::new(AtomicU64::new(1_000_000));
    let told = Arc::new(Mutex::new(Vec::new()));
    let (clock, ear, salt) = (Arc::clone(&seconds), Arc::clone(&told), AtomicU64::new(0));
    let sealing = Sealing::new(
        keys,
        move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst)),
        move |dest| {
            let count = salt.fetch_add(1, Ordering::SeqCst).to_be_bytes();
            dest.fill(0);
            dest[..8].copy_from_slice(&count);
        },
    )
    .with_observer(move |purpose, refused| ear.lock().unwrap().push((purpose, refused)));
    let options = Options {
        seal: Some(set(sealing)),
        principal: Some(Arc::new(|extensions| {
            extensions.get::<Person>().map(|p| p.0.to_owned())
        })),
        ..Options::default()
    };
    Node {
        service: HttpService::new(Server::default(), options),
        seconds,
        told,
    }
}

fn call(params: Value) -> Call {
    modern_as(&json!({ "elicitation": {} }), "tools/call", params).person("ada")
}

fn transfer() -> Value {
    json!({ "name": "transfer", "arguments": { "to": "bob", "sum": 5 } })
}

/// The same call, one round later.
fn answered(state: &str) -> Value {
    let mut params = transfer();
    params["inputResponses"] = json!({ "sure": { "action": "accept" } });
    params["requestState"] = json!(state);
    params
}

async fn first_state(node: &Node) -> String {
    let answer = call(transfer()).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    answer["result"]["requestState"]
        .as_str()
        .unwrap()
        .to_owned()
}

impl Node {
    /// Refused: the handler did not run, the peer hears the text, the operator the reason.
    async fn refuses(&self, call: Call, reason: Refused, message: &str) {
        let answer = call.send(&self.service).await;
        answer.status_is(200, "an ordinary error");
        let answer = answer.json();
        assert_eq!(
            answer["error"],
            json!({ "code": -32602, "message": message })
        );
        let told = std::mem::take(&mut *self.told.lock().unwrap());
        assert_eq!(told, [(Purpose::RequestState, reason)]);
    }

    fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }
}

const NOT_GIVEN: &str = "requestState was not given for this call: call again without it";

#[tokio::test]
async fn state_goes_out_sealed_and_comes_back_open() {
    let node = node();
    let first = first_state(&node).await;
    assert!(!first.contains("asked"), "{first}");
    let answer = call(answered(&first)).send(&node.service).await.json();
    let second = answer["result"]["requestState"].as_str().unwrap();
    // The answer of the first round is carried, and sealed too.
    assert!(!second.contains("accept"), "{second}");
    let mut params = transfer();
    params["inputResponses"] = json!({ "code": { "action": "accept" } });
    params["requestState"] = json!(second);
    let answer = call(params).send(&node.service).await;
    assert_eq!(answer.tool_text(), "sure");
    assert!(node.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn state_that_a_handler_gives_by_itself_is_sealed_too() {
    let node = node();
    let params = json!({ "name": "transfer-later" });
    let answer = call(params.clone()).send(&node.service).await.json();
    let state = answer["result"]["requestState"].as_str().unwrap();
    assert_ne!(state, "later");
    let mut again = params;
    again["requestState"] = json!(state);
    let answer = call(again).send(&node.service).await;
    assert_eq!(answer.tool_text(), r#"Some("later")"#);
}

#[tokio::test]
async fn without_sealing_state_travels_as_it_is() {
    let service = stateless();
    let answer = call(transfer()).send(&service).await.json();
    assert_eq!(answer["result"]["requestState"], "asked");
    let answer = call(answered("made up")).send(&service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn state_that_was_changed_or_made_up_is_refused() {
    let node = node();
    let state = first_state(&node).await;
    let changed = {
        let (at, last) = state.char_indices().nth(100).unwrap();
        let mut changed = state.clone();
        changed.replace_range(at..=at, if last == 'A' { "B" } else { "A" });
        changed
    };
    for (state, reason) in [
        (changed, Refused::Tampered),
        ("made up".to_owned(), Refused::Malformed),
        ("answers:{}".to_owned(), Refused::Malformed),
        (String::new(), Refused::Malformed),
        (format!("{state}-tampered"), Refused::Tampered),
        ("A".repeat(300 * 1024), Refused::TooLong),
    ] {
        node.refuses(call(answered(&state)), reason, NOT_GIVEN)
            .await;
    }
}

#[tokio::test]
async fn state_stays_with_the_one_it_was_given_to() {
    let node = node();
    let state = first_state(&node).await;
    let reason = Refused::OtherPrincipal;
    let brought = || {
        modern_as(
            &json!({ "elicitation": {} }),
            "tools/call",
            answered(&state),
        )
    };
    node.refuses(brought().person("eve"), reason, NOT_GIVEN)
        .await;
    node.refuses(brought(), reason, NOT_GIVEN).await;
    let answer = brought().person("ada").send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn state_stays_with_its_call() {
    let node = node();
    let state = first_state(&node).await;
    let mut other_sum = answered(&state);
    other_sum["arguments"]["sum"] = json!(5000);
    let mut other_tool = answered(&state);
    other_tool["name"] = json!("transfer-later");
    for params in [other_sum, other_tool] {
        node.refuses(call(params), Refused::OtherOperation, NOT_GIVEN)
            .await;
    }
    let mut other_method = answered(&state);
    other_method["uri"] = json!("test://a");
    let read = modern("resources/read", other_method)
        .replace("mcp-name", "test://a")
        .person("ada");
    node.refuses(read, Refused::OtherOperation, NOT_GIVEN).await;
    // Metadata belongs to the single request.
    let mut same = answered(&state);
    same["_meta"] = json!({ "progressToken": 7 });
    let answer = call(same).send(&node.service).await;
    assert!(answer.text.contains("input_required"), "{}", answer.text);
}

#[tokio::test]
async fn stale_state_is_refused() {
    let node = node();
    let state = first_state(&node).await;
    node.advance(599);
    let answer = call(answered(&state)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    node.advance(1);
    node.refuses(
        call(answered(&state)),
        Refused::Expired,
        "requestState has expired: call again without it",
    )
    .await;
    // Each round begins anew.
    let second = answer["result"]["requestState"].as_str().unwrap();
    let answer = call(answered(second)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn a_clock_before_1970_opens_nothing() {
    let node = node_with(Keys::new(key(1)), |_| {
        Sealing::new(
            Keys::new(key(1)),
            || UNIX_EPOCH - Duration::from_secs(1),
            |dest| dest.fill(1),
        )
    });
    let state = first_state(&node).await;
    let answer = call(answered(&state)).send(&node.service).await.json();
    assert_eq!(answer["error"]["code"], -32602);
}

#[tokio::test]
async fn what_a_clock_before_1970_sealed_does_not_open_when_it_is_set() {
    let seconds = Arc::new(AtomicU64::new(0));
    let (clock, salt) = (Arc::clone(&seconds), AtomicU64::new(0));
    let node = node_with(Keys::new(key(1)), |_| {
        Sealing::new(
            Keys::new(key(1)),
            move || match clock.load(Ordering::SeqCst) {
                0 => UNIX_EPOCH - Duration::from_secs(1),
                seconds => UNIX_EPOCH + Duration::from_secs(seconds),
            },
            move |dest| dest.fill(u8::try_from(salt.fetch_add(1, Ordering::SeqCst)).unwrap()),
        )
    });
    let state = first_state(&node).await;
    seconds.store(1_000_000, Ordering::SeqCst);
    let answer = call(answered(&state)).send(&node.service).await.json();
    assert_eq!(
        answer["error"]["message"],
        "requestState has expired: call again without it"
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_lets_no_state_be_used_twice() {
    let node = node_with(Keys::new(key(1)), |sealing| sealing.with_single_use(2));
    let used = first_state(&node).await;
    let answer = call(answered(&used)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    // Later it is forgotten, because it has expired.
    node.advance(600);
    let later = first_state(&node).await;
    let answer = call(answered(&later)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    node.seconds.fetch_sub(600, Ordering::SeqCst);
    node.refuses(
        call(answered(&used)),
        Refused::Expired,
        "requestState has expired: call again without it",
    )
    .await;
}

#[tokio::test]
async fn any_node_with_the_key_goes_on_and_a_removed_key_does_not_open() {
    let old = node();
    let state = first_state(&old).await;
    let both = Keys::new(key(2)).with_previous(key(1)).unwrap();
    let rotated = node_with(both, |sealing| sealing);
    let answer = call(answered(&state)).send(&rotated.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    let later = node_with(Keys::new(key(2)), |sealing| sealing);
    later
        .refuses(call(answered(&state)), Refused::UnknownKey, NOT_GIVEN)
        .await;
    let second = answer["result"]["requestState"].as_str().unwrap();
    let answer = call(answered(second)).send(&later.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn state_can_be_made_good_for_one_use() {
    let node = node_with(Keys::new(key(1)), |sealing| sealing.with_single_use(2));
    let state = first_state(&node).await;
    let answer = call(answered(&state)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    let used = "requestState was used already: call again without it";
    node.refuses(call(answered(&state)), Refused::Replayed, used)
        .await;
    // A refusal for another reason does not use it up.
    let other = first_state(&node).await;
    let mut wrong = answered(&other);
    wrong["arguments"] = json!({});
    node.refuses(call(wrong), Refused::OtherOperation, NOT_GIVEN)
        .await;
    let answer = call(answered(&other)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
    // What cannot be remembered is refused, until something has expired.
    let third = first_state(&node).await;
    let answer = call(answered(&third)).send(&node.service).await.json();
    assert_eq!(answer["error"]["code"], -32603);
    assert_eq!(
        node.told.lock().unwrap().pop(),
        Some((Purpose::RequestState, Refused::TooManySpent))
    );
    node.advance(600);
    let fourth = first_state(&node).await;
    let answer = call(answered(&fourth)).send(&node.service).await.json();
    assert_eq!(answer["result"]["resultType"], "input_required");
}

#[tokio::test]
async fn used_often_unless_once_is_asked_for() {
    let node = node();
    let state = first_state(&node).await;
    for _ in 0..3 {
        let answer = call(answered(&state)).send(&node.service).await.json();
        assert_eq!(answer["result"]["resultType"], "input_required");
    }
}
