//! What a refusal of the resource leads to (RFC 6750 section 3, RFC 9449 section 7.1, MCP 2026-07-28).

use http::{HeaderMap, StatusCode};

use super::access::asks_for_nonce;
use super::machine::{Flow, MAX_ATTEMPTS};
use super::state::State;
use super::{FlowFailed, StoredGrant};
use crate::challenge::Challenge;
use crate::client::authorize::Authentication;
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;

/// What the challenges of one refusal say together.
#[derive(Debug, Default)]
pub(super) struct Refusal {
    /// Those of the two schemes that a token goes under, the one that was used first.
    challenges: Vec<Challenge>,
}

impl Refusal {
    /// Reads every `WWW-Authenticate` line; one that is malformed does not hide the others.
    fn read(headers: &HeaderMap, bound: bool) -> Self {
        let all = Challenge::all_of(headers);
        let used_first = if bound {
            ["DPoP", "Bearer"]
        } else {
            ["Bearer", "DPoP"]
        };
        let of = |scheme: &'static str| all.iter().find(move |one| one.is_scheme(scheme)).cloned();
        Self {
            challenges: used_first.into_iter().filter_map(of).collect(),
        }
    }

    /// The first value of a parameter: RFC 9449 section 7.2 puts it on the scheme that was used.
    fn get(&self, name: &str) -> Option<&str> {
        self.challenges.iter().find_map(|one| one.get(name))
    }

    fn is(&self, code: ErrorCode) -> bool {
        self.get("error") == Some(code.as_str())
    }

    fn offers(&self, scheme: &str) -> bool {
        self.challenges.iter().any(|one| one.is_scheme(scheme))
    }

    /// Whether tokens are taken under this scheme and no other.
    fn offers_only(&self, scheme: &str) -> bool {
        !self.challenges.is_empty() && self.challenges.iter().all(|one| one.is_scheme(scheme))
    }
}

impl Flow {
    /// Takes a 401 or 403 of the resource in.
    ///
    /// After a 401 the next step is to refresh, if that was not just done, or to sign in; where the
    /// resource only wants its nonce in the proof, it is to use the same token again, once.
    /// After a 403 for want of scope it is to sign in for what was asked before and what is missing.
    pub fn handle_challenge(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.nonces.note(self.server.as_str(), headers);
        let bound = self.grant.as_ref().is_some_and(|g| g.dpop_jkt.is_some());
        let refusal = Refusal::read(headers, bound);
        self.metadata_url = refusal.get("resource_metadata").map(str::to_owned);
        self.challenged_scope = refusal.challenges.iter().find_map(Challenge::scope);
        self.bound_only = refusal.offers_only("DPoP");
        self.proof_algs = refusal.get("algs").map(|algs| {
            let algs = algs.split_ascii_whitespace();
            algs.map(str::to_owned).collect()
        });
        let wants_more =
            |one: &&Challenge| one.error() == Some(ErrorCode::InsufficientUserAuthentication);
        if let Some(one) = refusal.challenges.iter().find(wants_more) {
            self.authentication = Authentication {
                acr_values: one.acr_values().map(str::to_owned).collect(),
                max_age: one.max_age(),
            };
        }
        match status {
            StatusCode::UNAUTHORIZED if bound && refusal.is(ErrorCode::UseDpopNonce) => {
                // RFC 9449 section 9: again with the nonce; one that changes with every answer ends it.
                if asks_for_nonce(status, headers) && !self.nonce_shown {
                    self.nonce_shown = true;
                    self.state = State::Start;
                } else {
                    self.state = State::Failed(FlowFailed::ProofRefused);
                }
            }
            StatusCode::UNAUTHORIZED if bound && refusal.is(ErrorCode::InvalidDpopProof) => {
                // Another token would be refused with the same proofs.
                self.state = State::Failed(FlowFailed::ProofRefused);
            }
            StatusCode::UNAUTHORIZED => self.unauthorized(&refusal),
            StatusCode::FORBIDDEN if refusal.is(ErrorCode::InsufficientScope) => self.step_up(),
            status => self.state = State::Failed(FlowFailed::Forbidden(status)),
        }
    }

    fn unauthorized(&mut self, refusal: &Refusal) {
        let grant = self.grant.take();
        let bound = grant.as_ref().is_some_and(|g| g.dpop_jkt.is_some());
        // RFC 9449 section 7.2: a resource may know nothing of DPoP, whatever its authorization server
        // does. Where that is so from the first call on, the next token is not bound.
        if bound && !self.proven && refusal.offers("Bearer") && !refusal.offers("DPoP") {
            self.unbound_only = true;
        }
        let wrong_kind = (bound && self.unbound_only) || (!bound && self.bound_only);
        // RFC 9470 section 4: it is the person who has to do something.
        let of_person = refusal.is(ErrorCode::InsufficientUserAuthentication);
        match grant {
            Some(grant)
                if grant.refresh_token.is_some()
                    && !self.refreshed
                    && !wrong_kind
                    && !of_person =>
            {
                self.state = State::Refresh(Box::new(grant));
            }
            grant => {
                self.forget_tokens(grant);
                self.discover();
            }
        }
    }

    /// Notes that the resource accepted the token, so that later refusals count anew.
    ///
    /// Without it, a 401 after a refresh leads to the browser, and [`MAX_ATTEMPTS`] holds for good.
    /// For step-ups that ask for nothing new it holds in any case, since a resource may accept one
    /// call and refuse another for ever.
    pub fn accepted(&mut self) {
        self.attempts = 0;
        self.refreshed = false;
        self.nonce_shown = false;
        self.authentication = Authentication::default();
        self.proven = true;
    }

    fn step_up(&mut self) {
        let grant = self.grant.take();
        let before = grant.as_ref().and_then(asked_before).unwrap_or_default();
        let missing = self.challenged_scope.clone().unwrap_or_default();
        self.forget_tokens(grant);
        // MCP 2026-07-28: retry a few times at most; a scope that did not help before counts.
        if missing.is_subset_of(&before) {
            self.futile = self.futile.saturating_add(1);
        }
        // MCP 2026-07-28: step-up asks for the union of what was asked before and what is missing.
        match ScopeSet::from_tokens(before.iter().chain(missing.iter())) {
            Ok(union) if self.futile < MAX_ATTEMPTS => {
                self.stepped_up = Some(union);
                self.discover();
            }
            _ => self.state = State::Failed(FlowFailed::TooManyAttempts),
        }
    }
}

/// What was asked for; where nothing was, what the server granted by itself is not to be lost.
fn asked_before(grant: &StoredGrant) -> Option<ScopeSet> {
    let asked = grant.requested_scope.as_ref();
    asked.or(grant.granted_scope.as_ref()).cloned()
}
