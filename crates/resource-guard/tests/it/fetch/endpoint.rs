//! An HTTP client in memory: it answers as it was told, after the time it was told, and counts.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use resource_guard::fetch::HttpClient;
use tower_service::Service;

type Answer = Box<dyn Fn(&Request<Bytes>) -> Result<Response<Bytes>, Refusal> + Send + Sync>;

/// What answers requests, and which there were.
#[derive(Clone)]
pub(crate) struct Endpoint {
    state: Arc<Mutex<State>>,
}

struct State {
    answer: Arc<Answer>,
    delay: Duration,
    requests: Vec<Request<Bytes>>,
}

/// Why the client did not send a request.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) &'static str);

impl Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Endpoint {
    pub(crate) fn new(
        answer: impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, Refusal> + Send + Sync + 'static,
    ) -> Self {
        let answer: Answer = Box::new(answer);
        Self {
            state: Arc::new(Mutex::new(State {
                answer: Arc::new(answer),
                delay: Duration::from_millis(20),
                requests: Vec::new(),
            })),
        }
    }

    /// An endpoint that gives everybody this answer.
    pub(crate) fn answering(status: u16, body: impl Into<Bytes>) -> Self {
        Self::new(always(status, body))
    }

    pub(crate) fn client(&self) -> HttpClient {
        HttpClient::new(self.clone())
    }

    /// From now on it gives this answer.
    pub(crate) fn now_answers(&self, status: u16, body: impl Into<Bytes>) {
        let answer: Answer = Box::new(always(status, body));
        self.state.lock().unwrap().answer = Arc::new(answer);
    }

    pub(crate) fn takes(&self, delay: Duration) {
        self.state.lock().unwrap().delay = delay;
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.state.lock().unwrap().requests.len()
    }

    /// The newest request.
    pub(crate) fn last(&self) -> Request<Bytes> {
        self.state.lock().unwrap().requests.last().unwrap().clone()
    }
}

fn always(
    status: u16,
    body: impl Into<Bytes>,
) -> impl Fn(&Request<Bytes>) -> Result<Response<Bytes>, Refusal> + Send + Sync + 'static {
    let body = body.into();
    move |_| {
        let response = Response::builder().status(status).body(body.clone());
        Ok(response.unwrap())
    }
}

impl Service<Request<Bytes>> for Endpoint {
    type Response = Response<Bytes>;
    type Error = Refusal;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Refusal>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut state = self.state.lock().unwrap();
        state.requests.push(request.clone());
        let (answer, delay) = (Arc::clone(&state.answer), state.delay);
        Box::pin(async move {
            let later = tokio::time::Instant::now() + delay;
            let never = std::future::pending::<Infallible>();
            // The clock is paused, so this is no waiting but moving it.
            let passed = tokio::time::timeout_at(later, never).await;
            assert!(passed.is_err());
            answer(&request)
        })
    }
}
