//! Which library is plugged into which.

mod didit;
mod downloads;
mod front;
mod gate;
pub(crate) mod hosted;
mod issuer;
pub(crate) mod local;
pub(crate) mod outside;
mod protect;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use didit_sandbox::Sandbox;
use didit_tools::{DiditTools, Downloads, Transport};
use mcp_protocol::serve::Options;
use oauth_rs::entropy::Entropy;
use oauth_rs::jose::{JwkSet, SigningKey};
use oauth_rs::time::{Clock, UnixSeconds};
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::document::ClientDocuments;
use oauth_server::router::Service as AuthService;
use oauth_server::store::Store;
use resource_guard::fetch::VerifiedTokens;
use resource_guard::{KeySnapshot, Nonces, Revocations, TrustedIssuer};

use didit::ActingAs;
use downloads::Tickets;
use front::Pages;
use protect::{McpService, Protection};

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
    /// Whether proofs of keys have to carry nonces of the two servers.
    pub(crate) dpop_nonces: bool,
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
    /// The access tokens whose signature the guard need not verify again.
    pub(crate) verified: VerifiedTokens,
    /// Fetches client ID metadata documents.
    pub(crate) documents: Option<Arc<dyn ClientDocuments>>,
    /// Reaches the Didit API.
    pub(crate) didit: D,
}

/// What is served on the two listeners of ours; the sandbox serves the third.
pub(crate) struct Stack<D> {
    pub(crate) mcp: McpService<DiditTools<D, ActingAs>>,
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
    // Until they have expired, and one second for those that were issued in the same one.
    let longest = settings
        .access_token_life
        .saturating_add(Duration::from_secs(1));
    let revocations = Arc::new(Revocations::new(longest));
    // What was revoked before the last stop is not known here. Tokens of this very second are fresh ones.
    let before = outside.clock.now().0.saturating_sub(1);
    revocations.refuse_issued_until(UnixSeconds(before));
    let downloads = Arc::new(Tickets::new(
        resource.origin(),
        Arc::clone(&outside.clock),
        Arc::clone(&outside.entropy),
    ));
    let didit = didit::tools(at, outside.didit, sandbox, &outside.clock, &outside.entropy)?
        .with_downloads(Arc::clone(&downloads) as Arc<dyn Downloads>);
    let nonces = |settings: &Settings| {
        let mut secret = [0; 32];
        outside.entropy.fill(&mut secret);
        settings.dpop_nonces.then(|| Nonces::new(secret))
    };
    let mcp = protect::protected(
        Protection {
            resource: resource.clone(),
            issuer: TrustedIssuer::new(issuer.clone()),
            // Issuer and resource are one process with one clock.
            skew: Duration::ZERO,
            source: KeySnapshot::new(issuer.clone(), keys).fixed(),
            clock: Arc::clone(&outside.clock),
            revocations: Arc::clone(&revocations),
            verified: outside.verified,
            nonces: nonces(&settings).map(Arc::new),
        },
        didit,
        Options::default(),
        Pages {
            downloads: Some(downloads),
            ..Pages::default()
        },
    )?;

    let auth = issuer::service(
        issuer::Parts {
            issuer,
            resource,
            nonces: nonces(&settings),
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
    Ok(Stack { mcp, auth })
}
