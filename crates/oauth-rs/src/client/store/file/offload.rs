//! Work that blocks, on a thread of its own, as a future of any runtime.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Starts the work at once; it goes on when the future is dropped.
///
/// # Errors
/// The operating system gives no thread.
pub(super) fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Offloaded<T>> {
    let slot = Arc::new(Mutex::new(Slot::default()));
    let ending = Ending(Arc::clone(&slot));
    std::thread::Builder::new()
        .name("grants".to_owned())
        .spawn(move || {
            let ending = ending;
            let result = work();
            ending.with(|slot| slot.result = Some(result));
        })?;
    Ok(Offloaded(slot))
}

struct Slot<T> {
    result: Option<T>,
    over: bool,
    waker: Option<Waker>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self {
            result: None,
            over: false,
            waker: None,
        }
    }
}

/// Wakes whoever waits, also when the work panics.
struct Ending<T>(Arc<Mutex<Slot<T>>>);

impl<T> Ending<T> {
    fn with(&self, change: impl FnOnce(&mut Slot<T>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        let mut waker = None;
        self.with(|slot| {
            slot.over = true;
            waker = slot.waker.take();
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// The result that is on its way; `None` when the work broke off.
pub(super) struct Offloaded<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Offloaded<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.over {
            return Poll::Ready(slot.result.take());
        }
        slot.waker = Some(context.waker().clone());
        Poll::Pending
    }
}
