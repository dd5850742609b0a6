//! The kinds of credential, and the header that each goes into.

use std::fmt;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};

use zeroize::Zeroizing;

use crate::secret::Secret;

/// What a call is made with: a person's token or an application's key, never both, or nothing.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A person's access token, for what the console can do.
    Bearer(Secret),
    /// An application's key, for the REST API.
    ApiKey(Secret),
    /// None, for making an account and signing in.
    Nobody,
}

impl Credential {
    /// A person's access token.
    pub fn bearer(token: impl Into<String>) -> Self {
        Self::Bearer(Secret::new(token))
    }

    /// An application's key.
    pub fn api_key(key: impl Into<String>) -> Self {
        Self::ApiKey(Secret::new(key))
    }

    /// Which of them it is.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::Bearer(_) => CredentialKind::Bearer,
            Self::ApiKey(_) => CredentialKind::ApiKey,
            Self::Nobody => CredentialKind::Nobody,
        }
    }

    /// The header, if there is one, marked so that it is not printed; an error if the text may not stand in one.
    pub(crate) fn header(&self) -> Result<Option<(HeaderName, HeaderValue)>, NoHeader> {
        let (name, secret, text) = match self {
            // RFC 6750 section 2.1: the Authorization request header field.
            Self::Bearer(token) => (
                AUTHORIZATION,
                token,
                Zeroizing::new(format!("Bearer {}", token.expose())),
            ),
            Self::ApiKey(key) => (API_KEY_HEADER, key, Zeroizing::new(key.expose().to_owned())),
            Self::Nobody => return Ok(None),
        };
        if secret.expose().is_empty() {
            return Err(NoHeader);
        }
        let mut value = HeaderValue::from_str(&text).map_err(|_| NoHeader)?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }
}

/// The credential is text that may not stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoHeader;

const API_KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// Which credential a row takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    /// A person's access token.
    Bearer,
    /// An application's key.
    ApiKey,
    /// None: making an account and signing in.
    Nobody,
}

impl fmt::Display for CredentialKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer => "a person's access token",
            Self::ApiKey => "an application's API key",
            Self::Nobody => "no credential",
        })
    }
}
