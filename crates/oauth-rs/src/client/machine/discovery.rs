//! From the resource to the authorization server at which the machine is registered.

use std::collections::VecDeque;

use http::{Request, Response};

use super::flow::{Machine, State};
use crate::client::auth::Client;
use crate::client::discover::{self, DiscoveryFailed};
use crate::client::flow::{AddressRefused, FlowFailed};
use crate::metadata::resource::ResourceMetadata;
use crate::uri::{Issuer, ResourceId, is_endpoint_of};

/// What a token is wanted for, and who issues it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) resource: ResourceId,
    pub(super) scopes_supported: Vec<String>,
    pub(super) issuer: Issuer,
    pub(super) token_endpoint: String,
    pub(super) client: Client,
}

/// The resource's metadata was found, and the server's is looked for.
#[derive(Debug)]
pub(super) struct ServerSearch {
    resource: ResourceId,
    scopes_supported: Vec<String>,
    issuer: Issuer,
    pub(super) urls: VecDeque<String>,
}

impl Machine {
    pub(super) fn discover(&mut self) {
        let urls = discover::resource_urls(&self.server, self.metadata_url.as_deref());
        self.state = State::Resource(urls.into());
    }

    pub(super) fn metadata_request(
        &self,
        urls: &VecDeque<String>,
    ) -> Result<Request<Vec<u8>>, FlowFailed> {
        let url = urls.front().map_or("", String::as_str);
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

    pub(super) fn resource_answered(
        &self,
        urls: VecDeque<String>,
        response: &Response<Vec<u8>>,
    ) -> State {
        let read = discover::resource_response(response, self.server.as_str());
        match read {
            Ok(metadata) => self
                .choose_server(&metadata)
                .map_or_else(State::Failed, |search| State::Server(Box::new(search))),
            Err(reason) => match next(urls, reason) {
                Ok(urls) => State::Resource(urls),
                Err(failed) => State::Failed(failed),
            },
        }
    }

    fn choose_server(&self, metadata: &ResourceMetadata) -> Result<ServerSearch, FlowFailed> {
        if metadata.dpop_bound_access_tokens_required {
            return Err(FlowFailed::KeyNeeded);
        }
        let resource = ResourceId::parse(&metadata.resource);
        let resource = resource.map_err(|_| FlowFailed::NoAuthorizationServer)?;
        let named = &metadata.authorization_servers;
        let first = named.first().ok_or(FlowFailed::NoAuthorizationServer)?;
        let own = self.options.issuer.as_ref();
        let chosen = match own {
            Some(own) if named.iter().any(|issuer| issuer == own.as_str()) => own.as_str(),
            _ => first,
        };
        let refused = || FlowFailed::Address {
            what: "authorization server",
            reason: AddressRefused::issuer(chosen),
        };
        let issuer = Issuer::parse(chosen).map_err(|_| refused())?;
        // RFC 9728 section 7.7: a resource elsewhere cannot send us to what listens here.
        if !is_endpoint_of(chosen, self.server.as_str()) {
            return Err(refused());
        }
        // MCP 2026-07-28: credentials belong to their issuer, and are never sent to another.
        if let Some(own) = own.filter(|own| **own != issuer) {
            return Err(FlowFailed::OtherIssuer {
                expected: own.to_string(),
                found: issuer.to_string(),
            });
        }
        Ok(ServerSearch {
            resource,
            scopes_supported: metadata.scopes_supported.clone(),
            urls: issuer.metadata_urls().into(),
            issuer,
        })
    }

    pub(super) fn server_answered(
        &mut self,
        mut search: Box<ServerSearch>,
        response: &Response<Vec<u8>>,
    ) -> State {
        let server = match discover::server_document(response, &search.issuer) {
            Ok(server) => server,
            Err(reason) => {
                return match next(std::mem::take(&mut search.urls), reason) {
                    Ok(urls) => {
                        search.urls = urls;
                        State::Server(search)
                    }
                    Err(failed) => State::Failed(failed),
                };
            }
        };
        let grant = self.options.grant.name();
        // A server that lists no grant at all has not said that it lacks this one.
        if !server.grant_types_supported.is_empty() && !server.supports_grant(grant) {
            return State::Failed(FlowFailed::GrantNotOffered(grant));
        }
        let client = match self.options.client(&server) {
            Ok(client) => client,
            Err(reason) => return State::Failed(FlowFailed::Token(reason.into())),
        };
        // RFC 8705 section 5: a client that presents a certificate uses the endpoints for that.
        let server = match client.auth.is_tls() {
            true => server.for_mutual_tls(),
            false => server,
        };
        let Some(token_endpoint) = server.token_endpoint else {
            return State::Failed(FlowFailed::NoEndpoint("token_endpoint"));
        };
        self.found = Some(Found {
            resource: search.resource,
            scopes_supported: search.scopes_supported,
            issuer: search.issuer,
            token_endpoint,
            client,
        });
        self.ask()
    }
}

/// The addresses that are left after the first one brought nothing, or why the search is over.
pub(super) fn next(
    mut urls: VecDeque<String>,
    reason: DiscoveryFailed,
) -> Result<VecDeque<String>, FlowFailed> {
    let url = urls.pop_front().unwrap_or_default();
    if reason.may_try_next() && !urls.is_empty() {
        return Ok(urls);
    }
    Err(FlowFailed::Discovery { url, reason })
}
