//! Why an assertion was refused.

use std::time::Duration;

use thiserror::Error;

use crate::error_code::ErrorCode;
use crate::jose::jwt::InvalidClaims;
use crate::jose::{BadSignature, InvalidJws};

/// Why an assertion was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssertionRefused {
    /// Not a well-formed signed token.
    #[error("the assertion is not a signed token: {0}")]
    Form(InvalidJws),
    /// `typ` is there and says that this is another kind of token.
    #[error("the assertion has the type of another kind of token")]
    Type,
    /// A claim is missing, occurs twice or has the wrong type.
    #[error("the assertion is malformed: {0}")]
    Claims(InvalidClaims),
    /// `iss` and `sub` are not one and the same client.
    #[error("issuer and subject of the assertion differ, or are empty")]
    Client,
    /// `jti` is empty or longer than anybody would remember.
    #[error("the identifier of the assertion is empty or too long")]
    Identifier,
    /// `alg` is not accepted, or not known.
    #[error("the algorithm of the assertion is not accepted")]
    Algorithm,
    /// No key of the client has this `kid` and algorithm; its key set may have to be fetched again.
    #[error("the client has no key with the id and the algorithm of the assertion")]
    UnknownKey,
    /// The signature is not one of the client.
    #[error("the signature of the assertion is wrong: {0}")]
    Signature(BadSignature),
    /// `aud` is not this server, or names others too.
    #[error("the assertion is not for this server alone; its audience has to be the issuer")]
    Audience,
    /// `exp` has passed.
    #[error("the assertion expired {} seconds ago", ago.as_secs())]
    Expired {
        /// How long ago.
        ago: Duration,
    },
    /// `exp` is so far ahead that `jti` would have to be remembered too long.
    #[error("the assertion holds for {} more seconds, which is too long", left.as_secs())]
    TooLong {
        /// How long it would hold.
        left: Duration,
    },
    /// `iat` lies too far back.
    #[error("the assertion was made {} seconds ago", age.as_secs())]
    TooOld {
        /// How old it is.
        age: Duration,
    },
    /// `iat` or `nbf` lies in the future.
    #[error("the assertion is from {} seconds in the future", ahead.as_secs())]
    Ahead {
        /// How far ahead it is.
        ahead: Duration,
    },
}

impl AssertionRefused {
    /// The error code for the peer: `invalid_client`, whatever the reason.
    ///
    /// Specification: RFC 7523 section 3.2.
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidClient
    }
}
