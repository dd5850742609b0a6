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

    /// The text with a tag that only this process can make.
    pub(crate) fn seal(&self, text: &str) -> String {
        format!("{text}.{:016x}", self.key.hash_one(("seal", text)))
    }

    /// The text, if the tag is right.
    pub(crate) fn open<'a>(&self, sealed: &'a str) -> Option<&'a str> {
        let (text, _) = sealed.rsplit_once('.')?;
        (self.seal(text) == sealed).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_opens_only_as_it_was_made() {
        let keyed = Keyed::new();
        let sealed = keyed.seal("round one");
        assert_eq!(keyed.open(&sealed), Some("round one"));
        assert_eq!(keyed.open(&format!("{sealed}-tampered")), None);
        assert_eq!(keyed.open(&sealed.replace("one", "two")), None);
        assert_eq!(Keyed::new().open(&sealed), None);
    }

    #[test]
    fn what_is_filled_does_not_repeat() {
        let keyed = Keyed::new();
        let (mut first, mut second) = ([0; 24], [0; 24]);
        keyed.fill(&mut first);
        keyed.fill(&mut second);
        assert_ne!(first, second);
    }
}
