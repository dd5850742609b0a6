//! The Didit API as requests and responses.
#![doc = include_str!("../README.md")]

pub mod api;
pub mod call;
mod credential;
mod crypto;
pub mod error;
mod file;
mod form;
pub mod model;
pub mod operation;
pub mod page;
pub mod redact;
pub mod request;
mod retry;
mod retry_after;
mod scrub;
mod secret;
#[cfg(feature = "send")]
pub mod send;
pub mod webhook;

pub use api::{Api, IdempotencyKey, InvalidBase, InvalidIdempotencyKey, InvalidPathPart, PathPart};
pub use call::{Call, InvalidCall};
pub use credential::{Credential, CredentialKind};
pub use error::{ApiError, ErrorCode};
pub use file::{File, FileKind, InvalidFile, MAX_FILE, MAX_FILE_NAME};
pub use form::{MAX_FORM_BODY, MAX_FORM_PARTS};
pub use operation::Operation;
pub use page::{Page, Pager};
pub use retry::{DEFAULT_ATTEMPTS, DEFAULT_BUDGET, MAX_ATTEMPTS, Retries};
pub use secret::Secret;
