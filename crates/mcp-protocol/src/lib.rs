#![doc = include_str!("../README.md")]

pub mod cache;
#[cfg(feature = "client")]
pub mod client;
pub mod extension;
#[cfg(any(feature = "client", feature = "server"))]
pub mod http;
pub mod jsonrpc;
pub mod names;
pub mod revision;
pub mod schema;
#[cfg(feature = "seal")]
pub mod seal;
#[cfg(feature = "server")]
pub mod serve;
pub mod session;
pub mod skills;
pub mod sse;
pub mod stateless;
pub mod stdio;
pub mod tasks;
pub mod trace;
pub mod types;
pub mod violation;

pub use jsonrpc::{Id, RpcError};
pub use revision::{Era, Revision};
pub use violation::Violation;
