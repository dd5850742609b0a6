//! One fetch of a key set, discovery included: responses in, requests out.

use http::{Request, Response, StatusCode};
use oauth_rs::client::ExchangeFailed;
use oauth_rs::client::discover::{self, DiscoveryFailed};
use oauth_rs::hash::sha256;
use oauth_rs::jose::{InvalidJwkSet, JwkSet, MAX_JWK_SET_BYTES};
use oauth_rs::uri::{Issuer, is_endpoint};

use crate::fetch::send::SendFailed;

/// Where the keys of an issuer are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// At `jwks_uri` of the issuer's metadata, which is read before each fetch of the keys.
    ///
    /// The document's `issuer` has to be the expected one, byte for byte.
    Discovered,
    /// At this address, which the operator wrote down.
    At(String),
}

/// Why there are no newer keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFetchFailed {
    /// The address that the operator wrote down is neither https nor loopback http.
    #[error("the address of the keys is neither https nor loopback http: {0:?}")]
    Address(String),
    /// There was no response.
    #[error(transparent)]
    Send(#[from] SendFailed),
    /// No metadata document was accepted; of several addresses, why the last one was not.
    #[error("discovery: {0}")]
    Discovery(#[from] DiscoveryFailed),
    /// The metadata has no `jwks_uri`.
    #[error("the metadata of the issuer names no jwks_uri")]
    NoJwksUri,
    /// A redirect, which is never followed.
    #[error("the key endpoint answered with a redirect ({0}), which is not followed")]
    Redirect(StatusCode),
    /// Another status than 200.
    #[error("the key endpoint answered with status {0}")]
    Status(StatusCode),
    /// The body is not a key set.
    #[error("{0}")]
    Invalid(#[from] InvalidJwkSet),
    /// No key in the set can be used; the ones from before are kept, as in any failure.
    ///
    /// A server without any key cannot issue tokens: such a set is a mistake, not a withdrawal.
    #[error("none of the {skipped} keys in the set can be used")]
    NoUsableKey {
        /// How many there were.
        skipped: usize,
    },
    /// The fetch ended without a result: the client panicked, or the runtime is shutting down.
    #[error("the fetch was abandoned")]
    Abandoned,
}

/// Keys as they were fetched, and the hash of the document, by which an unchanged one is known.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) keys: JwkSet,
    pub(super) digest: [u8; 32],
}

/// What comes next.
pub(super) enum Step {
    Send(Request<Vec<u8>>),
    Done(Result<Fetched, KeyFetchFailed>),
}

impl Step {
    fn failed(reason: impl Into<KeyFetchFailed>) -> Self {
        Self::Done(Err(reason.into()))
    }
}

/// A fetch under way.
pub(super) enum Fetch {
    /// The addresses of metadata documents that are left, the one being asked not among them.
    Discovering {
        issuer: Issuer,
        left: std::vec::IntoIter<String>,
    },
    /// The key set itself is asked for.
    Keys,
}

impl Fetch {
    pub(super) fn start(issuer: &Issuer, source: &KeySource) -> (Self, Step) {
        match source {
            KeySource::At(url) => Self::keys(url),
            KeySource::Discovered => {
                let mut left = issuer.metadata_urls().into_iter();
                let step = match left.next() {
                    Some(url) => metadata_request(&url),
                    // An issuer has two addresses at least; without one there is nothing to read.
                    None => Step::failed(KeyFetchFailed::NoJwksUri),
                };
                let issuer = issuer.clone();
                (Self::Discovering { issuer, left }, step)
            }
        }
    }

    fn keys(url: &str) -> (Self, Step) {
        if !is_endpoint(url) {
            let failed = KeyFetchFailed::Address(crate::reason::shortened(url));
            return (Self::Keys, Step::failed(failed));
        }
        let request = Request::get(url)
            // RFC 7517 section 8.5.2: application/jwk-set+json; most servers say application/json.
            .header(
                http::header::ACCEPT,
                "application/jwk-set+json, application/json",
            )
            .body(Vec::new());
        let step = match request {
            Ok(request) => Step::Send(request),
            Err(_) => Step::failed(KeyFetchFailed::Address(crate::reason::shortened(url))),
        };
        (Self::Keys, step)
    }

    pub(super) fn received(self, response: &Response<Vec<u8>>) -> (Self, Step) {
        match self {
            Self::Keys => (Self::Keys, Step::Done(read(response))),
            Self::Discovering { issuer, mut left } => {
                let failed = match discover::server_document(response, &issuer) {
                    // RFC 8414 section 2: the address is checked where the document is read.
                    Ok(metadata) => match metadata.jwks_uri.as_deref() {
                        Some(url) => return Self::keys(url),
                        None => KeyFetchFailed::NoJwksUri,
                    },
                    Err(failed) if failed.may_try_next() => match left.next() {
                        Some(url) => {
                            let step = metadata_request(&url);
                            return (Self::Discovering { issuer, left }, step);
                        }
                        None => failed.into(),
                    },
                    // RFC 8414 section 3.3: a document of another issuer MUST NOT be used.
                    Err(failed) => failed.into(),
                };
                (Self::Discovering { issuer, left }, Step::failed(failed))
            }
        }
    }
}

fn metadata_request(url: &str) -> Step {
    match discover::request(url) {
        Ok(request) => Step::Send(request),
        Err(failed) => Step::failed(DiscoveryFailed::from(failed)),
    }
}

fn read(response: &Response<Vec<u8>>) -> Result<Fetched, KeyFetchFailed> {
    let status = response.status();
    if status.is_redirection() {
        return Err(KeyFetchFailed::Redirect(status));
    }
    if status != StatusCode::OK {
        return Err(KeyFetchFailed::Status(status));
    }
    if response.body().len() > MAX_JWK_SET_BYTES {
        return Err(InvalidJwkSet::TooLong.into());
    }
    let keys = JwkSet::parse(response.body())?;
    if keys.keys().is_empty() {
        let skipped = keys.skipped().len();
        return Err(KeyFetchFailed::NoUsableKey { skipped });
    }
    let digest = sha256(response.body());
    Ok(Fetched { keys, digest })
}

impl From<ExchangeFailed> for KeyFetchFailed {
    fn from(failed: ExchangeFailed) -> Self {
        Self::Discovery(failed.into())
    }
}

#[cfg(test)]
mod tests;
