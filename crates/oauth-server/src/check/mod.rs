//! One check in each file; the functions return proof, or the reason.

pub(crate) mod client;
pub(crate) mod client_auth;
pub(crate) mod document;
pub(crate) mod pkce;
pub(crate) mod proof;
pub(crate) mod redirect_uri;
pub(crate) mod resource;
pub(crate) mod response_type;
pub(crate) mod scope;
