//! A key that signs.

use std::fmt;

use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use super::alg::Alg;
use super::crypto::{Pair, Unreadable};
use super::jwk::{Kind, PublicJwk};
use super::jws::MAX_JWS_BYTES;
use super::pem;
use crate::base64url;

/// Why a signing key could not be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyRejected {
    /// The bytes are not a PKCS #8 document, or its halves do not belong together.
    #[error("not a PKCS #8 document with a sound key pair")]
    Malformed,
    /// The document holds a key that the algorithm is not for.
    #[error("the key is not one for {0}")]
    OtherKey(Alg),
    /// The document holds an RSA key, and these do not tell their algorithm.
    #[error("an RSA key goes with several algorithms; name the one to sign with")]
    AlgorithmNeeded,
    /// An RSA modulus outside of 2048 to 4096 bits.
    #[error("an RSA key that signs needs 2048 to 4096 bits")]
    RsaSize,
    /// Not one PEM block of strict base64 and nothing else.
    #[error("not exactly one PEM block; remove what stands before, after and between")]
    Pem,
    /// A PEM block with another label.
    #[error(
        "the PEM block is not labelled PRIVATE KEY; `openssl pkcs8 -topk8 -nocrypt` converts a key"
    )]
    PemLabel,
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

/// A key pair with the one algorithm it signs by, named by its thumbprint.
///
/// `Debug` shows the name and the algorithm only.
/// Making a key and signing draw from the operating system's random source, in the crypto library.
///
/// ```
/// use oauth_rs::jose::{Alg, KeyRejected, SigningKey};
///
/// let key = SigningKey::generate_ed25519()?;
/// assert_eq!(SigningKey::from_pkcs8(key.to_pkcs8())?.alg(), Alg::EdDsa);
/// let other = SigningKey::from_pkcs8_as(Alg::Es256, key.to_pkcs8());
/// assert_eq!(other.unwrap_err(), KeyRejected::OtherKey(Alg::Es256));
/// # Ok::<(), KeyRejected>(())
/// ```
pub struct SigningKey {
    pair: Pair,
    pkcs8: Zeroizing<Vec<u8>>,
    kid: String,
    jwk: PublicJwk,
}

#[derive(Serialize)]
struct NamedHeader<'a> {
    alg: &'static str,
    kid: &'a str,
    typ: &'a str,
}

#[derive(Serialize)]
struct EmbeddedHeader<'a> {
    alg: &'static str,
    typ: &'a str,
    jwk: &'a Kind,
}

impl SigningKey {
    /// Makes a new key on P-256, the algorithm that everything here signs with unless told otherwise.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub fn generate_es256() -> Result<Self, KeyRejected> {
        Self::generate(Alg::Es256)
    }

    /// Makes a new key on P-384.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub fn generate_es384() -> Result<Self, KeyRejected> {
        Self::generate(Alg::Es384)
    }

    /// Makes a new Ed25519 key.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub fn generate_ed25519() -> Result<Self, KeyRejected> {
        Self::generate(Alg::EdDsa)
    }

    fn generate(alg: Alg) -> Result<Self, KeyRejected> {
        let pkcs8 = Pair::generate_pkcs8(alg).ok_or(KeyRejected::Random)?;
        Self::from_pkcs8_as(alg, &pkcs8)
    }

    /// Reads a key that [`SigningKey::to_pkcs8`] wrote, or another PKCS #8 document with an Ed25519
    /// key, or with a P-256 or P-384 key and its public half: which of them, the document tells.
    ///
    /// # Errors
    /// It is no such document, or holds an RSA key, whose algorithm it does not tell.
    pub fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyRejected> {
        for alg in [Alg::Es256, Alg::Es384, Alg::EdDsa] {
            match Self::from_pkcs8_as(alg, bytes) {
                Err(KeyRejected::OtherKey(_)) => {}
                result => return result,
            }
        }
        match Self::from_pkcs8_as(Alg::Rs256, bytes) {
            Ok(_) => Err(KeyRejected::AlgorithmNeeded),
            Err(KeyRejected::OtherKey(_)) => Err(KeyRejected::Malformed),
            Err(reason) => Err(reason),
        }
    }

    /// Reads a PKCS #8 document with a key for this algorithm.
    ///
    /// An RSA key has 2048 to 4096 bits.
    ///
    /// # Errors
    /// It is no such document, or the key is not one for this algorithm.
    pub fn from_pkcs8_as(alg: Alg, bytes: &[u8]) -> Result<Self, KeyRejected> {
        let pair = Pair::from_pkcs8(alg, bytes).map_err(|reason| match reason {
            Unreadable::OtherKey => KeyRejected::OtherKey(alg),
            Unreadable::Size => KeyRejected::RsaSize,
            Unreadable::Malformed => KeyRejected::Malformed,
        })?;
        let jwk = PublicJwk::of_pair(alg, &pair.public()).ok_or(KeyRejected::Malformed)?;
        Ok(Self {
            pair,
            pkcs8: Zeroizing::new(bytes.to_vec()),
            kid: jwk.thumbprint(),
            jwk,
        })
    }

    /// Reads a PKCS #8 document in PEM, as `openssl genpkey` writes it.
    ///
    /// Taken is one block labelled `PRIVATE KEY`, of at most 16 KiB, with nothing before it and
    /// nothing but white space after it.
    ///
    /// # Errors
    /// It is no such text, or the key is not one for this algorithm.
    pub fn from_pem(text: &str, alg: Alg) -> Result<Self, KeyRejected> {
        Self::from_pkcs8_as(alg, &pem::private_key(text)?)
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

    /// The one algorithm that this key signs by.
    pub fn alg(&self) -> Alg {
        self.jwk.alg()
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
        let header = NamedHeader {
            alg: self.alg().as_str(),
            kid: &self.kid,
            typ,
        };
        self.sign_under(&header, payload)
    }

    /// Signs bytes as a compact JWS with `alg`, `typ` and the public key itself, as `jwk`, in its
    /// header: for a DPoP proof, whose reader does not know the key.
    ///
    /// # Errors
    /// The token would be too long, or there is no randomness to be had.
    ///
    /// Specification: RFC 7515 section 4.1.3.
    pub fn sign_with_jwk(&self, typ: &str, payload: &[u8]) -> Result<String, SigningFailed> {
        let header = EmbeddedHeader {
            alg: self.alg().as_str(),
            typ,
            jwk: &self.jwk.kind,
        };
        self.sign_under(&header, payload)
    }

    pub(super) fn sign_under(
        &self,
        header: &impl Serialize,
        payload: &[u8],
    ) -> Result<String, SigningFailed> {
        // A struct of strings always serialises; an error could only be one of memory.
        let header = serde_json::to_vec(header).map_err(|_| SigningFailed::TooLong)?;
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
            .field("alg", &self.alg())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
