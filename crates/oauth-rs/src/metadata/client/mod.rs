//! The metadata of a client: one reader for registration (RFC 7591) and for client ID documents.

mod auth_method;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use thiserror::Error;

pub use self::auth_method::AuthMethod;
use super::plain_text::{is_odd, is_short};
use super::{MAX_METADATA_BYTES, MAX_NAME_CHARS, MAX_TEXT_BYTES};
use crate::error_code::ErrorCode;
use crate::jose::{JwkSet, UnusableKey};
use crate::json;
use crate::scope::ScopeSet;
use crate::uri::{RedirectUri, is_endpoint};

/// The most redirect addresses of one client.
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
    /// Whom to ask about it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// Which software it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
}

/// The members as sent; `null` counts as absent (RFC 7592 section 2.2).
#[derive(Deserialize)]
struct Raw {
    client_id: Option<String>,
    client_name: Option<String>,
    redirect_uris: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    scope: Option<String>,
    application_type: Option<String>,
    client_uri: Option<String>,
    logo_uri: Option<String>,
    tos_uri: Option<String>,
    policy_uri: Option<String>,
    jwks_uri: Option<String>,
    contacts: Option<Vec<String>>,
    software_id: Option<String>,
    software_version: Option<String>,
    #[serde(default, deserialize_with = "json::not_null")]
    jwks: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "json::present")]
    client_secret: bool,
    #[serde(default, deserialize_with = "json::present")]
    client_secret_expires_at: bool,
}

impl ClientMetadata {
    /// A public native client of the code and refresh grants, which is what a command line is.
    pub fn native(client_name: &str, redirect_uris: Vec<RedirectUri>) -> Self {
        Self {
            client_id: None,
            client_name: Some(client_name.to_owned()),
            redirect_uris,
            token_endpoint_auth_method: AuthMethod::None,
            grant_types: vec!["authorization_code".into(), "refresh_token".into()],
            response_types: vec!["code".into()],
            scope: None,
            application_type: Some("native".into()),
            client_uri: None,
            logo_uri: None,
            tos_uri: None,
            policy_uri: None,
            jwks_uri: None,
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
        }
    }

    /// Reads the body of a registration request.
    ///
    /// It decides, in this order: length; an object without repeated members; redirect addresses,
    /// up to 16 and each by [`RedirectUri::parse`]; a known authentication method, by default
    /// `client_secret_basic`; grant and response types that agree; names and texts of bounded length
    /// without characters that steer or hide text; addresses of web pages; scope; `jwks` or
    /// `jwks_uri` but not both, and nothing private in `jwks`.
    /// Unknown members are ignored, and so is a `client_id` that the client would like to have.
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
    /// Does not check: that the client is who it says, or that its grants are wanted here.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse_registration(bytes: &[u8]) -> Result<Self, InvalidClientMetadata> {
        let mut raw = read(bytes)?;
        raw.client_id = None;
        // RFC 7591 section 2: if omitted, the default is "client_secret_basic".
        build(raw, AuthMethod::ClientSecretBasic)
    }

    /// Reads the client ID metadata document that was fetched from `url`.
    ///
    /// Beyond what [`ClientMetadata::parse_registration`] decides: `client_id` is `url` exactly, a
    /// name and at least one redirect address are there, and nothing in it rests on a shared secret.
    /// Without an authentication method the client is public.
    ///
    /// Does not check: the address itself, or how it was fetched.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse_document(bytes: &[u8], url: &str) -> Result<Self, InvalidClientMetadata> {
        let raw = read(bytes)?;
        // Client ID metadata document, section 4: client_id MUST be the address by string comparison.
        if raw.client_id.as_deref() != Some(url) {
            return Err(bad("client_id", "is not the address of the document"));
        }
        // MCP 2026-07-28: the document MUST have a name and redirect addresses.
        if raw
            .client_name
            .as_deref()
            .is_none_or(|name| name.trim().is_empty())
        {
            return Err(bad("client_name", "is required in a document"));
        }
        if raw.redirect_uris.as_ref().is_none_or(Vec::is_empty) {
            return Err(bad_redirect("is required in a document".into()));
        }
        // Client ID metadata document, section 4: no method by a shared secret, and no secret.
        if raw.client_secret {
            return Err(bad("client_secret", "must not be in a document"));
        }
        if raw.client_secret_expires_at {
            return Err(bad("client_secret_expires_at", "must not be in a document"));
        }
        if raw
            .token_endpoint_auth_method
            .as_deref()
            .is_some_and(|m| m.starts_with("client_secret"))
        {
            return Err(bad(
                "token_endpoint_auth_method",
                "must not rest on a shared secret",
            ));
        }
        build(raw, AuthMethod::None)
    }
}

fn read(bytes: &[u8]) -> Result<Raw, InvalidClientMetadata> {
    if bytes.len() > MAX_METADATA_BYTES {
        return Err(bad("document", "is too long"));
    }
    json::object(bytes).map_err(|_| {
        bad(
            "document",
            "is not a JSON object with members of the right types, each once",
        )
    })
}

fn build(raw: Raw, default: AuthMethod) -> Result<ClientMetadata, InvalidClientMetadata> {
    let redirect_uris = redirects(&raw.redirect_uris.unwrap_or_default())?;
    let token_endpoint_auth_method = match &raw.token_endpoint_auth_method {
        None => default,
        Some(name) => AuthMethod::parse(name)
            .ok_or_else(|| bad("token_endpoint_auth_method", "is not a method known here"))?,
    };
    let (grant_types, response_types) = types(raw.grant_types, raw.response_types)?;
    // RFC 7591 section 2: redirect based flows MUST register redirect addresses.
    if redirect_uris.is_empty()
        && grant_types
            .iter()
            .any(|grant| grant == "authorization_code")
    {
        return Err(bad_redirect("at least one is required".into()));
    }
    // RFC 7591 section 2: jwks_uri and jwks MUST NOT both be present.
    if raw.jwks.is_some() && raw.jwks_uri.is_some() {
        return Err(bad("jwks", "cannot be given together with jwks_uri"));
    }
    if let Some(jwks) = &raw.jwks {
        check_keys(jwks)?;
    }
    let scope = match raw.scope.as_deref() {
        None | Some("") => None,
        Some(text) => Some(ScopeSet::parse(text).map_err(|e| bad("scope", &e.to_string()))?),
    };
    if raw
        .application_type
        .as_deref()
        .is_some_and(|kind| !matches!(kind, "native" | "web"))
    {
        return Err(bad("application_type", "is neither native nor web"));
    }
    let contacts = raw.contacts.unwrap_or_default();
    if contacts.len() > MAX_ENTRIES {
        return Err(bad("contacts", "has too many entries"));
    }
    let contacts = contacts
        .into_iter()
        .map(|entry| text("contacts", entry))
        .collect::<Result<_, _>>()?;
    Ok(ClientMetadata {
        client_id: raw.client_id,
        client_name: raw
            .client_name
            .map(|name| text("client_name", name))
            .transpose()?,
        redirect_uris,
        token_endpoint_auth_method,
        grant_types,
        response_types,
        scope,
        application_type: raw.application_type,
        client_uri: page("client_uri", raw.client_uri)?,
        logo_uri: page("logo_uri", raw.logo_uri)?,
        tos_uri: page("tos_uri", raw.tos_uri)?,
        policy_uri: page("policy_uri", raw.policy_uri)?,
        jwks_uri: page("jwks_uri", raw.jwks_uri)?,
        contacts,
        software_id: raw
            .software_id
            .map(|id| text("software_id", id))
            .transpose()?,
        software_version: raw
            .software_version
            .map(|v| text("software_version", v))
            .transpose()?,
    })
}

fn check_keys(jwks: &RawValue) -> Result<(), InvalidClientMetadata> {
    let keys = JwkSet::parse(jwks.get().as_bytes()).map_err(|e| bad("jwks", &e.to_string()))?;
    // RFC 7517 section 9.2, client ID metadata document, section 4: a published key that is not
    // public is everybody's key.
    let private = |skipped: &UnusableKey| *skipped == UnusableKey::Private;
    if keys.skipped().iter().any(|key| private(&key.reason)) {
        return Err(bad("jwks", "holds private or symmetric key material"));
    }
    Ok(())
}

fn redirects(texts: &[String]) -> Result<Vec<RedirectUri>, InvalidClientMetadata> {
    if texts.len() > MAX_REDIRECT_URIS {
        return Err(bad_redirect(format!(
            "more than {MAX_REDIRECT_URIS} addresses"
        )));
    }
    texts
        .iter()
        .map(|text| RedirectUri::parse(text).map_err(|e| bad_redirect(e.to_string())))
        .collect()
}

/// Grant types and response types that agree; if one is absent, it follows from the other.
fn types(
    grants: Option<Vec<String>>,
    responses: Option<Vec<String>>,
) -> Result<(Vec<String>, Vec<String>), InvalidClientMetadata> {
    const CODE_GRANT: &str = "authorization_code";
    let has = |list: &[String], entry: &str| list.iter().any(|own| own == entry);
    let one = |entry: &str, wanted: bool| {
        if wanted {
            vec![entry.to_owned()]
        } else {
            Vec::new()
        }
    };
    let (grants, responses) = match (grants, responses) {
        (None, None) => (one(CODE_GRANT, true), one("code", true)),
        (Some(grants), None) => {
            let responses = one("code", has(&grants, CODE_GRANT));
            (grants, responses)
        }
        (None, Some(responses)) => (one(CODE_GRANT, has(&responses, "code")), responses),
        (Some(grants), Some(responses)) => (grants, responses),
    };
    for (field, list) in [("grant_types", &grants), ("response_types", &responses)] {
        if list.len() > MAX_ENTRIES || list.iter().any(|entry| entry.len() > MAX_NAME_CHARS) {
            return Err(bad(field, "is too long"));
        }
    }
    // RFC 7591 section 2.1: authorization_code goes with code, and code with authorization_code.
    if has(&grants, CODE_GRANT) != has(&responses, "code") {
        return Err(bad(
            "grant_types",
            "authorization_code and the response type code go together",
        ));
    }
    Ok((grants, responses))
}

/// Text that is shown to people.
fn text(field: &'static str, text: String) -> Result<String, InvalidClientMetadata> {
    if !is_short(&text) {
        return Err(bad(field, "is too long"));
    }
    if text.chars().any(is_odd) {
        return Err(bad(
            field,
            "holds a control character, a direction override or an invisible character",
        ));
    }
    Ok(text)
}

fn page(field: &'static str, url: Option<String>) -> Result<Option<String>, InvalidClientMetadata> {
    match url {
        Some(url) if url.len() > MAX_TEXT_BYTES || !is_endpoint(&url) => Err(bad(
            field,
            "is neither an https nor a loopback http address",
        )),
        url => Ok(url),
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
