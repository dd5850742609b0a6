//! How to become a client of an authorization server, in MCP's order.

use super::FlowFailed;
use super::machine::Flow;
use super::state::{Found, State};
use crate::client::exchange::{Client, ExchangeFailed};
use crate::metadata::client::AuthMethod;
use crate::metadata::server::ServerMetadata;

impl Flow {
    // MCP 2026-07-28: registered beforehand, then by document, then dynamically, then ask the person.
    pub(super) fn choose_client(&mut self, found: Found) -> State {
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
}
