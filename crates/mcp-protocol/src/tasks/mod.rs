//! The rules of the tasks extension, without I/O: what a task goes through, and a bounded table of tasks.
//!
//! Time comes in as [`Now`], ids are made by the caller, and the work itself is somewhere else: the
//! server shell runs it and tells the [`Table`] what came of it.

pub mod record;
pub mod table;
pub mod timestamp;

pub use record::{End, Record, Terms, TooManyQuestions, WrongShape};
pub use table::{Table, TooManyTasks, UnknownTask, UpdateRefused};
pub use timestamp::iso8601;

use std::time::{Instant, SystemTime};

/// What time it is, for two purposes.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For people and for the wire; it may be set back.
    pub wall: SystemTime,
    /// For what ends after a while; it only goes on.
    pub instant: Instant,
}
