//! Signed tokens and their keys: which algorithms, and why not the others.
//!
//! Only asymmetric signatures: `none` and the keyed hashes are not in [`Alg`], so that no
//! configuration can let them in.
//! All of [`Alg`] are made and verified; keys for ES256, ES384 and Ed25519 are also generated.
//! P-521, Ed448, secp256k1 and RSA under 2048 bits are not supported by the library beneath.
//! A key has exactly one algorithm (RFC 8725 section 3.1), and the key decides, never the token.

mod alg;
mod alg_set;
pub mod assertion;
mod binding;
pub(crate) mod claim;
mod crypto;
pub mod dpop;
mod ed25519;
mod jwk;
mod jwks;
mod jws;
pub mod jwt;
mod pem;
mod signing;
mod thumbprint;
#[cfg(test)]
mod wycheproof_tests;

pub use alg::Alg;
pub use alg_set::AlgSet;
pub use jwk::{PublicJwk, UnusableKey, VerifyingKey};
pub use jwks::{InvalidJwkSet, JwkSet, MAX_JWK_SET_BYTES, MAX_KEYS, PublicJwkSet, SkippedKey};
pub use jws::{
    BadSignature, Header, InvalidJws, Jws, MAX_JWS_BYTES, UnverifiedClaims, Verified, typ_is,
};
pub use signing::{KeyRejected, SigningFailed, SigningKey};
