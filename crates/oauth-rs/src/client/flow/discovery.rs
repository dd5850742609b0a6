//! From the resource to its authorization server (RFC 9728, RFC 8414).

use std::collections::VecDeque;

use http::Response;

use super::FlowFailed;
use super::machine::Flow;
use super::state::State;
use crate::client::discover;
use crate::uri::{Issuer, ResourceId, is_endpoint_of};

impl Flow {
    pub(super) fn discover(&mut self) {
        let urls = discover::resource_urls(&self.server, self.metadata_url.as_deref());
        self.state = State::Resource { urls: urls.into() };
    }

    pub(super) fn resource(
        &mut self,
        urls: VecDeque<String>,
        response: &Response<Vec<u8>>,
    ) -> State {
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
}

/// The addresses that are left after the first one brought nothing, or why the search is over.
pub(super) fn next(
    mut urls: VecDeque<String>,
    reason: &discover::DiscoveryFailed,
) -> Result<VecDeque<String>, FlowFailed> {
    let url = urls.pop_front().unwrap_or_default();
    if reason.may_try_next() && !urls.is_empty() {
        return Ok(urls);
    }
    Err(FlowFailed::Discovery {
        url,
        reason: reason.clone(),
    })
}
