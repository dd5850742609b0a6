//! Taking back what was asked, where closing the connection does not say it (the older era).

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;

use super::agreed::Agreed;
use super::patience::Waiting;
use crate::jsonrpc::{self, Id};

/// Work that goes on by itself, for a spawner.
pub type Spawned = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request that nobody waits for any more.
#[derive(Clone, Debug)]
pub(super) struct Farewell {
    pub(super) id: Id,
    pub(super) agreed: Agreed,
}

impl Farewell {
    /// The message that says so.
    // MCP 2025-11-25, cancellation.
    pub(super) fn body(&self) -> Bytes {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Params<'a> {
            request_id: &'a Id,
            reason: &'static str,
        }
        let params = Params {
            request_id: &self.id,
            reason: "the client no longer waits",
        };
        jsonrpc::notification_text("notifications/cancelled", Some(params)).into()
    }
}

/// Farewells that wait to be sent: one for each call that was dropped since the last message; a program that
/// drops more than this many at once loses the oldest, and its server works for nobody a little longer.
const MAX_FAREWELLS: usize = 64;

/// How long a server is told in the background. One that has not taken a message of a line by then hardly will, and
/// what waits for it would pile up with each call that is dropped.
pub(super) const FAREWELL_TIME: Duration = Duration::from_secs(10);

type Sender = Box<dyn Fn(Farewell, Option<Waiting>) + Send + Sync>;

/// Where farewells are left, because dropping cannot wait.
#[derive(Default)]
pub(super) struct Outbox {
    left: Mutex<VecDeque<Farewell>>,
    sender: Option<Sender>,
}

impl Outbox {
    pub(super) fn sending(sender: Sender) -> Self {
        Self {
            left: Mutex::default(),
            sender: Some(sender),
        }
    }

    fn leave(&self, farewell: Farewell, pause: Option<&Waiting>) {
        if let Some(send) = &self.sender {
            return send(farewell, pause.cloned());
        }
        let mut left = self.lock();
        if left.len() >= MAX_FAREWELLS {
            left.pop_front();
        }
        left.push_back(farewell);
    }

    pub(super) fn next(&self) -> Option<Farewell> {
        self.lock().pop_front()
    }

    /// Forgets all: the session that they are about has ended.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Farewell>> {
        // Nothing panics while it is held.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("left", &self.lock().len())
            .finish_non_exhaustive()
    }
}

/// Leaves a farewell when it is dropped before the answer was there.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    outbox: &'a Outbox,
    pause: Option<&'a Waiting>,
    farewell: Option<Farewell>,
    answered: &'a AtomicBool,
}

impl<'a> Guard<'a> {
    /// For the request with this id.
    // MCP-CANC-01: in the newest era closing the answer says it. MCP-LIFE-06: `initialize` is never taken back.
    pub(super) fn new(
        outbox: &'a Outbox,
        pause: Option<&'a Waiting>,
        method: &str,
        id: &Id,
        agreed: &Agreed,
        answered: &'a AtomicBool,
    ) -> Self {
        let says_it = !agreed.is_modern() && method != "initialize";
        Self {
            outbox,
            pause,
            farewell: says_it.then(|| Farewell {
                id: id.clone(),
                agreed: agreed.clone(),
            }),
            answered,
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let farewell = self.farewell.take();
        if let Some(farewell) = farewell.filter(|_| !self.answered.load(Ordering::Relaxed)) {
            self.outbox.leave(farewell, self.pause);
        }
    }
}
