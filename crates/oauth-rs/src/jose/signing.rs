//! A key that signs.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::alg::Alg;
use super::crypto::Es256Pair;
use super::jwk::PublicJwk;
use super::jws::MAX_JWS_BYTES;
use crate::base64url;

/// Why a signing key could not be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyRejected {
    /// The bytes are not a PKCS #8 document with an ECDSA P-256 key.
    #[error("not a PKCS #8 document with an ECDSA P-256 key")]
    Malformed,
    /// The operating system gave no random bytes.
    #[error("no random bytes to make a key of")]
    Random,
}

/// Why signing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SigningFailed {
    /// The token would be longer than anybody here reads.
    #[error("the token would be longer than {MAX_JWS_BYTES} bytes")]
    TooLong,
    /// The operating system gave no random bytes.
    #[error("no random bytes to sign with")]
    Random,
}

/// An ES256 key pair, named by its thumbprint.
///
/// `Debug` shows the name only.
/// Making a key and signing draw from the operating system's random source, in the crypto library.
pub struct SigningKey {
    pair: Es256Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    kid: String,
    jwk: PublicJwk,
}

#[derive(Serialize)]
struct SentHeader<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'a str,
}

impl SigningKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub fn generate_es256() -> Result<Self, KeyRejected> {
        let pkcs8 = Es256Pair::generate_pkcs8().ok_or(KeyRejected::Random)?;
        Self::from_pkcs8(&pkcs8)
    }

    /// Reads a key that [`SigningKey::to_pkcs8`] wrote, or another PKCS #8 document with a P-256 key
    /// and its public half.
    ///
    /// # Errors
    /// It is not such a document.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyRejected> {
        let pair = Es256Pair::from_pkcs8(bytes).ok_or(KeyRejected::Malformed)?;
        let coordinates = pair
            .public_point()
            .strip_prefix(&[4])
            .ok_or(KeyRejected::Malformed)?;
        let (x, y) = coordinates
            .split_at_checked(32)
            .ok_or(KeyRejected::Malformed)?;
        let jwk = PublicJwk::es256(x, y);
        let kid = jwk.thumbprint();
        Ok(Self {
            pair,
            pkcs8: Zeroizing::new(bytes.to_vec()),
            kid,
            jwk,
        })
    }

    /// The private key as a PKCS #8 document.
    ///
    /// # Security
    /// Whoever reads these bytes can issue tokens; keep them in a file that only the server reads.
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The key id: the thumbprint of RFC 7638.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm.
    pub fn alg(&self) -> Alg {
        Alg::Es256
    }

    /// The half to publish.
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// Signs bytes as a compact JWS with `alg`, `kid` and `typ` in its header.
    ///
    /// # Errors
    /// The token would be too long, or there is no randomness to be had.
    pub fn sign(&self, typ: &str, payload: &[u8]) -> Result<String, SigningFailed> {
        let header = SentHeader {
            alg: Alg::Es256.as_str(),
            kid: &self.kid,
            typ,
        };
        // A struct of three strings always serialises; an error could only be one of memory.
        let header = serde_json::to_vec(&header).map_err(|_| SigningFailed::TooLong)?;
        // RFC 7515 section 5.1: ASCII(BASE64URL(header) || '.' || BASE64URL(payload)).
        let mut token = base64url::encode(&header);
        token.push('.');
        token.push_str(&base64url::encode(payload));
        let signature = self
            .pair
            .sign(token.as_bytes())
            .ok_or(SigningFailed::Random)?;
        token.push('.');
        token.push_str(&base64url::encode(&signature));
        if token.len() > MAX_JWS_BYTES {
            Err(SigningFailed::TooLong)
        } else {
            Ok(token)
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwkSet, Jws, typ_is};

    #[test]
    fn a_kept_key_is_the_same_key() {
        let key = SigningKey::generate_es256().unwrap();
        let again = SigningKey::from_pkcs8(key.to_pkcs8()).unwrap();
        assert_eq!(key.kid(), again.kid());
        assert_eq!(key.public_jwk(), again.public_jwk());
        assert_eq!(key.kid(), key.public_jwk().thumbprint());
        assert_eq!(key.public_jwk().kid(), Some(key.kid()));
        let token = again.sign("at+jwt", b"payload").unwrap();
        let set = JwkSet::from_public([key.public_jwk()]);
        let jws = Jws::parse(&token).unwrap();
        assert!(typ_is(jws.header().typ.as_deref().unwrap(), "at+jwt"));
        assert_eq!(jws.header().kid.as_deref(), Some(key.kid()));
        assert_eq!(jws.verify(&set.keys()[0]).unwrap().payload(), b"payload");
    }

    #[test]
    fn refusals_and_debug() {
        let key = SigningKey::generate_es256().unwrap();
        assert_eq!(
            SigningKey::from_pkcs8(b"").unwrap_err(),
            KeyRejected::Malformed
        );
        let cut = &key.to_pkcs8()[..key.to_pkcs8().len() - 1];
        assert_eq!(
            SigningKey::from_pkcs8(cut).unwrap_err(),
            KeyRejected::Malformed
        );
        let long = vec![0; MAX_JWS_BYTES];
        assert_eq!(key.sign("JWT", &long).unwrap_err(), SigningFailed::TooLong);
        assert_eq!(
            format!("{key:?}"),
            format!("SigningKey {{ kid: {:?}, .. }}", key.kid())
        );
    }
}
