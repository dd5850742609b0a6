//! What is fetched, through a client in memory and with a clock that is moved by hand.

mod discovered;
mod endpoint;
mod introspection;
mod keys;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "tower")]
mod seed_systems;
mod verified;
