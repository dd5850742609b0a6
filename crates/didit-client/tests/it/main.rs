//! The integration tests: what must hold for any bytes, through the public interface.

#[cfg(test)]
mod corpus;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
