#![doc = include_str!("../README.md")]

pub mod address;
mod client;
mod connect;
mod dial;
mod document;
mod error;
mod host;
mod in_flight;
mod limits;
#[cfg(test)]
mod memory;
mod policy;
mod resolve;
mod stream;

pub use client::Client;
pub use document::{DocumentLimits, Documents};
pub use error::EgressError;
pub use limits::Limits;
pub use policy::Policy;
pub use resolve::{Resolve, Resolving};
pub use stream::{StreamedBody, Streaming};
