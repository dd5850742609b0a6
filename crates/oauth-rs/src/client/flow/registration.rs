//! How to become a client of an authorization server, in MCP's order.

use std::sync::Arc;

use http::{Request, Response};

use super::machine::Flow;
use super::state::{Found, State};
use super::{FlowFailed, Registration, StoredGrant};
use crate::client::auth::{Client, ClientAuth};
use crate::client::register;
use crate::metadata::client::ClientMetadata;
use crate::metadata::server::ServerMetadata;
use crate::uri::Issuer;

impl Flow {
    pub(super) fn register_request(&self, found: &Found) -> Result<Request<Vec<u8>>, FlowFailed> {
        let endpoint = found.server.registration_endpoint.as_deref();
        let endpoint = endpoint.ok_or(FlowFailed::NoEndpoint("registration_endpoint"))?;
        let name = &self.options.client_name;
        let metadata = ClientMetadata::native(name, vec![self.options.redirect_uri.clone()]);
        register::request(endpoint, &metadata, None).map_err(FlowFailed::Registration)
    }

    pub(super) fn registration_answered(found: Box<Found>, response: &Response<Vec<u8>>) -> State {
        let endpoint = found.server.registration_endpoint.as_deref();
        let registered = register::response(response, endpoint.unwrap_or_default());
        match registered.and_then(|own| Ok(register::client(&own, None)?)) {
            Ok(client) => State::Prepare(found, client),
            Err(reason) => State::Failed(FlowFailed::Registration(reason)),
        }
    }

    // MCP 2026-07-28: registered beforehand, then by document, then dynamically, then ask the person.
    pub(super) fn choose_client(&mut self, found: Found) -> State {
        // Nobody has to register in vain.
        if let Err(reason) = self.key_for(&found) {
            return State::Failed(reason);
        }
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
            let client = self.registered(client_id, &found.server);
            return prepared(found, client);
        }
        let document = self.options.client_id_document.as_ref();
        if let Some(url) = document.filter(|_| found.server.client_id_metadata_document_supported) {
            let client = self.documented(url, &found.server);
            return prepared(found, client);
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
        found.map(|own| self.with_client_key(own.client.clone()))
    }

    /// Gives a client that was read back without its private key that key again.
    pub(super) fn with_client_key(&self, mut client: Client) -> Client {
        if let (ClientAuth::KeyAbsent, Some(key)) = (&client.auth, &self.options.client_key) {
            client.auth = ClientAuth::PrivateKeyJwt(Arc::clone(key));
        }
        client
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

    /// The client that was registered beforehand, with what it proves itself by if it has that.
    fn registered(&self, client_id: &str, server: &ServerMetadata) -> Result<Client, FlowFailed> {
        let auth = match (&self.options.client_key, &self.options.client_secret) {
            (Some(key), _) => ClientAuth::with_key(Arc::clone(key), server),
            (None, Some(_)) if self.options.client_id_issuer.is_none() => {
                return Err(FlowFailed::UnboundSecret);
            }
            (None, Some(secret)) => ClientAuth::with_secret(secret.clone(), server),
            (None, None) => Ok(ClientAuth::None),
        };
        Ok(Client {
            client_id: client_id.to_owned(),
            auth: auth.map_err(|reason| FlowFailed::Authorization(reason.into()))?,
        })
    }

    /// The client that our document describes: confidential if there is a key.
    fn documented(&self, url: &str, server: &ServerMetadata) -> Result<Client, FlowFailed> {
        let auth = match &self.options.client_key {
            Some(key) => ClientAuth::with_key(Arc::clone(key), server),
            None => Ok(ClientAuth::None),
        };
        Ok(Client {
            client_id: url.to_owned(),
            auth: auth.map_err(|reason| FlowFailed::Authorization(reason.into()))?,
        })
    }
}

fn prepared(found: Found, client: Result<Client, FlowFailed>) -> State {
    match client {
        Ok(client) => State::Prepare(Box::new(found), client),
        Err(reason) => State::Failed(reason),
    }
}
