//! The machine: what each state asks for, and what an answer leads to.

use http::{Request, Response};

use super::access::Nonces;
use super::state::State;
use super::{Event, FlowFailed, FlowOptions, Leniency, Step, StoredGrant};
use crate::client::authorize::Authentication;
use crate::entropy::Entropy;
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
/// Specification: MCP 2026-07-28, authorization; RFC 9728, RFC 8414, RFC 7591, RFC 9126, RFC 9207,
/// RFC 8707, RFC 9449.
#[derive(Debug)]
pub struct Flow {
    pub(super) server: ResourceId,
    pub(super) options: FlowOptions,
    pub(super) grant: Option<StoredGrant>,
    /// What the last challenge said.
    pub(super) metadata_url: Option<String>,
    pub(super) challenged_scope: Option<ScopeSet>,
    /// How the resource wants the person to be authenticated, since the last call that it accepted.
    pub(super) authentication: Authentication,
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
    /// What the last challenge said of proofs: whether it takes bound tokens only, and the algorithms.
    pub(super) bound_only: bool,
    pub(super) proof_algs: Option<Vec<String>>,
    /// Whether the resource refused the first call with a bound token, and seems to know Bearer only.
    pub(super) unbound_only: bool,
    /// Whether the resource has accepted tokens of the kind at hand.
    pub(super) proven: bool,
    pub(super) nonces: Nonces,
    /// Whether a request for tokens was sent again with a new nonce.
    pub(super) nonce_sent: bool,
    /// Whether a call was refused for want of a nonce, and none was accepted since.
    pub(super) nonce_shown: bool,
    pub(super) events: Vec<Event>,
    pub(super) state: State,
}

impl Flow {
    /// Starts with what was kept for this server, if anything.
    ///
    /// A grant of another resource is ignored, and so are tokens that are bound to a key that
    /// `options` does not have.
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
        let mut flow = Self {
            server,
            options,
            grant,
            metadata_url: None,
            challenged_scope: None,
            authentication: Authentication::default(),
            stepped_up: None,
            last_issuer: None,
            attempts: 0,
            futile: 0,
            refreshed: false,
            fresh: false,
            bound_only: false,
            proof_algs: None,
            unbound_only: false,
            proven: true,
            nonces: Nonces::default(),
            nonce_sent: false,
            nonce_shown: false,
            events: Vec::new(),
            state: State::Start,
        };
        flow.restore_keys();
        Ok(flow)
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
            (State::Ready, Some(grant)) => match self.access(grant) {
                Ok(access) => Step::Done(access),
                Err(reason) => Step::Failed(FlowFailed::Proof(reason)),
            },
            (State::Away { url, sign_in }, _) => Step::OpenBrowser {
                url: url.expose().to_owned(),
                state: sign_in.pending.state.clone(),
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

    /// The request of a state that has one.
    fn request(
        &self,
        state: &State,
        now: UnixSeconds,
        e: &dyn Entropy,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        match state {
            State::Resource(search) => self.metadata_request(search),
            State::Server(server) => self.server_request(server),
            State::Register(found) => self.register_request(found),
            State::Push(sign_in) => Self::push_request(sign_in, now, e),
            State::Redeem { sign_in, code } => self.redeem_request(sign_in, code, now, e),
            State::Refresh(grant) => self.refresh_request(grant, now, e),
            State::Start
            | State::Prepare(..)
            | State::Away { .. }
            | State::Keep
            | State::Ready
            | State::Failed(_) => Err(FlowFailed::Unexpected),
        }
    }

    /// Takes the answer to a [`Step::Fetch`] in.
    pub fn handle_response(&mut self, response: &Response<Vec<u8>>, now: UnixSeconds) {
        if self.wants_nonce(response) {
            return;
        }
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource(search) => self.resource_answered(search, response),
            State::Server(server) => self.server_answered(server, response),
            State::Register(found) => Self::registration_answered(found, response),
            State::Push(sign_in) => Self::pushed(sign_in, response),
            State::Redeem { sign_in, .. } => self.redeemed(*sign_in, response, now),
            State::Refresh(grant) => return self.refresh_answered(*grant, response, now),
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
            State::Push(_) => State::Failed(unreachable("pushed authorization request endpoint")),
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
}
