//! Sealed texts that must not be used again, until they expire by themselves.

use std::collections::BTreeSet;

use super::crypto::SALT_BYTES;
use super::{Opened, Refused};

/// A bounded memory of sealed texts, in the order in which they expire.
///
/// It is as long as the process and belongs to it alone: other processes with the same keys know
/// nothing of it. An entry takes about a hundred bytes.
#[derive(Debug)]
pub struct Spent {
    entries: BTreeSet<(u64, [u8; SALT_BYTES])>,
    limit: usize,
}

impl Spent {
    /// An empty memory for at most this many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Spent {
            entries: BTreeSet::new(),
            limit,
        }
    }

    /// Uses a text up.
    ///
    /// A full memory refuses, because forgetting an entry would let its text be used twice.
    ///
    /// # Errors
    /// [`Refused::Replayed`], [`Refused::TooManySpent`].
    pub fn spend(&mut self, opened: &Opened, now: u64) -> Result<(), Refused> {
        self.forget_expired(now);
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

    /// Whether the text is in memory.
    #[must_use]
    pub fn contains(&self, opened: &Opened) -> bool {
        self.entries.contains(&(opened.expires, opened.salt))
    }

    fn forget_expired(&mut self, now: u64) {
        while self
            .entries
            .first()
            .is_some_and(|(expires, _)| *expires <= now)
        {
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
    fn remembering_forgets_what_expires_soonest() {
        let mut spent = Spent::new(2);
        for (number, expires) in [(1, 300), (2, 100), (3, 200)] {
            spent.remember(&text(number, expires), 0);
        }
        assert!(spent.contains(&text(1, 300)));
        assert!(!spent.contains(&text(2, 100)));
        assert!(spent.contains(&text(3, 200)));
        spent.remember(&text(4, 400), 200);
        assert!(!spent.contains(&text(3, 200)));
        let mut none = Spent::new(0);
        none.remember(&text(1, 100), 0);
        assert!(!none.contains(&text(1, 100)));
    }
}
