//! One session of an older revision, or of a pipe: what is in flight, what was asked, which streams are open.

use std::collections::BTreeSet;
use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::error::Error;
use super::exchange::Outgoing;
use super::resume::Seats;
use super::sessions::SessionLimits;
use crate::jsonrpc::{self, Id, RpcError};
use crate::revision::Revision;
use crate::session::{InUse, Pending, Replay};
use crate::types::{Initialize, Json, LogLevel};
use crate::violation::Violation;

/// How long the addresses that one session subscribes to may be in all.
const MAX_SUBSCRIBED_BYTES: usize = 64 * 1024;

/// What a client said of itself. As text, because a session that is idle should cost little: the
/// members of an object take many times the room of their text.
struct Peer(Box<str>);

impl Peer {
    fn of(peer: &Initialize) -> Self {
        // It was read from JSON, so it can be written.
        Peer(serde_json::to_string(peer).unwrap_or_default().into())
    }

    fn read(&self) -> Initialize {
        // It was written from one.
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// A session in the table or of a pipe. Out of it, by request or for idleness, it is closed.
pub(super) struct Held(pub(super) Arc<Session>);

impl Held {
    /// A session is in use while a request of it is answered or a stream of it is open.
    pub(super) fn last_use(&self, now: StdInstant) -> Option<StdInstant> {
        if Arc::strong_count(&self.0) > 1 {
            return Some(now);
        }
        lock(&self.0.state).released
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.ended.notify_waiters();
    }
}

/// One session.
pub(super) struct Session {
    revision: Revision,
    peer: Peer,
    pub(super) principal: Option<Arc<str>>,
    ask_timeout: Duration,
    max_subscriptions: usize,
    closed: AtomicBool,
    ended: Notify,
    pub(super) state: Mutex<State>,
}

pub(super) struct State {
    in_flight: Pending<watch::Sender<bool>>,
    asked: Pending<oneshot::Sender<Result<Value, RpcError>>>,
    ready: bool,
    log_level: LogLevel,
    subscriptions: BTreeSet<String>,
    /// The GET streams that are open, in the order in which they were opened.
    streams: BTreeSet<u64>,
    pub(super) replay: Replay,
    pub(super) seats: Seats,
    /// When the last request was answered, or the last stream ended.
    released: Option<StdInstant>,
}

impl State {
    /// Notes that something of the session is not in use any more.
    pub(super) fn release(&mut self) {
        self.released = Some(Instant::now().into_std());
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// A session; `start` is where the numbers of its questions and streams begin.
    pub(super) fn new(
        revision: Revision,
        peer: &Initialize,
        principal: Option<String>,
        limits: &SessionLimits,
        ask_timeout: Duration,
        start: u64,
    ) -> Arc<Self> {
        Arc::new(Session {
            revision,
            peer: Peer::of(peer),
            principal: principal.map(Arc::from),
            ask_timeout,
            max_subscriptions: limits.max_subscriptions,
            closed: AtomicBool::new(false),
            ended: Notify::new(),
            state: Mutex::new(State {
                in_flight: Pending::new(limits.max_in_flight),
                asked: Pending::new(limits.max_in_flight).starting_at(start.cast_signed()),
                ready: false,
                log_level: LogLevel::Info,
                subscriptions: BTreeSet::new(),
                streams: BTreeSet::new(),
                replay: Replay::new(limits.replay_bytes).starting_at(start),
                seats: Seats::default(),
                released: None,
            }),
        })
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn peer(&self) -> Initialize {
        self.peer.read()
    }

    pub(super) fn log_level(&self) -> LogLevel {
        lock(&self.state).log_level
    }

    pub(super) fn set_log_level(&self, level: LogLevel) {
        lock(&self.state).log_level = level;
    }

    /// Whether the client has said that it is ready, or asked for something.
    pub(super) fn is_ready(&self) -> bool {
        lock(&self.state).ready
    }

    pub(super) fn set_ready(&self) {
        lock(&self.state).ready = true;
    }

    pub(super) fn is_subscribed(&self, uri: &str) -> bool {
        lock(&self.state).subscriptions.contains(uri)
    }

    pub(super) fn subscribe(&self, uri: String) -> Result<(), Error> {
        let subscriptions = &mut lock(&self.state).subscriptions;
        if subscriptions.contains(&uri) {
            return Ok(());
        }
        let bytes = subscriptions.iter().map(String::len).sum::<usize>();
        if subscriptions.len() >= self.max_subscriptions
            || bytes.saturating_add(uri.len()) > MAX_SUBSCRIBED_BYTES
        {
            return Err(Error::invalid_params("too many subscriptions"));
        }
        subscriptions.insert(uri);
        Ok(())
    }

    pub(super) fn unsubscribe(&self, uri: &str) {
        lock(&self.state).subscriptions.remove(uri);
    }

    /// Opens one more GET stream.
    pub(super) fn stream(self: &Arc<Self>) -> Listening {
        let mut state = lock(&self.state);
        let number = state.streams.last().map_or(0, |last| last.wrapping_add(1));
        state.streams.insert(number);
        Listening {
            session: Arc::clone(self),
            number,
        }
    }

    /// Waits for the end of the session.
    pub(super) async fn closed(&self) {
        let mut ended = pin!(self.ended.notified());
        // From here on the end is not missed.
        ended.as_mut().enable();
        if !self.closed.load(Ordering::SeqCst) {
            ended.await;
        }
    }

    /// Puts a request of the client in flight; it is out again when the guard is dropped.
    pub(super) fn begin(self: &Arc<Self>, id: &Id) -> Result<InFlight, Violation> {
        let (sender, receiver) = watch::channel(false);
        lock(&self.state)
            .in_flight
            .insert(id.clone(), sender)
            .map_err(|error| match error {
                InUse::Id => Violation::IdInUse,
                InUse::Limit => Violation::TooManyInFlight,
            })?;
        Ok(InFlight {
            session: Arc::clone(self),
            id: id.clone(),
            cancelled: receiver,
        })
    }

    /// MCP-CANC-02: what is not in flight is ignored.
    pub(super) fn cancel(&self, id: &Id) {
        if let Some(sender) = lock(&self.state).in_flight.get(id) {
            sender.send_replace(true);
        }
    }

    /// Sends a request of ours on the stream of the client's request, and waits for the answer.
    pub(super) async fn ask(
        &self,
        method: &str,
        params: Option<Json>,
        outbox: &mpsc::Sender<Outgoing>,
    ) -> Result<Value, Error> {
        let (sender, receiver) = oneshot::channel();
        let id = lock(&self.state)
            .asked
            .open(sender)
            .map_err(|_| Error::internal("too many questions to the client"))?;
        let asked = Asked {
            session: self,
            id: &id,
        };
        if outbox
            .send(Outgoing::Message(jsonrpc::request_text(
                &id, method, params,
            )))
            .await
            .is_err()
        {
            return Err(Error::cancelled());
        }
        let answer = tokio::select! {
            () = self.closed() => return Err(Error::cancelled()),
            answer = tokio::time::timeout(self.ask_timeout, receiver) => answer,
        };
        drop(asked);
        match answer {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(error))) => Err(Error::internal(format!(
                "the client answered with an error: {}",
                error.message
            ))),
            Ok(Err(_)) => Err(Error::cancelled()),
            Err(_) => {
                // MCP-RPC-12: whoever does not wait any longer says so.
                let reason = "no answer in time";
                let cancelled = json!({ "requestId": &id, "reason": reason });
                let text = jsonrpc::notification_text("notifications/cancelled", Some(cancelled));
                drop(outbox.send(Outgoing::Message(text)).await);
                Err(Error::internal("the client did not answer in time"))
            }
        }
    }

    /// Takes an answer of the client; one that nobody waits for is ignored.
    pub(super) fn answered(&self, id: &Id, outcome: Result<&RawValue, RpcError>) {
        let waiting = lock(&self.state).asked.take(id);
        if let Some(waiting) = waiting {
            let outcome = outcome.and_then(|raw| {
                serde_json::from_str(raw.get())
                    .map_err(|_| RpcError::internal("the answer could not be read"))
            });
            drop(waiting.send(outcome));
        }
    }
}

/// A question that is forgotten when nobody waits for its answer any more.
struct Asked<'a> {
    session: &'a Session,
    id: &'a Id,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        lock(&self.session.state).asked.take(self.id);
    }
}

/// A GET stream of a session that is open.
pub(super) struct Listening {
    session: Arc<Session>,
    number: u64,
}

impl Listening {
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    /// Whether messages go to this one.
    ///
    /// MCP-LHTTP-07: one message is never on several streams. The newest speaks, because an older
    /// one may be a connection whose end nobody has noticed.
    pub(super) fn speaks(&self) -> bool {
        lock(&self.session.state).streams.last() == Some(&self.number)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = lock(&self.session.state);
        state.streams.remove(&self.number);
        state.release();
    }
}

/// A request of the client that is being answered.
pub(super) struct InFlight {
    session: Arc<Session>,
    id: Id,
    cancelled: watch::Receiver<bool>,
}

impl InFlight {
    pub(super) fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancelled.clone()
    }

    pub(super) fn session(&self) -> Arc<Session> {
        Arc::clone(&self.session)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut state = lock(&self.session.state);
        state.in_flight.take(&self.id);
        state.release();
    }
}

/// A panic while the lock was held leaves nothing half done here.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
