//! How clients authenticate, by the names of the registry.

use serde::{Deserialize, Serialize};

/// How a client proves who it is at the token endpoint.
///
/// Specification: RFC 7591 section 2, OpenID Connect Core section 9, RFC 8705 section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// By a secret in the `Authorization` header.
    ClientSecretBasic,
    /// By a secret in the body.
    ClientSecretPost,
    /// By an assertion that is authenticated with the secret.
    ClientSecretJwt,
    /// By an assertion that is signed with a key of its own.
    PrivateKeyJwt,
    /// By a certificate of a known authority.
    TlsClientAuth,
    /// By a certificate of its own making, whose key is published.
    SelfSignedTlsClientAuth,
}

impl AuthMethod {
    /// Every method, in the order of their names in the documents that define them.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
        }
    }

    /// Finds a method by its name, compared exactly.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    /// Whether it rests on a secret that the server knows as well.
    pub const fn shares_a_secret(self) -> bool {
        matches!(
            self,
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt
        )
    }

    /// Whether it rests on a key that the client publishes.
    pub const fn needs_published_key(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::SelfSignedTlsClientAuth)
    }
}
