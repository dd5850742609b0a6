//! What a server answers to a registration, and the requests that manage it (RFC 7591, RFC 7592).

use serde::Serialize;
use thiserror::Error;

use super::{AuthMethod, ClientMetadata};
use crate::json::{Members, WrongType};
use crate::metadata::InvalidDocument;
use crate::metadata::document;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::is_endpoint_of;

/// The longest identifier, secret or token; servers without a store put all they know of a client into one.
const MAX_SECRET_BYTES: usize = 8 * 1024;

/// Why an answer is not a registration that can be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRegistration {
    /// It is not a JSON document with the right types at all.
    #[error(transparent)]
    Document(#[from] InvalidDocument),
    /// A value that is missing, empty, or holds a character that cannot be sent.
    #[error("{0} is missing, empty, or not text of visible characters")]
    Text(&'static str),
    /// A method to authenticate that is not known here.
    #[error("token_endpoint_auth_method {name:?} is not known here")]
    AuthMethod {
        /// Its name, cut to 64 characters.
        name: String,
    },
    /// A method that rests on a secret, and no secret.
    #[error("token_endpoint_auth_method {0} needs a client_secret, and there is none")]
    NoSecret(&'static str),
    /// The address of the registration is not one of this server.
    #[error(
        "registration_client_uri is no https address (or, like the registration endpoint, loopback http) without user information and fragment"
    )]
    ManagementAddress,
}

impl From<WrongType> for InvalidRegistration {
    fn from(wrong: WrongType) -> Self {
        Self::Document(wrong.into())
    }
}

/// What a server gave to a client that registered.
///
/// Specification: RFC 7591 section 3.2.1, RFC 7592 section 3.
#[derive(Debug, Clone)]
pub struct Registration {
    /// The identifier.
    pub client_id: String,
    /// When it was given, if the server says so.
    pub client_id_issued_at: Option<UnixSeconds>,
    /// The secret, if the server gave one.
    pub client_secret: Option<Secret>,
    /// When the secret ends; none is never.
    pub client_secret_expires_at: Option<UnixSeconds>,
    /// How the client has to authenticate, whatever it asked for.
    pub token_endpoint_auth_method: AuthMethod,
    /// The redirect addresses that were registered, if the server says so; it may have left some out.
    pub redirect_uris: Option<Vec<String>>,
    /// The grant types that were registered, if the server says so.
    pub grant_types: Option<Vec<String>>,
    /// The scope that was registered, if the server says so.
    pub scope: Option<ScopeSet>,
    /// Where the registration can be read, replaced and deleted, if it can.
    pub management: Option<Management>,
}

/// Where a registration is managed, and with what.
#[derive(Debug, Clone)]
pub struct Management {
    /// The address (`registration_client_uri`).
    pub uri: String,
    /// The bearer token for it and for nothing else (`registration_access_token`).
    pub access_token: Secret,
}

impl Registration {
    /// Reads the answer to a registration at `endpoint`, or to a request that read or replaced one.
    ///
    /// It decides, in this order: length; an object without repeated members; the types of the
    /// members; an identifier and a secret that can be sent; a method to authenticate that is known,
    /// with its secret; an address for management that is https or, if `endpoint` is too, loopback http.
    /// Without a method it is `client_secret_basic` if there is a secret, and else `none`.
    /// An address for management without its token, or the other way round, counts as none.
    ///
    /// A secret without `client_secret_expires_at`, which RFC 7591 requires, counts as one that does
    /// not end, since many servers leave it out.
    ///
    /// Does not check: the rest of the metadata, which is what was sent or what the server made of it.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8], endpoint: &str) -> Result<Self, InvalidRegistration> {
        let members = document::members(bytes)?;
        let issued_at = members.number("client_id_issued_at")?;
        let expires_at = members.number("client_secret_expires_at")?;
        let scope = members.text("scope")?;
        let client_id = visible(&members, "client_id")?;
        let client_id = client_id.ok_or(InvalidRegistration::Text("client_id"))?;
        let client_secret = visible(&members, "client_secret")?.map(Secret::new);
        let method = match members.text("token_endpoint_auth_method")? {
            // RFC 7591 section 2: if omitted, the default is "client_secret_basic", which needs a secret.
            None if client_secret.is_some() => AuthMethod::ClientSecretBasic,
            None => AuthMethod::None,
            Some(name) => AuthMethod::parse(&name).ok_or_else(|| {
                let name = name.chars().take(64).collect();
                InvalidRegistration::AuthMethod { name }
            })?,
        };
        if method.shares_a_secret() && client_secret.is_none() {
            return Err(InvalidRegistration::NoSecret(method.as_str()));
        }
        let uri = document::text(&members, "registration_client_uri")?;
        let token = visible(&members, "registration_access_token")?;
        // RFC 7592 section 3: the two go together.
        let management = match (uri, token) {
            (Some(uri), Some(_)) if !is_endpoint_of(&uri, endpoint) => {
                return Err(InvalidRegistration::ManagementAddress);
            }
            (Some(uri), Some(token)) => Some(Management {
                uri,
                access_token: Secret::new(token),
            }),
            _ => None,
        };
        Ok(Self {
            client_id,
            client_id_issued_at: issued_at.map(UnixSeconds),
            client_secret,
            // RFC 7591 section 3.2.1: zero is a secret that does not end.
            client_secret_expires_at: expires_at.filter(|at| *at != 0).map(UnixSeconds),
            token_endpoint_auth_method: method,
            redirect_uris: document::list(&members, "redirect_uris")?,
            grant_types: document::list(&members, "grant_types")?,
            // What is no scope says nothing.
            scope: scope.and_then(|scope| ScopeSet::parse(&scope).ok()),
            management,
        })
    }

    /// The answer of a server that registered `metadata`, secrets included.
    ///
    /// # Errors
    /// None that input can cause; whether this can be written as JSON at all is for `serde_json` to say.
    pub fn to_response(&self, metadata: &ClientMetadata) -> Result<Vec<u8>, serde_json::Error> {
        let secret = self.client_secret.as_ref();
        let sent = Sent {
            client_id: &self.client_id,
            client_id_issued_at: self.client_id_issued_at.map(|at| at.0),
            client_secret: secret.map(Secret::expose),
            // RFC 7591 section 3.2.1: REQUIRED with a secret; zero is one that does not end.
            client_secret_expires_at: secret
                .map(|_| self.client_secret_expires_at.map_or(0, |at| at.0)),
            registration_client_uri: self.management.as_ref().map(|own| own.uri.as_str()),
            registration_access_token: self
                .management
                .as_ref()
                .map(|own| own.access_token.expose()),
            metadata: &without_id(metadata),
        };
        serde_json::to_vec(&sent)
    }
}

pub(super) fn update(
    metadata: &ClientMetadata,
    registration: &Registration,
) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Sent {
        // RFC 7592 section 2.2: all metadata with the identifier; a secret only if it is the present one.
        client_id: &registration.client_id,
        client_secret: registration.client_secret.as_ref().map(Secret::expose),
        client_id_issued_at: None,
        client_secret_expires_at: None,
        registration_client_uri: None,
        registration_access_token: None,
        metadata: &without_id(metadata),
    })
}

fn without_id(metadata: &ClientMetadata) -> ClientMetadata {
    ClientMetadata {
        client_id: None,
        ..metadata.clone()
    }
}

/// What goes over the wire in either direction; the only place where these secrets are written.
#[derive(Serialize)]
struct Sent<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id_issued_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_client_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_access_token: Option<&'a str>,
    #[serde(flatten)]
    metadata: &'a ClientMetadata,
}

// RFC 6749 appendix A: identifiers, secrets and tokens are of visible characters and spaces.
fn visible(
    members: &Members<'_>,
    member: &'static str,
) -> Result<Option<String>, InvalidRegistration> {
    let fits = |text: &str| {
        (1..=MAX_SECRET_BYTES).contains(&text.len())
            && text.bytes().all(|b| (b' '..=b'~').contains(&b))
    };
    match members.text(member)? {
        Some(text) if !fits(&text) => Err(InvalidRegistration::Text(member)),
        text => Ok(text),
    }
}
