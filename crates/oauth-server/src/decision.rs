//! What a decision is: an outcome, the writes that make it true, and the events that tell of it.

use crate::event::Event;
use crate::refused::Refused;
use crate::store::{Key, Version, Versioned, Write};

/// An outcome that holds only once its writes are committed.
///
/// A refusal may have writes too: a replayed code ends its grant.
#[derive(Debug)]
#[must_use = "an outcome is not to be used before its writes are committed"]
pub(crate) struct Decision<T> {
    pub(crate) outcome: Result<T, Refused>,
    pub(crate) writes: Vec<Write>,
    pub(crate) events: Vec<Event>,
}

impl<T> Decision<T> {
    /// A refusal that changes nothing.
    pub(crate) const fn refused(reason: Refused) -> Self {
        Self {
            outcome: Err(reason),
            writes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// An outcome with nothing to write or tell.
    pub(crate) const fn of(outcome: T) -> Self {
        Self {
            outcome: Ok(outcome),
            writes: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The same decision, its outcome put in other words.
    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Decision<U> {
        Decision {
            outcome: self.outcome.map(to),
            writes: self.writes,
            events: self.events,
        }
    }

    pub(crate) fn with(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    pub(crate) fn telling(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }
}

impl<T> From<Refused> for Decision<T> {
    fn from(reason: Refused) -> Self {
        Self::refused(reason)
    }
}

/// A record that was found, with what is needed to replace it.
#[derive(Clone, Debug)]
pub(crate) struct Found<T> {
    pub(crate) key: Key,
    pub(crate) version: Version,
    pub(crate) record: T,
}

impl<T: Clone> Found<T> {
    /// The record under `key` as the kind that the key promises.
    pub(crate) fn read(
        key: &Key,
        loaded: Option<Versioned>,
        as_kind: impl Fn(&crate::record::Record) -> Option<&T>,
    ) -> Result<Option<Self>, Refused> {
        let Some(stored) = loaded else {
            return Ok(None);
        };
        let record = as_kind(&stored.record).cloned().ok_or(Refused::Damaged)?;
        Ok(Some(Self {
            key: key.clone(),
            version: stored.version,
            record,
        }))
    }

    pub(crate) fn replaced_by(&self, record: impl Into<crate::record::Record>) -> Write {
        Write::Replace {
            key: self.key.clone(),
            version: self.version,
            record: record.into(),
        }
    }

    pub(crate) fn deleted(&self) -> Write {
        Write::Delete {
            key: self.key.clone(),
            version: self.version,
        }
    }

    pub(crate) fn unchanged(&self) -> Write {
        Write::Unchanged {
            key: self.key.clone(),
            version: self.version,
        }
    }
}

/// What every decision is made in: the configuration, the moment, and chance.
#[derive(Clone, Copy)]
pub(crate) struct Present<'a> {
    pub(crate) config: &'a crate::config::Config,
    pub(crate) now: oauth_rs::time::UnixSeconds,
    pub(crate) entropy: &'a dyn oauth_rs::entropy::Entropy,
}
