//! The requests of the client that are worked on: bounded, each with what stops it.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use tokio::sync::{mpsc, watch};

use super::output::{Output, Queued};
use crate::jsonrpc::{self, Id, RpcError, Text};
use crate::serve::exchange::{Outgoing, Working};
use crate::serve::listen;
use crate::session::{InUse, Pending};
use crate::violation::Violation;

type Table = Mutex<Pending<watch::Sender<bool>>>;

/// The requests in flight. When this is dropped, all of them stop.
pub(super) struct Flights(Arc<Table>);

impl Flights {
    pub(super) fn new(limit: usize) -> Self {
        Flights(Arc::new(Mutex::new(Pending::new(limit))))
    }

    /// Puts a request in flight; it is out again when the guard is dropped.
    ///
    /// MCP-RPC-02: both eras share the ids, because their answers share the stream.
    pub(super) fn begin(&self, id: &Id) -> Result<Flight, Violation> {
        let (sender, stopped) = watch::channel(false);
        lock(&self.0)
            .insert(id.clone(), sender)
            .map_err(|error| match error {
                InUse::Id => Violation::IdInUse,
                InUse::Limit => Violation::TooManyInFlight,
            })?;
        Ok(Flight {
            table: Arc::clone(&self.0),
            id: id.clone(),
            stopped,
        })
    }

    /// Whether a request has this id.
    pub(super) fn has(&self, id: &Id) -> bool {
        lock(&self.0).get(id).is_some()
    }

    /// MCP-CANC-02: what is not in flight is ignored.
    pub(super) fn cancel(&self, id: &Id) {
        if let Some(sender) = lock(&self.0).get(id) {
            sender.send_replace(true);
        }
    }
}

impl Drop for Flights {
    fn drop(&mut self) {
        // Without its sender a flight stops.
        *lock(&self.0) = Pending::new(0);
    }
}

/// One request in flight.
pub(super) struct Flight {
    table: Arc<Table>,
    id: Id,
    stopped: watch::Receiver<bool>,
}

impl Flight {
    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.clone()
    }

    /// Whether the request is cancelled.
    pub(super) fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Waits until the request is cancelled, or all of them stop.
    async fn stop(mut stopped: watch::Receiver<bool>) {
        // An error is a sender that is gone, which is the same.
        drop(stopped.wait_for(|stopped| *stopped).await);
    }

    /// Works until there is an answer; none when the request is cancelled, or has no answer.
    ///
    /// `ending` ends a `subscriptions/listen`, which would go on for ever.
    pub(super) async fn work(
        self,
        mut working: Working,
        mut messages: mpsc::Receiver<Outgoing>,
        output: &Output,
        ending: Option<watch::Receiver<bool>>,
    ) -> Option<(Flight, Text)> {
        let listens = ending.is_some();
        let ended = async {
            match ending {
                Some(ending) => Flight::stop(ending).await,
                None => std::future::pending().await,
            }
        };
        let mut voice = Voice {
            output,
            stopped: Some(self.stopped()),
            has_spoken: false,
        };
        let text = tokio::select! {
            biased;
            () = Flight::stop(self.stopped()) => return None,
            text = voice.tell(&mut working, &mut messages, Some(&self.id)) => text,
            () = ended => Some(listen::closing(&self.id)),
        };
        drop(working);
        // What it said last goes before the answer.
        while let Ok(outgoing) = messages.try_recv() {
            voice.say(outgoing).await;
        }
        let text = text?;
        if listens && voice.has_spoken {
            // Requirements section 14.2, MCP-CANC-01: a listener is told of the end, then answered.
            voice
                .say(Outgoing::Message(listen::torn_down(&self.id)))
                .await;
        }
        Some((self, text))
    }

    /// Sends the answer. The id is free before the client can have read it.
    pub(super) async fn land(self, text: Text, output: &Output) {
        let room = tokio::select! {
            biased;
            () = Flight::stop(self.stopped()) => None,
            room = output.room() => room,
        };
        drop(self);
        if let Some(room) = room {
            room.send(Queued::from(text));
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        lock(&self.table).take(&self.id);
    }
}

/// What sends the messages of a handler.
pub(super) struct Voice<'a> {
    pub(super) output: &'a Output,
    pub(super) stopped: Option<watch::Receiver<bool>>,
    pub(super) has_spoken: bool,
}

impl Voice<'_> {
    /// Sends what a handler says, until it is done.
    ///
    /// MCP-STDIO-02: what is said before an answer of 2026-07-28 is never a request, because a
    /// question there is a result.
    pub(super) async fn tell(
        &mut self,
        working: &mut Working,
        messages: &mut mpsc::Receiver<Outgoing>,
        id: Option<&Id>,
    ) -> Option<Text> {
        loop {
            tokio::select! {
                biased;
                Some(outgoing) = messages.recv() => self.say(outgoing).await,
                text = caught(working, id) => return text,
            }
        }
    }

    async fn say(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Message(text) => {
                self.output.send_unless(self.stopped.clone(), text).await;
                self.has_spoken = true;
            }
            // There is no connection to hang up.
            Outgoing::HangUp(_) => {}
        }
    }
}

/// Works; a panic is an answer too, and ends nothing else.
async fn caught(working: &mut Working, id: Option<&Id>) -> Option<Text> {
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| working.as_mut().poll(cx))) {
            Ok(reply) => reply.map(|reply| reply.text),
            Err(_) => Poll::Ready(id.map(|id| {
                let error = RpcError::internal("the handler broke off");
                jsonrpc::error_text(Some(id), &error).into()
            })),
        },
    )
    .await
}

/// A panic while the lock was held leaves nothing half done here.
fn lock(table: &Table) -> MutexGuard<'_, Pending<watch::Sender<bool>>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
