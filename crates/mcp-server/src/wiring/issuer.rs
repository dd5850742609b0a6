//! The authorization server, its people and its events.

use std::error::Error;
use std::sync::Arc;

use oauth_rs::entropy::Entropy;
use oauth_rs::hash::HashKey;
use oauth_rs::time::Clock;
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::document::ClientDocuments;
use oauth_server::event::{Event, Events};
use oauth_server::identity::{DangerousPicker, Person};
use oauth_server::router::Service;
use oauth_server::store::Store;
use oauth_server::{Config, Keys, Lifetimes, Resource, Scope, Seams, Server};

use resource_guard::revocation::Withdrawn;
use resource_guard::{Nonces, Revocations};

use super::{SCOPES, Secrets, Settings};

/// What the authorization server is made of.
pub(super) struct Parts {
    pub(super) issuer: Issuer,
    pub(super) resource: ResourceId,
    pub(super) settings: Settings,
    pub(super) secrets: Secrets,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) documents: Option<Arc<dyn ClientDocuments>>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) nonces: Option<Nonces>,
}

/// The service, with a picker of the sandbox's people instead of passwords.
pub(super) fn service(
    parts: Parts,
    people: Vec<didit_sandbox::Person>,
) -> Result<Service, Box<dyn Error>> {
    let scopes = SCOPES.iter().map(|scope| Scope {
        name: scope.name.to_owned(),
        title: scope.title.to_owned(),
        description: scope.description.to_owned(),
    });
    let resource = Resource {
        id: parts.resource,
        name: "Didit".to_owned(),
        scopes: scopes.collect(),
    };
    let keys = Keys {
        signing: parts.secrets.signing,
        hash: HashKey::new(parts.secrets.hash),
    };
    // `dev` is loopback only, and the documents of clients on this machine are there, too.
    let mut config =
        Config::new(parts.issuer, keys, resource)?.dangerous_allow_loopback_documents();
    config.lifetimes = Lifetimes {
        access_token: parts.settings.access_token_life,
        ..Lifetimes::default()
    };
    if let Some(nonces) = parts.nonces {
        config = config.dpop_nonces(nonces);
    }
    if let Some(person) = parts.settings.auto_consent {
        config = config.dangerous_auto_consent(person);
    }
    let people = people.into_iter().map(|person| Person {
        id: person.id,
        name: person.name,
        details: vec![person.role, person.email],
    });
    let told = Told {
        issuer: config.issuer().clone(),
        revocations: parts.revocations,
        clock: Arc::clone(&parts.clock),
    };
    let seams = Seams {
        store: parts.store,
        identity: Arc::new(DangerousPicker::new(people)),
        documents: parts.documents,
        events: Arc::new(told),
        clock: parts.clock,
        entropy: parts.entropy,
    };
    Ok(Service::new(Arc::new(Server::new(config, seams))))
}

/// Logs what happened, and tells the guard in this process what was revoked.
struct Told {
    issuer: Issuer,
    revocations: Arc<Revocations>,
    clock: Arc<dyn Clock>,
}

impl Events for Told {
    fn record(&self, event: &Event) {
        tracing::info!(?event, "authorization server");
        let withdrawn = match event {
            Event::GrantRevoked { grant_id, .. } => Withdrawn::Grant(grant_id),
            Event::AccessTokenRevoked { jti, .. } => Withdrawn::Token(jti),
            _ => return,
        };
        let now = self.clock.now();
        self.revocations.revoke(&self.issuer, withdrawn, now);
    }
}
