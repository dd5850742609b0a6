//! How to become a client of an authorization server, in MCP's order.

use super::machine::Flow;
use super::state::{Found, State};
use super::{FlowFailed, Registration, StoredGrant};
use crate::client::auth::{Client, ClientAuth};
use crate::metadata::server::ServerMetadata;
use crate::uri::Issuer;

impl Flow {
    // MCP 2026-07-28: registered beforehand, then by document, then dynamically, then ask the person.
    pub(super) fn choose_client(&mut self, found: Found) -> State {
        // MCP 2026-07-28: an identifier belongs to the issuer that gave it.
        if let Some(bound) = self.bound_issuer()
            && *bound != found.issuer
        {
            return State::Failed(FlowFailed::OtherIssuer {
                expected: bound.to_string(),
                found: found.issuer.to_string(),
            });
        }
        if let Some(client_id) = &self.options.client_id {
            return match self.registered(client_id, &found.server) {
                Ok(client) => State::Prepare(Box::new(found), client),
                Err(reason) => State::Failed(reason),
            };
        }
        let document = self.options.client_id_document.as_ref();
        if let Some(url) = document.filter(|_| found.server.client_id_metadata_document_supported) {
            return State::Prepare(Box::new(found), Client::public(url));
        }
        if let Some(client) = self.registered_at(&found.issuer) {
            return State::Prepare(Box::new(found), client);
        }
        if found.server.registration_endpoint.is_some() {
            return State::Register(Box::new(found));
        }
        State::Failed(FlowFailed::NoRegistration {
            issuer: found.issuer.to_string(),
            documents: found.server.client_id_metadata_document_supported,
        })
    }

    /// Where the identifier that was given belongs, if that was said.
    pub(super) fn bound_issuer(&self) -> Option<&Issuer> {
        self.options
            .client_id
            .as_ref()
            .and(self.options.client_id_issuer.as_ref())
    }

    /// Whether there is anything from this issuer.
    pub(super) fn knows(&self, issuer: &Issuer) -> bool {
        self.last_issuer.as_ref() == Some(issuer) || self.registered_at(issuer).is_some()
    }

    // MCP 2026-07-28: what one issuer gave is of no use at another, and never shown to it.
    fn registered_at(&self, issuer: &Issuer) -> Option<Client> {
        let usable = |own: &&Registration| {
            own.issuer == *issuer
                && own
                    .redirect_uri
                    .same_but_loopback_port(&self.options.redirect_uri)
        };
        let found = self.options.registrations.iter().find(usable);
        found.map(|own| own.client.clone())
    }

    /// Keeps who we are at the issuer of a grant, before anything else that is known of it.
    pub(super) fn keep_registration(&mut self, grant: &StoredGrant) {
        self.forget_registration(grant);
        self.options.registrations.insert(0, grant.into());
    }

    /// Forgets who we are at the issuer of a grant.
    pub(super) fn forget_registration(&mut self, grant: &StoredGrant) {
        self.options.registrations.retain(|own| {
            own.issuer != grant.issuer || own.client.client_id != grant.client.client_id
        });
    }

    /// The client that was registered beforehand, with its secret if it has one.
    pub(super) fn registered(
        &self,
        client_id: &str,
        server: &ServerMetadata,
    ) -> Result<Client, FlowFailed> {
        let Some(secret) = &self.options.client_secret else {
            return Ok(Client::public(client_id));
        };
        if self.options.client_id_issuer.is_none() {
            return Err(FlowFailed::UnboundSecret);
        }
        let auth = ClientAuth::with_secret(secret.clone(), server)
            .map_err(|reason| FlowFailed::Authorization(reason.into()))?;
        Ok(Client {
            client_id: client_id.to_owned(),
            auth,
        })
    }
}
