//! The whole stack in memory, with a movable clock: no socket, no browser, no sleeping.

mod bad_input;
mod flow;
mod registrations;
mod scopes;
mod tools;
mod world;
