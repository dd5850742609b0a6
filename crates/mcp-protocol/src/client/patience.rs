//! How long an answer is waited for.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::error::ClientError;

/// A wait that is over some time.
pub type Pausing = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A way to wait: the timer of the runtime that the program has.
///
/// A closure is one: `|time| Box::pin(tokio::time::sleep(time)) as Pausing`.
pub trait Pause: Send + Sync {
    /// Is over after this time.
    fn pause(&self, time: Duration) -> Pausing;
}

impl<F: Fn(Duration) -> Pausing + Send + Sync> Pause for F {
    fn pause(&self, time: Duration) -> Pausing {
        self(time)
    }
}

/// The [`Pause`] that was handed in.
#[derive(Clone)]
pub(super) struct Waiting(Arc<dyn Pause>);

impl Waiting {
    pub(super) fn new(pause: impl Pause + 'static) -> Self {
        Self(Arc::new(pause))
    }

    pub(super) fn pause(&self, time: Duration) -> Pausing {
        self.0.pause(time)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waiting(..)")
    }
}

/// How long one request is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Patience {
    /// Without a sign of life.
    pub(super) quiet: Duration,
    /// Whatever happens.
    pub(super) at_most: Duration,
}

/// The signs of life of one request.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    beat: AtomicBool,
    asking: AtomicBool,
}

impl Pulse {
    /// The server has told how far it is.
    pub(super) fn beat(&self) {
        self.beat.store(true, Ordering::Relaxed);
    }

    /// While a question of the server is with the host, the server waits for us and not we for it.
    pub(super) fn ask(&self) -> Asking<'_> {
        self.asking.store(true, Ordering::Relaxed);
        Asking(self)
    }

    fn take(&self) -> bool {
        self.beat.swap(false, Ordering::Relaxed) || self.asking.load(Ordering::Relaxed)
    }
}

/// A question is with the host until this is dropped.
#[derive(Debug)]
pub(super) struct Asking<'a>(&'a Pulse);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.store(false, Ordering::Relaxed);
        self.0.beat();
    }
}

/// Does the work in the time that there is; without a way to wait, in whatever time it takes.
///
/// What is not done by then is dropped.
// MCP-RPC-12: a sign of life starts the wait anew, and never beyond the maximum.
pub(super) async fn within<T>(
    pause: Option<&Waiting>,
    patience: Patience,
    pulse: &Pulse,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let Some(pause) = pause else {
        return work.await;
    };
    let mut work = pin!(work);
    // Made only when there is something to wait for.
    let mut timers: Option<(Pausing, Pausing)> = None;
    poll_fn(|context| {
        if let Poll::Ready(outcome) = work.as_mut().poll(context) {
            return Poll::Ready(outcome);
        }
        let (quiet, at_most) = timers.get_or_insert_with(|| {
            let quiet = pause.pause(patience.quiet.min(patience.at_most));
            (quiet, pause.pause(patience.at_most))
        });
        if at_most.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(ClientError::TimedOut(patience.at_most)));
        }
        if pulse.take() {
            *quiet = pause.pause(patience.quiet);
        }
        if quiet.as_mut().poll(context).is_ready() {
            if !pulse.take() {
                return Poll::Ready(Err(ClientError::TimedOut(patience.quiet)));
            }
            *quiet = pause.pause(patience.quiet);
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}
