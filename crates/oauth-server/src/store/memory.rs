//! The reference store: everything in memory, gone when the process ends.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use oauth_rs::time::UnixSeconds;

use super::{
    Key, Outcome, Store, StoreError, StoreErrorKind, Version, Versioned, Write, check_keys,
    check_writes,
};

/// A store that forgets everything when the process ends.
///
/// It holds at most as many records as it was told to; beyond that an insertion fails with [`StoreErrorKind::Unavailable`] until [`Store::sweep`] has made room.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct State {
    records: HashMap<Key, Versioned>,
    last: u64,
}

impl MemoryStore {
    /// An empty store for at most 100,000 records, a few tens of megabytes.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(100_000)
    }

    /// An empty store for at most `capacity` records.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State::default()),
            capacity,
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        check_keys(keys)?;
        // A panic while the lock was held cannot leave a half-made change: `State::commit` checks first and then only inserts.
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(keys
            .iter()
            .map(|key| state.records.get(key).cloned())
            .collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<Outcome, StoreError> {
        check_writes(&writes)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.commit(writes, self.capacity)
    }

    async fn sweep(&self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let over: Vec<Key> = state
            .records
            .iter()
            .filter(|(_, stored)| stored.record.expires_at().is_some_and(|end| end <= now))
            .map(|(key, _)| key.clone())
            .take(limit)
            .collect();
        for key in &over {
            state.records.remove(key);
        }
        Ok(over.len())
    }
}

impl State {
    fn commit(&mut self, writes: Vec<Write>, capacity: usize) -> Result<Outcome, StoreError> {
        if !writes.iter().all(|write| self.allows(write)) {
            return Ok(Outcome::Conflict);
        }
        let added = writes
            .iter()
            .filter(|write| matches!(write, Write::Insert { .. }))
            .count();
        if self.records.len().saturating_add(added) > capacity {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        for write in writes {
            match write {
                Write::Insert { key, record } | Write::Replace { key, record, .. } => {
                    self.last = self.last.saturating_add(1);
                    let version = Version(self.last);
                    self.records.insert(key, Versioned { version, record });
                }
                Write::Delete { key, .. } => {
                    self.records.remove(&key);
                }
                Write::Unchanged { .. } => {}
            }
        }
        Ok(Outcome::Committed)
    }

    fn allows(&self, write: &Write) -> bool {
        let current = self.records.get(write.key()).map(|stored| stored.version);
        match write {
            Write::Insert { .. } => current.is_none(),
            Write::Replace { version, .. }
            | Write::Delete { version, .. }
            | Write::Unchanged { version, .. } => current == Some(*version),
        }
    }
}
