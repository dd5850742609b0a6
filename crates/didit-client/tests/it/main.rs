//! The integration tests, through the public interface.

#[cfg(test)]
mod corpus;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod rows;
