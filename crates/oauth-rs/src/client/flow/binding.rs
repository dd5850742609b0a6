//! Whether tokens are bound to a key (RFC 9449), to which, and the proofs at the authorization server.

use std::sync::Arc;

use http::{HeaderMap, Method, Response, StatusCode};

use super::access::{Access, AccessRefused, Nonces};
use super::machine::Flow;
use super::profile::Event;
use super::state::Found;
use super::{FlowFailed, StoredGrant};
use crate::client::exchange;
use crate::client::token::TokenKind;
use crate::entropy::Entropy;
use crate::error_code::ErrorCode;
use crate::jose::SigningKey;
use crate::time::UnixSeconds;

impl Flow {
    /// The headers of one call with the token at hand; none while there is no token.
    ///
    /// See [`Access::headers`].
    ///
    /// # Errors
    /// The address is not of the resource that the token is for, or the proof cannot be made.
    pub fn call_headers(
        &self,
        method: &Method,
        url: &str,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<Option<HeaderMap>, AccessRefused> {
        let Some(grant) = &self.grant else {
            return Ok(None);
        };
        let access = self.access(grant)?;
        access.headers(method, url, &self.nonces, now, e).map(Some)
    }

    /// Keeps the nonce that an answer of the resource carries, whatever its status.
    ///
    /// [`Flow::handle_challenge`] does it for a refusal.
    pub fn note_nonce(&mut self, url: &str, headers: &HeaderMap) {
        self.nonces.note(url, headers);
    }

    /// The nonces of the resource and of its authorization server.
    pub fn nonces(&self) -> &Nonces {
        &self.nonces
    }

    pub(super) fn access(&self, grant: &StoredGrant) -> Result<Access, AccessRefused> {
        Access::new(grant, self.options.dpop_key.as_ref())
    }

    /// The key that tokens are bound to, if it was given.
    pub(super) fn key_of(&self, grant: &StoredGrant) -> Option<Arc<SigningKey>> {
        let key = self.options.dpop_key.as_ref()?;
        (grant.dpop_jkt.as_deref() == Some(key.kid())).then(|| Arc::clone(key))
    }

    /// Gives stored tokens the keys back that no store keeps, or drops them.
    pub(super) fn restore_keys(&mut self) {
        if let Some(mut grant) = self.grant.take() {
            grant.client = self.with_client_key(grant.client);
            self.grant = Some(grant);
        }
        self.drop_without_key();
    }

    /// Drops tokens that are bound to a key that was not given: nobody can use them.
    fn drop_without_key(&mut self) {
        let lost = |grant: &StoredGrant| grant.dpop_jkt.is_some() && self.key_of(grant).is_none();
        if self.grant.as_ref().is_some_and(lost) {
            let grant = self.grant.take();
            self.forget_tokens(grant);
            self.tell(Event::KeyMissing);
        }
    }

    /// The key to bind new tokens to, if they are to be bound.
    pub(super) fn key_for(&self, found: &Found) -> Result<Option<Arc<SigningKey>>, FlowFailed> {
        let required = self.binding_is_required(found);
        if self.unbound_only && !required {
            return Ok(None);
        }
        let Some(key) = &self.options.dpop_key else {
            return if required {
                Err(FlowFailed::KeyNeeded)
            } else {
                Ok(None)
            };
        };
        let alg = key.alg().as_str();
        let lists = |algs: &[String]| algs.iter().any(|listed| listed == alg);
        let here = &found.server.dpop_signing_alg_values_supported;
        let there = &found.target.proof_algs;
        // RFC 9449 section 5.1: a server that lists nothing may know DPoP all the same.
        let server_can = lists(here) || (required && here.is_empty());
        let resource_can = there.is_empty() || lists(there);
        let challenge_can = self.proof_algs.as_ref().is_none_or(|algs| lists(algs));
        if server_can && resource_can && challenge_can {
            Ok(Some(Arc::clone(key)))
        } else if required {
            Err(FlowFailed::KeyAlgorithm(alg))
        } else {
            Ok(None)
        }
    }

    /// Whether the resource takes no other tokens than bound ones.
    pub(super) fn binding_is_required(&self, found: &Found) -> bool {
        self.bound_only || found.target.bound_only
    }

    /// The thumbprint to keep with tokens of this kind that were asked for with this key.
    pub(super) fn binding(
        &mut self,
        kind: TokenKind,
        key: Option<&Arc<SigningKey>>,
        required: bool,
    ) -> Result<Option<String>, FlowFailed> {
        match (kind, key) {
            (TokenKind::Dpop, Some(key)) => Ok(Some(key.kid().to_owned())),
            // RFC 6749 section 7.1: a token of a type that we cannot use is not used.
            (TokenKind::Dpop, None) => Err(FlowFailed::KeyNeeded),
            // RFC 9449 section 5: if protection is needed, a token without it MUST be discarded.
            (TokenKind::Bearer, Some(_)) if required => Err(FlowFailed::NotBound),
            (TokenKind::Bearer, Some(_)) => {
                self.tell(Event::NotBound);
                Ok(None)
            }
            (TokenKind::Bearer, None) => Ok(None),
        }
    }

    /// Keeps the nonce of an answer of the token endpoint, and says whether the same request is to be
    /// sent again because of it; once for each request.
    pub(super) fn wants_nonce(&mut self, response: &Response<Vec<u8>>) -> bool {
        let Some(endpoint) = self.state.token_endpoint() else {
            return false;
        };
        let is_new = self.nonces.note(endpoint, response.headers());
        let refused = exchange::check_status(response, &[StatusCode::OK]);
        let asked = refused.is_err_and(|reason| reason.is(ErrorCode::UseDpopNonce));
        let again = asked && is_new && !self.nonce_sent;
        self.nonce_sent = again;
        again
    }
}
