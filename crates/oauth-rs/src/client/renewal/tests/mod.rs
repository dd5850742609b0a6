//! The machine by itself, story by story, and then every order in which several of them can meet.

mod explore;
mod fingerprint;
mod rules;
mod server;
mod stories;
mod world;
