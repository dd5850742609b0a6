//! One file per subcommand.

pub(crate) mod call;
pub(crate) mod dev;
pub(crate) mod login;
pub(crate) mod serve;
pub(crate) mod stdio;
pub(crate) mod tools;
