//! Requests in flight: a bounded table by id.

use std::collections::HashMap;

use crate::jsonrpc::Id;

/// The requests of one side that have no answer yet, each with what belongs to it.
#[derive(Debug)]
pub struct Pending<T> {
    entries: HashMap<Id, T>,
    limit: usize,
    next: i64,
}

/// Why a request cannot be put in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InUse {
    /// The id belongs to another request.
    #[error("id is in use")]
    Id,
    /// There are as many as there may be.
    #[error("too many in flight")]
    Limit,
}

impl<T> Pending<T> {
    /// An empty table for at most this many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Pending {
            entries: HashMap::new(),
            limit,
            next: 0,
        }
    }

    /// The same table, whose own ids begin at this number. For a session that may have had other
    /// tables elsewhere: an answer to a question of one of them must not look like one to ours.
    #[must_use]
    pub fn starting_at(mut self, next: i64) -> Self {
        self.next = next;
        self
    }

    /// Adds a request of the peer.
    ///
    /// # Errors
    /// [`InUse`].
    pub fn insert(&mut self, id: Id, value: T) -> Result<(), InUse> {
        // MCP-RPC-02: an id differs from all that are in flight.
        if self.entries.contains_key(&id) {
            return Err(InUse::Id);
        }
        if self.entries.len() >= self.limit {
            return Err(InUse::Limit);
        }
        self.entries.insert(id, value);
        Ok(())
    }

    /// Adds a request of ours under a new id.
    ///
    /// # Errors
    /// [`InUse::Limit`].
    pub fn open(&mut self, value: T) -> Result<Id, InUse> {
        let id = Id::Integer(self.next);
        self.insert(id.clone(), value)?;
        self.next = self.next.wrapping_add(1);
        Ok(id)
    }

    /// Takes a request out, if it is there.
    pub fn take(&mut self, id: &Id) -> Option<T> {
        self.entries.remove(id)
    }

    /// Looks at a request.
    #[must_use]
    pub fn get(&self, id: &Id) -> Option<&T> {
        self.entries.get(id)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_in_flight_and_free_afterwards() {
        let mut pending = Pending::new(2);
        assert_eq!(pending.insert(Id::from("1"), 'a'), Ok(()));
        assert_eq!(pending.insert(Id::from("1"), 'b'), Err(InUse::Id));
        assert_eq!(
            pending.insert(Id::from(1), 'c'),
            Ok(()),
            "an integer is not a string"
        );
        assert_eq!(pending.insert(Id::from(2), 'd'), Err(InUse::Limit));
        assert_eq!(pending.take(&Id::from("1")), Some('a'));
        assert_eq!(pending.take(&Id::from("1")), None);
        assert_eq!(pending.insert(Id::from("1"), 'e'), Ok(()));
    }

    #[test]
    fn our_own_ids_are_never_used_again() {
        let mut pending = Pending::new(8);
        let first = pending.open(()).unwrap();
        pending.take(&first);
        assert_ne!(pending.open(()).unwrap(), first);
    }
}
