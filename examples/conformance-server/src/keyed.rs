//! A keyed hash from the standard library: enough for a fixture on loopback, not for anything else.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A key that only this process has.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    key: RandomState,
    counter: AtomicU64,
}

impl Keyed {
    pub(crate) fn new() -> Self {
        Keyed::default()
    }

    /// Fills with bytes that do not repeat.
    pub(crate) fn fill(&self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let word = self.key.hash_one(("fill", count)).to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_does_not_repeat() {
        let keyed = Keyed::new();
        let (mut first, mut second) = ([0; 24], [0; 24]);
        keyed.fill(&mut first);
        keyed.fill(&mut second);
        assert_ne!(first, second);
    }
}
