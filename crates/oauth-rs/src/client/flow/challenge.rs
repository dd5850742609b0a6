//! What a refusal of the resource leads to (RFC 6750 section 3, MCP 2026-07-28).

use http::{HeaderMap, StatusCode};

use super::FlowFailed;
use super::machine::{Flow, MAX_ATTEMPTS};
use super::state::State;
use crate::challenge::Challenge;
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;

impl Flow {
    /// Takes a 401 or 403 of the resource in.
    ///
    /// After a 401 the next step is to refresh, if that was not just done, or to sign in.
    /// After a 403 for want of scope it is to sign in for what was asked before and what is missing.
    pub fn handle_challenge(&mut self, status: StatusCode, headers: &HeaderMap) {
        let challenge = bearer_challenge(headers);
        let param = |name: &str| challenge.as_ref().and_then(|challenge| challenge.get(name));
        self.metadata_url = param("resource_metadata").map(str::to_owned);
        self.challenged_scope = param("scope")
            .and_then(|scope| ScopeSet::parse(scope).ok())
            .filter(|scope| !scope.is_empty());
        let lacks_scope = param("error") == Some(ErrorCode::InsufficientScope.as_str());
        match status {
            StatusCode::UNAUTHORIZED => match self.grant.take() {
                Some(grant) if grant.refresh_token.is_some() && !self.refreshed => {
                    self.state = State::Refresh(Box::new(grant));
                }
                grant => {
                    self.forget_tokens(grant);
                    self.discover();
                }
            },
            StatusCode::FORBIDDEN if lacks_scope => self.step_up(),
            status => self.state = State::Failed(FlowFailed::Forbidden(status)),
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
    }

    pub(super) fn step_up(&mut self) {
        let grant = self.grant.take();
        let held = grant.as_ref();
        // Where no scope was asked for, what the server granted by itself is not to be lost.
        let before = held
            .and_then(|grant| {
                grant
                    .requested_scope
                    .as_ref()
                    .or(grant.granted_scope.as_ref())
            })
            .cloned()
            .unwrap_or_default();
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

/// The first `Bearer` challenge of any `WWW-Authenticate` line.
pub(super) fn bearer_challenge(headers: &HeaderMap) -> Option<Challenge> {
    Challenge::all_of(headers)
        .into_iter()
        .find(|challenge| challenge.is_scheme("Bearer"))
}
