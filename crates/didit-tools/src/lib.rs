//! The operations of the Didit API as MCP tools.
#![doc = include_str!("../README.md")]

mod acting;
mod analytics;
mod attend;
mod catalog;
mod credential;
mod date;
mod download;
mod fetched;
mod file;
pub mod graph;
mod handler;
mod map;
mod outcome;
mod place;
mod precheck;
mod role;
mod run;
mod schema;
mod selection;
mod skill;
mod span;
mod together;
mod tools;

pub use acting::Transport;
pub use attend::{Attendant, Begun, PermissionCheck, Watch};
pub use catalog::{fine_scope, names, oauth_scopes, scopes};
pub use credential::{Credentials, NoCredential};
pub use download::{Download, Downloads, NoRoom};
pub use outcome::Failure;
pub use selection::{
    Grants, InvalidWish, NotHere, Permissions, Selection, TOOLSETS, Wish, classic_names,
};
pub use tools::{DEFAULT_POLL, DiditTools, InvalidHome, MIN_POLL};
