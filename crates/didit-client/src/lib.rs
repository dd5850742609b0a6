//! The Didit API as requests and responses.
#![doc = include_str!("../README.md")]

pub mod api;
pub mod call;
pub mod error;
pub mod operation;
pub mod redact;
mod scrub;
mod secret;
#[cfg(feature = "send")]
pub mod send;

pub use api::{Api, InvalidBase, InvalidPathPart, PathPart};
pub use call::{Call, InvalidCall};
pub use error::{ApiError, ErrorCode};
pub use operation::Operation;
pub use secret::Secret;
