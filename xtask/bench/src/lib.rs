//! What the programs of `cargo xtask bench` have in common: tokens that are the same each time, and
//! two or more things that are measured in turns.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a program for measuring stops at the first surprise"
)]

pub mod accept;
pub mod bare;
pub mod guarded;
pub mod signature;
pub mod turns;
