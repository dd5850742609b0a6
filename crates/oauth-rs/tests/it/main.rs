//! The integration tests: published vectors, and whole stories through the public interface.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod dpop;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz targets use it as a library of its own"
)]
mod fuzz;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod values;
#[cfg(test)]
mod vectors;
