//! What an attendant is told of calls over MCP, and when a credential counts as refused.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use didit_tools::{Attendant, Begun, Failure, Permissions, Watch};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use mcp_protocol::serve::{HttpService, Options};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::mcp::ask_at;
use crate::upstream::{ONE, Seen, Upstream, Words, ada};

/// Writes down what it is told, and answers for whoever is signed out.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<Vec<String>>>);

struct Line(Book, String, bool);

impl Attendant for Book {
    fn begins(&self, call: &Begun<'_>) -> Box<dyn Watch> {
        let line = format!(
            "{:?} {:?} {:?} {:?} of {}",
            call.tool(),
            call.argument_names(),
            call.confirmed(),
            call.permission(),
            call.arguments().len(),
        );
        Box::new(Line(self.clone(), line, false))
    }
}

impl Watch for Line {
    fn ended(
        mut self: Box<Self>,
        outcome: Option<Result<(), &Failure>>,
    ) -> Option<Response<Bytes>> {
        self.2 = true;
        let outcome = outcome.map(|outcome| outcome.map_err(|failure| failure.code().as_str()));
        self.0
            .0
            .lock()
            .unwrap()
            .push(format!("{} {outcome:?}", self.1));
        None
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.2 {
            self.0.0.lock().unwrap().push(format!("{} dropped", self.1));
        }
    }
}

fn request(name: &str, arguments: &Value) -> Request<Full<Bytes>> {
    let params = json!({"name": name, "arguments": arguments});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let mut request = Request::post("http://127.0.0.1/mcp")
        .header("host", "127.0.0.1")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    *request.extensions_mut() = ada();
    request
}

/// Calls a tool over HTTP with this attendant; status and body.
async fn call(
    upstream: &Upstream,
    attendant: impl Attendant,
    name: &str,
    arguments: Value,
) -> (u16, String) {
    let tools = upstream.tools().attended(Arc::new(attendant));
    let mut service = HttpService::new(tools, Options::default());
    let response = service.call(request(name, &arguments)).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn every_call_has_a_beginning_and_an_end() {
    let (book, upstream) = (Book::default(), Upstream::quiet(ONE));
    call(
        &upstream,
        book.clone(),
        "didit_session_list",
        json!({"limit": "3", "my_secret": 1}),
    )
    .await;
    call(
        &upstream,
        book.clone(),
        "didit_session_list",
        json!({"limit": "3"}),
    )
    .await;
    call(
        &upstream,
        book.clone(),
        "didit_session_delete",
        json!({"session_id": "s", "confirm": true}),
    )
    .await;
    call(
        &upstream,
        book.clone(),
        "didit_session_delete",
        json!({"session_id": "s", "confirm": false}),
    )
    .await;
    call(&upstream, book.clone(), "whsec_0123456789", json!({})).await;
    assert_eq!(
        *book.0.lock().unwrap(),
        [
            r#"Some("didit_session_list") ["limit"] None Some("list:sessions") of 2 Some(Err("bad_request"))"#,
            r#"Some("didit_session_list") ["limit"] None Some("list:sessions") of 1 Some(Ok(()))"#,
            r#"Some("didit_session_delete") ["confirm", "session_id"] Some(true) Some("delete:sessions") of 2 Some(Ok(()))"#,
            r#"Some("didit_session_delete") ["confirm", "session_id"] Some(false) Some("delete:sessions") of 2 Some(Err("unsafe_operation"))"#,
            "None [] None None of 0 None",
        ]
    );
}

#[tokio::test]
async fn a_call_that_is_cancelled_is_dropped() {
    let (book, upstream) = (Book::default(), Upstream::quiet(ONE));
    let tools = upstream.tools().attended(Arc::new(book.clone()));
    let mut service = HttpService::new(tools, Options::default());
    let mut calling = Box::pin(service.call(request("didit_session_list", &json!({}))));
    // Until the first request is on its way.
    while upstream.all().is_empty() {
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(calling.as_mut().poll(cx)));
        assert!(polled.await.is_pending());
    }
    drop(calling);
    let lines = book.0.lock().unwrap();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].ends_with(" dropped"), "{lines:?}");
}

/// Answers 401 for whoever is signed out.
struct Guarding;

struct Door;

impl Attendant for Guarding {
    fn begins(&self, _: &Begun<'_>) -> Box<dyn Watch> {
        Box::new(Door)
    }
}

impl Watch for Door {
    fn ended(self: Box<Self>, outcome: Option<Result<(), &Failure>>) -> Option<Response<Bytes>> {
        let failure = outcome?.err()?;
        let challenge = Response::builder().status(401).body(Bytes::from("again"));
        failure.is_signed_out().then(|| challenge.unwrap())
    }
}

type Answer = fn(&Seen) -> (u16, Value);

#[tokio::test]
async fn a_refused_credential_is_told_from_a_refused_tool() {
    let everything: Answer = |_| (401, json!({"detail": "no"}));
    let own: Answer = |seen| match seen.path.as_str() {
        "auth/organizations/me/" => (403, json!({"detail": "no"})),
        _ => (200, json!({})),
    };
    let all: Answer = |_| (403, json!({"detail": "no"}));
    let tool: Answer = |seen| match seen.path.starts_with("auth/") {
        true => (200, json!([])),
        false => (403, json!({"detail": "no"})),
    };
    let broken: Answer = |_| (500, json!({"detail": "no"}));
    let place = json!({"organization_id": "o-1", "application_id": "a-1"});
    for (case, upstream, name, arguments, signed_out) in [
        ("401", everything, "didit_session_list", place.clone(), true),
        (
            "401 of the context",
            everything,
            "didit_context_get",
            json!({}),
            true,
        ),
        (
            "403 of the context",
            own,
            "didit_context_get",
            json!({}),
            true,
        ),
        (
            "403 of the place",
            own,
            "didit_session_list",
            json!({}),
            true,
        ),
        ("403 of all", all, "didit_session_list", place.clone(), true),
        (
            "403 of the tool",
            tool,
            "didit_session_list",
            place.clone(),
            false,
        ),
        ("an outage", broken, "didit_context_get", json!({}), false),
    ] {
        let upstream = Upstream::new(ONE, upstream);
        let (status, body) = call(&upstream, Guarding, name, arguments).await;
        let expected = if signed_out { 401 } else { 200 };
        assert_eq!(status, expected, "{case}: {body}");
        assert_eq!(body == "again", signed_out, "{case}: {body}");
    }
}

#[tokio::test]
async fn what_the_permissions_of_a_token_refuse_is_not_sent_and_told_as_a_call() {
    let (book, upstream) = (Book::default(), Upstream::quiet(ONE));
    let tools = upstream.tools().checking(Permissions::Enforce);
    let tools = tools.attended(Arc::new(book.clone()));
    let mut caller = ada();
    caller.insert(Words("didit:verification read:workflows"));
    let params = json!({"name": "didit_session_list", "arguments": {}});
    let body = ask_at(tools, "", caller, "tools/call", params).await;
    assert_eq!(body["result"]["isError"], true);
    let text = body["result"]["content"][0]["text"].as_str().unwrap();
    assert_eq!(
        text,
        "Error [missing_scope]: the access token does not carry the permission list:sessions, which this tool needs\n\
         Hint: Roles that have it: OWNER, ADMIN, COMPLIANCE_OFFICER, DEVELOPER, READER. Sign in again after the role has changed."
    );
    assert!(upstream.all().is_empty());
    let lines = book.0.lock().unwrap();
    assert!(
        lines[0].ends_with(r#"Some(Err("missing_scope"))"#),
        "{lines:?}"
    );
}
