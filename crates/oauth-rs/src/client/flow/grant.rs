//! What is kept between runs: the tokens, and the client they were issued to.

use crate::client::auth::Client;
use crate::client::token::{MARGIN, TokenResponse};
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, RedirectUri, ResourceId};

/// Everything that one authorization server gave us for one resource.
///
/// Nothing of it is ever sent to another server.
#[derive(Debug, Clone)]
pub struct StoredGrant {
    /// The resource, as its metadata names it.
    pub resource: ResourceId,
    /// The issuer that gave all this.
    pub issuer: Issuer,
    /// That issuer's token endpoint.
    pub token_endpoint: String,
    /// That issuer's revocation endpoint, if it has one.
    pub revocation_endpoint: Option<String>,
    /// Who we are at that issuer.
    pub client: Client,
    /// The redirect address that the client was used with.
    pub redirect_uri: RedirectUri,
    /// What was asked for.
    pub requested_scope: Option<ScopeSet>,
    /// What was granted, if the server said so.
    pub granted_scope: Option<ScopeSet>,
    /// The access token.
    pub access_token: Secret,
    /// The refresh token, if there is one.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, if the server said so.
    pub expires_at: Option<UnixSeconds>,
    /// The thumbprint of the key that the tokens are bound to, if they are (RFC 9449 section 6).
    ///
    /// The key itself is not kept: the program brings it.
    pub dpop_jkt: Option<String>,
}

impl StoredGrant {
    /// Whether the access token has ended, or is about to.
    pub fn is_expired(&self, now: UnixSeconds) -> bool {
        self.expires_at.is_some_and(|end| end <= now.after(MARGIN))
    }

    /// What the tokens allow, as far as is known: what was granted, else what was asked for.
    pub fn scope(&self) -> Option<&ScopeSet> {
        self.granted_scope
            .as_ref()
            .or(self.requested_scope.as_ref())
    }

    /// Takes the tokens of a refresh over.
    pub(in crate::client) fn renew(&mut self, tokens: TokenResponse, now: UnixSeconds) {
        self.access_token = tokens.access_token;
        self.expires_at = tokens.expires_in.map(|life| now.after(life));
        // RFC 6749 section 6: without a new refresh token the old one stays.
        if tokens.refresh_token.is_some() {
            self.refresh_token = tokens.refresh_token;
        }
        if tokens.scope.is_some() {
            self.granted_scope = tokens.scope;
        }
    }
}
