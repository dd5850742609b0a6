//! `serve` whole, in memory: guard, tools, a stub of the issuer, and the sandbox as the Didit API.

mod audit;
mod faults;
mod pages;
mod tokens;
mod world;
