//! Sending, sending again, and not sending again, by a clock that is moved.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use serde_json::json;

use super::*;
use crate::api::Base;
use crate::operation::{Operation, Verb, find, row};

/// What the stand-in does with a request.
#[derive(Clone, Debug)]
enum Does {
    Answers(u16, &'static str),
    AsksToWait(u16, &'static str),
    Breaks,
    Hangs,
}

use Does::{Answers, AsksToWait, Breaks, Hangs};

/// A client that does one thing after the other, and remembers when it was asked and what for.
#[derive(Clone)]
struct Scripted {
    script: Arc<Mutex<VecDeque<Does>>>,
    seen: Arc<Mutex<Vec<(u128, String)>>>,
    started: Instant,
    /// How many of its futures live.
    alive: Arc<()>,
}

impl Scripted {
    fn new(script: &[Does]) -> Self {
        Self {
            script: Arc::new(Mutex::new(script.iter().cloned().collect())),
            seen: Arc::default(),
            started: Instant::now(),
            alive: Arc::new(()),
        }
    }

    /// The second of each request.
    fn seconds(&self) -> Vec<u128> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(millis, _)| millis / 1000).collect()
    }

    fn lines(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|(_, line)| line.clone()).collect()
    }
}

impl Service<Request<Bytes>> for Scripted {
    type Response = Response<Bytes>;
    type Error = &'static str;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, &'static str>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let line = format!(
            "{} {}",
            request.method(),
            request.uri().path_and_query().unwrap()
        );
        let at = self.started.elapsed().as_millis();
        self.seen.lock().unwrap().push((at, line));
        let does = self.script.lock().unwrap().pop_front().unwrap();
        let alive = Arc::clone(&self.alive);
        Box::pin(async move {
            let _alive = alive;
            let (status, wait, body) = match does {
                Breaks => return Err("refused by 10.0.0.1"),
                Hangs => std::future::pending().await,
                Answers(status, body) => (status, None, body),
                AsksToWait(status, wait) => (status, Some(wait), "{}"),
            };
            let mut response = Response::builder().status(status);
            if let Some(wait) = wait {
                response = response
                    .header("retry-after", wait)
                    .header("date", "Thu, 01 Jan 2026 00:00:00 GMT");
            }
            Ok(response.body(Bytes::from(body)).unwrap())
        })
    }
}

static READ: Operation = Operation {
    repeatable: true,
    ..row("test.read", Verb::Get, Base::Api, "/read/")
};
static WRITE: Operation = Operation {
    body: &["a"],
    ..row("test.write", Verb::Post, Base::Api, "/write/")
};
static DELETION: Operation = Operation {
    repeatable: true,
    ..row("test.delete", Verb::Delete, Base::Api, "/delete/")
};

fn token() -> Credential {
    Credential::bearer("t")
}

/// One call without retries.
async fn once(does: Does) -> Result<Value, ApiError> {
    let client = Scripted::new(&[does]);
    Sender::new(Api::hosted(), client)
        .send(&token(), &Call::new(&READ))
        .await
}

/// One call with retries, and the seconds in which it was sent.
async fn repeated(
    operation: &'static Operation,
    script: &[Does],
) -> (Result<Value, ApiError>, Vec<u128>) {
    let client = Scripted::new(script);
    let sender = Sender::new(Api::hosted(), client.clone()).with_retries(Retries::new(|| 250));
    let answer = sender.send(&token(), &Call::new(operation)).await;
    (answer, client.seconds())
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_read() {
    let client = Scripted::new(&[Answers(200, "[1]")]);
    let sender = Sender::new(Api::hosted(), client.clone());
    let call = Call::new(find("organization.list").unwrap());
    assert_eq!(sender.send(&token(), &call).await.unwrap(), json!([1]));
    assert_eq!(client.lines(), ["GET /auth/v2/organizations/me/"]);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_the_time_limit() {
    let error = once(Hangs).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.message(), "the Didit API did not answer within 30 s");
}

#[tokio::test(start_paused = true)]
async fn a_failing_client_says_nothing_of_its_inside() {
    let error = once(Breaks).await.unwrap_err();
    assert_eq!(error.message(), "the Didit API could not be reached");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_its_code() {
    let error = once(Answers(403, r#"{"detail":"no"}"#)).await.unwrap_err();
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::Forbidden, "no")
    );
}

#[tokio::test(start_paused = true)]
async fn without_rules_nothing_is_sent_twice() {
    for does in [AsksToWait(429, "1"), Answers(503, ""), Breaks, Hangs] {
        // A second request would find the script at its end.
        assert!(once(does).await.is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_again_until_it_is_answered() {
    let (answer, seconds) = repeated(&READ, &[Breaks, Answers(503, ""), Answers(200, "7")]).await;
    assert_eq!(answer.unwrap(), json!(7));
    assert_eq!(seconds, [0, 0, 1]);
    let (answer, seconds) = repeated(&READ, &[Hangs, Answers(200, "7")]).await;
    assert_eq!(answer.unwrap(), json!(7));
    assert_eq!(seconds, [0, 30]);
}

#[tokio::test(start_paused = true)]
async fn a_repeatable_row_is_too_and_another_is_not() {
    let script = [Answers(503, ""), Answers(204, "")];
    let (answer, seconds) = repeated(&DELETION, &script).await;
    assert!(answer.is_ok());
    assert_eq!(seconds.len(), 2);
    for does in [Answers(502, ""), Answers(503, ""), Breaks, Hangs] {
        let (answer, seconds) = repeated(&WRITE, &[does]).await;
        assert!(answer.is_err());
        assert_eq!(seconds.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_is_waited_for_in_both_forms_of_its_header() {
    for wait in ["5", "Thu, 01 Jan 2026 00:00:05 GMT"] {
        let script = [AsksToWait(429, wait), Answers(200, "1")];
        let (answer, seconds) = repeated(&WRITE, &script).await;
        assert!(answer.is_ok());
        assert_eq!(seconds, [0, 5]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_budget_is_not_begun() {
    let (answer, seconds) = repeated(&READ, &[AsksToWait(429, "61")]).await;
    let error = answer.unwrap_err();
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert_eq!(error.retry_after(), Some(61));
    assert_eq!(seconds, [0]);
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_given_and_the_budget_holds() {
    let script = [Answers(503, ""), Answers(503, ""), Answers(502, "")];
    let (answer, seconds) = repeated(&READ, &script).await;
    assert_eq!(answer.unwrap_err().status(), Some(502));
    assert_eq!(seconds.len(), 3);
    // Two attempts of 30 s do not leave room for a third.
    let started = Instant::now();
    let (answer, seconds) = repeated(&READ, &[Hangs, Hangs]).await;
    assert!(answer.is_err());
    assert_eq!(seconds.len(), 2);
    assert!(started.elapsed() <= crate::DEFAULT_BUDGET);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_ends_its_request_and_its_wait() {
    let client = Scripted::new(&[Hangs]);
    let sender = Sender::new(Api::hosted(), client.clone());
    let (credential, call) = (token(), Call::new(&READ));
    let send = sender.send(&credential, &call);
    assert!(timeout(Duration::from_secs(1), send).await.is_err());
    // The stand-in, the sender's copy of it, and no request.
    assert_eq!(Arc::strong_count(&client.alive), 2);
    let client = Scripted::new(&[AsksToWait(429, "30")]);
    let sender = Sender::new(Api::hosted(), client.clone()).with_retries(Retries::new(|| 0));
    let send = sender.send(&credential, &call);
    assert!(timeout(Duration::from_secs(1), send).await.is_err());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(client.seconds(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_sent_for_by_the_same_rules() {
    let client = Scripted::new(&[Answers(503, ""), Answers(200, "%PDF-1.7")]);
    let sender = Sender::new(Api::hosted(), client).with_retries(Retries::new(|| 0));
    let answer = sender.send_for_file(&token(), &Call::new(&READ)).await;
    assert_eq!(
        answer.unwrap(),
        (FileKind::Pdf, Bytes::from_static(b"%PDF-1.7"))
    );
    let sender = Sender::new(Api::hosted(), Scripted::new(&[Answers(200, "{}")]));
    let answer = sender.send_for_file(&token(), &Call::new(&READ)).await;
    assert!(answer.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_no_request_is_not_sent() {
    let client = Scripted::new(&[]);
    let sender = Sender::new(Api::hosted(), client).with_retries(Retries::new(|| 0));
    let call = Call::new(&READ).query("a", "b");
    let error = sender.send(&token(), &call).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    let error = sender
        .send(&Credential::api_key("k"), &Call::new(&READ))
        .await
        .unwrap_err();
    assert_eq!(
        error.message(),
        "the operation takes a person's access token"
    );
}

static LIST: Operation = Operation {
    repeatable: true,
    query: &["vendor_data", "limit", "offset"],
    ..row("test.list", Verb::Get, Base::Api, "/sessions/")
};
static CREATE: Operation = Operation {
    body: &["workflow_id", "vendor_data"],
    ..row("test.create", Verb::Post, Base::Api, "/session/")
};

const FIND: &str = "GET /v3/sessions/?vendor_data=customer-42&limit=50";
const MAKE: &str = "POST /v3/session/";
const NONE: Does = Answers(200, r#"{"results":[]}"#);
const MADE: Does = Answers(201, r#"{"session_id":"s-1"}"#);

async fn created(
    vendor_data: Option<&str>,
    script: &[Does],
) -> (Result<Value, ApiError>, Vec<String>) {
    let client = Scripted::new(script);
    let sender = Sender::new(Api::hosted(), client.clone()).with_retries(Retries::new(|| 0));
    let mut create = Call::new(&CREATE).field("workflow_id", json!("w-1"));
    if let Some(vendor_data) = vendor_data {
        create = create.field("vendor_data", json!(vendor_data));
    }
    let session = sender
        .create_session(&token(), &create, &Call::new(&LIST))
        .await;
    (session, client.lines())
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_answered_is_sent_once() {
    let (session, lines) = created(Some("customer-42"), &[MADE]).await;
    assert_eq!(session.unwrap(), json!({"session_id": "s-1"}));
    assert_eq!(lines, [MAKE]);
    let (session, lines) = created(Some("customer-42"), &[Answers(400, "{}")]).await;
    assert_eq!(session.unwrap_err().status(), Some(400));
    assert_eq!(lines, [MAKE]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_of_open_outcome_is_looked_up_before_it_is_sent_again() {
    for open in [
        Hangs,
        Breaks,
        Answers(500, ""),
        Answers(503, ""),
        Answers(504, ""),
    ] {
        let (session, lines) = created(Some("customer-42"), &[open.clone(), NONE, MADE]).await;
        assert!(session.is_ok());
        assert_eq!(lines, [MAKE, FIND, MAKE], "{open:?}");
    }
    let unfinished = Answers(
        200,
        r#"{"results":[{"vendor_data":"customer-42","status":"Not Started"}]}"#,
    );
    let (session, lines) = created(Some("customer-42"), &[Hangs, unfinished, MADE]).await;
    assert!(session.is_ok());
    assert_eq!(lines, [MAKE, FIND, MAKE]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_may_have_happened_is_not_sent_again() {
    let finished = Answers(
        200,
        r#"{"results":[{"vendor_data":"customer-42","status":"In Review"}]}"#,
    );
    for found in [finished, Answers(403, "{}"), Answers(200, "<html>")] {
        let (session, lines) = created(Some("customer-42"), &[Hangs, found]).await;
        let error = session.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NetworkError);
        assert!(
            error
                .message()
                .contains("look at the sessions of this vendor_data"),
            "{error}"
        );
        assert_eq!(lines, [MAKE, FIND]);
    }
    let (session, lines) = created(None, &[Hangs]).await;
    let error = session.unwrap_err();
    assert!(error.message().contains("without vendor_data"), "{error}");
    assert_eq!(lines, [MAKE]);
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_was_not_served_waits_and_is_sent_again() {
    let script = [AsksToWait(429, "2"), MADE];
    let (session, lines) = created(None, &script).await;
    assert!(session.is_ok());
    assert_eq!(lines, [MAKE, MAKE]);
}

#[tokio::test(start_paused = true)]
async fn pages_follow_each_other_on_the_same_host() {
    let client = Scripted::new(&[
        Answers(
            200,
            r#"{"count":3,"next":"http://10.0.0.1/steal?offset=2","results":[1,2]}"#,
        ),
        Answers(503, ""),
        Answers(200, r#"{"count":3,"next":null,"results":[3]}"#),
    ]);
    let sender = Sender::new(Api::hosted(), client.clone()).with_retries(Retries::new(|| 0));
    let credential = token();
    let mut pages = sender.pages(&credential, Call::new(&LIST));
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await {
        rows.extend(page.unwrap().rows);
    }
    assert_eq!(rows, [json!(1), json!(2), json!(3)]);
    assert_eq!(
        client.lines(),
        [
            "GET /v3/sessions/",
            "GET /v3/sessions/?offset=2",
            "GET /v3/sessions/?offset=2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_of_pages_ends_with_its_first_error() {
    let page = Answers(200, r#"{"next":"?offset=1","results":[1]}"#);
    let client = Scripted::new(&[page.clone(), Answers(403, "{}")]);
    let sender = Sender::new(Api::hosted(), client);
    let credential = token();
    let mut pages = sender.pages(&credential, Call::new(&LIST));
    assert!(pages.next().await.unwrap().is_ok());
    assert!(pages.next().await.unwrap().is_err());
    assert!(pages.next().await.is_none());
    let sender = Sender::new(Api::hosted(), Scripted::new(&[page]));
    let mut pages = sender.pages(&credential, Call::new(&LIST)).at_most(1, 9);
    assert!(pages.next().await.unwrap().is_err());
    assert!(pages.next().await.is_none());
}
