//! Which events were delivered before.

use std::collections::HashMap;

use super::receiver::WINDOW;
use super::refused::Refused;
use super::{Event, Verified};

/// How many events a filter holds when no other number is chosen: thirty a second over the whole window.
pub const DEFAULT_REPEATS: usize = 20_000;

/// The longest event id that is remembered, in bytes.
pub const MAX_EVENT_ID: usize = 128;

/// Remembers the ids of events for as long as they could be delivered again.
///
/// Only verified events get in, so that a stranger cannot fill it.
/// It does not survive a restart: what may never happen twice also needs a unique `event_id` where it is stored.
#[derive(Debug)]
pub struct Repeats {
    most: usize,
    /// Id, and the last second in which an event of that id could be fresh.
    until: HashMap<String, u64>,
}

impl Default for Repeats {
    fn default() -> Self {
        Self::holding(DEFAULT_REPEATS)
    }
}

/// An event that was verified and is not a repeat: what is acted on.
#[derive(Clone, Debug, PartialEq)]
pub struct First(Event);

impl First {
    /// What it says.
    pub fn event(&self) -> &Event {
        &self.0
    }

    /// What it says, to keep.
    pub fn into_event(self) -> Event {
        self.0
    }
}

impl Repeats {
    /// A filter for this many events within the window.
    pub fn holding(most: usize) -> Self {
        Self {
            most,
            until: HashMap::new(),
        }
    }

    /// Lets an event through once.
    ///
    /// # Errors
    /// [`Refused::Repeat`], and [`Refused::RepeatsFull`] when it cannot be told.
    pub fn first(&mut self, verified: Verified, now: u64) -> Result<First, Refused> {
        let event = verified.into_event_that_may_be_a_repeat();
        if event.event_id.len() > MAX_EVENT_ID {
            return Err(Refused::EventId);
        }
        if self
            .until
            .get(&event.event_id)
            .is_some_and(|until| *until >= now)
        {
            return Err(Refused::Repeat);
        }
        if self.until.len() >= self.most {
            self.until.retain(|_, until| *until >= now);
        }
        if self.until.len() >= self.most {
            return Err(Refused::RepeatsFull);
        }
        let until = event.timestamp.saturating_add(WINDOW);
        self.until.insert(event.event_id.clone(), until);
        Ok(First(event))
    }

    /// Forgets an event that could not be acted on, so that its repeat is let through.
    ///
    /// Answer such a delivery with a status of 500 or more, and Didit sends it again.
    pub fn forget(&mut self, first: First) {
        self.until.remove(&first.0.event_id);
    }
}
