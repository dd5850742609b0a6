//! Documents: one request for many callers, and answers used again as HTTP caching allows.

mod freshness;
mod kept;

use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use tokio::sync::watch;
use tower_service::Service;

use crate::client::Client;
use crate::error::EgressError;
use kept::{Kept, Shelf};

/// How long documents are kept, how many, and how many callers may wait for one.
///
/// Every field may be changed and any combination is valid; where the bounds contradict each other the upper one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentLimits {
    /// What is kept is used for this long even where it says less. Default 30 seconds: hosts of static files send
    /// `max-age=0` without anybody having decided it, and one sign-in reads a document several times. Zero follows
    /// HTTP to the letter. Does not apply to `no-cache`, `no-store` and `private`.
    pub shortest: Duration,
    /// For answers that say nothing about their lifetime. Default one hour.
    pub unsaid: Duration,
    /// Nothing is used for longer than this without asking. Default one day.
    pub longest: Duration,
    /// Documents at once; the longest unused is given up for a new one. Default 256.
    pub documents: usize,
    /// Bytes of all documents with their header fields and addresses. Default 4 MiB. One that is larger by itself is
    /// not kept.
    pub bytes: usize,
    /// Callers that wait for one document. Default 256: far above the sign-ins of a moment, and one more is refused.
    pub waiting: usize,
}

impl Default for DocumentLimits {
    fn default() -> Self {
        Self {
            shortest: Duration::from_secs(30),
            unsaid: Duration::from_secs(60 * 60),
            longest: Duration::from_secs(24 * 60 * 60),
            documents: 256,
            bytes: 4 * 1024 * 1024,
            waiting: 256,
        }
    }
}

/// Fetches documents through a service, once for everybody who asks at the same time, and keeps them.
///
/// For each request:
///
/// 1. What is not a plain GET (a body, or a header field other than `Accept`) goes through to the service as it is, and
///    its answer is not kept.
/// 2. A document that is kept and fresh is the answer.
/// 3. Where the document is being fetched already, the caller waits for that answer, whatever it will be. The fetch
///    belongs to no caller: it goes on when some of them give up, or all.
/// 4. Otherwise it is fetched, with `If-None-Match` and `If-Modified-Since` where a stale copy is kept.
/// 5. A `200` is kept as its header fields and [`DocumentLimits`] allow and the [check](Self::keeping_only) agrees.
///    Nothing else is ever kept: no error, no redirect, no other status, and what was kept before is given up, but for
///    a failure to get an answer at all.
/// 6. A `304` counts only where a validator was sent. One about another tag than the one sent is answered by one more
///    request without validators, which may take its full time again.
///
/// What is stale is never given out, also not where the host cannot be reached: a document that was withdrawn must not
/// live on because its host is down. This is a shared cache in the words of RFC 9111: it answers for many callers, so
/// `private` is not kept. Waiting callers get one answer even where it must not be kept: they all asked before it was
/// there.
///
/// Clones share everything. Must be called inside a tokio runtime.
///
/// Does not check: the status, the media type, the content; not which address is fetched, which is the service's. Does
/// not give up a document when something is sent to its address by another method.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
///
/// use egress_guard::{Client, DocumentLimits, Documents, EgressError, Limits, Policy};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// # runtime.block_on(async {
/// let client = Client::new(Policy::strict(), Limits::default());
/// let documents = Documents::new(client, DocumentLimits::default(), SystemTime::now)
///     .keeping_only(|_, answer| answer.headers().get("content-type").is_some_and(|kind| kind == "application/json"));
/// let request = http::Request::get("https://10.0.0.1/client.json").body(Default::default()).unwrap();
/// let refused = documents.send(request).await.unwrap_err();
/// assert!(matches!(refused, EgressError::ForbiddenAddress { .. }));
/// # });
/// ```
///
/// Specification: RFC 9111 sections 3, 4 and 5; draft-ietf-oauth-client-id-metadata-document section 5.2.
pub struct Documents<S = Client> {
    inner: Arc<Inner<S>>,
}

type Outcome = Result<Response<Bytes>, EgressError>;
type Check = dyn Fn(&str, &Response<Bytes>) -> bool + Send + Sync;

struct Inner<S> {
    service: S,
    limits: DocumentLimits,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    check: Arc<Check>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    shelf: Shelf,
    fetching: HashMap<Key, Arc<watch::Sender<Option<Outcome>>>>,
}

/// What tells one document from another: the address as it is written, and what is asked for.
///
/// It is all that a plain GET says, so `Vary` can name nothing else that differs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    uri: String,
    accept: Option<HeaderValue>,
}

impl Key {
    fn new(uri: &Uri, accept: Option<&HeaderValue>) -> Self {
        Self {
            uri: uri.to_string(),
            accept: accept.cloned(),
        }
    }

    /// The key of a plain GET.
    fn of(request: &Request<Bytes>) -> Option<Self> {
        let headers = request.headers();
        let accept = headers.get(ACCEPT);
        let plain = request.method() == Method::GET
            && request.body().is_empty()
            && headers.len() == usize::from(accept.is_some());
        plain.then(|| Self::new(request.uri(), accept))
    }

    fn size(&self) -> usize {
        self.uri.len() + self.accept.as_ref().map_or(0, HeaderValue::len)
    }
}

impl<S> Documents<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Error = EgressError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// Documents fetched by `service`, at the time that `clock` tells; [`SystemTime::now`] outside of tests.
    pub fn new(
        service: S,
        limits: DocumentLimits,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                service,
                limits,
                clock: Arc::new(clock),
                check: Arc::new(|_, _| true),
                state: Arc::default(),
            }),
        }
    }

    /// The same with a check that a `200` has to pass before it is kept; it is the answer in either case.
    /// The check is given the address as the request has it.
    ///
    /// For what must not be kept although HTTP would allow it, such as a document that does not parse.
    /// Begins with nothing kept.
    #[must_use]
    pub fn keeping_only(
        self,
        check: impl Fn(&str, &Response<Bytes>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let inner = &self.inner;
        Self {
            inner: Arc::new(Inner {
                service: inner.service.clone(),
                limits: inner.limits.clone(),
                clock: Arc::clone(&inner.clock),
                check: Arc::new(check),
                state: Arc::default(),
            }),
        }
    }

    /// Gets one document.
    ///
    /// # Errors
    ///
    /// What the service said; [`EgressError::TooManyWaiting`]; [`EgressError::NotModified`] for a `304` that nobody
    /// asked for; [`EgressError::Abandoned`] where the fetch ended without an outcome.
    pub async fn send(&self, request: Request<Bytes>) -> Outcome {
        let inner = &self.inner;
        let Some(key) = Key::of(&request) else {
            return inner.call(request).await;
        };
        let mut arrival = match inner.look(key, request)? {
            Found::Kept(response) => return Ok(response),
            Found::OnItsWay(arrival) => arrival,
        };
        let outcome = arrival.wait_for(Option::is_some).await;
        let outcome = outcome.map_err(|_| EgressError::Abandoned)?.clone();
        outcome.unwrap_or(Err(EgressError::Abandoned))
    }
}

enum Found {
    Kept(Response<Bytes>),
    OnItsWay(watch::Receiver<Option<Outcome>>),
}

impl<S> Inner<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Error = EgressError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    /// A fresh copy, or the way to the answer of a fetch that is under way from now on at the latest.
    fn look(self: &Arc<Self>, key: Key, request: Request<Bytes>) -> Result<Found, EgressError> {
        let now = (self.clock)();
        let mut state = lock(&self.state);
        let stale = state.shelf.get(&key);
        if let Some(kept) = &stale
            && kept.is_fresh(now)
        {
            return Ok(Found::Kept(kept.response(now)));
        }
        if let Some(fetching) = state.fetching.get(&key) {
            let limit = self.limits.waiting;
            if fetching.receiver_count() >= limit {
                return Err(EgressError::TooManyWaiting { limit });
            }
            return Ok(Found::OnItsWay(fetching.subscribe()));
        }
        let (sender, arrival) = watch::channel(None);
        let sender = Arc::new(sender);
        state.fetching.insert(key.clone(), Arc::clone(&sender));
        drop(state);
        let fetch = Fetch {
            key,
            state: Arc::clone(&self.state),
        };
        let inner = Arc::clone(self);
        // A task of its own, so that it does not end with the caller who happened to be first.
        drop(tokio::spawn(async move {
            let outcome = inner.fetch(&fetch.key, request, stale).await;
            drop(fetch);
            sender.send_replace(Some(outcome));
        }));
        Ok(Found::OnItsWay(arrival))
    }

    /// Asks for the document, and keeps or gives up what there is to keep.
    async fn fetch(&self, key: &Key, request: Request<Bytes>, stale: Option<Arc<Kept>>) -> Outcome {
        if let Some(stale) = stale {
            let mut conditional = request.clone();
            for (name, value) in stale.validators() {
                conditional.headers_mut().insert(name, value.clone());
            }
            let was_asked = conditional.headers().len() > request.headers().len();
            let asked = (self.clock)();
            let response = self.call(conditional).await?;
            // RFC 9111 section 4.3.3: anything but a 304 is an answer in its own right.
            if !was_asked || response.status() != StatusCode::NOT_MODIFIED {
                return self.settle(key, asked, response);
            }
            if stale.is_meant_by(response.headers()) {
                return Ok(self.confirm(key, asked, &stale, &response));
            }
        }
        let asked = (self.clock)();
        let response = self.call(request).await?;
        self.settle(key, asked, response)
    }

    /// Keeps an answer that has a body of its own, or gives up what was kept before.
    fn settle(&self, key: &Key, asked: SystemTime, response: Response<Bytes>) -> Outcome {
        let received = (self.clock)();
        let kept = (response.status() == StatusCode::OK)
            .then(|| freshness::judge(response.headers(), asked, received, &self.limits))
            .flatten()
            .filter(|_| (self.check)(&key.uri, &response))
            .map(|freshness| Kept::new(&response, received, freshness));
        self.replace(key, kept);
        // RFC 9110 section 15.4.5: a 304 answers a condition, and there was none.
        if response.status() == StatusCode::NOT_MODIFIED {
            return Err(EgressError::NotModified);
        }
        Ok(response)
    }

    /// The stale copy, which the server says is still right.
    fn confirm(
        &self,
        key: &Key,
        asked: SystemTime,
        stale: &Kept,
        not_modified: &Response<Bytes>,
    ) -> Response<Bytes> {
        let received = (self.clock)();
        let headers = stale.updated(not_modified.headers());
        let freshness = freshness::judge(&headers, asked, received, &self.limits);
        // For whoever waits it is as good as new, also where it must not be kept any longer.
        let kept = stale.confirmed(headers, received, freshness.unwrap_or_default());
        let response = kept.response(received);
        self.replace(key, freshness.map(|_| kept));
        response
    }

    fn replace(&self, key: &Key, kept: Option<Kept>) {
        let mut state = lock(&self.state);
        match kept {
            Some(kept) => state.shelf.put(key.clone(), kept, &self.limits),
            None => state.shelf.remove(key),
        }
    }

    async fn call(&self, request: Request<Bytes>) -> Outcome {
        let mut service = self.service.clone();
        poll_fn(|context| service.poll_ready(context)).await?;
        service.call(request).await
    }
}

/// A fetch under way; when this is dropped the next caller begins another one.
struct Fetch {
    key: Key,
    state: Arc<Mutex<State>>,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        lock(&self.state).fetching.remove(&self.key);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Nothing inside panics half-way, and a cache may be wrong about nothing but what it forgot.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S> Clone for Documents<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<S> fmt::Debug for Documents<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents")
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

impl<S> Service<Request<Bytes>> for Documents<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Error = EgressError>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    type Response = Response<Bytes>;
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Outcome> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let documents = self.clone();
        Box::pin(async move { documents.send(request).await })
    }
}
