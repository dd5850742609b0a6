#![doc = include_str!("../README.md")]

pub mod answer;
pub mod config;
pub mod evidence;
#[cfg(feature = "fetch")]
pub mod fetch;
pub mod guard;
pub mod issuer;
pub mod keys;
pub mod memory;
pub mod metadata;
pub mod operation;
pub mod passed;
pub mod peer;
pub mod principal;
pub mod reason;
pub mod refused;
pub mod revocation;
pub mod scope;
pub mod step_up;

mod binding;
mod challenge;
mod claims;
mod credential;
mod said;
mod token;

#[cfg(feature = "tower")]
pub mod cors;
#[cfg(feature = "tower")]
pub mod future;
#[cfg(feature = "tower")]
pub mod layer;
#[cfg(feature = "tower")]
pub mod service;
#[cfg(feature = "tower")]
pub mod source;

pub use answer::IssuerAnswer;
pub use config::{GuardConfig, InvalidConfig};
pub use evidence::{Evidence, Needs, NeedsIntrospection, NeedsKeys};
pub use guard::{Decision, Guard, Weakness};
pub use issuer::{Demand, TrustedIssuer};
pub use keys::KeySnapshot;
pub use memory::TokenMemory;
pub use operation::{Hierarchy, Operations, Role};
pub use passed::PassedToken;
pub use peer::{Peer, Proxies};
pub use principal::{Binding, Granted, Identity, Principal, Subject};
pub use reason::Reason;
pub use refused::{Refused, Scheme};
pub use revocation::Revocations;
pub use scope::Requirement;
pub use step_up::StepUp;

pub use oauth_rs::jose::dpop::{Nonces, ReplayClaim, ReplayWindow};

#[cfg(feature = "tower")]
pub use cors::Cors;
#[cfg(feature = "tower")]
pub use layer::GuardLayer;
#[cfg(feature = "tower")]
pub use service::GuardService;
#[cfg(feature = "tower")]
pub use source::Source;
