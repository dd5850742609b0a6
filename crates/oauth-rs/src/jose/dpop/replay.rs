//! Whether a proof was used before (RFC 9449 section 11.1).

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;

use super::VerifiedProof;
use crate::hash::sha256;
use crate::time::UnixSeconds;
use crate::uri::TargetUri;

/// A proof that is good once: it has to be remembered until it is void.
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct ReplayClaim {
    id: [u8; 32],
    until: UnixSeconds,
}

impl ReplayClaim {
    /// What is to be spent of a proof that came to this address.
    pub fn new(proof: &VerifiedProof, uri: &TargetUri) -> Self {
        // RFC 9449 section 11.1: jti in the context of the target URI. The key is in it as well, so
        // that nobody can use up the identifiers of others.
        let text = [proof.jkt(), uri.as_str(), proof.jti()].join("\n");
        Self {
            id: sha256(text.as_bytes()),
            until: proof.void_from(),
        }
    }

    /// What to remember: a hash of the proof's key, address and `jti`.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// From when on it may be forgotten, since the proof is refused for its age.
    pub fn until(&self) -> UnixSeconds {
        self.until
    }
}

impl fmt::Debug for ReplayClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayClaim")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// Why a proof was not spent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotSpent {
    /// It was used before, or may have been: the clock has gone back to a time of which nothing is
    /// remembered.
    #[error("the proof was used before")]
    Replayed,
    /// There is no room to remember it.
    #[error("the replay window is full")]
    Full {
        /// When the oldest proof makes room.
        retry_after: Duration,
    },
}

/// The proofs that were used, in the memory of this process and bounded.
///
/// A full window refuses: a proof that cannot be remembered could be used again. Spend a proof last,
/// so that only a client with a valid token, code or refresh token can fill it.
///
/// Does not check: what other instances of the service have seen; they need a store they share.
#[derive(Debug)]
pub struct ReplayWindow {
    capacity: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    ids: HashSet<[u8; 32]>,
    by_time: BTreeMap<UnixSeconds, Vec<[u8; 32]>>,
    /// Whatever was void from here on or before is forgotten.
    forgotten: UnixSeconds,
}

impl ReplayWindow {
    /// A window with room for this many proofs.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            seen: Mutex::new(Seen {
                ids: HashSet::new(),
                by_time: BTreeMap::new(),
                forgotten: UnixSeconds(0),
            }),
        }
    }

    /// Takes note of a proof.
    ///
    /// # Errors
    /// It was used before, or there is no room for it.
    pub fn spend(&self, claim: ReplayClaim, now: UnixSeconds) -> Result<(), NotSpent> {
        let mut seen = self.lock();
        seen.forget(now);
        if claim.until <= seen.forgotten || seen.ids.contains(&claim.id) {
            return Err(NotSpent::Replayed);
        }
        if seen.ids.len() >= self.capacity {
            let next = seen.by_time.keys().next().copied().unwrap_or(claim.until);
            let retry_after = next.since(now);
            return Err(NotSpent::Full { retry_after });
        }
        seen.ids.insert(claim.id);
        seen.by_time.entry(claim.until).or_default().push(claim.id);
        Ok(())
    }

    /// How many proofs are remembered.
    pub fn len(&self) -> usize {
        self.lock().ids.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // What is inside is whole between any two of its statements that could panic.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ReplayWindow {
    /// Room for [`DEFAULT_REPLAY_CAPACITY`] proofs.
    fn default() -> Self {
        Self::new(DEFAULT_REPLAY_CAPACITY)
    }
}

impl Seen {
    fn forget(&mut self, now: UnixSeconds) {
        while let Some(entry) = self.by_time.first_entry() {
            if *entry.key() > now {
                break;
            }
            let (until, ids) = entry.remove_entry();
            for id in ids {
                self.ids.remove(&id);
            }
            self.forgotten = self.forgotten.max(until);
        }
    }
}

/// About 10 MB; with the default window of a minute and a half, a thousand requests a second.
pub const DEFAULT_REPLAY_CAPACITY: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(id: u8, until: u64) -> ReplayClaim {
        ReplayClaim {
            id: [id; 32],
            until: UnixSeconds(until),
        }
    }

    #[test]
    fn a_proof_is_good_once() {
        let window = ReplayWindow::new(8);
        assert!(window.is_empty());
        assert_eq!(window.spend(claim(1, 60), UnixSeconds(0)), Ok(()));
        assert_eq!(window.spend(claim(2, 60), UnixSeconds(0)), Ok(()));
        for now in [0, 30, 59] {
            let again = window.spend(claim(1, 60), UnixSeconds(now));
            assert_eq!(again, Err(NotSpent::Replayed), "{now}");
        }
        assert_eq!(window.len(), 2);
    }

    #[test]
    fn a_full_window_refuses_until_something_is_void() {
        let window = ReplayWindow::new(2);
        let at = |now, id, until| window.spend(claim(id, until), UnixSeconds(now));
        let full = |seconds| {
            Err(NotSpent::Full {
                retry_after: Duration::from_secs(seconds),
            })
        };
        assert_eq!(at(0, 1, 60), Ok(()));
        assert_eq!(at(0, 2, 70), Ok(()));
        assert_eq!(at(10, 3, 80), full(50));
        assert_eq!(at(59, 3, 80), full(1));
        // What was used is known as such all the same.
        assert_eq!(at(59, 2, 70), Err(NotSpent::Replayed));
        assert_eq!(at(60, 3, 80), Ok(()));
        assert_eq!(window.len(), 2);
        assert_eq!(at(60, 4, 90), full(10));
    }

    #[test]
    fn a_clock_that_goes_back_does_not_make_used_proofs_good() {
        let window = ReplayWindow::new(8);
        assert_eq!(window.spend(claim(1, 60), UnixSeconds(0)), Ok(()));
        assert_eq!(window.spend(claim(2, 200), UnixSeconds(100)), Ok(()));
        assert_eq!(window.len(), 1);
        let again = window.spend(claim(1, 60), UnixSeconds(0));
        assert_eq!(again, Err(NotSpent::Replayed));
    }

    #[test]
    fn one_of_many_threads_wins() {
        let window = ReplayWindow::new(8);
        let won = std::thread::scope(|scope| {
            let spend = || window.spend(claim(1, 60), UnixSeconds(0)).is_ok();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(spend)).collect();
            threads
                .into_iter()
                .filter_map(|thread| thread.join().ok())
                .filter(|won| *won)
                .count()
        });
        assert_eq!(won, 1);
    }
}
