//! Which library is plugged into which.

mod didit;
mod front;
mod gate;
mod issuer;
pub(crate) mod outside;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use didit_sandbox::Sandbox;
use didit_tools::{DiditTools, Transport};
use http::HeaderName;
use mcp_protocol::serve::{HttpService, Options};
use oauth_rs::entropy::Entropy;
use oauth_rs::jose::dpop::Rules;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::{Clock, UnixSeconds};
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::document::ClientDocuments;
use oauth_server::router::Service as AuthService;
use oauth_server::store::Store;
use resource_guard::{
    Cors, Guard, GuardConfig, GuardLayer, GuardService, KeySnapshot, TrustedIssuer,
};
use tower_layer::Layer as _;

use crate::revocation::Revocations;
use didit::ActingAs;
use front::Front;

/// Where the three listeners are, as clients see them.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) mcp_url: String,
    pub(crate) issuer: String,
    pub(crate) sandbox_url: String,
}

/// What the command line decides.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) access_token_life: Duration,
    /// The person who is signed in and consents without pages; for tests.
    pub(crate) auto_consent: Option<String>,
}

/// The keys of the authorization server.
pub(crate) struct Secrets {
    /// Signs access tokens.
    pub(crate) signing: SigningKey,
    /// Keys the hashes that tokens and codes are stored as.
    pub(crate) hash: [u8; 32],
}

/// The world outside: storage, clock, randomness, and two HTTP clients.
pub(crate) struct Outside<D> {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Fetches client ID metadata documents.
    pub(crate) documents: Option<Arc<dyn ClientDocuments>>,
    /// Reaches the Didit API.
    pub(crate) didit: D,
}

/// The MCP listener: its paths, the guard, the protocol, the tools.
pub(crate) type McpService<D> = Front<GuardService<HttpService<DiditTools<D, ActingAs>>>>;

/// What is served on the two listeners of ours; the sandbox serves the third.
pub(crate) struct Stack<D> {
    pub(crate) mcp: McpService<D>,
    pub(crate) auth: AuthService,
}

/// A scope that tools ask for, and what the consent page says of it.
pub(crate) struct ScopeText {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) description: &'static str,
}

/// Didit's two scopes, in the words of the people who consent.
pub(crate) const SCOPES: [ScopeText; 2] = [
    ScopeText {
        name: "didit:management",
        title: "Manage how verification is set up",
        description: "See and change workflows, questionnaires, lists and webhooks; see members and the balance of your organisations.",
    },
    ScopeText {
        name: "didit:verification",
        title: "Work with verifications",
        description: "See, create, decide and delete verification sessions, and see users, cases and transactions with the personal data in them.",
    },
];

/// Bodies of MCP requests: a portrait of 1 MB is 1.4 MB as base64.
const MAX_MCP_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Plugs everything together.
pub(crate) fn assemble<D: Transport>(
    at: &Addresses,
    settings: Settings,
    secrets: Secrets,
    outside: Outside<D>,
    sandbox: &Sandbox,
) -> Result<Stack<D>, Box<dyn Error>> {
    let issuer = Issuer::parse(&at.issuer)?;
    let resource = ResourceId::parse(&at.mcp_url)?;
    let keys = JwkSet::from_public([secrets.signing.public_jwk()]);
    let revocations = Arc::new(Revocations::new());
    let clock = Arc::clone(&outside.clock);

    let didit = didit::tools(at, outside.didit, sandbox, &clock)?;
    let guard = Arc::new(guard(&issuer, &resource)?);
    let options = Options {
        max_body_bytes: MAX_MCP_BODY_BYTES,
        gate: Some(gate::per_tool(&guard)?),
        ..Options::default()
    };
    let revoked = Arc::clone(&revocations);
    let mcp = GuardLayer::new(guard, KeySnapshot::new(issuer.clone(), keys).fixed(), clock)
        .cors(browser_clients())
        .revocation(Arc::new(move |who| {
            let ids = [who.token_id.as_deref(), who.grant_id.as_deref()];
            // Every token of ours says when it expires; one that did not would count as the oldest.
            let expires_at = who.expires_at.unwrap_or(UnixSeconds(0));
            revoked.covers(ids.into_iter().flatten(), expires_at)
        }))
        .layer(HttpService::new(didit, options));

    let auth = issuer::service(
        issuer::Parts {
            issuer,
            resource,
            settings,
            secrets,
            store: outside.store,
            clock: outside.clock,
            entropy: outside.entropy,
            documents: outside.documents,
            revocations,
        },
        sandbox.people(),
    )?;
    Ok(Stack {
        mcp: Front::new(mcp),
        auth,
    })
}

fn guard(issuer: &Issuer, resource: &ResourceId) -> Result<Guard, Box<dyn Error>> {
    let scopes = ScopeSet::from_tokens(SCOPES.iter().map(|scope| scope.name))?;
    let config = GuardConfig::new(resource.clone(), TrustedIssuer::new(issuer.clone()))
        .resource_name("Didit MCP")
        .scopes_supported(scopes.clone())
        .challenge_scopes(scopes)
        // Whoever shows a proof to the authorization server gets a bound token, and everybody else a bearer token.
        .dpop(Rules::default())
        // Issuer and resource are one process with one clock.
        .skew(Duration::ZERO);
    Ok(Guard::new(config)?)
}

/// What MCP clients in a browser send and read beyond the defaults.
fn browser_clients() -> Cors {
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
