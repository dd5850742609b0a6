//! What a server makes of what a client would like.

use super::read::{REDIRECTING, needs};
use super::{AuthMethod, ClientMetadata, InvalidClientMetadata, bad};
use crate::scope::ScopeSet;

/// What a server offers its clients.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The ways to authenticate.
    pub auth_methods: &'a [AuthMethod],
    /// The grant types.
    pub grant_types: &'a [&'a str],
    /// The response types.
    pub response_types: &'a [&'a str],
    /// The scopes.
    pub scopes: &'a ScopeSet,
}

impl ClientMetadata {
    /// Takes away what the server does not offer, which is what real documents and registrations
    /// need: they name everything that their software can do.
    ///
    /// It decides, in this order: the method to authenticate, if it is offered and has what it
    /// rests on, else the first such of the client's others; the grants and the response types that
    /// are offered and go together, at least one grant; the scopes that are offered.
    ///
    /// # Errors
    /// No method, or no grant, is left.
    ///
    /// Specification: RFC 7591 section 2 and section 3.2.1; client ID metadata document, section 6.
    pub fn negotiate(mut self, offer: &Offer<'_>) -> Result<Self, InvalidClientMetadata> {
        let preferred = [self.token_endpoint_auth_method];
        let others = self.token_endpoint_auth_methods_supported.iter();
        let method = preferred
            .iter()
            .chain(others)
            .copied()
            .find(|method| offer.auth_methods.contains(method) && self.can(*method));
        let Some(method) = method else {
            let offered: Vec<&str> = offer.auth_methods.iter().map(|m| m.as_str()).collect();
            let why = format!("is not offered: use {}", offered.join(" or "));
            return Err(bad("token_endpoint_auth_method", &why));
        };
        self.token_endpoint_auth_method = method;
        self.token_endpoint_auth_methods_supported.clear();
        self.grant_types
            .retain(|grant| offer.grant_types.contains(&grant.as_str()));
        // RFC 7591 section 2.1: a response type without its grants has no use, nor the other way round.
        let grants = self.grant_types.clone();
        self.response_types.retain(|kind| {
            let one = std::slice::from_ref(kind);
            let lacks = |grant: &str| needs(one, grant) && !grants.iter().any(|own| own == grant);
            offer.response_types.contains(&kind.as_str()) && !REDIRECTING.into_iter().any(lacks)
        });
        self.grant_types.retain(|grant| {
            !REDIRECTING.contains(&grant.as_str()) || needs(&self.response_types, grant)
        });
        if self.grant_types.is_empty() {
            let (grants, kinds) = (
                offer.grant_types.join(", "),
                offer.response_types.join(", "),
            );
            let why = format!("holds none of {grants}, or not with a response type of {kinds}");
            return Err(bad("grant_types", &why));
        }
        // RFC 7591 section 2: scope is what the client can use; what is not offered it cannot.
        let scope = self.scope.map(|scope| scope.intersection(offer.scopes));
        self.scope = scope.filter(|scope| !scope.is_empty());
        Ok(self)
    }

    /// Whether what the method rests on was given.
    fn can(&self, method: AuthMethod) -> bool {
        match method {
            AuthMethod::TlsClientAuth => self.certificate_subject.is_some(),
            method if method.needs_published_key() => {
                self.jwks.is_some() || self.jwks_uri.is_some()
            }
            _ => true,
        }
    }
}
