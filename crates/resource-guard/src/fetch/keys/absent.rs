//! Key ids that a fetch did not find.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use oauth_rs::hash::sha256;

/// The most ids that are remembered, some 100 KiB for an issuer: each cost a fetch or waited for
/// one, so there are many only when somebody invents them.
pub(super) const MAX_ABSENT: usize = 1024;

/// Ids are kept by their hash, since whoever invents them also chooses their length.
pub(super) type KidHash = [u8; 32];

pub(super) fn kid_hash(kid: &str) -> KidHash {
    sha256(kid.as_bytes())
}

/// A bounded set of ids, each until its time; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Absent {
    until: HashMap<KidHash, Instant>,
    order: VecDeque<KidHash>,
}

impl Absent {
    pub(super) fn contains(&self, kid: &KidHash, now: Instant) -> bool {
        self.until.get(kid).is_some_and(|until| now < *until)
    }

    pub(super) fn insert(&mut self, kid: KidHash, now: Instant, time: Duration) {
        let Some(until) = now.checked_add(time) else {
            return;
        };
        if self.until.insert(kid, until).is_none() {
            self.order.push_back(kid);
        }
        if self.order.len() > MAX_ABSENT {
            let oldest = self.order.pop_front();
            oldest.and_then(|oldest| self.until.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_in_time_and_when_it_is_full() {
        let (mut absent, now) = (Absent::default(), Instant::now());
        let minute = Duration::from_secs(60);
        for n in 0..=MAX_ABSENT {
            absent.insert(kid_hash(&n.to_string()), now, minute);
            absent.insert(kid_hash(&n.to_string()), now, minute);
        }
        assert_eq!(absent.until.len(), MAX_ABSENT);
        assert_eq!(absent.order.len(), MAX_ABSENT);
        assert!(!absent.contains(&kid_hash("0"), now));
        assert!(absent.contains(&kid_hash("1"), now));
        assert!(!absent.contains(&kid_hash("1"), now + minute));
    }
}
