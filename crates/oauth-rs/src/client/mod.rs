//! A request and a response function per exchange, and the flow that chooses among them.
//!
//! Nothing here performs I/O: requests go out as `http::Request<Vec<u8>>`, and answers come in as
//! `http::Response<Vec<u8>>`.
//! Whoever sends a request follows no redirect, limits the body (64 KiB is the most that is read
//! here) and the time, and decides which addresses may be connected to.

mod auth;
pub mod authorize;
pub mod client_credentials;
pub mod device;
pub mod discover;
mod exchange;
pub mod flow;
pub mod id_jag;
pub mod introspect;
pub mod jwt_bearer;
pub mod machine;
pub mod push;
pub mod refresh;
pub mod register;
pub mod renewal;
pub mod revoke;
pub mod store;
pub mod token;
pub mod token_exchange;

pub use auth::{AuthRefused, Caller, Client, ClientAuth, TlsMethod};
pub use exchange::{ExchangeFailed, MAX_BODY_BYTES};
