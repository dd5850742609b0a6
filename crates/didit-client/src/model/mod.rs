//! Answers as types: what is known has a name and a type, everything else is kept as it came.
//!
//! A word out of a list that may grow is an enum with a place for the unknown.
//! Times and dates are text, as Didit writes them.
//! Absent and null are the same; a value of another type than promised is [`InvalidModel`], which names the field.

pub(crate) mod read;
mod session;

pub use read::{InvalidModel, MAX_MODEL_ROWS};
pub use session::SessionStatus;
