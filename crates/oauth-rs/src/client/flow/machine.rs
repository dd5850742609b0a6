//! The machine: what each state asks for, and what an answer leads to.

use http::{Request, Response};

use super::state::State;
use super::{Event, FlowFailed, FlowOptions, Leniency, Step, StoredGrant};
use crate::client::auth::Caller;
use crate::client::{authorize, refresh, register, token};
use crate::entropy::Entropy;
use crate::metadata::client::ClientMetadata;
use crate::scope::ScopeSet;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, Issuer, ResourceId};

/// How often a flow sends the person to the browser before it gives up.
pub const MAX_ATTEMPTS: u8 = 3;

/// How many events wait to be taken; a flow that nobody asks tells the first ones.
const MAX_EVENTS: usize = 16;

/// The way to a token for one resource.
///
/// It decides which metadata to fetch and in which order, whether it may be used, how to become a
/// client, which scope to ask for, when to refresh and when to sign in again, and when to give up.
///
/// Does not check: where the addresses lead; whoever sends the requests does.
///
/// Specification: MCP 2026-07-28, authorization; RFC 9728, RFC 8414, RFC 7591, RFC 9207, RFC 8707.
#[derive(Debug)]
pub struct Flow {
    pub(super) server: ResourceId,
    pub(super) options: FlowOptions,
    pub(super) grant: Option<StoredGrant>,
    /// What the last challenge said.
    pub(super) metadata_url: Option<String>,
    pub(super) challenged_scope: Option<ScopeSet>,
    /// The scope of a step-up, which goes before everything else.
    pub(super) stepped_up: Option<ScopeSet>,
    /// Who issued the tokens that are no longer good.
    pub(super) last_issuer: Option<Issuer>,
    pub(super) attempts: u8,
    /// How often a step-up asked for nothing that had not been asked for before.
    pub(super) futile: u8,
    /// Whether a refresh happened and the resource has not accepted its token yet.
    pub(super) refreshed: bool,
    /// Whether the tokens were just issued, and are used even if their life is shorter than the margin.
    pub(super) fresh: bool,
    pub(super) events: Vec<Event>,
    pub(super) state: State,
}

impl Flow {
    /// Starts with what was kept for this server, if anything.
    ///
    /// A grant of another resource is ignored.
    ///
    /// # Errors
    /// The server's address is not one that a token may be sent to.
    pub fn new(
        server_url: &str,
        stored: Option<StoredGrant>,
        options: FlowOptions,
    ) -> Result<Self, InvalidUri> {
        let server = ResourceId::parse(server_url)?;
        let grant = stored.filter(|grant| grant.resource.covers(server_url));
        Ok(Self {
            server,
            options,
            grant,
            metadata_url: None,
            challenged_scope: None,
            stepped_up: None,
            last_issuer: None,
            attempts: 0,
            futile: 0,
            refreshed: false,
            fresh: false,
            events: Vec::new(),
            state: State::Start,
        })
    }

    /// What happened since this was last asked: leniencies that were used, and changes to be told.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Notes an event, once until somebody asks; there are few kinds, and issuers are limited.
    pub(super) fn tell(&mut self, event: Event) {
        if !self.events.contains(&event) && self.events.len() < MAX_EVENTS {
            self.events.push(event);
        }
    }

    /// Whether the profile allows this; if so, it is about to be used.
    pub(super) fn may(&mut self, leniency: Leniency) -> bool {
        let allowed = self.options.profile.allows(leniency);
        if allowed {
            self.tell(Event::Lenient(leniency));
        }
        allowed
    }

    /// The tokens at hand.
    pub fn grant(&self) -> Option<&StoredGrant> {
        self.grant.as_ref()
    }

    /// Whether the next step is to use a token that is still good, so that a first call may carry it.
    pub fn has_token(&self, now: UnixSeconds) -> bool {
        matches!(self.state, State::Start | State::Keep | State::Ready)
            && self
                .grant
                .as_ref()
                .is_some_and(|grant| !grant.is_expired(now))
    }

    /// Says what to do next; asking again without an answer in between repeats the step.
    pub fn next_step(&mut self, now: UnixSeconds, e: &dyn Entropy) -> Step {
        if matches!(self.state, State::Start | State::Ready) {
            self.look(now);
        }
        if matches!(self.state, State::Prepare(..)) {
            self.prepare(e);
        }
        match (&self.state, &self.grant) {
            (State::Keep, Some(grant)) => {
                let grant = grant.clone();
                self.state = State::Ready;
                Step::Store(grant)
            }
            (State::Ready, Some(grant)) => Step::Done(grant.access_token.clone()),
            (State::Away { url, pending, .. }, _) => Step::OpenBrowser {
                url: url.expose().to_owned(),
                state: pending.state.clone(),
            },
            (State::Failed(reason), _) => Step::Failed(reason.clone()),
            (state, _) => match self.request(state, now, e) {
                Ok(request) => Step::Fetch(request),
                Err(reason) => {
                    self.state = State::Failed(reason.clone());
                    Step::Failed(reason)
                }
            },
        }
    }

    /// Takes the answer to a [`Step::Fetch`] in.
    pub fn handle_response(&mut self, response: &Response<Vec<u8>>, now: UnixSeconds) {
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource(search) => self.resource_answered(search, response),
            State::Server(server) => self.server_answered(server, response),
            State::Register(found) => match register::response(response) {
                Ok(client) => State::Prepare(found, client),
                Err(reason) => State::Failed(FlowFailed::Registration(reason)),
            },
            State::Redeem {
                found,
                client,
                pending,
                ..
            } => match token::response(response) {
                Ok(tokens) => {
                    self.grant = Some(super::tokens::granted(*found, client, pending, tokens, now));
                    self.refreshed = false;
                    self.fresh = true;
                    State::Keep
                }
                Err(reason) => State::Failed(FlowFailed::Token(reason)),
            },
            State::Refresh(mut grant) => match refresh::response(response) {
                Ok(tokens) => {
                    grant.renew(tokens, now);
                    self.grant = Some(*grant);
                    self.refreshed = true;
                    self.fresh = true;
                    State::Keep
                }
                Err(reason) => return self.refresh_refused(*grant, reason),
            },
            State::Failed(reason) => State::Failed(reason),
            State::Start | State::Prepare(..) | State::Away { .. } | State::Keep | State::Ready => {
                State::Failed(FlowFailed::Unexpected)
            }
        };
    }

    /// Takes in that a [`Step::Fetch`] brought no answer.
    pub fn handle_failure(&mut self, why: &str) {
        let why = why.chars().take(300).collect::<String>();
        let unreachable = |what| FlowFailed::Unreachable { what, why };
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource(search) => {
                self.resource_unreachable(search, unreachable("resource metadata"))
            }
            State::Server(server) => {
                self.server_unreachable(server, unreachable("authorization server metadata"))
            }
            State::Register(_) => State::Failed(unreachable("registration endpoint")),
            State::Redeem { .. } => State::Failed(unreachable("token endpoint")),
            State::Refresh(grant) => {
                // The tokens may still be good: the answer was lost, not refused.
                self.grant = Some(*grant);
                State::Failed(unreachable("token endpoint"))
            }
            State::Failed(reason) => State::Failed(reason),
            State::Start | State::Prepare(..) | State::Away { .. } | State::Keep | State::Ready => {
                State::Failed(FlowFailed::Unexpected)
            }
        };
    }

    /// Takes the query in with which the browser came back.
    ///
    /// A query with a wrong `state` changes nothing; the next step is to wait again.
    pub fn handle_callback(&mut self, query: &str) {
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Away {
                found,
                client,
                pending,
                url,
            } => match authorize::response(query, &pending) {
                Ok(code) => State::Redeem {
                    found,
                    client,
                    pending,
                    code,
                },
                Err(authorize::CallbackRefused::State) => State::Away {
                    found,
                    client,
                    pending,
                    url,
                },
                Err(reason) => State::Failed(FlowFailed::Callback(reason)),
            },
            State::Failed(reason) => State::Failed(reason),
            _ => State::Failed(FlowFailed::Unexpected),
        };
    }

    /// The request of a state that has one.
    fn request(
        &self,
        state: &State,
        now: UnixSeconds,
        entropy: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        match state {
            State::Resource(search) => self.metadata_request(search),
            State::Server(server) => self.server_request(server),
            State::Register(found) => {
                let name = &self.options.client_name;
                let metadata =
                    ClientMetadata::native(name, vec![self.options.redirect_uri.clone()]);
                let endpoint = found.server.registration_endpoint.as_deref();
                let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("registration_endpoint"))?;
                register::request(endpoint, &metadata).map_err(FlowFailed::Registration)
            }
            State::Redeem {
                found,
                client,
                pending,
                code,
            } => {
                let endpoint = found.server.token_endpoint.as_deref();
                let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("token_endpoint"))?;
                let caller = Caller {
                    client,
                    issuer: &found.issuer,
                    now,
                    entropy,
                };
                token::request(
                    endpoint,
                    &caller,
                    code,
                    found.target.resource.as_str(),
                    pending,
                )
                .map_err(FlowFailed::Token)
            }
            State::Refresh(grant) => {
                let token = grant.refresh_token.as_ref().ok_or(FlowFailed::Unexpected)?;
                let resource = grant.resource.as_str();
                let caller = Caller {
                    client: &grant.client,
                    issuer: &grant.issuer,
                    now,
                    entropy,
                };
                refresh::request(&grant.token_endpoint, &caller, token, resource)
                    .map_err(FlowFailed::Refresh)
            }
            State::Start
            | State::Prepare(..)
            | State::Away { .. }
            | State::Keep
            | State::Ready
            | State::Failed(_) => Err(FlowFailed::Unexpected),
        }
    }
}
