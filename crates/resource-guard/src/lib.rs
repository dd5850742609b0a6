#![doc = include_str!("../README.md")]

pub mod config;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod guard;
pub mod keys;
pub mod metadata;
pub mod refused;
pub mod scope;

mod claims;
mod credential;

#[cfg(feature = "tower")]
pub mod cors;
#[cfg(feature = "tower")]
pub mod future;
#[cfg(feature = "tower")]
pub mod layer;
#[cfg(feature = "tower")]
pub mod service;

pub use config::{GuardConfig, InvalidConfig, TrustedIssuer};
pub use guard::{Decision, Guard, Principal};
pub use keys::KeySnapshot;
pub use refused::Refused;
pub use scope::Requirement;

#[cfg(feature = "tower")]
pub use cors::Cors;
#[cfg(feature = "tower")]
pub use layer::GuardLayer;
#[cfg(feature = "tower")]
pub use service::GuardService;
