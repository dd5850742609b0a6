//! Sealed texts that must not be used again, until they expire by themselves.

use std::collections::BTreeSet;

use super::crypto::SALT_BYTES;
use super::{Opened, Refused};

/// A bounded memory of sealed texts, in the order in which they expire.
///
/// It is as long as the process and belongs to it alone: other processes with the same keys know
/// nothing of it. An entry is an expiry and a salt, 32 bytes, in a tree.
///
/// A text that is forgotten because it has expired stays refused when the clock is set back
/// afterwards, and so does each text that expires no later.
#[derive(Debug)]
pub struct Spent {
    entries: BTreeSet<(u64, [u8; SALT_BYTES])>,
    limit: usize,
    /// The latest expiry of an entry that was forgotten because it had come.
    passed: u64,
}

impl Spent {
    /// An empty memory for at most this many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Spent {
            entries: BTreeSet::new(),
            limit,
            passed: 0,
        }
    }

    /// Uses a text up.
    ///
    /// A full memory refuses, because forgetting an entry would let its text be used twice.
    ///
    /// # Errors
    /// [`Refused::Replayed`], [`Refused::TooManySpent`]; [`Refused::Expired`] by an earlier reading
    /// of the clock.
    pub fn spend(&mut self, opened: &Opened, now: u64) -> Result<(), Refused> {
        self.forget_expired(now);
        if opened.expires <= self.passed {
            return Err(Refused::Expired);
        }
        if self.contains(opened) {
            return Err(Refused::Replayed);
        }
        if self.entries.len() >= self.limit {
            return Err(Refused::TooManySpent);
        }
        self.entries.insert((opened.expires, opened.salt));
        Ok(())
    }

    /// Remembers a text; when the memory is full, the one that expires soonest is forgotten.
    pub fn remember(&mut self, opened: &Opened, now: u64) {
        self.forget_expired(now);
        if self.limit == 0 {
            return;
        }
        while self.entries.len() >= self.limit {
            self.entries.pop_first();
        }
        self.entries.insert((opened.expires, opened.salt));
    }

    /// Whether the text is in memory, or expires no later than one that was forgotten because it had
    /// expired.
    #[must_use]
    pub fn contains(&self, opened: &Opened) -> bool {
        opened.expires <= self.passed || self.entries.contains(&(opened.expires, opened.salt))
    }

    fn forget_expired(&mut self, now: u64) {
        while let Some((expires, _)) = self.entries.first()
            && *expires <= now
        {
            self.passed = self.passed.max(*expires);
            self.entries.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: u8, expires: u64) -> Opened {
        Opened {
            payload: String::new(),
            expires,
            salt: [number; SALT_BYTES],
        }
    }

    #[test]
    fn a_text_is_used_once() {
        let mut spent = Spent::new(2);
        assert_eq!(spent.spend(&text(1, 100), 0), Ok(()));
        assert_eq!(spent.spend(&text(1, 100), 99), Err(Refused::Replayed));
        assert_eq!(spent.spend(&text(2, 200), 99), Ok(()));
        assert_eq!(spent.spend(&text(3, 300), 99), Err(Refused::TooManySpent));
        assert!(!spent.contains(&text(3, 300)));
        // What has expired makes room: it does not open any more.
        assert_eq!(spent.spend(&text(3, 300), 100), Ok(()));
        assert_eq!(spent.spend(&text(2, 200), 100), Err(Refused::Replayed));
    }

    #[test]
    fn what_was_forgotten_as_expired_stays_so_when_the_clock_is_set_back() {
        let mut spent = Spent::new(2);
        assert_eq!(spent.spend(&text(1, 100), 0), Ok(()));
        assert_eq!(spent.spend(&text(2, 300), 200), Ok(()));
        // By that clock it has expired, as has whatever expires no later.
        for old in [text(1, 100), text(3, 100), text(3, 99)] {
            assert!(spent.contains(&old));
            assert_eq!(spent.spend(&old, 0), Err(Refused::Expired));
        }
        assert_eq!(spent.spend(&text(3, 101), 0), Ok(()));
        // A clock that is far ahead for a moment ends no more than what it has seen.
        spent.remember(&text(4, 400), u64::MAX);
        assert!(spent.contains(&text(5, 300)));
        assert!(!spent.contains(&text(5, 301)));
        // What was forgotten for want of room has not expired.
        let mut spent = Spent::new(1);
        spent.remember(&text(1, 100), 0);
        spent.remember(&text(2, 200), 0);
        assert!(!spent.contains(&text(1, 100)));
    }

    #[test]
    fn remembering_forgets_what_expires_soonest() {
        let mut spent = Spent::new(2);
        for (number, expires) in [(1, 300), (2, 100), (3, 200)] {
            spent.remember(&text(number, expires), 0);
        }
        assert!(spent.contains(&text(1, 300)));
        assert!(!spent.contains(&text(2, 100)));
        assert!(spent.contains(&text(3, 200)));
        spent.remember(&text(4, 400), 200);
        // That one has expired; the other two are kept.
        assert_eq!(spent.entries.len(), 2);
        let mut none = Spent::new(0);
        none.remember(&text(1, 100), 0);
        assert!(!none.contains(&text(1, 100)));
    }
}
