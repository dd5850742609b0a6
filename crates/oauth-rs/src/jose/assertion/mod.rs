//! Assertions by which a client authenticates with its key (`private_key_jwt`: RFC 7523 section 2.2,
//! as draft-ietf-oauth-rfc7523bis tightens it).
//!
//! ```
//! use oauth_rs::jose::assertion::{AssertionRefused, ClientAssertion, Received, Rules};
//! use oauth_rs::jose::{JwkSet, SigningKey};
//! use oauth_rs::time::UnixSeconds;
//! use oauth_rs::uri::Issuer;
//!
//! let key = SigningKey::generate_es256()?;
//! let server = Issuer::parse("https://as.example")?;
//! let now = UnixSeconds(1_800_000_000);
//! # let entropy = |dest: &mut [u8]| dest.fill(7);
//! let text = ClientAssertion { client_id: "c1", server: &server }.sign(&key, now, &entropy)?;
//!
//! // The server looks up the keys of the client that this claims to be.
//! let received = Received::parse(&text)?;
//! assert_eq!(received.client_id(), "c1");
//! let keys = JwkSet::from_public([key.public_jwk()]);
//! let verified = received.verify(&keys, &Rules::new(&server), now)?;
//! assert_eq!(verified.client_id(), "c1");
//!
//! let other = Issuer::parse("https://other.example")?;
//! let refused = received.verify(&keys, &Rules::new(&other), now).unwrap_err();
//! assert_eq!(refused, AssertionRefused::Audience);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod made;
mod received;
mod refused;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use made::ClientAssertion;
pub use received::{Received, Rules, VerifiedAssertion};
pub use refused::AssertionRefused;

/// The value of `client_assertion_type` that goes with `client_assertion`.
///
/// Specification: RFC 7523 section 2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// One minute: an assertion is made for one request and sent at once.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// Five minutes: what other servers and clients use, and as long as a `jti` has to be remembered.
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// Half a minute: as much as the clocks of a client and a server may differ.
pub const SKEW: Duration = Duration::from_secs(30);

/// The longest `jti`, in bytes: a random one takes 22, a UUID 36, and a server has to remember it.
pub const MAX_JTI_BYTES: usize = 128;

// draft-ietf-oauth-rfc7523bis section 4: the type of an assertion for client authentication.
const TYP: &str = "client-authentication+jwt";
