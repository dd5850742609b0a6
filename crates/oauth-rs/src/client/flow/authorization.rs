//! The authorization request: what is asked for, and where the browser goes.

use super::FlowFailed;
use super::machine::{Flow, MAX_ATTEMPTS};
use super::state::{Found, State};
use crate::client::auth::Client;
use crate::client::authorize::{self, Pending};
use crate::entropy::Entropy;
use crate::scope::ScopeSet;
use crate::secret::Secret;

impl Flow {
    pub(super) fn prepare(&mut self, e: &dyn Entropy) {
        let State::Prepare(found, client) = std::mem::replace(&mut self.state, State::Start) else {
            return;
        };
        if self.attempts >= MAX_ATTEMPTS {
            self.state = State::Failed(FlowFailed::TooManyAttempts);
            return;
        }
        self.attempts += 1;
        let pending = Pending::new(
            e,
            found.issuer.clone(),
            found.server.authorization_response_iss_parameter_supported,
            self.options.redirect_uri.clone(),
            self.scope(&found),
        );
        self.state = match authorization_url(&found, &client, &pending) {
            Ok(url) => State::Away {
                found,
                client,
                pending,
                url: Secret::new(url),
            },
            Err(reason) => State::Failed(reason),
        };
    }

    // MCP 2026-07-28: the challenge's scope, else all that the resource supports, else none.
    pub(super) fn scope(&self, found: &Found) -> Option<ScopeSet> {
        let supported = || ScopeSet::from_tokens(&found.target.scopes_supported).ok();
        let scope = self
            .stepped_up
            .clone()
            .or_else(|| self.options.scope.clone())
            .or_else(|| self.challenged_scope.clone())
            .or_else(supported)
            .filter(|scope| !scope.is_empty())?;
        // MCP 2026-07-28: offline_access may be added only where the server lists it.
        let listed = found
            .server
            .scopes_supported
            .iter()
            .any(|scope| scope == "offline_access");
        let more = scope.iter().chain(listed.then_some("offline_access"));
        // Where there is no room for it, the rest is what matters.
        Some(ScopeSet::from_tokens(more).unwrap_or_else(|_| scope.clone()))
    }
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
        found.target.resource.as_str(),
        pending,
    )
    .map_err(FlowFailed::Authorization)
}
