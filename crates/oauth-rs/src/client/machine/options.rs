//! What the program that runs a machine decides beforehand.

use std::sync::Arc;

use crate::client::auth::{AuthRefused, Client, ClientAuth, TlsMethod};
use crate::client::token_exchange::TokenType;
use crate::jose::SigningKey;
use crate::metadata::server::ServerMetadata;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::uri::Issuer;

/// Who the machine is, where, and by which grant it gets its tokens.
#[derive(Debug, Clone)]
pub struct MachineOptions {
    /// Where the machine is registered; nothing is sent to another authorization server.
    pub(super) issuer: Option<Issuer>,
    /// The identifier there.
    pub client_id: String,
    /// What proves it.
    pub credential: Credential,
    /// How tokens are got.
    pub grant: Grant,
    /// The scope to ask for instead of what the server suggests.
    pub scope: Option<ScopeSet>,
}

impl MachineOptions {
    /// A machine that is registered at `issuer`.
    pub fn new(
        issuer: Issuer,
        client_id: impl Into<String>,
        credential: Credential,
        grant: Grant,
    ) -> Self {
        Self {
            issuer: Some(issuer),
            client_id: client_id.into(),
            credential,
            grant,
            scope: None,
        }
    }

    /// A machine that shows its credential to whichever authorization server the resource names.
    ///
    /// # Security
    /// A resource that is not trusted can name a server of its own, and gets the secret or the
    /// assertion, to use it where it is good. A key is safer: what it signs names the issuer.
    pub fn insecure_at_any_issuer(
        client_id: impl Into<String>,
        credential: Credential,
        grant: Grant,
    ) -> Self {
        Self {
            issuer: None,
            client_id: client_id.into(),
            credential,
            grant,
            scope: None,
        }
    }

    /// The client at this server, in a way of authenticating that it offers.
    pub(super) fn client(&self, server: &ServerMetadata) -> Result<Client, AuthRefused> {
        let auth = match &self.credential {
            Credential::None => ClientAuth::None,
            Credential::Secret(secret) => ClientAuth::with_secret(secret.clone(), server)?,
            Credential::Key(key) => ClientAuth::with_key(Arc::clone(key), server)?,
            Credential::Tls(method) => ClientAuth::Tls(*method),
        };
        Ok(Client {
            client_id: self.client_id.clone(),
            auth,
        })
    }
}

/// What proves who the machine is at the authorization server.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing; the assertion of the grant has to do.
    None,
    /// A secret, sent in the way that the server offers.
    Secret(Secret),
    /// A key that signs an assertion for each request (`private_key_jwt`).
    Key(Arc<SigningKey>),
    /// The certificate of the connection, which the sender of requests presents.
    Tls(TlsMethod),
}

/// How a machine gets its tokens.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Grant {
    /// For itself (OAuth 2.1 section 4.2).
    ClientCredentials,
    /// With an assertion that its platform has signed (RFC 7523 section 2.1).
    Assertion(Secret),
    /// For a person whose identity provider decides what may be used (ID-JAG).
    EnterpriseManaged(Box<IdentityProvider>),
}

/// Who vouches for a person, and what says who the person is.
#[derive(Debug, Clone)]
pub struct IdentityProvider {
    /// Its issuer.
    pub issuer: Issuer,
    /// Its token endpoint.
    pub token_endpoint: String,
    /// Who we are there.
    pub client: Client,
    /// What says who the person is: an ID token that was issued to us, as a rule.
    pub subject: Secret,
    /// What that is.
    pub subject_type: TokenType,
}
