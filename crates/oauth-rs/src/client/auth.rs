//! Who we are at an authorization server, and how we prove it (OAuth 2.1 section 2.4).
//!
//! Left out on purpose: `client_secret_jwt`, for which the server would have to keep the secret in
//! clear, and attestation, whose specification is a draft that still changes shape.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Method, Request, header};
use thiserror::Error;

use super::exchange::{self, ExchangeFailed};
use crate::entropy::Entropy;
use crate::jose::assertion::{ASSERTION_TYPE, ClientAssertion};
use crate::jose::{SigningFailed, SigningKey};
use crate::metadata::client::AuthMethod;
use crate::metadata::server::ServerMetadata;
use crate::params;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::Issuer;

/// Who we are at one authorization server, and how we prove it.
///
/// `Debug` shows neither secret nor key.
#[derive(Debug, Clone)]
pub struct Client {
    /// The identifier.
    pub client_id: String,
    /// How to authenticate.
    pub auth: ClientAuth,
}

impl Client {
    /// A client that cannot prove who it is.
    pub fn public(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            auth: ClientAuth::None,
        }
    }
}

/// How a client proves who it is, with what it needs for that.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientAuth {
    /// Not at all: it names itself in the body.
    None,
    /// `client_secret_basic`: a secret in the `Authorization` header.
    Basic(Secret),
    /// `client_secret_post`: a secret in the body.
    Post(Secret),
    /// `private_key_jwt`: an assertion signed for each request (RFC 7523 section 2.2).
    PrivateKeyJwt(Arc<SigningKey>),
    /// By the certificate of the connection (RFC 8705 section 2), which the sender of requests presents.
    ///
    /// Here it means that the client names itself in the body; which address such a request goes to
    /// may differ as well.
    Tls(TlsMethod),
    /// `private_key_jwt`, read back from where no private key is kept; nothing can be sent until the
    /// program gives the key again.
    KeyAbsent,
}

/// What the certificate of a connection is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMethod {
    /// `tls_client_auth`: a registered name in a certificate that an authority signed.
    Pki,
    /// `self_signed_tls_client_auth`: a registered certificate.
    SelfSigned,
}

/// Why a client cannot authenticate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AuthRefused {
    /// `client_secret_jwt`, which is never used.
    #[error(
        "client_secret_jwt is not used: the server would have to keep the secret in clear to check it; \
         use private_key_jwt"
    )]
    SecretJwt,
    /// A method that is not known here.
    #[error("the authentication method {name:?} is not known here")]
    Unknown {
        /// The name, cut to 64 characters.
        name: String,
    },
    /// The server supports no method that goes with what the client has.
    #[error("the server supports no method to authenticate with {0}")]
    NotOffered(&'static str),
    /// The server does not verify signatures of the key's algorithm.
    #[error("the server does not accept assertions signed with {0}")]
    Algorithm(&'static str),
    /// The method needs a secret, and there is none.
    #[error("{0} needs a secret, and there is none")]
    SecretMissing(&'static str),
    /// The method needs a private key, and there is none.
    #[error("private_key_jwt needs the private key, which is not kept with the tokens")]
    KeyMissing,
    /// The grant is for clients that authenticate.
    #[error("a client that cannot authenticate gets no tokens of its own")]
    Public,
    /// The token has a character that no header can carry.
    #[error("the token cannot be written into a header")]
    Token,
    /// Signing the assertion failed.
    #[error("the client assertion could not be signed: {0}")]
    Signing(#[from] SigningFailed),
}

impl ClientAuth {
    /// The method that a server or a configuration names, with what it needs.
    ///
    /// # Errors
    /// The method is not used here, or needs what is not given.
    pub fn named(
        name: &str,
        secret: Option<Secret>,
        key: Option<Arc<SigningKey>>,
    ) -> Result<Self, AuthRefused> {
        let method = AuthMethod::parse(name).ok_or_else(|| AuthRefused::Unknown {
            name: name.chars().take(64).collect(),
        })?;
        let secret = || secret.ok_or(AuthRefused::SecretMissing(method.as_str()));
        Ok(match method {
            AuthMethod::None => Self::None,
            AuthMethod::ClientSecretBasic => Self::Basic(secret()?),
            AuthMethod::ClientSecretPost => Self::Post(secret()?),
            AuthMethod::ClientSecretJwt => return Err(AuthRefused::SecretJwt),
            AuthMethod::PrivateKeyJwt => Self::PrivateKeyJwt(key.ok_or(AuthRefused::KeyMissing)?),
            AuthMethod::TlsClientAuth => Self::Tls(TlsMethod::Pki),
            AuthMethod::SelfSignedTlsClientAuth => Self::Tls(TlsMethod::SelfSigned),
        })
    }

    /// The way in which this server takes a secret: in the header if it can, else in the body.
    ///
    /// # Errors
    /// It takes none; where it would take one as `client_secret_jwt`, that is the reason.
    pub fn with_secret(secret: Secret, server: &ServerMetadata) -> Result<Self, AuthRefused> {
        if server.supports_auth(AuthMethod::ClientSecretBasic) {
            Ok(Self::Basic(secret))
        } else if server.supports_auth(AuthMethod::ClientSecretPost) {
            Ok(Self::Post(secret))
        } else if server.supports_auth(AuthMethod::ClientSecretJwt) {
            Err(AuthRefused::SecretJwt)
        } else {
            Err(AuthRefused::NotOffered("a secret"))
        }
    }

    /// Assertions signed with this key, if the server lists that.
    ///
    /// # Errors
    /// It lists neither the method nor, where it lists algorithms, the algorithm of the key.
    pub fn with_key(key: Arc<SigningKey>, server: &ServerMetadata) -> Result<Self, AuthRefused> {
        if !server.supports_auth(AuthMethod::PrivateKeyJwt) {
            return Err(AuthRefused::NotOffered("a private key"));
        }
        let algs = &server.token_endpoint_auth_signing_alg_values_supported;
        let alg = key.alg().as_str();
        if !algs.is_empty() && !algs.iter().any(|listed| listed == alg) {
            return Err(AuthRefused::Algorithm(alg));
        }
        Ok(Self::PrivateKeyJwt(key))
    }

    /// The method's name in the registry.
    pub fn method(&self) -> AuthMethod {
        match self {
            Self::None => AuthMethod::None,
            Self::Basic(_) => AuthMethod::ClientSecretBasic,
            Self::Post(_) => AuthMethod::ClientSecretPost,
            Self::PrivateKeyJwt(_) | Self::KeyAbsent => AuthMethod::PrivateKeyJwt,
            Self::Tls(TlsMethod::Pki) => AuthMethod::TlsClientAuth,
            Self::Tls(TlsMethod::SelfSigned) => AuthMethod::SelfSignedTlsClientAuth,
        }
    }

    /// Whether the certificate of the connection says who the client is.
    ///
    /// Such a client uses [`ServerMetadata::for_mutual_tls`].
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The secret, if that is how the client authenticates.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Basic(secret) | Self::Post(secret) => Some(secret),
            Self::None | Self::PrivateKeyJwt(_) | Self::Tls(_) | Self::KeyAbsent => None,
        }
    }
}

/// A client about to authenticate: what every request that does so is made with.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Who we are.
    pub client: &'a Client,
    /// The server that is to believe it; an assertion is good there and nowhere else.
    pub issuer: &'a Issuer,
    /// The present, for the life of an assertion.
    pub now: UnixSeconds,
    /// Where the identifier of an assertion comes from.
    pub entropy: &'a dyn Entropy,
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("client", self.client)
            .field("issuer", self.issuer)
            .finish_non_exhaustive()
    }
}

impl Caller<'_> {
    /// A form post with the client's authentication in it.
    pub(super) fn post(
        &self,
        what: &'static str,
        endpoint: &str,
        pairs: &[(&str, &str)],
    ) -> Result<Request<Vec<u8>>, ExchangeFailed> {
        let client_id = self.client.client_id.as_str();
        let mut pairs = pairs.to_vec();
        let mut authorization = None;
        let assertion;
        match &self.client.auth {
            ClientAuth::Basic(secret) => {
                // Base64 always fits a header; an error could only be one of memory.
                let value = basic(client_id, secret).ok_or(ExchangeFailed::Address(what))?;
                authorization = Some(value);
            }
            // OAuth 2.1 section 3.2.2, RFC 8705 section 2: without a header the body says who it is.
            ClientAuth::None | ClientAuth::Tls(_) => name(&mut pairs, client_id),
            ClientAuth::Post(secret) => {
                name(&mut pairs, client_id);
                pairs.push(("client_secret", secret.expose()));
            }
            ClientAuth::PrivateKeyJwt(key) => {
                assertion = self.assertion(key)?;
                name(&mut pairs, client_id);
                pairs.push(("client_assertion_type", ASSERTION_TYPE));
                pairs.push(("client_assertion", assertion.expose()));
            }
            ClientAuth::KeyAbsent => return Err(AuthRefused::KeyMissing.into()),
        }
        let body = params::encode(&pairs).into_bytes();
        let mut request = exchange::request(what, Method::POST, endpoint, body)?;
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(header::CONTENT_TYPE, form);
        if let Some(value) = authorization {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        Ok(request)
    }

    fn assertion(&self, key: &SigningKey) -> Result<Secret, AuthRefused> {
        let assertion = ClientAssertion {
            client_id: &self.client.client_id,
            server: self.issuer,
        };
        Ok(Secret::new(assertion.sign(key, self.now, self.entropy)?))
    }
}

/// Adds the identifier, unless the exchange has it among its own parameters.
fn name<'a>(pairs: &mut Vec<(&'a str, &'a str)>, client_id: &'a str) {
    if !pairs.iter().any(|(name, _)| *name == "client_id") {
        pairs.push(("client_id", client_id));
    }
}

// RFC 6749 section 2.3.1: identifier and secret are form-encoded before they become user and password.
fn basic(client_id: &str, secret: &Secret) -> Option<HeaderValue> {
    let encoded = |text: &str| Secret::new(params::encode(&[("", text)]).split_off(1));
    let (user, password) = (encoded(client_id), encoded(secret.expose()));
    let pair = Secret::new(format!("{}:{}", user.expose(), password.expose()));
    let credentials = STANDARD.encode(pair.expose());
    let mut value = HeaderValue::try_from(format!("Basic {credentials}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
pub(super) mod tests;
