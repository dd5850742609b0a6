//! The token endpoint: which grant, and whether the client is one that is known.

use oauth_rs::params::Params;
use oauth_rs::uri::ClientIdUrl;

use crate::check::client::KnownClient;
use crate::decision::{Found, Present};
use crate::record;
use crate::refused::Refused;
use crate::store::{Key, Kind};

/// Which grant a token request uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    AuthorizationCode,
    RefreshToken,
}

impl GrantType {
    pub(crate) fn parse(params: &Params) -> Result<Self, Refused> {
        match params.get("grant_type") {
            // RFC 6749 section 4.1.3.
            Some("authorization_code") => Ok(Self::AuthorizationCode),
            // RFC 6749 section 6.
            Some("refresh_token") => Ok(Self::RefreshToken),
            Some(_) => Err(Refused::GrantType),
            None => Err(Refused::Missing("grant_type")),
        }
    }
}

/// The record of a client, if it has one: a client by document has none here.
pub(crate) fn need(client_id: &str) -> Option<Key> {
    (!ClientIdUrl::is_meant(client_id)).then(|| Key::new(Kind::Client, client_id))
}

/// Whether the client may use the token endpoint; and whether it gets no token there without a proof.
///
/// Does not check: the document of a client that has one, which is read again once a code or token of the client was presented.
pub(crate) fn check_client(
    present: &Present<'_>,
    client_id: &str,
    grant: GrantType,
    found: Option<&Found<record::Client>>,
) -> Result<bool, Refused> {
    if ClientIdUrl::is_meant(client_id) {
        return Ok(false);
    }
    let client = KnownClient::registered(found, present.now)?;
    // RFC 6749 section 5.2: unauthorized_client if the client may not use this grant.
    if grant == GrantType::RefreshToken && !client.may_refresh {
        return Err(Refused::GrantNotRegistered("refresh_token"));
    }
    Ok(client.dpop_bound)
}
