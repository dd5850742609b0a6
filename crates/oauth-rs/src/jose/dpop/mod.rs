//! Proofs that whoever sends a request holds a key (DPoP, RFC 9449).
//!
//! A client makes a [`Proof`] for each request and signs it; a server reads the one `DPoP` header
//! with [`header`], demands a [`VerifiedProof`] from [`verify`], and spends it in a [`ReplayWindow`].
//! [`Nonces`] make a server's own nonces.
//!
//! ```
//! use http::Method;
//! use oauth_rs::jose::SigningKey;
//! use oauth_rs::jose::dpop::{Proof, ProofRefused, Rules, Sent, verify};
//! use oauth_rs::time::UnixSeconds;
//! use oauth_rs::uri::TargetUri;
//!
//! let key = SigningKey::generate_es256()?;
//! let uri = TargetUri::parse("https://rs.example/mcp?page=2")?;
//! let now = UnixSeconds(1_800_000_000);
//! # let entropy = |dest: &mut [u8]| dest.fill(7);
//! let proof = Proof { method: &Method::POST, uri: &uri, nonce: None, access_token: Some("token") }
//!     .sign(&key, now, &entropy)?;
//!
//! let sent = Sent { method: &Method::POST, uri: &uri, access_token: Some("token"), nonce: None };
//! let verified = verify(&proof, &sent, &Rules::default(), now)?;
//! assert!(verified.check_key(key.kid()).is_ok());
//!
//! let other = Sent { method: &Method::GET, ..sent };
//! assert_eq!(verify(&proof, &other, &Rules::default(), now).unwrap_err(), ProofRefused::Method);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod nonce;
mod proof;
mod refused;
mod replay;
#[cfg(test)]
mod tests;
mod verify;

pub use nonce::{NONCE_SLOT, Nonces};
pub use proof::Proof;
pub use refused::ProofRefused;
pub use replay::{DEFAULT_REPLAY_CAPACITY, NotSpent, ReplayClaim, ReplayWindow};
pub use verify::{
    DEFAULT_MAX_AGE, DEFAULT_MAX_AHEAD, MAX_JTI_BYTES, Rules, Sent, VerifiedProof, header, verify,
};

// RFC 9449 section 4.2: the type of a proof.
const TYP: &str = "dpop+jwt";
