//! What a guard asks of others, feature `fetch`: the keys of its issuers, and what they say of a
//! token, through a client that the program hands in.
//!
//! The rules are machines that take the time and the answers as arguments; the shells around them
//! hold a lock for as long as a machine thinks, never while anything is awaited, and run each
//! fetch in a task of its own, so that a caller who goes away takes nothing with it.
//! They have to be used inside a tokio runtime with its timer on.
//!
//! The client decides where requests may go: give one that checks addresses (`egress-guard` does),
//! follows no redirect, and stops reading at a limit.

pub mod introspect;
pub mod keys;
mod send;
#[cfg(feature = "tower")]
mod source;
mod unavailable;
pub mod verified;

pub use introspect::{
    AskFailed, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector,
};
pub use keys::{KeyCache, KeyFetchFailed, KeyLimits, KeySource};
pub use send::{HttpClient, SendFailed};
#[cfg(feature = "tower")]
pub use source::Fetched;
pub use unavailable::Unavailable;
pub use verified::VerifiedTokens;
