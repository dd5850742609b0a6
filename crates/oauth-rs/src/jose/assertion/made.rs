//! An assertion as a client makes it.

use serde::Serialize;

use super::{LIFETIME, TYP};
use crate::entropy::{Entropy, random_id};
use crate::jose::{SigningFailed, SigningKey};
use crate::time::UnixSeconds;
use crate::uri::Issuer;

/// What one assertion says. Each request, a repeated one as well, needs a new assertion.
///
/// It holds for [`LIFETIME`], at this server and nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct ClientAssertion<'a> {
    /// The client, which is issuer and subject in one.
    pub client_id: &'a str,
    /// The authorization server.
    pub server: &'a Issuer,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: u64,
    iat: u64,
    jti: String,
}

impl ClientAssertion<'_> {
    /// Signs the assertion, under a new identifier, for the parameter `client_assertion`.
    ///
    /// # Errors
    /// The client identifier is so long that nobody would read the assertion, or there is no
    /// randomness to be had.
    pub fn sign(
        &self,
        key: &SigningKey,
        now: UnixSeconds,
        entropy: &dyn Entropy,
    ) -> Result<String, SigningFailed> {
        let claims = Claims {
            // RFC 7523 section 3: for client authentication, iss and sub are the client_id.
            iss: self.client_id,
            sub: self.client_id,
            // draft-ietf-oauth-rfc7523bis section 3: the issuer of the server is the sole audience.
            aud: self.server.as_str(),
            exp: now.after(LIFETIME).0,
            iat: now.0,
            jti: random_id(entropy),
        };
        // A struct of strings and numbers always serialises; an error could only be one of memory.
        let payload = serde_json::to_vec(&claims).map_err(|_| SigningFailed::TooLong)?;
        key.sign(TYP, &payload)
    }
}
