//! The operations of the Didit API as MCP tools.
#![doc = include_str!("../README.md")]

mod acting;
mod analytics;
mod attend;
mod catalog;
mod credential;
mod date;
mod fetched;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the tools that take files are built on it next")
)]
mod file;
pub mod graph;
mod handler;
mod map;
mod outcome;
mod place;
mod role;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the rows of these tools are built next")
)]
mod run;
mod schema;
mod span;
mod together;
mod tools;

pub use acting::Transport;
pub use attend::{Attendant, Begun, Watch};
pub use catalog::{names, oauth_scopes};
pub use credential::{Credentials, NoCredential};
pub use outcome::Failure;
pub use tools::{DiditTools, InvalidHome};
