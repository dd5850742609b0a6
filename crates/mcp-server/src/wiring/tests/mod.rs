//! The whole stack in memory, with a movable clock: no socket, no browser, no sleeping.

mod bad_input;
mod bound;
mod client;
mod commands;
mod flow;
mod refused;
mod registrations;
mod revoked;
mod scopes;
mod tools;
mod world;
