//! The states of the machine, and the steps from one to the next that need nothing else.

use std::collections::VecDeque;

use http::{HeaderMap, header};

use super::{FlowFailed, StoredGrant};
use crate::challenge::Challenge;
use crate::client::authorize::{self, Pending};
use crate::client::exchange::Client;
use crate::client::{discover, token};
use crate::metadata::server::ServerMetadata;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, ResourceId};

/// What discovery found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) resource: ResourceId,
    pub(super) scopes_supported: Vec<String>,
    pub(super) issuer: Issuer,
    pub(super) server: ServerMetadata,
}

#[derive(Debug)]
pub(super) enum State {
    /// Look at what is there and decide.
    Start,
    /// Looking for the resource's metadata, at the first of these addresses.
    Resource {
        urls: VecDeque<String>,
    },
    /// Looking for the server's metadata, at the first of these addresses.
    Server {
        resource: ResourceId,
        scopes_supported: Vec<String>,
        issuer: Issuer,
        urls: VecDeque<String>,
    },
    /// Registering.
    Register(Box<Found>),
    /// The client is known; the authorization request is to be made.
    Prepare(Box<Found>, Client),
    /// The browser is away.
    Away {
        found: Box<Found>,
        client: Client,
        pending: Pending,
        /// Holds the state and the challenge.
        url: Secret,
    },
    /// Redeeming the code.
    Redeem {
        found: Box<Found>,
        client: Client,
        pending: Pending,
        code: Secret,
    },
    /// Refreshing.
    Refresh(Box<StoredGrant>),
    /// New tokens are to be kept.
    Keep,
    /// There is a token to use.
    Ready,
    Failed(FlowFailed),
}

pub(super) fn authorization_url(
    found: &Found,
    client: &Client,
    pending: &Pending,
) -> Result<String, FlowFailed> {
    let endpoint = found.server.authorization_endpoint.as_deref();
    let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("authorization_endpoint"))?;
    // Asking the person to sign in is pointless where the code could not be redeemed.
    if found.server.token_endpoint.is_none() {
        return Err(FlowFailed::NoEndpoint("token_endpoint"));
    }
    authorize::url(
        endpoint,
        &client.client_id,
        found.resource.as_str(),
        pending,
    )
    .map_err(FlowFailed::Authorization)
}

pub(super) fn granted(
    found: Found,
    client: Client,
    pending: Pending,
    tokens: token::TokenResponse,
    now: UnixSeconds,
) -> StoredGrant {
    StoredGrant {
        resource: found.resource,
        issuer: found.issuer,
        token_endpoint: found.server.token_endpoint.unwrap_or_default(),
        revocation_endpoint: found.server.revocation_endpoint,
        client,
        redirect_uri: pending.redirect_uri,
        requested_scope: pending.scope,
        granted_scope: tokens.scope,
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
        expires_at: tokens.expires_in.map(|life| now.after(life)),
    }
}

/// The addresses that are left after the first one brought nothing, or why the search is over.
pub(super) fn next(
    mut urls: VecDeque<String>,
    reason: &discover::DiscoveryFailed,
) -> Result<VecDeque<String>, FlowFailed> {
    let url = urls.pop_front().unwrap_or_default();
    if reason.may_try_next() && !urls.is_empty() {
        return Ok(urls);
    }
    Err(FlowFailed::Discovery {
        url,
        reason: reason.clone(),
    })
}

/// The first `Bearer` challenge of any `WWW-Authenticate` line.
pub(super) fn bearer_challenge(headers: &HeaderMap) -> Option<Challenge> {
    headers
        .get_all(header::WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| Challenge::parse_all(value.to_str().ok()?).ok())
        .flatten()
        .find(|challenge| challenge.is_scheme("Bearer"))
}
