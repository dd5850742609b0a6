//! Streams of a session that outlive their connection: ids for their events, and having them again.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use tokio::sync::{mpsc, oneshot, watch};

use super::exchange::{OUTBOX, Outgoing, Working};
use super::session::{Session, lock};
use crate::revision::Feature;
use crate::session::replay::{EventId, EventUnknown};
use crate::sse;

/// Where the events of a stream go, if a connection is there for them.
type Seat = Option<mpsc::Sender<String>>;

/// The connections of the streams of one session.
#[derive(Debug, Default)]
pub(super) struct Seats {
    /// The streams that go on.
    live: BTreeMap<u64, watch::Sender<Seat>>,
    /// Tells a connection that a newer one has its stream.
    taken_over: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Seats {
    /// Gives a stream to a new connection; the one that had it is told.
    ///
    /// MCP-LHTTP-07: a message is on one connection only, and that is the newest.
    fn take(&mut self, stream: u64, missed: Vec<(EventId, Arc<str>)>) -> Connection {
        self.taken_over
            .retain(|_, connection| !connection.is_closed());
        let (sender, taken_over) = oneshot::channel();
        if let Some(older) = self.taken_over.insert(stream, sender) {
            // One that is gone already needs no telling.
            let _gone = older.send(());
        }
        let events = self.live.get(&stream).map(|seat| {
            let (sender, events) = mpsc::channel(OUTBOX);
            seat.send_replace(Some(sender));
            events
        });
        Connection {
            missed: missed.into_iter(),
            events,
            taken_over: Some(taken_over),
        }
    }
}

/// A connection that has a stream: what it has missed, then the rest as it comes.
pub(super) struct Connection {
    missed: vec::IntoIter<(EventId, Arc<str>)>,
    /// None when the stream has ended already.
    events: Option<mpsc::Receiver<String>>,
    /// None when it has told already, or can tell no more.
    taken_over: Option<oneshot::Receiver<()>>,
}

impl Connection {
    /// The next event; none at the end of the stream, and as soon as a newer connection has it.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        if let Some(taken_over) = &mut self.taken_over
            && let Poll::Ready(told) = Pin::new(taken_over).poll(cx)
        {
            self.taken_over = None;
            // An error is a session that is gone: what it has said before is still told.
            if told.is_ok() {
                // The newer connection has these too.
                self.missed = Vec::new().into_iter();
                self.events = None;
            }
        }
        if let Some((id, text)) = self.missed.next() {
            return Poll::Ready(Some(sse::encode(&text, Some(&id.to_string()))));
        }
        match &mut self.events {
            Some(events) => events.poll_recv(cx),
            None => Poll::Ready(None),
        }
    }
}

impl Session {
    /// Goes on with a stream after the event that a client had last.
    ///
    /// MCP-LHTTP-08: whatever opened the stream, it is resumed by GET.
    pub(super) fn resume(&self, last: EventId) -> Result<Connection, EventUnknown> {
        let mut state = lock(&self.state);
        // What is missed and who has the stream changes together, so nothing is lost in between.
        let missed = state.replay.after(last)?;
        Ok(state.seats.take(last.stream, missed.events))
    }
}

/// What drives a stream of a session: all that is said on it goes into the buffer, and to the
/// connection that has it.
pub(super) struct Driver {
    session: Arc<Session>,
    stream: u64,
    seat: watch::Receiver<Seat>,
}

impl Driver {
    /// Opens a stream, and the connection that has it first. `None` when the session keeps too many
    /// already, or none at all.
    pub(super) fn open(session: &Arc<Session>) -> Option<(Self, Connection)> {
        let mut state = lock(&session.state);
        let first = state.replay.open()?;
        let (sender, seat) = watch::channel(None);
        state.seats.live.insert(first.stream, sender);
        // MCP-LHTTP-09: since 2025-11-25 a stream starts with an id and no data; clients of the
        // revisions before would take that for a message.
        let primes = session.revision().has(Feature::StreamPriming);
        let opening = primes.then(|| (first, Arc::from("")));
        let connection = state
            .seats
            .take(first.stream, opening.into_iter().collect());
        drop(state);
        let driver = Driver {
            session: Arc::clone(session),
            stream: first.stream,
            seat,
        };
        Some((driver, connection))
    }

    /// Drives the stream to its end, whether or not a connection has it.
    pub(super) async fn run(
        mut self,
        first: Option<Outgoing>,
        mut working: Working,
        mut outbox: mpsc::Receiver<Outgoing>,
    ) {
        if let Some(first) = first {
            self.say(first).await;
        }
        let reply = loop {
            tokio::select! {
                biased;
                reply = &mut working => break reply,
                Some(outgoing) = outbox.recv() => self.say(outgoing).await,
            }
        };
        while let Ok(outgoing) = outbox.try_recv() {
            // The answer is there already, so there is nothing to come back for.
            if let Outgoing::Message(message) = outgoing {
                self.write(&message).await;
            }
        }
        if let Some(text) = reply.text {
            self.write(&text.into_string()).await;
        }
    }

    async fn say(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Message(message) => self.write(&message).await,
            Outgoing::HangUp(wait) => self.hang_up(wait).await,
        }
    }

    async fn write(&mut self, message: &str) {
        let (id, seat) = {
            let mut state = lock(&self.session.state);
            let id = state.replay.record(self.stream, message);
            (id, self.seat.borrow_and_update().clone())
        };
        if let Some(seat) = seat {
            let event = sse::encode(message, id.map(|id| id.to_string()).as_deref());
            self.send(&seat, event).await;
        }
    }

    /// Closes the connection, if there is one; the stream goes on.
    async fn hang_up(&mut self, wait: Duration) {
        let seat = {
            let state = lock(&self.session.state);
            let seat = self.seat.borrow_and_update().clone();
            if let Some(live) = state.seats.live.get(&self.stream) {
                // Not a change that wakes this driver: nobody has taken the stream.
                live.send_if_modified(|seat| {
                    *seat = None;
                    false
                });
            }
            seat
        };
        if let Some(seat) = seat {
            // MCP-LHTTP-09: the time to wait, and then the end of the connection.
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            self.send(&seat, sse::encode_retry(wait)).await;
        }
    }

    /// Hands an event to a connection. One that is slow is waited for, and the handler waits too,
    /// until a newer connection has the stream: that one has the event already.
    async fn send(&mut self, seat: &mpsc::Sender<String>, event: String) {
        tokio::select! {
            // One that is gone comes back for it.
            _ = seat.send(event) => {}
            _ = self.seat.changed() => {}
            () = self.session.closed() => {}
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut state = lock(&self.session.state);
        state.replay.end(self.stream);
        state.seats.live.remove(&self.stream);
        state.release();
    }
}
