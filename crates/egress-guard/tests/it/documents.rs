//! Documents over a service in memory, with a clock that the test moves.

mod caching;
mod coalescing;
mod revalidation;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use egress_guard::{DocumentLimits, Documents, EgressError};
use http::{Request, Response};
use tower_service::Service;

pub(crate) const URL: &str = "https://app.example/client.json";

type Outcome = Result<Response<Bytes>, EgressError>;

/// Answers from a list, the last one for ever, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Host(Arc<Mutex<State>>);

struct State {
    answers: VecDeque<Outcome>,
    asked: Vec<Request<Bytes>>,
    now: SystemTime,
    takes: Duration,
}

impl Host {
    pub(crate) fn new(answers: impl IntoIterator<Item = Outcome>) -> Self {
        Self(Arc::new(Mutex::new(State {
            answers: answers.into_iter().collect(),
            asked: Vec::new(),
            now: UNIX_EPOCH + Duration::from_secs(1_000_000_000),
            takes: Duration::ZERO,
        })))
    }

    /// Every answer takes this long by the clock of the runtime; for tests that begin with `start_paused`.
    pub(crate) fn taking(self, time: Duration) -> Self {
        self.0.lock().unwrap().takes = time;
        self
    }

    /// Moves the clock that documents are kept by.
    pub(crate) fn pass(&self, seconds: u64) {
        self.0.lock().unwrap().now += Duration::from_secs(seconds);
    }

    pub(crate) fn set_back(&self, seconds: u64) {
        self.0.lock().unwrap().now -= Duration::from_secs(seconds);
    }

    /// From now on this, whatever was to come.
    pub(crate) fn says(&self, answer: Outcome) {
        self.0.lock().unwrap().answers = [answer].into();
    }

    pub(crate) fn requests(&self) -> usize {
        self.0.lock().unwrap().asked.len()
    }

    /// A header field of the last request.
    pub(crate) fn was_asked(&self, name: &str) -> Option<String> {
        let state = self.0.lock().unwrap();
        let value = state.asked.last().unwrap().headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    }

    pub(crate) fn documents(&self, limits: DocumentLimits) -> Documents<Self> {
        let clock = Arc::clone(&self.0);
        Documents::new(self.clone(), limits, move || clock.lock().unwrap().now)
    }
}

impl Service<Request<Bytes>> for Host {
    type Response = Response<Bytes>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Outcome> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            let takes = {
                let mut state = host.lock().unwrap();
                state.asked.push(request);
                state.takes
            };
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            let mut state = host.lock().unwrap();
            match state.answers.len() {
                0 | 1 => state.answers[0].clone(),
                _ => state.answers.pop_front().unwrap(),
            }
        })
    }
}

/// An answer with these header fields.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Outcome {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap())
}

pub(crate) fn asking(url: &str) -> Request<Bytes> {
    let request = Request::get(url).header("accept", "application/json");
    request.body(Bytes::new()).unwrap()
}

/// Bounds that change nothing of what the answers say.
pub(crate) fn to_the_letter() -> DocumentLimits {
    DocumentLimits {
        shortest: Duration::ZERO,
        longest: Duration::MAX,
        ..DocumentLimits::default()
    }
}

/// Asks, and gives the body or the status of what is not a `200`.
pub(crate) async fn ask(documents: &Documents<Host>) -> String {
    let response = documents.send(asking(URL)).await.unwrap();
    match response.status().as_u16() {
        200 => String::from_utf8(response.body().to_vec()).unwrap(),
        status => status.to_string(),
    }
}
