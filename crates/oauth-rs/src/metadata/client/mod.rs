//! The metadata of a client: one reader for registration (RFC 7591), its management (RFC 7592) and client ID documents.

mod auth_method;
mod keys;
mod negotiate;
mod read;
mod registration;
#[cfg(test)]
mod tests;

use serde::{Serialize, Serializer};
use thiserror::Error;

pub use self::auth_method::AuthMethod;
pub use self::keys::PublishedKeys;
pub use self::negotiate::Offer;
pub use self::registration::{InvalidRegistration, Management, Registration};
use super::MAX_NAME_CHARS;
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;
use crate::uri::RedirectUri;

/// The most redirect addresses of one client; the longest list in the field has nine.
pub const MAX_REDIRECT_URIS: usize = 16;
/// The most entries in each other list.
pub const MAX_ENTRIES: usize = 16;

/// Why client metadata was refused: the code for the answer, the member, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct InvalidClientMetadata {
    /// The code to answer with: `invalid_redirect_uri` or `invalid_client_metadata`.
    pub code: ErrorCode,
    /// The member that was refused, or `document` for the whole.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

/// The metadata of a client, as far as this family of crates uses it.
///
/// Written, absent members, empty lists of choice and false flags are left out.
/// Read, a member with the value `null` counts as absent, and unknown members are ignored; so are, on
/// purpose, variants in other languages (`name#lang`) and `software_statement`, which whoever issues
/// client identifiers by it reads before.
///
/// Specification: RFC 7591 section 2, OpenID Connect Dynamic Client Registration section 2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientMetadata {
    /// The identifier: in a document its own address, in a registration what the server chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The name for people, as the client claims it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// Where a browser may be sent back to.
    #[serde(serialize_with = "as_texts")]
    pub redirect_uris: Vec<RedirectUri>,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// How else it could, the best first (OpenID Connect Relying Party Metadata Choices).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    /// With which algorithm it signs its assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// The grant types it uses.
    pub grant_types: Vec<String>,
    /// The response types it uses.
    pub response_types: Vec<String>,
    /// The scopes it may ask for.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_scope")]
    pub scope: Option<ScopeSet>,
    /// `native` or `web`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_type: Option<String>,
    /// Its home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its logo; not to be hot-linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Its policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Where its public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// Its public keys themselves; never together with `jwks_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<PublishedKeys>,
    /// Whom to ask about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Which software it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// RFC 8705: what its certificate says, for `tls_client_auth`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub certificate_subject: Option<CertificateSubject>,
    /// RFC 8705: its access tokens are bound to its certificate.
    #[serde(skip_serializing_if = "super::document::is_false")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 9126: it pushes every authorization request.
    #[serde(skip_serializing_if = "super::document::is_false")]
    pub require_pushed_authorization_requests: bool,
    /// RFC 9449: it asks for no token without a proof.
    #[serde(skip_serializing_if = "super::document::is_false")]
    pub dpop_bound_access_tokens: bool,
}

/// The one thing in a certificate by which a client is known.
///
/// Does not check: the grammar of the value, which whoever compares it with a certificate does.
///
/// Specification: RFC 8705 section 2.1.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum CertificateSubject {
    /// The whole subject, as RFC 4514 writes it.
    #[serde(rename = "tls_client_auth_subject_dn")]
    DistinguishedName(String),
    /// A domain name.
    #[serde(rename = "tls_client_auth_san_dns")]
    Dns(String),
    /// A URI.
    #[serde(rename = "tls_client_auth_san_uri")]
    Uri(String),
    /// An IP address.
    #[serde(rename = "tls_client_auth_san_ip")]
    Ip(String),
    /// A mail address.
    #[serde(rename = "tls_client_auth_san_email")]
    Email(String),
}

impl ClientMetadata {
    /// A public native client of the code and refresh grants, which is what a command line is.
    pub fn native(client_name: &str, redirect_uris: Vec<RedirectUri>) -> Self {
        Self {
            client_id: None,
            client_name: Some(client_name.to_owned()),
            redirect_uris,
            token_endpoint_auth_method: AuthMethod::None,
            token_endpoint_auth_methods_supported: Vec::new(),
            token_endpoint_auth_signing_alg: None,
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            response_types: vec!["code".into()],
            scope: None,
            application_type: Some("native".into()),
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            jwks_uri: None,
            jwks: None,
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
            certificate_subject: None,
            tls_client_certificate_bound_access_tokens: false,
            require_pushed_authorization_requests: false,
            dpop_bound_access_tokens: false,
        }
    }

    /// Reads the body of a registration request.
    ///
    /// It decides, in this order: length; an object without repeated members; the types of the
    /// members; redirect addresses, up to 16 and each by [`RedirectUri::parse`]; `jwks` or `jwks_uri`
    /// but not both, and nothing private in `jwks`; a known authentication method, by default
    /// `client_secret_basic`, with what it rests on; grant and response types that agree; scope;
    /// names and texts of bounded length without characters that steer or hide text; addresses of
    /// web pages.
    /// A `client_id` that the client would like to have is ignored.
    ///
    /// ```
    /// use oauth_rs::error_code::ErrorCode;
    /// use oauth_rs::metadata::client::{AuthMethod, ClientMetadata};
    ///
    /// let body = br#"{"redirect_uris":["http://127.0.0.1/cb"],"token_endpoint_auth_method":"none"}"#;
    /// let client = ClientMetadata::parse_registration(body)?;
    /// assert_eq!(client.token_endpoint_auth_method, AuthMethod::None);
    /// assert_eq!(client.grant_types, ["authorization_code"]);
    ///
    /// let body = br#"{"redirect_uris":["javascript:alert(1)"]}"#;
    /// let refused = ClientMetadata::parse_registration(body).unwrap_err();
    /// assert_eq!(refused.code, ErrorCode::InvalidRedirectUri);
    /// # Ok::<(), oauth_rs::metadata::client::InvalidClientMetadata>(())
    /// ```
    ///
    /// Does not check: that the client is who it says, or that its grants are wanted here; the
    /// latter is [`ClientMetadata::negotiate`]. Nor where its addresses lead: `jwks_uri` and
    /// `logo_uri` may name what listens on the machine of whoever fetches them.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse_registration(bytes: &[u8]) -> Result<Self, InvalidClientMetadata> {
        read::registration(bytes)
    }

    /// Reads the client ID metadata document that was fetched from `url`.
    ///
    /// Beyond what [`ClientMetadata::parse_registration`] decides: `client_id` is `url` exactly, a
    /// name and at least one redirect address are there, nothing in it rests on a shared secret, and
    /// nothing is in it that only a server gives.
    /// Addresses on loopback are those of a document that is itself there.
    /// Without an authentication method the client is public.
    ///
    /// Does not check: the address itself, which is a [`ClientIdUrl`](crate::uri::ClientIdUrl), or how it was fetched.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse_document(bytes: &[u8], url: &str) -> Result<Self, InvalidClientMetadata> {
        read::document(bytes, url)
    }

    /// Reads the body of a request that replaces the registration of `client_id`.
    ///
    /// Beyond what [`ClientMetadata::parse_registration`] decides: `client_id` is that of the client;
    /// nothing is in it that only a server gives; a secret, if there is one, is the present one,
    /// which `is_secret` says, in constant time.
    /// What is left out or `null` has its default again.
    ///
    /// Does not check: who asks, which is the business of the registration access token.
    ///
    /// # Errors
    /// The first rule that does not hold.
    ///
    /// Specification: RFC 7592 section 2.2.
    pub fn parse_update(
        bytes: &[u8],
        client_id: &str,
        is_secret: impl FnOnce(&str) -> bool,
    ) -> Result<Self, InvalidClientMetadata> {
        read::update(bytes, client_id, is_secret)
    }

    /// The body of a request that replaces a registration with this.
    ///
    /// # Errors
    /// None that input can cause; whether this can be written as JSON at all is for `serde_json` to say.
    ///
    /// Specification: RFC 7592 section 2.2.
    pub fn to_update(&self, registration: &Registration) -> Result<Vec<u8>, serde_json::Error> {
        registration::update(self, registration)
    }
}

fn bad(field: &'static str, why: &str) -> InvalidClientMetadata {
    InvalidClientMetadata {
        code: ErrorCode::InvalidClientMetadata,
        field,
        why: why.to_owned(),
    }
}

fn bad_redirect(why: String) -> InvalidClientMetadata {
    InvalidClientMetadata {
        code: ErrorCode::InvalidRedirectUri,
        field: "redirect_uris",
        why,
    }
}

fn as_texts<S: Serializer>(uris: &[RedirectUri], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(uris.iter().map(RedirectUri::as_str))
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn as_scope<S: Serializer>(scope: &Option<ScopeSet>, serializer: S) -> Result<S::Ok, S::Error> {
    scope
        .as_ref()
        .map(ToString::to_string)
        .serialize(serializer)
}
