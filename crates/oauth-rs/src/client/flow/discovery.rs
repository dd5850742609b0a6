//! From the resource to its authorization server (RFC 9728, RFC 8414, and what came before them).

use std::collections::VecDeque;

use http::header::{HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use serde::de::IgnoredAny;

use super::FlowFailed;
use super::failed::AddressRefused;
use super::machine::Flow;
use super::profile::{Event, Leniency};
use super::state::{Found, State, Target};
use crate::client::MAX_BODY_BYTES;
use crate::client::discover::{self, DiscoveryFailed};
use crate::metadata::resource::{InvalidResourceMetadata, ResourceMatch, ResourceMetadata};
use crate::metadata::server::{InvalidServerMetadata, ServerMetadata};
use crate::uri::{Issuer, ResourceId, is_endpoint_of};

/// How many of the authorization servers of a resource are looked at.
///
/// A resource has one; the bound is for a list that a stranger wrote, with up to three requests each.
pub const MAX_SERVERS: usize = 3;

/// A list of addresses, of which the first that holds the document counts.
#[derive(Debug)]
pub(super) struct Search {
    urls: VecDeque<String>,
    /// The first failure that says more than that nothing is there.
    told: Option<FlowFailed>,
}

/// Why a list came to its end.
struct Ended {
    reason: FlowFailed,
    /// Whether every address said that nothing is there.
    nothing: bool,
}

impl Search {
    fn new(urls: Vec<String>) -> Self {
        Self {
            urls: urls.into(),
            told: None,
        }
    }

    /// The address whose turn it is.
    pub(super) fn url(&self) -> &str {
        self.urls.front().map_or("", String::as_str)
    }

    fn answered_badly(
        self,
        response: &Response<Vec<u8>>,
        reason: DiscoveryFailed,
    ) -> Result<Self, Ended> {
        // MCP 2025-03-26: "Servers that do not implement the specification" answer with 404; an older
        // server may as well have a page for every address, or want a token everywhere.
        let is_page = response.body().len() <= MAX_BODY_BYTES
            && serde_json::from_slice::<IgnoredAny>(response.body()).is_err();
        let status = response.status();
        let passes = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        let nothing = (status.is_client_error() && !passes.contains(&status))
            || (status == StatusCode::OK && is_page);
        let ends = !reason.may_try_next();
        let url = self.url().to_owned();
        self.next(FlowFailed::Discovery { url, reason }, nothing, ends)
    }

    fn next(mut self, failed: FlowFailed, nothing: bool, ends: bool) -> Result<Self, Ended> {
        self.urls.pop_front();
        if !ends && !self.urls.is_empty() {
            if !nothing {
                self.told.get_or_insert(failed);
            }
            return Ok(self);
        }
        Err(Ended {
            nothing: nothing && !ends && self.told.is_none(),
            // A document about somebody else says the most.
            reason: if ends {
                failed
            } else {
                self.told.unwrap_or(failed)
            },
        })
    }
}

/// The search for the metadata of one authorization server, and what comes after it.
#[derive(Debug)]
pub(super) struct ServerSearch {
    target: Target,
    issuer: Issuer,
    /// Whether the issuer is only the origin of the resource, since nobody names one.
    origin: bool,
    pub(super) search: Search,
    /// Those to turn to when this one cannot be used.
    others: VecDeque<Issuer>,
    told: Option<FlowFailed>,
}

impl Flow {
    pub(super) fn discover(&mut self) {
        let urls = discover::resource_urls(&self.server, self.metadata_url.as_deref());
        self.state = State::Resource(Search::new(urls));
    }

    pub(super) fn metadata_request(&self, search: &Search) -> Result<Request<Vec<u8>>, FlowFailed> {
        let url = search.url();
        // RFC 9728 section 7.7: the address in a challenge is the choice of a stranger.
        if !is_endpoint_of(url, self.server.as_str()) {
            return Err(FlowFailed::Address {
                what: "metadata",
                reason: AddressRefused::endpoint(url),
            });
        }
        discover::request(url).map_err(|reason| FlowFailed::Discovery {
            url: url.to_owned(),
            reason: reason.into(),
        })
    }

    pub(super) fn server_request(
        &self,
        server: &ServerSearch,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let mut request = self.metadata_request(&server.search)?;
        if server.origin {
            // MCP 2025-03-26, authorization, section 2.3.1: SHOULD be in requests for metadata.
            let name = HeaderName::from_static("mcp-protocol-version");
            let revision = HeaderValue::from_static("2025-03-26");
            request.headers_mut().insert(name, revision);
        }
        Ok(request)
    }

    pub(super) fn resource_answered(
        &mut self,
        search: Search,
        response: &Response<Vec<u8>>,
    ) -> State {
        match discover::resource_response(response, self.server.as_str()) {
            Ok(metadata) => self.choose_server(&metadata),
            Err(reason) => {
                let ended = search.answered_badly(response, reason);
                self.resource_next(ended)
            }
        }
    }

    pub(super) fn resource_unreachable(&mut self, search: Search, failed: FlowFailed) -> State {
        self.resource_next(search.next(failed, false, false))
    }

    fn resource_next(&mut self, next: Result<Search, Ended>) -> State {
        match next {
            Ok(search) => State::Resource(search),
            // A challenge that names metadata is of a server that has some.
            Err(ended) if ended.nothing && self.metadata_url.is_none() => {
                self.origin_as_server(ended.reason)
            }
            Err(ended) => State::Failed(ended.reason),
        }
    }

    // MCP 2025-03-26, authorization, section 2.3.2: the authorization base is the address of the server
    // without its path.
    fn origin_as_server(&mut self, failed: FlowFailed) -> State {
        // MCP 2026-07-28: without metadata the canonical address of the server is its identifier.
        let Ok(resource) = ResourceId::canonical(self.server.as_str()) else {
            return State::Failed(failed);
        };
        let Ok(issuer) = Issuer::parse(resource.origin()) else {
            return State::Failed(failed);
        };
        if !self.may(Leniency::NoResourceMetadata) {
            return State::Failed(failed);
        }
        let target = Target {
            resource,
            scopes_supported: Vec::new(),
            bound_only: false,
            proof_algs: Vec::new(),
        };
        // Nobody said whether there is a slash at its end; what was found out before counts.
        let slashed = with_other_ending(&issuer);
        let known = |issuer: &Issuer| self.bound_issuer() == Some(issuer) || self.knows(issuer);
        let issuer = match slashed {
            Some(slashed) if known(&slashed) && !known(&issuer) => slashed,
            _ => issuer,
        };
        self.turn_to(target, VecDeque::from([issuer]), true, None)
    }

    fn choose_server(&mut self, metadata: &ResourceMetadata) -> State {
        let Ok(resource) = ResourceId::parse(&metadata.resource) else {
            return State::Failed(FlowFailed::NoAuthorizationServer);
        };
        // RFC 9728 section 3.3 wants the same identifier; MCP 2026-07-28 takes a parent path too.
        // A query of ours is none of the identifier's business.
        let same = matches!(
            metadata.compare(self.server.as_str()),
            Some(ResourceMatch::Same | ResourceMatch::WithoutQuery)
        );
        if !same && !self.may(Leniency::ParentResource) {
            let found = metadata.resource.chars().take(200).collect();
            return State::Failed(FlowFailed::Discovery {
                url: self.server.to_string(),
                reason: InvalidResourceMetadata::Mismatch { found }.into(),
            });
        }
        let mut refused = None;
        let mut issuers = VecDeque::new();
        for text in &metadata.authorization_servers {
            match Issuer::parse(text) {
                // RFC 9728 section 7.7: a resource elsewhere cannot send us to what listens here.
                Ok(issuer) if is_endpoint_of(text, self.server.as_str()) => {
                    issuers.push_back(issuer);
                }
                _ => {
                    refused.get_or_insert_with(|| AddressRefused::issuer(text));
                }
            }
        }
        let target = Target {
            resource,
            scopes_supported: metadata.scopes_supported.clone(),
            bound_only: metadata.dpop_bound_access_tokens_required,
            proof_algs: metadata.dpop_signing_alg_values_supported.clone(),
        };
        self.turn_to(target, issuers, false, refused)
    }

    // MCP 2026-07-28: credentials belong to their issuer; one that is still named is kept.
    fn turn_to(
        &mut self,
        target: Target,
        mut issuers: VecDeque<Issuer>,
        origin: bool,
        refused: Option<AddressRefused>,
    ) -> State {
        let Some(first) = issuers.front().cloned() else {
            return State::Failed(refused.map_or(FlowFailed::NoAuthorizationServer, |reason| {
                FlowFailed::Address {
                    what: "authorization server",
                    reason,
                }
            }));
        };
        // MCP 2026-07-28: an identifier belongs to the issuer that gave it, wherever that is listed.
        if let Some(bound) = self.bound_issuer() {
            if !issuers.contains(bound) {
                return State::Failed(FlowFailed::OtherIssuer {
                    expected: bound.to_string(),
                    found: first.to_string(),
                });
            }
            issuers = VecDeque::from([bound.clone()]);
        } else if let Some(at) = issuers.iter().position(|issuer| self.knows(issuer)) {
            issuers.swap(0, at);
        }
        issuers.truncate(MAX_SERVERS);
        let Some(issuer) = issuers.pop_front() else {
            return State::Failed(FlowFailed::NoAuthorizationServer);
        };
        if let Some(before) = self.last_issuer.clone()
            && before != issuer
            && !issuers.contains(&before)
        {
            let now = issuer.clone();
            self.tell(Event::ServerChanged { before, now });
        }
        State::Server(Box::new(ServerSearch {
            target,
            search: Search::new(server_urls(&issuer, origin)),
            issuer,
            origin,
            others: issuers,
            told: None,
        }))
    }

    pub(super) fn server_answered(
        &mut self,
        server: Box<ServerSearch>,
        response: &Response<Vec<u8>>,
    ) -> State {
        let read = read_server(&server, response).and_then(|(issuer, metadata)| {
            match discover::check_pkce(&metadata) {
                Err(DiscoveryFailed::NoPkce) if self.may(Leniency::PkceUnannounced) => Ok(()),
                checked => checked,
            }
            .map(|()| (issuer, metadata))
        });
        match read {
            Ok((issuer, metadata)) => self.choose_client(Found {
                target: server.target,
                issuer,
                server: metadata,
            }),
            Err(reason) => {
                self.server_next(server, |search| search.answered_badly(response, reason))
            }
        }
    }

    pub(super) fn server_unreachable(
        &mut self,
        server: Box<ServerSearch>,
        failed: FlowFailed,
    ) -> State {
        self.server_next(server, |search| search.next(failed, false, false))
    }

    fn server_next(
        &mut self,
        mut server: Box<ServerSearch>,
        next: impl FnOnce(Search) -> Result<Search, Ended>,
    ) -> State {
        let search = std::mem::replace(&mut server.search, Search::new(Vec::new()));
        let ended = match next(search) {
            Ok(search) => {
                server.search = search;
                return State::Server(server);
            }
            Err(ended) => ended,
        };
        if server.origin && ended.nothing && self.may(Leniency::DefaultEndpoints) {
            return self.choose_client(Found {
                server: default_endpoints(&server.issuer),
                target: server.target,
                issuer: server.issuer,
            });
        }
        server.told.get_or_insert(ended.reason);
        match server.others.pop_front() {
            Some(issuer) => {
                server.search = Search::new(server_urls(&issuer, server.origin));
                server.issuer = issuer;
                State::Server(server)
            }
            None => State::Failed(server.told.unwrap_or(FlowFailed::NoAuthorizationServer)),
        }
    }
}

fn server_urls(issuer: &Issuer, origin: bool) -> Vec<String> {
    let mut urls = issuer.metadata_urls();
    if origin {
        // MCP 2025-03-26 knows one place for metadata.
        urls.truncate(1);
    }
    urls
}

fn read_server(
    server: &ServerSearch,
    response: &Response<Vec<u8>>,
) -> Result<(Issuer, ServerMetadata), DiscoveryFailed> {
    let read = discover::server_document(response, &server.issuer);
    // RFC 8414 section 3.1: both spellings of an issuer without a path lead to this address, and where
    // nobody named the issuer, either is the one that the address was built from.
    if server.origin
        && let Err(DiscoveryFailed::Server(InvalidServerMetadata::Issuer { .. })) = &read
        && let Some(other) = with_other_ending(&server.issuer)
    {
        return Ok((other.clone(), discover::server_document(response, &other)?));
    }
    Ok((server.issuer.clone(), read?))
}

/// The same issuer with a final slash if it has none, and without if it has one.
fn with_other_ending(issuer: &Issuer) -> Option<Issuer> {
    let text = issuer.as_str();
    let other = match text.strip_suffix('/') {
        Some(bare) => bare.to_owned(),
        None => format!("{text}/"),
    };
    Issuer::parse(&other).ok()
}

// MCP 2025-03-26, authorization, section 2.3.3: the paths of a server without metadata.
fn default_endpoints(issuer: &Issuer) -> ServerMetadata {
    let base = issuer.as_str().trim_end_matches('/');
    ServerMetadata {
        issuer: issuer.to_string(),
        authorization_endpoint: Some(format!("{base}/authorize")),
        token_endpoint: Some(format!("{base}/token")),
        registration_endpoint: Some(format!("{base}/register")),
        ..ServerMetadata::default()
    }
}
