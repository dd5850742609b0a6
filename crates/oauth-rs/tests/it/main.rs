//! The integration tests: published vectors, and whole stories through the public interface.

#[cfg(test)]
mod dpop;
#[cfg(test)]
mod vectors;
