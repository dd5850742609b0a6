//! The keys of the trusted issuers, fetched when they are needed and kept while they are good.

mod absent;
mod cache;
mod fetch;
mod limits;
mod machine;

pub use cache::{KeyCache, KeyReport};
pub use fetch::{KeyFetchFailed, KeySource};
pub use limits::{KeyLimits, MAX_USABLE, MIN_PAUSE};
