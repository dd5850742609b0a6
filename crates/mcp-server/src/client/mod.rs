//! Our own MCP client: signs a person in, keeps the grant, refreshes it, and asks for more when told to.

mod browser;
mod callback;
pub(crate) mod error;
pub(crate) mod grants;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod terminal;
