//! The metadata document (RFC 8414) and the key set.

use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::PublicJwkSet;
use oauth_rs::metadata::client::{AuthMethod, ClientMetadata, InvalidClientMetadata, Offer};
use oauth_rs::metadata::server::ServerMetadata;
use oauth_rs::scope::ScopeSet;

use crate::config::Config;

/// Where the endpoints are, under the issuer.
pub(crate) mod path {
    pub(crate) const METADATA: &str = "/.well-known/oauth-authorization-server";
    pub(crate) const OPENID: &str = "/.well-known/openid-configuration";
    pub(crate) const JWKS: &str = "/jwks";
    pub(crate) const REGISTER: &str = "/register";
    pub(crate) const AUTHORIZE: &str = "/authorize";
    pub(crate) const SIGN_IN: &str = "/sign-in";
    pub(crate) const CONSENT: &str = "/consent";
    pub(crate) const TOKEN: &str = "/token";
    pub(crate) const REVOKE: &str = "/revoke";
}

/// What clients are offered; what they would like beyond it is left out.
pub(crate) const fn offer(scopes: &ScopeSet) -> Offer<'_> {
    Offer {
        auth_methods: &[AuthMethod::None],
        grant_types: &["authorization_code", "refresh_token"],
        response_types: &["code"],
        scopes,
    }
}

/// The address of an endpoint, as clients know it.
pub(crate) fn address(config: &Config, path: &str) -> String {
    format!("{}{path}", config.issuer.as_str().trim_end_matches('/'))
}

/// Whether a client can be served that takes bound tokens only.
// RFC 9449 section 5.2: such a client gets no other token, and here there are none.
pub(crate) fn can_bind(
    config: &Config,
    client: &ClientMetadata,
) -> Result<(), InvalidClientMetadata> {
    if client.dpop_bound_access_tokens && config.dpop.is_none() {
        return Err(InvalidClientMetadata {
            code: ErrorCode::InvalidClientMetadata,
            field: "dpop_bound_access_tokens",
            why: "no tokens are bound to keys here".to_owned(),
        });
    }
    Ok(())
}

/// What this server offers: what is wired, and nothing else.
pub(crate) fn document(config: &Config, documents: bool) -> ServerMetadata {
    let issuer = config.issuer.as_str();
    let at = |path: &str| Some(address(config, path));
    let list = |items: &[&str]| {
        items
            .iter()
            .map(|&item| item.to_owned())
            .collect::<Vec<_>>()
    };
    let scopes = config.scopes();
    let offer = offer(&scopes);
    let methods: Vec<&str> = offer.auth_methods.iter().map(|m| m.as_str()).collect();
    ServerMetadata {
        // RFC 8414 section 3.3: identical to the issuer that the address was made from.
        issuer: issuer.to_owned(),
        authorization_endpoint: at(path::AUTHORIZE),
        token_endpoint: at(path::TOKEN),
        jwks_uri: at(path::JWKS),
        registration_endpoint: at(path::REGISTER).filter(|_| config.registration),
        revocation_endpoint: at(path::REVOKE),
        scopes_supported: scopes.iter().map(str::to_owned).collect(),
        response_types_supported: list(offer.response_types),
        response_modes_supported: list(&["query"]),
        grant_types_supported: list(offer.grant_types),
        token_endpoint_auth_methods_supported: list(&methods),
        revocation_endpoint_auth_methods_supported: list(&methods),
        code_challenge_methods_supported: list(&["S256"]),
        // RFC 9449 section 5.1: with which algorithms a proof may be signed.
        dpop_signing_alg_values_supported: proof_algorithms(config),
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: documents,
        protected_resources: config
            .resources
            .iter()
            .map(|resource| resource.id.as_str().to_owned())
            .collect(),
        ..ServerMetadata::default()
    }
}

fn proof_algorithms(config: &Config) -> Vec<String> {
    let algorithms = config.dpop.iter().flat_map(|rules| rules.algorithms.iter());
    algorithms.map(|alg| alg.as_str().to_owned()).collect()
}

/// The keys that access tokens are verified with.
pub(crate) fn keys(config: &Config) -> PublicJwkSet {
    PublicJwkSet {
        keys: vec![config.keys.signing.public_jwk().clone()],
    }
}
