//! A refusal, and the one mapping from its reason to what the client gets to see.

use std::fmt;
use std::time::Duration;

use http::StatusCode;
use oauth_rs::error_code::ErrorCode;

use crate::reason::Reason;

/// The scheme of the `Authorization` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449.
    Dpop,
}

impl Scheme {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// A refused request: the reason, and what its answer depends on besides.
///
/// The text of `Display` is that of the [`Reason`], for the operator's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    scheme: Scheme,
    reason: Reason,
    nonce: Option<String>,
}

impl Refused {
    pub(crate) fn of(scheme: Scheme, reason: Reason) -> Self {
        Self {
            scheme,
            reason,
            nonce: None,
        }
    }

    pub(crate) fn with_nonce(reason: Reason, nonce: String) -> Self {
        Self {
            scheme: Scheme::Dpop,
            reason,
            nonce: Some(nonce),
        }
    }

    /// Why.
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The scheme that the token was sent with; `Bearer` if there was none.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The nonce that the client has to use, for the field `DPoP-Nonce`.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.reason.answer().status
    }

    /// The error code of the answer; none where no token was presented.
    pub fn error(&self) -> Option<ErrorCode> {
        self.reason.answer().error.map(|(code, _)| code)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.reason)
    }
}

/// What the client gets to see of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) error: Option<(ErrorCode, &'static str)>,
    /// Whether the client is told how to get a token that would do.
    pub(crate) challenge: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl Reason {
    /// The mapping to the wire: every reason, no wildcard.
    pub(crate) fn answer(&self) -> Answer {
        match self {
            // RFC 6750 section 3.1: without credentials no error code and no other information.
            Self::NoToken | Self::TokenInQuery => Answer {
                status: StatusCode::UNAUTHORIZED,
                error: None,
                challenge: true,
                retry_after: None,
            },
            Self::SeveralCredentials => {
                invalid_request("the request carries credentials in more than one place")
            }
            Self::MalformedCredentials => invalid_request("the authorization header is malformed"),
            Self::ClientCert { .. } => invalid_request("the client certificate is malformed"),
            Self::TokenTooLong { .. } => invalid_token("the access token is too long"),
            Self::Opaque | Self::Encrypted | Self::Malformed { .. } => {
                invalid_token("the access token is malformed")
            }
            Self::Unsigned => invalid_token("the access token is not signed"),
            Self::OtherType { .. } | Self::OtherTokenType { .. } => {
                invalid_token("the token is not an access token")
            }
            Self::Algorithm { .. } => {
                invalid_token("the access token is signed with an algorithm that is not allowed")
            }
            Self::UnknownKey { .. } => {
                invalid_token("the access token is signed with an unknown key")
            }
            Self::Signature { .. } => invalid_token("the signature of the access token is invalid"),
            Self::Claims { .. }
            | Self::EmptyClaim { .. }
            | Self::Scope { .. }
            | Self::MissingMember { .. } => {
                invalid_token("the claims of the access token are malformed")
            }
            Self::OtherIssuer { .. } => {
                invalid_token("the access token was issued by another authorization server")
            }
            Self::OtherAudience { .. } => {
                invalid_token("the access token was issued for another resource")
            }
            Self::Inactive { .. } => invalid_token("the access token is not active"),
            Self::Expired { .. } => invalid_token("the access token has expired"),
            Self::NotYetValid { .. } => invalid_token("the access token is not valid yet"),
            Self::Revoked => invalid_token("the access token was revoked"),
            // RFC 9449 section 7.2: a bound token as Bearer MUST be refused.
            Self::BoundAsBearer => {
                invalid_token("the access token is bound to a key and needs the DPoP scheme")
            }
            Self::DpopNotConfigured => {
                invalid_token("the access token is bound to a key, which is not supported here")
            }
            Self::NotBound => invalid_token("the access token is not bound to a key"),
            // RFC 8705 section 3: no certificate or another one is invalid_token.
            Self::NoCertificate | Self::OtherCertificate { .. } => {
                invalid_token("the access token is bound to another client certificate")
            }
            Self::BindingRequired => {
                invalid_token("the access token is not bound to a key or certificate")
            }
            // RFC 9449 section 7.1: an invalid proof is answered with 401 and invalid_dpop_proof.
            Self::NoProof => invalid_proof("the request has no DPoP proof"),
            Self::Proof { .. } => invalid_proof("the DPoP proof is invalid"),
            Self::Replayed => invalid_proof("the DPoP proof was used before"),
            // RFC 9449 section 9: 401, use_dpop_nonce and the field DPoP-Nonce.
            Self::Nonce { .. } => Answer {
                status: StatusCode::UNAUTHORIZED,
                error: Some((
                    ErrorCode::UseDpopNonce,
                    "the DPoP proof needs the nonce of this response",
                )),
                challenge: true,
                retry_after: None,
            },
            // Nothing is wrong with the token, so nothing is said of it.
            Self::KeysUnavailable { retry_after, .. }
            | Self::IntrospectionUnavailable { retry_after, .. }
            | Self::ReplayWindowFull { retry_after }
            | Self::ReplayShareFull { retry_after } => Answer {
                status: StatusCode::SERVICE_UNAVAILABLE,
                error: Some((
                    ErrorCode::TemporarilyUnavailable,
                    "the access token cannot be checked at the moment",
                )),
                challenge: false,
                retry_after: Some(*retry_after),
            },
            // RFC 9470 section 3: 401 and insufficient_user_authentication.
            Self::InsufficientAuthentication { .. } => Answer {
                status: StatusCode::UNAUTHORIZED,
                error: Some((
                    ErrorCode::InsufficientUserAuthentication,
                    "the person has to sign in again",
                )),
                challenge: true,
                retry_after: None,
            },
            Self::InsufficientScope { .. } => Answer {
                status: StatusCode::FORBIDDEN,
                error: Some((
                    ErrorCode::InsufficientScope,
                    "the access token does not have the scope that this operation needs",
                )),
                challenge: true,
                retry_after: None,
            },
            // No other token would help, so none is asked for.
            Self::Role { .. } => denied("the role of the person does not allow this operation"),
            Self::UnknownOperation { .. } => denied("this operation is not open to anybody"),
        }
    }
}

// RFC 6750 section 3.1: invalid_request SHOULD be answered with 400.
fn invalid_request(description: &'static str) -> Answer {
    Answer {
        status: StatusCode::BAD_REQUEST,
        error: Some((ErrorCode::InvalidRequest, description)),
        challenge: true,
        retry_after: None,
    }
}

// RFC 6750 section 3.1: invalid_token SHOULD be answered with 401.
fn invalid_token(description: &'static str) -> Answer {
    Answer {
        status: StatusCode::UNAUTHORIZED,
        error: Some((ErrorCode::InvalidToken, description)),
        challenge: true,
        retry_after: None,
    }
}

fn invalid_proof(description: &'static str) -> Answer {
    Answer {
        error: Some((ErrorCode::InvalidDpopProof, description)),
        ..invalid_token(description)
    }
}

fn denied(description: &'static str) -> Answer {
    Answer {
        status: StatusCode::FORBIDDEN,
        error: Some((ErrorCode::AccessDenied, description)),
        challenge: false,
        retry_after: None,
    }
}
