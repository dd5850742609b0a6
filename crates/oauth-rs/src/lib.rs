//! OAuth 2.1 and JOSE values and rules, and the client exchanges, without I/O.
#![doc = include_str!("../README.md")]

mod base64url;
pub mod certificate;
pub mod challenge;
#[cfg(feature = "client")]
pub mod client;
pub mod entropy;
pub mod error_code;
pub mod hash;
pub mod introspection;
pub mod jose;
mod json;
pub mod media_type;
pub mod metadata;
pub mod params;
pub mod pkce;
pub mod scope;
pub mod secret;
#[cfg(feature = "send")]
pub mod send;
pub mod time;
pub mod uri;
