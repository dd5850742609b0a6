#![doc = include_str!("../README.md")]

mod format;
mod migration;
mod open;
mod reader;
mod sqlite;
mod writer;

pub use open::OpenError;
pub use sqlite::SqliteStore;
