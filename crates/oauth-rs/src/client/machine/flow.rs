//! The machine: what each state asks for, and what an answer leads to.

use std::collections::VecDeque;

use http::{HeaderMap, Request, Response, StatusCode};

use super::discovery::{Found, ServerSearch};
use super::options::Grant;
use super::{MachineOptions, Step};
use crate::challenge::Challenge;
use crate::client::auth::Caller;
use crate::client::exchange::ExchangeFailed;
use crate::client::flow::{Access, FlowFailed};
use crate::client::id_jag::{self, IdJag};
use crate::client::token::{MARGIN, TokenKind, TokenResponse};
use crate::client::token_exchange::Typed;
use crate::client::{client_credentials, jwt_bearer};
use crate::entropy::Entropy;
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, ResourceId};

/// How often a machine asks for more scope before a call has to be accepted in between.
pub const MAX_STEP_UPS: u8 = 3;

/// The way of a machine to a token for one resource.
///
/// It decides which metadata to fetch and in which order, whether that may be used, how to
/// authenticate, which scope to ask for, when to ask again, and when to give up:
///
/// 1. The authorization server is the one of the options, and the resource has to name it.
/// 2. Every request for a token says which resource it is for.
/// 3. A refusal by the authorization server or the identity provider ends it: neither the same
///    request nor another grant would be anything but a guess.
/// 4. A token that has ended, or that the resource accepted and no longer does, is asked for anew.
///    One that it never accepted is not: the next would be refused as well.
///
/// Does not check: where the addresses lead; whoever sends the requests does. That PKCE is announced,
/// since these grants have no use for it. Tokens are not bound to a key (DPoP), and a resource that
/// demands that is given up.
///
/// Specification: MCP 2026-07-28, authorization, and its extensions for client credentials and
/// enterprise-managed authorization; RFC 9728, RFC 8414, RFC 8707, RFC 7523, ID-JAG.
#[derive(Debug)]
pub struct Machine {
    pub(super) server: ResourceId,
    pub(super) options: MachineOptions,
    /// What the last challenge said.
    pub(super) metadata_url: Option<String>,
    challenged_scope: Option<ScopeSet>,
    /// The scope of a step-up, which goes before everything else.
    stepped_up: Option<ScopeSet>,
    /// How often there was one since a call was accepted.
    step_ups: u8,
    pub(super) found: Option<Found>,
    held: Option<Held>,
    pub(super) state: State,
}

#[derive(Debug)]
struct Held {
    access: Access,
    ends: Option<UnixSeconds>,
    asked: Option<ScopeSet>,
    /// Whether the resource has taken it.
    accepted: bool,
    /// Whether it was used, so that one that lives shorter than the margin is used once.
    used: bool,
}

#[derive(Debug)]
pub(super) enum State {
    /// Look at what is there and decide.
    Start,
    /// Looking for the resource's metadata.
    Resource(VecDeque<String>),
    /// Looking for the server's metadata.
    Server(Box<ServerSearch>),
    /// Asking the identity provider for an assertion.
    Provider,
    /// Asking for a token, with the assertion if there is one.
    Token(Option<IdJag>),
    Failed(FlowFailed),
}

impl Grant {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => client_credentials::GRANT_TYPE,
            Self::Assertion(_) | Self::EnterpriseManaged(_) => jwt_bearer::GRANT_TYPE,
        }
    }
}

impl Machine {
    /// Begins without a token.
    ///
    /// # Errors
    /// The server's address is not one that a token may be sent to.
    pub fn new(server_url: &str, options: MachineOptions) -> Result<Self, InvalidUri> {
        Ok(Self {
            server: ResourceId::parse(server_url)?,
            options,
            metadata_url: None,
            challenged_scope: None,
            stepped_up: None,
            step_ups: 0,
            found: None,
            held: None,
            state: State::Start,
        })
    }

    /// Says what to do next; asking again without an answer in between repeats the step.
    pub fn next_step(&mut self, now: UnixSeconds, e: &dyn Entropy) -> Step {
        if matches!(self.state, State::Start) {
            if let Some(held) = self.held.as_mut().filter(|held| held.is_good(now)) {
                held.used = true;
                return Step::Done(held.access.clone());
            }
            self.held = None;
            if self.found.is_some() {
                self.state = self.ask();
            } else {
                self.discover();
            }
        }
        if let State::Failed(reason) = &self.state {
            return Step::Failed(reason.clone());
        }
        match self.request(now, e) {
            Ok(request) => Step::Fetch(request),
            Err(reason) => {
                self.state = State::Failed(reason.clone());
                Step::Failed(reason)
            }
        }
    }

    /// Takes the answer to a [`Step::Fetch`] in.
    pub fn handle_response(&mut self, response: &Response<Vec<u8>>, now: UnixSeconds) {
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource(urls) => self.resource_answered(urls, response),
            State::Server(search) => self.server_answered(search, response),
            State::Provider => match id_jag::response(response) {
                Ok(id_jag) => State::Token(Some(id_jag)),
                Err(reason) => State::Failed(FlowFailed::IdentityProvider(reason)),
            },
            State::Token(_) => self.token_answered(response, now),
            State::Failed(reason) => State::Failed(reason),
            State::Start => State::Failed(FlowFailed::Unexpected),
        };
    }

    /// Takes in that a [`Step::Fetch`] brought no answer.
    pub fn handle_failure(&mut self, why: &str) {
        let why = why.chars().take(300).collect::<String>();
        let unreachable = |what| State::Failed(FlowFailed::Unreachable { what, why });
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource(mut urls) if urls.len() > 1 => {
                urls.pop_front();
                State::Resource(urls)
            }
            State::Server(mut search) if search.urls.len() > 1 => {
                search.urls.pop_front();
                State::Server(search)
            }
            State::Resource(_) => unreachable("resource metadata"),
            State::Server(_) => unreachable("authorization server metadata"),
            State::Provider => unreachable("identity provider"),
            State::Token(_) => unreachable("token endpoint"),
            State::Failed(reason) => State::Failed(reason),
            State::Start => State::Failed(FlowFailed::Unexpected),
        };
    }

    /// Takes a 401 or 403 of the resource in.
    ///
    /// After a 401 the next step is to look anew who issues tokens, and to ask for one, unless the
    /// token was never accepted. After a 403 for want of scope it is to ask for what is missing as
    /// well, unless it was asked for before.
    pub fn handle_challenge(&mut self, status: StatusCode, headers: &HeaderMap) {
        if self.is_refused() {
            return;
        }
        let challenges = Challenge::all_of(headers);
        let bearer = challenges.iter().find(|one| one.is_scheme("Bearer"));
        let param = |name: &str| bearer.and_then(|challenge| challenge.get(name));
        self.metadata_url = param("resource_metadata").map(str::to_owned);
        self.challenged_scope = bearer.and_then(Challenge::scope);
        let lacks_scope = param("error") == Some(ErrorCode::InsufficientScope.as_str());
        let held = self.held.take();
        match status {
            StatusCode::UNAUTHORIZED => {
                if held.is_some_and(|held| !held.accepted) {
                    self.state = State::Failed(FlowFailed::TokenRefused);
                    return;
                }
                // MCP 2026-07-28: the resource may have another authorization server by now.
                self.found = None;
                self.discover();
            }
            StatusCode::FORBIDDEN if lacks_scope => self.step_up(held),
            status => {
                // A refusal of this one call says nothing against the token.
                self.held = held;
                self.state = State::Failed(FlowFailed::Forbidden(status));
            }
        }
    }

    /// Notes that the resource accepted the token.
    pub fn accepted(&mut self) {
        if let Some(held) = &mut self.held {
            held.accepted = true;
            self.step_ups = 0;
        }
    }

    /// Begins anew after a failure that may pass, such as a server that could not be reached.
    ///
    /// After a refusal by the authorization server or the identity provider nothing happens.
    pub fn restart(&mut self) {
        if !self.is_refused() {
            self.state = State::Start;
        }
    }

    /// Takes another assertion in, or another token that says who the person is, and begins anew.
    ///
    /// With client credentials there is nothing to replace.
    pub fn replace_subject(&mut self, subject: Secret) {
        match &mut self.options.grant {
            Grant::ClientCredentials => return,
            Grant::Assertion(assertion) => *assertion = subject,
            Grant::EnterpriseManaged(provider) => provider.subject = subject,
        }
        self.state = State::Start;
    }

    // RFC 6749 section 5.2: a refusal stays one, however often the same is asked.
    fn is_refused(&self) -> bool {
        matches!(
            &self.state,
            State::Failed(
                FlowFailed::Token(ExchangeFailed::Refused { .. })
                    | FlowFailed::IdentityProvider(ExchangeFailed::Refused { .. })
                    | FlowFailed::TokenRefused
            )
        )
    }

    fn step_up(&mut self, held: Option<Held>) {
        let before = held.and_then(|held| held.asked).unwrap_or_default();
        let missing = self.challenged_scope.clone().unwrap_or_default();
        // MCP 2026-07-28: no more than a few attempts; each here has to ask for something new.
        let union = ScopeSet::from_tokens(before.iter().chain(missing.iter()));
        match union {
            Ok(union) if !missing.is_subset_of(&before) && self.step_ups < MAX_STEP_UPS => {
                self.step_ups += 1;
                self.stepped_up = Some(union);
                self.found = None;
                self.discover();
            }
            _ => self.state = State::Failed(FlowFailed::Forbidden(StatusCode::FORBIDDEN)),
        }
    }

    /// The first request that is for a token.
    pub(super) fn ask(&self) -> State {
        match &self.options.grant {
            Grant::EnterpriseManaged(_) => State::Provider,
            Grant::ClientCredentials | Grant::Assertion(_) => State::Token(None),
        }
    }

    fn request(
        &self,
        now: UnixSeconds,
        entropy: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let id_jag = match &self.state {
            State::Resource(urls) => return self.metadata_request(urls),
            State::Server(search) => return self.metadata_request(&search.urls),
            State::Provider => None,
            State::Token(id_jag) => id_jag.as_ref(),
            State::Start | State::Failed(_) => return Err(FlowFailed::Unexpected),
        };
        let found = self.found.as_ref().ok_or(FlowFailed::Unexpected)?;
        let (scope, resource) = (self.scope(found), found.resource.as_str());
        let caller = Caller {
            client: &found.client,
            issuer: &found.issuer,
            now,
            entropy,
        };
        let endpoint = &found.token_endpoint;
        let sent = match (&self.options.grant, id_jag) {
            (Grant::ClientCredentials, _) => {
                client_credentials::request(endpoint, &caller, scope.as_ref(), resource)
            }
            (Grant::Assertion(assertion), _) => {
                jwt_bearer::request(endpoint, &caller, assertion, scope.as_ref(), resource)
            }
            (Grant::EnterpriseManaged(_), Some(id_jag)) => {
                id_jag::redeem(endpoint, &caller, id_jag, scope.as_ref(), resource)
            }
            (Grant::EnterpriseManaged(provider), None) => {
                let at_provider = Caller {
                    client: &provider.client,
                    issuer: &provider.issuer,
                    now,
                    entropy,
                };
                let subject = Typed {
                    token: &provider.subject,
                    kind: provider.subject_type,
                };
                let (endpoint, audience) = (&provider.token_endpoint, &found.issuer);
                let scope = scope.as_ref();
                return id_jag::request(endpoint, &at_provider, subject, audience, resource, scope)
                    .map_err(FlowFailed::IdentityProvider);
            }
        };
        sent.map_err(FlowFailed::Token)
    }

    fn token_answered(&mut self, response: &Response<Vec<u8>>, now: UnixSeconds) -> State {
        let read = match self.options.grant {
            Grant::ClientCredentials => client_credentials::response(response),
            Grant::Assertion(_) | Grant::EnterpriseManaged(_) => jwt_bearer::response(response),
        };
        let (tokens, found) = match (read, &self.found) {
            (Ok(tokens), Some(found)) => (tokens, found),
            (Err(reason), _) => return State::Failed(FlowFailed::Token(reason)),
            (Ok(_), None) => return State::Failed(FlowFailed::Unexpected),
        };
        // RFC 9449 section 5: no proof was sent, so that there is no key to use such a token with.
        if tokens.kind != TokenKind::Bearer {
            return State::Failed(FlowFailed::KeyNeeded);
        }
        self.held = Some(Held::new(tokens, found, self.scope(found), now));
        State::Start
    }

    // MCP 2026-07-28: the challenge's scope, else all that the resource supports, else none.
    fn scope(&self, found: &Found) -> Option<ScopeSet> {
        let supported = || ScopeSet::from_tokens(&found.scopes_supported).ok();
        self.stepped_up
            .clone()
            .or_else(|| self.options.scope.clone())
            .or_else(|| self.challenged_scope.clone())
            .or_else(supported)
            .filter(|scope| !scope.is_empty())
    }
}

impl Held {
    fn new(
        tokens: TokenResponse,
        found: &Found,
        asked: Option<ScopeSet>,
        now: UnixSeconds,
    ) -> Self {
        Self {
            access: Access::unbound(found.resource.clone(), tokens.access_token),
            ends: tokens.expires_in.map(|life| now.after(life)),
            asked: asked.or(tokens.scope),
            accepted: false,
            used: false,
        }
    }

    fn is_good(&self, now: UnixSeconds) -> bool {
        !self.used || self.ends.is_none_or(|end| end > now.after(MARGIN))
    }
}
