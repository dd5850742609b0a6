//! An authorization request that waits for a person to sign in and decide.

use oauth_rs::pkce::CodeChallenge;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{RedirectUri, ResourceId};
use serde::{Deserialize, Serialize};

use super::text;

/// An authorization request whose every parameter was checked.
///
/// It is answered once, and only from the browser that made it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Who asks.
    pub client_id: String,
    /// What the client calls itself.
    #[serde(default)]
    pub client_name: Option<String>,
    /// Where the answer goes; the client registered it.
    #[serde(with = "text")]
    pub redirect_uri: RedirectUri,
    /// Whether every address that the client registered is on the user's own machine.
    pub only_loopback: bool,
    /// Returned to the client as it came.
    #[serde(default)]
    pub state: Option<String>,
    /// The S256 challenge.
    #[serde(with = "text")]
    pub challenge: CodeChallenge,
    /// What is asked for.
    #[serde(with = "text")]
    pub scope: ScopeSet,
    /// For which resource.
    #[serde(with = "text")]
    pub resource: ResourceId,
    /// The thumbprint of the key that the code is to be bound to (RFC 9449 section 10), if there is one.
    #[serde(default)]
    pub jkt: Option<String>,
    /// Whether the client gets no token without a DPoP proof.
    #[serde(default)]
    pub dpop_bound: bool,
    /// Whether the client may have a refresh token.
    pub may_refresh: bool,
    /// Keyed hash of the cookie of the browser that made the request.
    pub browser: String,
    /// When it can no longer be answered.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
}
