//! The MCP endpoint behind its guard, whoever issues the tokens.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use mcp_protocol::serve::{Handler, HttpService, Options};
use oauth_rs::jose::dpop::Rules;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::Clock;
use oauth_rs::uri::ResourceId;
use resource_guard::fetch::VerifiedTokens;
use resource_guard::revocation::TokenFacts;
use resource_guard::{
    Cors, Guard, GuardConfig, GuardLayer, GuardService, Nonces, Revocations, Source, TrustedIssuer,
};
use tower_layer::Layer as _;

use super::front::{Front, Pages};
use super::{SCOPES, gate};

/// The MCP listener: its paths, the guard, the protocol, the handler.
pub(crate) type McpService<H> = Front<GuardService<HttpService<H>>>;

/// Bodies of MCP requests: a portrait of 1 MB is 1.4 MB as base64.
const MAX_MCP_BODY_BYTES: usize = 2 * 1024 * 1024;

/// What opens the endpoint, and what closes it again.
pub(crate) struct Protection<S> {
    /// The endpoint, as clients name it.
    pub(crate) resource: ResourceId,
    /// Whose tokens are taken, and how they are validated.
    pub(crate) issuer: TrustedIssuer,
    /// How far the clocks of the issuer and of this process may differ.
    pub(crate) skew: Duration,
    /// Where the issuer's keys or answers come from.
    pub(crate) source: S,
    pub(crate) clock: Arc<dyn Clock>,
    /// What was revoked; it counts at the next request.
    pub(crate) revocations: Arc<Revocations>,
    /// Tokens whose signature was verified before.
    pub(crate) verified: VerifiedTokens,
    /// Demanded in each proof of a bound token, if they are there.
    pub(crate) nonces: Option<Arc<Nonces>>,
}

/// The endpoint with this handler; tools ask for their scopes, the rest for a valid token.
///
/// Tokens that are bound to a key are taken with their proof, and bearer tokens as they are.
pub(crate) fn protected<S, H>(
    protection: Protection<S>,
    handler: H,
    options: Options,
    pages: Pages,
) -> Result<McpService<H>, Box<dyn Error>>
where
    S: Source + 'static,
    H: Handler,
{
    let guard = guard(&protection)?.remembering(Arc::new(protection.verified));
    let guard = Arc::new(guard);
    let options = Options {
        max_body_bytes: MAX_MCP_BODY_BYTES,
        gate: Some(gate::per_tool(&guard)),
        ..options
    };
    let revocations = protection.revocations;
    let mut layer = GuardLayer::new(guard, protection.source, protection.clock)
        .cors(browser_clients())
        .revocation(Arc::new(move |who| {
            revocations.is_revoked(&TokenFacts::from(who))
        }));
    if let Some(nonces) = protection.nonces {
        layer = layer.nonces(move || Arc::clone(&nonces));
    }
    let service = layer.layer(HttpService::new(handler, options));
    Ok(Front::new(service, pages))
}

fn guard<S>(protection: &Protection<S>) -> Result<Guard, Box<dyn Error>> {
    let scopes = ScopeSet::from_tokens(SCOPES.iter().map(|scope| scope.name))?;
    let config = of_tools(&protection.resource, protection.issuer.clone(), &scopes)?
        .dpop(Rules::default())
        .skew(protection.skew);
    Ok(Guard::new(config)?)
}

/// What holds for the tools whoever issues the tokens; these scopes are what a client is told to ask for.
pub(super) fn of_tools(
    resource: &ResourceId,
    issuer: TrustedIssuer,
    scopes: &ScopeSet,
) -> Result<GuardConfig, Box<dyn Error>> {
    Ok(GuardConfig::new(resource.clone(), issuer)
        .resource_name("Didit MCP")
        .scopes_supported(scopes.clone())
        .challenge_scopes(scopes.clone())
        .operations(gate::operations()?)
        .hierarchy(gate::hierarchy()?))
}

/// What MCP clients in a browser send and read beyond the defaults.
pub(super) fn browser_clients() -> Cors {
    let sent = [
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-method",
        "mcp-name",
        "last-event-id",
    ];
    let read = ["mcp-session-id", "mcp-protocol-version"];
    Cors::default()
        .also_headers(sent.map(HeaderName::from_static))
        .also_exposed(read.map(HeaderName::from_static))
}
