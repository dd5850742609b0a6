#![doc = include_str!("../README.md")]

pub mod event;
pub mod record;
pub mod store;

#[cfg(feature = "router")]
pub mod config;
#[cfg(feature = "router")]
pub mod document;
#[cfg(feature = "router")]
pub mod identity;
#[cfg(feature = "router")]
pub mod router;
#[cfg(feature = "router")]
pub mod server;

#[cfg(feature = "router")]
mod check;
#[cfg(feature = "router")]
mod decision;
#[cfg(feature = "router")]
mod endpoint;
#[cfg(feature = "router")]
#[cfg(test)]
mod fixture;
#[cfg(feature = "router")]
mod grant;
#[cfg(feature = "router")]
mod page;
#[cfg(feature = "router")]
mod refused;
#[cfg(feature = "router")]
mod token;

#[cfg(feature = "router")]
pub use self::config::{Config, Keys, Lifetimes, Resource, Scope};
#[cfg(feature = "router")]
pub use self::server::{Seams, Server};
