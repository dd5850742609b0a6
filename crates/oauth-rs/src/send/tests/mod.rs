//! Calls through the layer, against a resource and an authorization server that are functions.

mod bound;
mod broken;
mod calls;
mod together;
mod world;
