//! The clock and the random source of this process; everything else is handed them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth_rs::entropy::Entropy;
use oauth_rs::time::{Clock, UnixSeconds};

/// The operating system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixSeconds {
        // A clock before 1970 is a broken machine; zero makes every token of it expired.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        UnixSeconds(since.as_secs())
    }
}

/// The operating system's random source.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, dest: &mut [u8]) {
        // Guessable tokens are worse than no program: without randomness nothing may go on.
        if getrandom::fill(dest).is_err() {
            std::process::abort();
        }
    }
}
