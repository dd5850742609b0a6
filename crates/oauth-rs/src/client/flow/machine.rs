//! The machine: what each state asks for, and what an answer leads to.

use std::collections::VecDeque;

use http::{HeaderMap, Request, Response, StatusCode};

use super::state::{Found, State, authorization_url, bearer_challenge, granted, next};
use super::{FlowFailed, FlowOptions, Step, StoredGrant};
use crate::client::authorize::{self, Pending};
use crate::client::exchange::{Client, ExchangeFailed};
use crate::client::{discover, refresh, register, token};
use crate::entropy::Entropy;
use crate::error_code::ErrorCode;
use crate::metadata::client::{AuthMethod, ClientMetadata};
use crate::metadata::server::ServerMetadata;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, Issuer, RedirectUri, ResourceId, is_endpoint_of};

/// How often a flow sends the person to the browser before it gives up.
pub const MAX_ATTEMPTS: u8 = 3;

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
    server: ResourceId,
    options: FlowOptions,
    grant: Option<StoredGrant>,
    /// What the last challenge said.
    metadata_url: Option<String>,
    challenged_scope: Option<ScopeSet>,
    /// The scope of a step-up, which goes before everything else.
    stepped_up: Option<ScopeSet>,
    /// A registration whose tokens are no longer good.
    known_client: Option<(Issuer, Client, RedirectUri)>,
    attempts: u8,
    /// How often a step-up asked for nothing that had not been asked for before.
    futile: u8,
    /// Whether a refresh happened and the resource has not accepted its token yet.
    refreshed: bool,
    /// Whether the tokens were just issued, and are used even if their life is shorter than the margin.
    fresh: bool,
    state: State,
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
            known_client: None,
            attempts: 0,
            futile: 0,
            refreshed: false,
            fresh: false,
            state: State::Start,
        })
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

    fn step_up(&mut self) {
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
            (state, _) => match self.request(state) {
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
            State::Resource { urls } => self.resource(urls, response),
            State::Server {
                resource,
                scopes_supported,
                issuer,
                urls,
            } => match discover::server_response(response, &issuer) {
                Ok(server) => self.choose_client(Found {
                    resource,
                    scopes_supported,
                    issuer,
                    server,
                }),
                Err(reason) => match next(urls, &reason) {
                    Ok(urls) => State::Server {
                        resource,
                        scopes_supported,
                        issuer,
                        urls,
                    },
                    Err(failed) => State::Failed(failed),
                },
            },
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
                    self.grant = Some(granted(*found, client, pending, tokens, now));
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
        let unreachable = |what| State::Failed(FlowFailed::Unreachable { what, why });
        self.state = match std::mem::replace(&mut self.state, State::Start) {
            State::Resource { mut urls } if urls.len() > 1 => {
                urls.pop_front();
                State::Resource { urls }
            }
            State::Server {
                resource,
                scopes_supported,
                issuer,
                mut urls,
            } if urls.len() > 1 => {
                urls.pop_front();
                State::Server {
                    resource,
                    scopes_supported,
                    issuer,
                    urls,
                }
            }
            State::Resource { .. } => unreachable("resource metadata"),
            State::Server { .. } => unreachable("authorization server metadata"),
            State::Register(_) => unreachable("registration endpoint"),
            State::Redeem { .. } => unreachable("token endpoint"),
            State::Refresh(grant) => {
                // The tokens may still be good: the answer was lost, not refused.
                self.grant = Some(*grant);
                unreachable("token endpoint")
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

    /// From what is at hand: use it, refresh it, or go looking.
    fn look(&mut self, now: UnixSeconds) {
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

    fn discover(&mut self) {
        let urls = discover::resource_urls(&self.server, self.metadata_url.as_deref());
        self.state = State::Resource { urls: urls.into() };
    }

    /// Keeps who we are, and drops the tokens.
    fn forget_tokens(&mut self, grant: Option<StoredGrant>) {
        if let Some(grant) = grant {
            self.known_client = Some((grant.issuer, grant.client, grant.redirect_uri));
        }
        self.refreshed = false;
    }

    fn refresh_refused(&mut self, grant: StoredGrant, reason: ExchangeFailed) {
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
            self.known_client = None;
            self.discover();
        } else {
            self.grant = Some(grant);
            self.state = State::Failed(FlowFailed::Refresh(reason));
        }
    }

    /// The request of a state that has one.
    fn request(&self, state: &State) -> Result<Request<Vec<u8>>, FlowFailed> {
        match state {
            State::Resource { urls } | State::Server { urls, .. } => {
                let url = urls.front().map_or("", String::as_str);
                // RFC 9728 section 7.7: the address in a challenge is the choice of a stranger.
                let named = is_endpoint_of(url, self.server.as_str());
                let checked = if named { url } else { "" };
                discover::request(checked).map_err(|reason| FlowFailed::Discovery {
                    url: url.to_owned(),
                    reason: reason.into(),
                })
            }
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
                token::request(endpoint, client, code, found.resource.as_str(), pending)
                    .map_err(FlowFailed::Token)
            }
            State::Refresh(grant) => {
                let token = grant.refresh_token.as_ref().ok_or(FlowFailed::Unexpected)?;
                let resource = grant.resource.as_str();
                refresh::request(&grant.token_endpoint, &grant.client, token, resource)
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

    fn resource(&mut self, urls: VecDeque<String>, response: &Response<Vec<u8>>) -> State {
        let metadata = match discover::resource_response(response, self.server.as_str()) {
            Ok(metadata) => metadata,
            Err(reason) => {
                return match next(urls, &reason) {
                    Ok(urls) => State::Resource { urls },
                    Err(failed) => State::Failed(failed),
                };
            }
        };
        let issuers: Vec<Issuer> = metadata
            .authorization_servers
            .iter()
            .filter_map(|text| Issuer::parse(text).ok())
            // RFC 9728 section 7.7: a resource elsewhere cannot send us to what listens here.
            .filter(|issuer| is_endpoint_of(issuer.as_str(), self.server.as_str()))
            .collect();
        // MCP 2026-07-28: credentials belong to their issuer; one that is still listed is kept.
        let registered = self.options.client_id_issuer.as_ref();
        let known = registered
            .filter(|_| self.options.client_id.is_some())
            .or_else(|| self.known_client.as_ref().map(|(issuer, ..)| issuer));
        let issuer = issuers
            .iter()
            .find(|issuer| Some(*issuer) == known)
            .or(issuers.first());
        let (Some(issuer), Ok(resource)) = (issuer.cloned(), ResourceId::parse(&metadata.resource))
        else {
            return State::Failed(FlowFailed::NoAuthorizationServer);
        };
        let urls = issuer.metadata_urls().into();
        State::Server {
            resource,
            scopes_supported: metadata.scopes_supported,
            issuer,
            urls,
        }
    }

    // MCP 2026-07-28: registered beforehand, then by document, then dynamically, then ask the person.
    fn choose_client(&mut self, found: Found) -> State {
        if let Some(client_id) = &self.options.client_id {
            // MCP 2026-07-28: an identifier belongs to the issuer that gave it.
            if let Some(issuer) = &self.options.client_id_issuer
                && *issuer != found.issuer
            {
                return State::Failed(FlowFailed::OtherIssuer {
                    expected: issuer.to_string(),
                    found: found.issuer.to_string(),
                });
            }
            return match self.registered(client_id, &found.server) {
                Ok(client) => State::Prepare(Box::new(found), client),
                Err(reason) => State::Failed(reason),
            };
        }
        let document = self.options.client_id_document.as_ref();
        if let Some(url) = document.filter(|_| found.server.client_id_metadata_document_supported) {
            return State::Prepare(Box::new(found), Client::public(url));
        }
        if let Some((issuer, client, redirect_uri)) = &self.known_client
            && *issuer == found.issuer
            && redirect_uri.same_but_loopback_port(&self.options.redirect_uri)
        {
            let client = client.clone();
            return State::Prepare(Box::new(found), client);
        }
        if found.server.registration_endpoint.is_some() {
            return State::Register(Box::new(found));
        }
        State::Failed(FlowFailed::NoRegistration {
            issuer: found.issuer.to_string(),
        })
    }

    /// The client that was registered beforehand, with its secret if it has one.
    fn registered(&self, client_id: &str, server: &ServerMetadata) -> Result<Client, FlowFailed> {
        let Some(secret) = &self.options.client_secret else {
            return Ok(Client::public(client_id));
        };
        if self.options.client_id_issuer.is_none() {
            return Err(FlowFailed::UnboundSecret);
        }
        // RFC 8414 section 2: a server that lists no method has client_secret_basic.
        let supported = &server.token_endpoint_auth_methods_supported;
        let has = |method: AuthMethod| supported.iter().any(|name| name == method.as_str());
        let (basic, post) = (AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost);
        let method = if supported.is_empty() || has(basic) {
            basic
        } else if has(post) {
            post
        } else {
            let none = ExchangeFailed::AuthMethod("any method that the server supports");
            return Err(FlowFailed::Authorization(none));
        };
        Ok(Client {
            client_id: client_id.to_owned(),
            secret: Some(secret.clone()),
            method,
        })
    }

    fn prepare(&mut self, e: &dyn Entropy) {
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
    fn scope(&self, found: &Found) -> Option<ScopeSet> {
        let supported = || ScopeSet::from_tokens(&found.scopes_supported).ok();
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
