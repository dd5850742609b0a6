//! Streams of a session that outlive their connection: ids for their events, and having them again.

use std::pin::pin;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::exchange::{Outgoing, Reply, Working};
use super::sessions::Session;
use crate::revision::Feature;
use crate::session::replay::{EventId, EventUnknown};
use crate::sse;

/// A stream of a session that is being written to a connection.
pub(super) struct Track {
    session: Arc<Session>,
    stream: u64,
    /// Ends when another connection takes the stream over.
    pub(super) taken_over: oneshot::Receiver<()>,
}

impl Track {
    /// Opens a stream; gives what it starts with. `None` when the session keeps too many already.
    pub(super) fn open(session: &Arc<Session>) -> Option<(Self, Option<String>)> {
        let (first, taken_over) = session.open_stream()?;
        let track = Track {
            session: Arc::clone(session),
            stream: first.stream,
            taken_over,
        };
        // MCP-LHTTP-09: since 2025-11-25 a stream starts with an id and no data; clients of the
        // revisions before would take that for a message.
        let primes = session.revision().has(Feature::StreamPriming);
        Some((
            track,
            primes.then(|| sse::encode("", Some(&first.to_string()))),
        ))
    }

    /// Writes a message as an event that can be had again.
    pub(super) fn event(&self, message: &str) -> String {
        let id = self.session.record(self.stream, message);
        sse::encode(message, id.map(|id| id.to_string()).as_deref())
    }

    /// Whether the server may close the connection and let the client come back.
    pub(super) fn may_hang_up(&self) -> bool {
        self.session.revision().has(Feature::StreamPriming)
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.session.end_stream(self.stream);
    }

    /// Lets the work go on without a connection; what it says is kept for the client to come back.
    pub(super) fn detach(self, mut working: Working, mut outbox: mpsc::Receiver<Outgoing>) {
        // Outside of a runtime nothing goes on any more.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        drop(runtime.spawn(async move {
            let reply = loop {
                tokio::select! {
                    Some(outgoing) = outbox.recv() => self.keep(&outgoing),
                    reply = &mut working => break reply,
                }
            };
            while let Ok(outgoing) = outbox.try_recv() {
                self.keep(&outgoing);
            }
            if let Some(text) = reply.text {
                self.session.record(self.stream, &text.into_string());
            }
            self.end();
        }));
    }

    fn keep(&self, outgoing: &Outgoing) {
        match outgoing {
            Outgoing::Message(message) => {
                self.session.record(self.stream, message);
            }
            // There is no connection to close.
            Outgoing::HangUp(_) | Outgoing::Event(_) => {}
        }
    }
}

/// Goes on with a stream after the event that a client had last, until the stream ends or another
/// connection takes it over.
///
/// MCP-LHTTP-08: whatever opened the stream, it is resumed by GET.
pub(super) fn resume(
    session: Arc<Session>,
    last: EventId,
    outbox: mpsc::Sender<Outgoing>,
) -> Result<Working, EventUnknown> {
    let mut taken_over = session.take_over(last)?;
    Ok(Box::pin(async move {
        let finished = Reply {
            status: 200,
            text: None,
        };
        let mut last = last;
        loop {
            let mut recorded = pin!(session.recorded());
            // From here on nothing is missed.
            recorded.as_mut().enable();
            let Ok(missed) = session.after(last) else {
                // The client was too slow; what is lost cannot be had again.
                return finished;
            };
            for (id, text) in missed.events {
                let event = sse::encode(&text, Some(&id.to_string()));
                tokio::select! {
                    sent = outbox.send(Outgoing::Event(event)) => if sent.is_err() {
                        return finished;
                    },
                    _ = &mut taken_over => return finished,
                }
                last = id;
            }
            if missed.ended {
                return finished;
            }
            tokio::select! {
                _ = &mut taken_over => return finished,
                () = session.closed() => return finished,
                () = recorded => {}
            }
        }
    }))
}
