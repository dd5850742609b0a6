//! Tokens: used while they last, refreshed, and dropped when they are of no more use.

use super::machine::Flow;
use super::state::{Found, State};
use super::{FlowFailed, StoredGrant};
use crate::client::auth::Client;
use crate::client::authorize::Pending;
use crate::client::exchange::ExchangeFailed;
use crate::client::token;
use crate::error_code::ErrorCode;
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
    }

    /// Keeps who we are, and drops the tokens.
    pub(super) fn forget_tokens(&mut self, grant: Option<StoredGrant>) {
        if let Some(grant) = grant {
            self.keep_registration(&grant);
            self.last_issuer = Some(grant.issuer);
        }
        self.refreshed = false;
    }

    pub(super) fn refresh_refused(&mut self, grant: StoredGrant, reason: ExchangeFailed) {
        // RFC 6749 section 5.2: these stay true however often the same refresh is tried.
        let for_good = [
            ErrorCode::InvalidGrant,
            ErrorCode::InvalidRequest,
            ErrorCode::InvalidScope,
            ErrorCode::InvalidTarget,
            ErrorCode::UnsupportedGrantType,
        ];
        if for_good.into_iter().any(|code| reason.is(code)) {
            self.forget_tokens(Some(grant));
            self.discover();
        } else if reason.is(ErrorCode::InvalidClient) || reason.is(ErrorCode::UnauthorizedClient) {
            // The registration is gone as well.
            self.forget_registration(&grant);
            self.last_issuer = Some(grant.issuer);
            self.discover();
        } else {
            self.grant = Some(grant);
            self.state = State::Failed(FlowFailed::Refresh(reason));
        }
    }
}

pub(super) fn granted(
    found: Found,
    client: Client,
    pending: Pending,
    tokens: token::TokenResponse,
    now: UnixSeconds,
) -> StoredGrant {
    StoredGrant {
        resource: found.target.resource,
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
        dpop_jkt: None,
    }
}
