//! Work that many calls wait for and that none of them owns.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::failed::SignInFailed;
use super::shared::Shared;

/// What took too long where a call has waited for its whole time.
pub(super) const WAITING: &str = "signing in or renewing";

/// How the work ended; nothing while it goes on.
type End = Option<Result<(), SignInFailed>>;

/// Work that is under way, for those who wait.
#[derive(Clone, Debug)]
pub(super) struct Flight(watch::Receiver<End>);

impl Flight {
    /// A flight, and what its worker holds.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, Landing) {
        let (told, hears) = watch::channel(None);
        (Self(hears), Landing { shared, told })
    }

    /// Waits for the end, for a while; the work does not depend on it.
    pub(super) async fn end(mut self, at_most: Duration) -> Result<(), SignInFailed> {
        match timeout(at_most, self.0.wait_for(Option::is_some)).await {
            Err(_) => Err(SignInFailed::TimedOut(WAITING)),
            Ok(Err(_)) => Err(SignInFailed::BrokenOff),
            Ok(Ok(end)) => end.clone().unwrap_or(Ok(())),
        }
    }
}

/// The worker's end of a flight; when it is dropped without a word, those who wait are told that too.
#[derive(Debug)]
pub(super) struct Landing {
    shared: Arc<Shared>,
    told: watch::Sender<End>,
}

impl Landing {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Tells everybody, after which the next flight may begin.
    pub(super) fn land(self, end: Result<(), SignInFailed>) {
        self.shared.clear();
        self.told.send_replace(Some(end));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if self.told.borrow().is_none() {
            self.shared.clear();
        }
    }
}
