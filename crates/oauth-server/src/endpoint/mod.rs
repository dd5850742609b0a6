//! The endpoints without their I/O: parse, need, decide.

pub(crate) mod authorize;
pub(crate) mod consent;
pub(crate) mod metadata;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod sign_in;
pub(crate) mod token;

#[cfg(test)]
mod tests;
