//! A proof as a client makes it.

use http::Method;
use serde::Serialize;

use super::TYP;
use crate::entropy::{Entropy, random_id};
use crate::hash::sha256_base64url;
use crate::jose::{SigningFailed, SigningKey};
use crate::time::UnixSeconds;
use crate::uri::TargetUri;

/// What one proof says. Each request, a repeated one as well, needs a new proof.
///
/// Specification: RFC 9449 section 4.2.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// The method of the request.
    pub method: &'a Method,
    /// The address of the request.
    pub uri: &'a TargetUri,
    /// The latest nonce of the server that the request goes to, if it gave one.
    pub nonce: Option<&'a str>,
    /// The access token, if the request carries one.
    pub access_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    jti: String,
    htm: &'a str,
    htu: &'a str,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl Proof<'_> {
    /// Signs the proof, under a new identifier, for the header `DPoP`.
    ///
    /// # Errors
    /// The address or the nonce is so long that nobody would read the proof, or there is no
    /// randomness to be had.
    pub fn sign(
        &self,
        key: &SigningKey,
        now: UnixSeconds,
        entropy: &dyn Entropy,
    ) -> Result<String, SigningFailed> {
        let claims = Claims {
            // RFC 9449 section 4.2: at least 96 bits of randomness; these are 128.
            jti: random_id(entropy),
            htm: self.method.as_str(),
            htu: self.uri.as_str(),
            iat: now.0,
            ath: self.access_token.map(|t| sha256_base64url(t.as_bytes())),
            nonce: self.nonce,
        };
        // A struct of strings and a number always serialises; an error could only be one of memory.
        let payload = serde_json::to_vec(&claims).map_err(|_| SigningFailed::TooLong)?;
        key.sign_with_jwk(TYP, &payload)
    }
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proof")
            .field("method", self.method)
            .field("uri", self.uri)
            .field("nonce", &self.nonce)
            .finish_non_exhaustive()
    }
}
