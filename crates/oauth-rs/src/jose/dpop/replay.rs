//! Whether a proof was used before (RFC 9449 section 11.1).

use std::collections::{BTreeMap, HashMap, HashSet};
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
    key: Key,
    until: UnixSeconds,
}

/// The first half of the SHA-256 of a key's thumbprint: enough to tell keys apart.
type Key = [u8; 16];

impl ReplayClaim {
    /// What is to be spent of a proof that came to this address.
    pub fn new(proof: &VerifiedProof, uri: &TargetUri) -> Self {
        // RFC 9449 section 11.1: jti in the context of the target URI. The key is in it as well, so
        // that nobody can use up the identifiers of others.
        let text = [proof.jkt(), uri.as_str(), proof.jti()].join("\n");
        let key = sha256(proof.jkt().as_bytes());
        Self {
            id: sha256(text.as_bytes()),
            key: key.first_chunk().copied().unwrap_or_default(),
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
    /// Its key has used up its share of the room; others that have less are not concerned.
    #[error("the key of the proof has used up its share of the replay window")]
    ShareFull {
        /// When there may be room again, at the earliest.
        retry_after: Duration,
    },
}

impl NotSpent {
    /// When to try again; none for a proof that was used before, which is void for good.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Replayed => None,
            Self::Full { retry_after } | Self::ShareFull { retry_after } => Some(*retry_after),
        }
    }
}

/// The proofs that were used, in the memory of this process and bounded.
///
/// A full window refuses: a proof that cannot be remembered could be used again. Spend a proof last,
/// so that only a client with a valid token, code or refresh token can fill it; and each key has room
/// for a share alone, which is the smaller the fuller the window is, so that neither one client nor
/// some that work together lock out the others.
///
/// Does not check: what other instances of the service have seen; they need a store they share.
#[derive(Debug)]
pub struct ReplayWindow {
    capacity: usize,
    share: usize,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    ids: HashSet<[u8; 32]>,
    by_time: BTreeMap<UnixSeconds, Vec<([u8; 32], Key)>>,
    by_key: HashMap<Key, Own>,
    /// Whatever was void from here on or before is forgotten.
    forgotten: UnixSeconds,
}

/// The proofs of one key.
#[derive(Debug)]
struct Own {
    proofs: usize,
    /// No proof of it is void before.
    next: UnixSeconds,
}

impl ReplayWindow {
    /// A window with room for this many proofs, of which one key may have a tenth, if it is the only
    /// one, and otherwise a ninth of what is free.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            share: capacity.div_ceil(10),
            seen: Mutex::new(Seen {
                ids: HashSet::new(),
                by_time: BTreeMap::new(),
                by_key: HashMap::new(),
                forgotten: UnixSeconds(0),
            }),
        }
    }

    /// The same window with room for so many proofs of one key: as many as there are in all, where a
    /// single client stands for many people, a gateway for example.
    #[must_use]
    pub fn share(mut self, of_one_key: usize) -> Self {
        self.share = of_one_key;
        self
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
        let own = seen.by_key.get(&claim.key);
        let (proofs, used) = (own.map_or(0, |own| own.proofs), seen.ids.len());
        if !self.has_share(proofs, used) {
            let next = own.map_or(claim.until, |own| own.next);
            let retry_after = next.since(now);
            return Err(NotSpent::ShareFull { retry_after });
        }
        seen.note(&claim);
        Ok(())
    }

    /// Whether a key with so many proofs may have one more, with so many used by all.
    ///
    /// What a key has stays below a part of what is free: the part with which a key that is alone has
    /// its share. So however many keys have what they may, some room is left for the next one.
    fn has_share(&self, proofs: usize, used: usize) -> bool {
        let free = self.capacity.saturating_sub(used);
        let of_others = self.capacity.saturating_sub(self.share);
        proofs.saturating_mul(of_others) < self.share.saturating_mul(free)
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
    fn note(&mut self, claim: &ReplayClaim) {
        self.ids.insert(claim.id);
        let at = self.by_time.entry(claim.until).or_default();
        at.push((claim.id, claim.key));
        let own = self.by_key.entry(claim.key).or_insert(Own {
            proofs: 0,
            next: claim.until,
        });
        own.proofs = own.proofs.saturating_add(1);
        own.next = own.next.min(claim.until);
    }

    fn forget(&mut self, now: UnixSeconds) {
        while let Some(entry) = self.by_time.first_entry() {
            if *entry.key() > now {
                break;
            }
            let (until, ids) = entry.remove_entry();
            for (id, key) in ids {
                self.ids.remove(&id);
                self.release(key, until);
            }
            self.forgotten = self.forgotten.max(until);
        }
    }

    fn release(&mut self, key: Key, until: UnixSeconds) {
        if let Some(own) = self.by_key.get_mut(&key) {
            own.proofs = own.proofs.saturating_sub(1);
            // The others are void later; how much later is not kept.
            own.next = own.next.max(until);
            if own.proofs == 0 {
                self.by_key.remove(&key);
            }
        }
    }
}

/// About 25 MB; with the default window of a minute and a half, a thousand requests a second.
pub const DEFAULT_REPLAY_CAPACITY: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A proof of a key of its own.
    fn claim(id: u8, until: u64) -> ReplayClaim {
        of_key(id, id, until)
    }

    fn of_key(key: u8, id: u8, until: u64) -> ReplayClaim {
        ReplayClaim {
            id: [id; 32],
            key: [key; 16],
            until: UnixSeconds(until),
        }
    }

    #[test]
    fn one_key_does_not_lock_out_the_others() {
        let window = ReplayWindow::new(20);
        let at = |now, key, id, until| window.spend(of_key(key, id, until), UnixSeconds(now));
        let full = |seconds| {
            Err(NotSpent::ShareFull {
                retry_after: Duration::from_secs(seconds),
            })
        };
        assert_eq!(at(0, 1, 1, 60), Ok(()));
        assert_eq!(at(0, 1, 2, 70), Ok(()));
        for id in 3..200 {
            assert_eq!(at(10, 1, id, 80), full(50));
        }
        // A proof that was used stays used, and other keys have their own room.
        assert_eq!(at(10, 1, 2, 70), Err(NotSpent::Replayed));
        for key in 2..11 {
            assert_eq!(at(10, key, key + 200, 80), Ok(()));
        }
        // A proof that is void makes room for one of its key.
        assert_eq!(at(60, 1, 3, 130), Ok(()));
        assert_eq!(at(60, 1, 4, 130), full(0));
        assert_eq!(at(70, 1, 4, 130), Ok(()));
        // Nothing is kept of a key without proofs.
        assert_eq!(at(1000, 99, 250, 1060), Ok(()));
        assert_eq!((window.len(), window.lock().by_key.len()), (1, 1));
    }

    #[test]
    fn keys_that_work_together_do_not_lock_out_the_others() {
        let window = ReplayWindow::new(100);
        for n in 0..200 {
            let _spent = window.spend(of_key(n % 20, n, 60), UnixSeconds(0));
        }
        for n in 200..210 {
            assert_eq!(window.spend(of_key(n, n, 60), UnixSeconds(0)), Ok(()));
        }
    }

    #[test]
    fn a_key_that_stands_for_many_may_have_all_the_room() {
        let window = ReplayWindow::new(20).share(20);
        for id in 0..20 {
            assert_eq!(window.spend(of_key(1, id, 60), UnixSeconds(0)), Ok(()));
        }
        let one_more = window.spend(of_key(1, 20, 60), UnixSeconds(0));
        assert!(matches!(one_more, Err(NotSpent::Full { .. })));
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
