//! A client that registered itself.

use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::RedirectUri;
use serde::{Deserialize, Serialize};

use super::text;

/// A registered client; public, so nothing in it is secret.
///
/// Specification: RFC 7591 section 2.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    /// The identifier that this server gave it.
    pub client_id: String,
    /// What it calls itself; nobody checked it.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it may be sent answers.
    #[serde(with = "text::list")]
    pub redirect_uris: Vec<RedirectUri>,
    /// Which grants it may use.
    pub grant_types: Vec<String>,
    /// Whether it gets no token without a DPoP proof (RFC 9449 section 5.2).
    #[serde(default)]
    pub dpop_bound: bool,
    /// When it was registered.
    #[serde(with = "text::time")]
    pub registered_at: UnixSeconds,
    /// When it is forgotten if nobody ever uses it; `None` once it was used.
    #[serde(default, with = "text::maybe_time")]
    pub expires_at: Option<UnixSeconds>,
}
