//! Why a proof was refused, and the error code that says so on the wire.

use std::time::Duration;

use thiserror::Error;

use crate::error_code::ErrorCode;
use crate::jose::jwt::InvalidClaims;
use crate::jose::{BadSignature, InvalidJws, UnusableKey};

/// Why a proof was refused: each rule of RFC 9449 section 4.3 has its own reason.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofRefused {
    /// Two or more `DPoP` headers.
    #[error("there is more than one DPoP header")]
    SeveralHeaders,
    /// A header that is not visible ASCII.
    #[error("the DPoP header is not text")]
    NotText,
    /// Not a well-formed signed token.
    #[error("the proof is not a signed token: {0}")]
    Form(InvalidJws),
    /// `typ` is not `dpop+jwt`.
    #[error("the type of the proof is not dpop+jwt")]
    Type,
    /// `alg` is not accepted, or not known.
    #[error("the algorithm of the proof is not accepted")]
    Algorithm,
    /// There is no `jwk` in the header.
    #[error("there is no key in the header of the proof")]
    NoKey,
    /// `jwk` is not a usable public key: it holds private members, for one.
    #[error("the key in the header of the proof is unusable: {0}")]
    Key(UnusableKey),
    /// The signature is not one of the key in the header.
    #[error("the signature of the proof is wrong: {0}")]
    Signature(BadSignature),
    /// A claim is missing, occurs twice or has the wrong type.
    #[error("the proof is malformed: {0}")]
    Claims(InvalidClaims),
    /// `jti` is empty or longer than anybody would remember.
    #[error("the identifier of the proof is empty or too long")]
    Identifier,
    /// `htm` is not the method of the request.
    #[error("the proof is for another method")]
    Method,
    /// `htu` is not the address of the request.
    #[error("the proof is for another address")]
    Uri,
    /// No `nonce`, though the server has given one.
    #[error("the proof lacks the nonce of this server")]
    NonceMissing,
    /// A `nonce` that this server did not give or no longer accepts.
    #[error("the nonce of the proof is not a current one of this server")]
    Nonce,
    /// `iat` lies too far back.
    #[error("the proof is {} seconds old", age.as_secs())]
    TooOld {
        /// How old it is.
        age: Duration,
    },
    /// `iat` lies in the future.
    #[error("the proof is from {} seconds in the future", ahead.as_secs())]
    Ahead {
        /// How far ahead it is.
        ahead: Duration,
    },
    /// No `ath`, though the request carries an access token.
    #[error("the proof lacks the hash of the access token")]
    TokenHashMissing,
    /// `ath` is not the hash of the access token.
    #[error("the proof is for another access token")]
    TokenHash,
    /// The key is not the one that the token, the code or the request is bound to.
    #[error("the proof was made with another key than the one bound")]
    OtherKey,
}

impl ProofRefused {
    /// The error code for the peer.
    ///
    /// # Security
    /// `use_dpop_nonce` goes with a `DPoP-Nonce` header, which the server makes.
    ///
    /// Specification: RFC 9449 sections 5, 7.1 and 8.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NonceMissing | Self::Nonce => ErrorCode::UseDpopNonce,
            Self::SeveralHeaders
            | Self::NotText
            | Self::Form(_)
            | Self::Type
            | Self::Algorithm
            | Self::NoKey
            | Self::Key(_)
            | Self::Signature(_)
            | Self::Claims(_)
            | Self::Identifier
            | Self::Method
            | Self::Uri
            | Self::TooOld { .. }
            | Self::Ahead { .. }
            | Self::TokenHashMissing
            | Self::TokenHash
            | Self::OtherKey => ErrorCode::InvalidDpopProof,
        }
    }
}
