//! An authorization code, and everything that it is bound to.

use oauth_rs::pkce::CodeChallenge;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{RedirectUri, ResourceId};
use serde::{Deserialize, Serialize};

use super::text;

/// An authorization code; filed under its keyed hash.
///
/// It stays for a while after it was spent, so that a second use is recognised as one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    /// To whom it was issued.
    pub client_id: String,
    /// Where it was sent.
    #[serde(with = "text")]
    pub redirect_uri: RedirectUri,
    /// The S256 challenge that the verifier has to meet.
    #[serde(with = "text")]
    pub challenge: CodeChallenge,
    /// What the person allowed.
    #[serde(with = "text")]
    pub scope: ScopeSet,
    /// For which resource.
    #[serde(with = "text")]
    pub resource: ResourceId,
    /// Who allowed it.
    pub person: String,
    /// The grant that comes into being when the code is redeemed.
    pub grant_id: String,
    /// The thumbprint of the key that it is bound to (RFC 9449 section 10), if it is.
    #[serde(default)]
    pub jkt: Option<String>,
    /// Whether the client gets no token without a DPoP proof.
    #[serde(default)]
    pub dpop_bound: bool,
    /// Whether a refresh token is issued with it.
    pub may_refresh: bool,
    /// When it can no longer be redeemed.
    #[serde(with = "text::time")]
    pub expires_at: UnixSeconds,
    /// When it was redeemed, if it was.
    #[serde(default, with = "text::maybe_time")]
    pub spent_at: Option<UnixSeconds>,
    /// Until when a second use is recognised.
    #[serde(with = "text::time")]
    pub keep_until: UnixSeconds,
}
