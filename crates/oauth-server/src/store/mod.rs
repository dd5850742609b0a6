//! What the server asks of a database: load some records, commit some writes or none of them.
//!
//! A decision is made on the records that were loaded, each with its version.
//! Every write names the version that it replaces, so that of two decisions made on the same record only one is committed.
//! That one rule is what makes a code or a refresh token good for one use only.

#[cfg(feature = "store-contract")]
pub mod contract;
mod key;
mod memory;

use std::collections::HashSet;
use std::error::Error;

use async_trait::async_trait;
use oauth_rs::time::UnixSeconds;

use crate::record::Record;

pub use self::key::{Key, Kind};
pub use self::memory::MemoryStore;

/// Most keys in one call of [`Store::load`], and most writes in one call of [`Store::commit`].
///
/// The largest decision of this crate writes four records; the rest is room to grow.
pub const MAX_BATCH: usize = 16;

/// Where the server keeps its records.
///
/// An implementation must pass `store::contract` (feature `store-contract`), which races writers against each other.
///
/// Does not check: what is in a record, or whether it has expired; the decisions do both.
#[async_trait]
pub trait Store: Send + Sync {
    /// The records under these keys, in the order of the keys, `None` where there is none.
    ///
    /// All of them are read at one moment: no commit falls between the first and the last.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the records cannot be had; a missing record is not an error.
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError>;

    /// Makes all of these writes, or none.
    ///
    /// [`Outcome::Conflict`] means that at least one record was not as a write expected it, and that nothing was written.
    /// When this returns [`Outcome::Committed`] the writes survive a crash, if the store is one that survives at all.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it is not known that the writes were made.
    async fn commit(&self, writes: Vec<Write>) -> Result<Outcome, StoreError>;

    /// Removes at most `limit` records whose time is over at `now`, and tells how many it removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the records could not be removed.
    async fn sweep(&self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError>;
}

/// Which state of a record was read.
///
/// A store gives every state of a key a version that this key never had before, also after the record was deleted and made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A record as it was read.
#[derive(Clone, Debug)]
pub struct Versioned {
    /// The state that was read; a write that replaces the record names it.
    pub version: Version,
    /// What was in it.
    pub record: Record,
}

/// One change that a decision asks for.
#[derive(Clone, Debug)]
#[must_use = "a write that is not committed did not happen"]
pub enum Write {
    /// Make a record that must not exist yet.
    Insert {
        /// Its name.
        key: Key,
        /// What is in it.
        record: Record,
    },
    /// Put another record in the place of the one that was read.
    Replace {
        /// Its name.
        key: Key,
        /// The state that was read.
        version: Version,
        /// What is in it from now on.
        record: Record,
    },
    /// Remove the record that was read.
    Delete {
        /// Its name.
        key: Key,
        /// The state that was read.
        version: Version,
    },
    /// Change nothing, but commit the rest only if this record is still as it was read.
    ///
    /// This is how a token that is being issued loses to a revocation that came first.
    Unchanged {
        /// Its name.
        key: Key,
        /// The state that was read.
        version: Version,
    },
}

impl Write {
    /// The record that this write is about.
    #[must_use]
    pub const fn key(&self) -> &Key {
        match self {
            Self::Insert { key, .. }
            | Self::Replace { key, .. }
            | Self::Delete { key, .. }
            | Self::Unchanged { key, .. } => key,
        }
    }
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was written"]
pub enum Outcome {
    /// All writes were made.
    Committed,
    /// Somebody else changed one of the records first; nothing was written.
    Conflict,
}

/// Why a store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the store failed: {kind}")]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What sort of failure a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The database cannot be reached, is locked for too long, or has no room.
    #[error("the database is unavailable")]
    Unavailable,
    /// What is stored cannot be read as a record.
    #[error("a stored record is damaged")]
    Corrupt,
    /// The caller asked for something that the trait does not offer.
    #[error("the call was malformed")]
    Misuse,
}

impl StoreError {
    /// A failure of this kind, without a cause to show.
    #[must_use]
    pub const fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// A failure of this kind, and what caused it.
    pub fn because(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            source: Some(source.into()),
        }
    }

    /// What sort of failure it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

/// What every store checks before it reads or writes: the bound on the number of keys, and that no record is written twice at once.
///
/// # Errors
///
/// [`StoreErrorKind::Misuse`] if there are more than [`MAX_BATCH`] writes or two for one key.
pub fn check_writes(writes: &[Write]) -> Result<(), StoreError> {
    let mut seen = HashSet::new();
    if writes.len() > MAX_BATCH || !writes.iter().all(|write| seen.insert(write.key())) {
        return Err(StoreError::new(StoreErrorKind::Misuse));
    }
    Ok(())
}

/// What every store checks before it reads: the bound on the number of keys.
///
/// # Errors
///
/// [`StoreErrorKind::Misuse`] if there are more than [`MAX_BATCH`] keys.
pub fn check_keys(keys: &[Key]) -> Result<(), StoreError> {
    if keys.len() > MAX_BATCH {
        return Err(StoreError::new(StoreErrorKind::Misuse));
    }
    Ok(())
}
