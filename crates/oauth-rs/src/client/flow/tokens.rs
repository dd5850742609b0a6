//! Tokens: asked for, used while they last, refreshed, and dropped when they are of no more use.

use http::{Request, Response};

use super::access::prove;
use super::machine::Flow;
use super::state::{SignIn, State};
use super::{FlowFailed, StoredGrant};
use crate::client::auth::Caller;
use crate::client::exchange::ExchangeFailed;
use crate::client::refresh::{self, Gone};
use crate::client::token;
use crate::entropy::Entropy;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::RedirectUri;

impl Flow {
    /// From what is at hand: use it, refresh it, or go looking.
    pub(super) fn look(&mut self, now: UnixSeconds) {
        match self.grant.take() {
            Some(grant) if !grant.is_expired(now) || self.fresh => {
                self.fresh = false;
                self.grant = Some(grant);
                self.state = State::Ready;
            }
            Some(grant) if grant.refresh_token.is_some() => {
                self.state = State::Refresh(Box::new(grant));
            }
            grant => {
                self.forget_tokens(grant);
                self.discover();
            }
        }
    }

    /// Begins anew with tokens that somebody else keeps, and with another place for the browser to come back to.
    ///
    /// What was counted stays counted: a resource that is never content is still left after
    /// [`MAX_ATTEMPTS`](super::MAX_ATTEMPTS).
    /// A grant whose refresh token is not to be sent from here is handed in without it.
    pub fn restart(&mut self, grant: Option<StoredGrant>, redirect_uri: RedirectUri) {
        self.grant = grant.filter(|grant| grant.resource.covers(self.server.as_str()));
        self.options.redirect_uri = redirect_uri;
        self.refreshed = false;
        self.fresh = false;
        self.state = State::Start;
        self.restore_keys();
    }

    pub(super) fn redeem_request(
        &self,
        sign_in: &SignIn,
        code: &Secret,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let endpoint = sign_in.found.server.token_endpoint.as_deref();
        let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("token_endpoint"))?;
        let caller = Caller {
            client: &sign_in.client,
            issuer: &sign_in.found.issuer,
            now,
            entropy: e,
        };
        let resource = sign_in.found.target.resource.as_str();
        let mut request = token::request(endpoint, &caller, code, resource, &sign_in.pending)
            .map_err(FlowFailed::Token)?;
        if let Some(key) = &sign_in.key {
            prove(&mut request, key, &self.nonces, now, e).map_err(FlowFailed::Proof)?;
        }
        Ok(request)
    }

    pub(super) fn redeemed(
        &mut self,
        sign_in: SignIn,
        response: &Response<Vec<u8>>,
        now: UnixSeconds,
    ) -> State {
        let required = self.binding_is_required(&sign_in.found);
        let tokens = match token::response(response) {
            Ok(tokens) => tokens,
            Err(reason) => return State::Failed(FlowFailed::Token(reason)),
        };
        let dpop_jkt = match self.binding(tokens.kind, sign_in.key.as_ref(), required) {
            Ok(jkt) => jkt,
            Err(reason) => return State::Failed(reason),
        };
        self.grant = Some(StoredGrant {
            resource: sign_in.found.target.resource,
            issuer: sign_in.found.issuer,
            token_endpoint: sign_in.found.server.token_endpoint.unwrap_or_default(),
            revocation_endpoint: sign_in.found.server.revocation_endpoint,
            client: sign_in.client,
            redirect_uri: sign_in.pending.redirect_uri,
            requested_scope: sign_in.pending.scope,
            granted_scope: tokens.scope,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_in.map(|life| now.after(life)),
            dpop_jkt,
        });
        self.refreshed = false;
        self.fresh = true;
        self.proven = false;
        State::Keep
    }

    pub(super) fn refresh_request(
        &self,
        grant: &StoredGrant,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let token = grant.refresh_token.as_ref().ok_or(FlowFailed::Unexpected)?;
        let caller = Caller {
            client: &grant.client,
            issuer: &grant.issuer,
            now,
            entropy: e,
        };
        let endpoint = grant.token_endpoint.as_str();
        let mut request = refresh::request(endpoint, &caller, token, grant.resource.as_str())
            .map_err(FlowFailed::Refresh)?;
        // RFC 9449 section 5: the refresh token of a public client is bound to the key as well.
        if let Some(key) = self.key_of(grant) {
            prove(&mut request, &key, &self.nonces, now, e).map_err(FlowFailed::Proof)?;
        }
        Ok(request)
    }

    pub(super) fn refresh_answered(
        &mut self,
        mut grant: StoredGrant,
        response: &Response<Vec<u8>>,
        now: UnixSeconds,
    ) {
        let tokens = match refresh::response(response) {
            Ok(tokens) => tokens,
            Err(reason) => return self.refresh_refused(grant, reason),
        };
        let key = self.key_of(&grant);
        self.state = match self.binding(tokens.kind, key.as_ref(), key.is_some()) {
            Ok(jkt) => {
                grant.dpop_jkt = jkt;
                grant.renew(tokens, now);
                self.grant = Some(grant);
                self.refreshed = true;
                self.fresh = true;
                State::Keep
            }
            Err(reason) => {
                self.forget_tokens(Some(grant));
                State::Failed(reason)
            }
        };
    }

    /// Keeps who we are, and drops the tokens.
    pub(super) fn forget_tokens(&mut self, grant: Option<StoredGrant>) {
        if let Some(grant) = grant {
            self.keep_registration(&grant);
            self.last_issuer = Some(grant.issuer);
        }
        self.refreshed = false;
    }

    fn refresh_refused(&mut self, grant: StoredGrant, reason: ExchangeFailed) {
        match refresh::gone(&reason) {
            Some(Gone::Grant) => {
                self.forget_tokens(Some(grant));
                self.discover();
            }
            Some(Gone::Client) => {
                self.forget_registration(&grant);
                self.last_issuer = Some(grant.issuer);
                self.discover();
            }
            None => {
                self.grant = Some(grant);
                self.state = State::Failed(FlowFailed::Refresh(reason));
            }
        }
    }
}
