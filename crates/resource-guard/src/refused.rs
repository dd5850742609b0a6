//! Every reason for a refusal, and the one function that turns a reason into a response.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use oauth_rs::challenge::Challenge;
use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::jwt::InvalidClaims;
use oauth_rs::jose::{BadSignature, InvalidJws};
use oauth_rs::scope::{InvalidScope, ScopeSet};
use oauth_rs::uri::{Issuer, ResourceId};

use crate::config::{GuardConfig, InvalidConfig};

/// Why a request was refused.
///
/// The text of `Display` is for the operator's log: it quotes what was received, shortened, and
/// never the token. The client sees the status, the error code and a fixed description.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No bearer token in the `Authorization` field.
    #[error("no bearer token")]
    NoToken,
    /// A token in the query, which is not read, and none in the field.
    #[error("the token is in the query, where it is not read")]
    TokenInQuery,
    /// More than one `Authorization` field, or a token in the query besides.
    #[error("credentials in more than one place")]
    SeveralCredentials,
    /// What follows `Bearer` is not one token.
    #[error("the authorization field is malformed")]
    MalformedCredentials,
    /// The token is not a signed token in compact form.
    #[error("the token is not a signed JWT: {reason}")]
    Malformed {
        /// What is wrong.
        reason: InvalidJws,
    },
    /// The token is not signed: `alg` is `none`, or the signature is empty.
    #[error("the token is not signed")]
    Unsigned,
    /// The token is of another type, an ID token for example.
    #[error("typ is {typ:?} and not at+jwt")]
    OtherType {
        /// The `typ` that was received.
        typ: Option<String>,
    },
    /// No trusted issuer may use this algorithm.
    #[error("algorithm {alg:?} is not allowed")]
    Algorithm {
        /// The `alg` that was received.
        alg: String,
    },
    /// No trusted issuer has a key with this id for this algorithm.
    #[error("no key {kid:?} for this algorithm")]
    UnknownKey {
        /// The `kid` that was received.
        kid: Option<String>,
    },
    /// The signature was not made by the key.
    #[error("{reason}")]
    Signature {
        /// What is wrong.
        reason: BadSignature,
    },
    /// A claim is missing, occurs twice or has the wrong type, or the token is bound to a key.
    #[error("{reason}")]
    Claims {
        /// What is wrong.
        reason: InvalidClaims,
    },
    /// `iss` is not the issuer whose key signed the token.
    #[error("iss is {received:?} and not {expected}")]
    OtherIssuer {
        /// The issuer whose key it is.
        expected: Issuer,
        /// The `iss` that was received.
        received: String,
    },
    /// The token was issued for another resource.
    #[error("aud is {received:?} and not {expected}")]
    OtherAudience {
        /// This resource.
        expected: ResourceId,
        /// The `aud` that was received, joined by spaces.
        received: String,
    },
    /// The token has expired.
    #[error("expired {ago:?} ago")]
    Expired {
        /// How long ago.
        ago: Duration,
    },
    /// The token is not valid yet.
    #[error("valid in {ahead:?} only")]
    NotYetValid {
        /// How far ahead `nbf` is.
        ahead: Duration,
    },
    /// A claim that names somebody is empty.
    #[error("claim {claim} is empty")]
    EmptyClaim {
        /// The claim.
        claim: &'static str,
    },
    /// `scope` is not scope text.
    #[error("scope is malformed: {reason}")]
    Scope {
        /// What is wrong.
        reason: InvalidScope,
    },
    /// The token, or the grant it came from, was revoked.
    #[error("revoked")]
    Revoked,
    /// The token is valid, and does not allow this operation.
    #[error("scope \"{granted}\" does not hold \"{needed}\"")]
    InsufficientScope {
        /// Every scope that the operation needs.
        needed: ScopeSet,
        /// What was granted.
        granted: ScopeSet,
    },
}

/// What the client gets to see of a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    status: StatusCode,
    error: Option<(ErrorCode, &'static str)>,
}

impl Refused {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        self.answer().status
    }

    /// The error code of the answer; none where no token was presented.
    pub fn error(&self) -> Option<ErrorCode> {
        self.answer().error.map(|(code, _)| code)
    }

    /// The mapping to the wire: every reason, no wildcard.
    fn answer(&self) -> Answer {
        match self {
            // RFC 6750 section 3.1: without credentials no error code and no other information.
            Self::NoToken | Self::TokenInQuery => Answer {
                status: StatusCode::UNAUTHORIZED,
                error: None,
            },
            Self::SeveralCredentials => {
                invalid_request("the request carries credentials in more than one place")
            }
            Self::MalformedCredentials => invalid_request("the authorization header is malformed"),
            Self::Malformed { .. } => invalid_token("the access token is malformed"),
            Self::Unsigned => invalid_token("the access token is not signed"),
            Self::OtherType { .. } => invalid_token("the token is not an access token"),
            Self::Algorithm { .. } => {
                invalid_token("the access token is signed with an algorithm that is not allowed")
            }
            Self::UnknownKey { .. } => {
                invalid_token("the access token is signed with an unknown key")
            }
            Self::Signature { .. } => invalid_token("the signature of the access token is invalid"),
            Self::Claims { .. } | Self::EmptyClaim { .. } | Self::Scope { .. } => {
                invalid_token("the claims of the access token are malformed")
            }
            Self::OtherIssuer { .. } => {
                invalid_token("the access token was issued by another authorization server")
            }
            Self::OtherAudience { .. } => {
                invalid_token("the access token was issued for another resource")
            }
            Self::Expired { .. } => invalid_token("the access token has expired"),
            Self::NotYetValid { .. } => invalid_token("the access token is not valid yet"),
            Self::Revoked => invalid_token("the access token was revoked"),
            Self::InsufficientScope { .. } => Answer {
                status: ErrorCode::InsufficientScope.status(),
                error: Some((
                    ErrorCode::InsufficientScope,
                    "the access token does not have the scope that this operation needs",
                )),
            },
        }
    }
}

// RFC 6750 section 3.1: invalid_request SHOULD be answered with 400.
fn invalid_request(description: &'static str) -> Answer {
    Answer {
        status: ErrorCode::InvalidRequest.status(),
        error: Some((ErrorCode::InvalidRequest, description)),
    }
}

// RFC 6750 section 3.1: invalid_token SHOULD be answered with 401.
fn invalid_token(description: &'static str) -> Answer {
    Answer {
        status: ErrorCode::InvalidToken.status(),
        error: Some((ErrorCode::InvalidToken, description)),
    }
}

/// Cuts text from a stranger to a length that a log line can take.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

/// Characters of a received value that a reason keeps.
const MAX_QUOTED_CHARS: usize = 200;

/// What all challenges of one resource have in common.
#[derive(Debug)]
pub(crate) struct Challenges {
    metadata_url: String,
    scopes: ScopeSet,
    /// The challenge to a request without a token, written once.
    bare: HeaderValue,
}

#[derive(serde::Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl Challenges {
    pub(crate) fn new(config: &GuardConfig) -> Result<Self, InvalidConfig> {
        let metadata_url = config.resource.metadata_url();
        let scopes = config.challenge_scopes.clone();
        let bare = challenge(None, &metadata_url, &scopes);
        let Ok(bare) = HeaderValue::from_str(&bare.to_string()) else {
            let what = "the challenge";
            return Err(InvalidConfig::Unwritable { what });
        };
        Ok(Self {
            metadata_url,
            scopes,
            bare,
        })
    }

    /// Status, challenge and body for a reason, with the reason in the extensions.
    pub(crate) fn response(&self, refused: &Refused) -> Response<Bytes> {
        let answer = refused.answer();
        let (field, body) = match answer.error {
            None => (self.bare.clone(), Bytes::new()),
            Some((code, description)) => {
                let scopes = match refused {
                    Refused::InsufficientScope { needed, .. } => needed,
                    _ => &self.scopes,
                };
                let challenge = challenge(Some((code, description)), &self.metadata_url, scopes);
                // What a challenge prints fits a header field; the bare one was tried before.
                let field = HeaderValue::from_str(&challenge.to_string())
                    .unwrap_or_else(|_| self.bare.clone());
                (field, error_body(code, description))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(WWW_AUTHENTICATE, field);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if answer.error.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response.extensions_mut().insert(refused.clone());
        response
    }
}

/// The challenge; an empty set of scopes is left out.
fn challenge(error: Option<(ErrorCode, &str)>, metadata_url: &str, scopes: &ScopeSet) -> Challenge {
    let mut challenge = Challenge::new("Bearer");
    if let Some((code, description)) = error {
        // RFC 6750 section 3: error and error_description, in their restricted characters.
        challenge = challenge
            .param("error", code.as_str())
            .param("error_description", description);
    }
    // RFC 9728 section 5.1: resource_metadata is the address of the metadata document.
    challenge = challenge.param("resource_metadata", metadata_url);
    if scopes.is_empty() {
        return challenge;
    }
    // RFC 6750 section 3: scope is what access needs.
    challenge.param("scope", &scopes.to_string())
}

fn error_body(code: ErrorCode, description: &str) -> Bytes {
    let body = ErrorBody {
        error: code.as_str(),
        error_description: description,
    };
    // A struct of two strings always serialises; were it not so, the status still says it all.
    serde_json::to_vec(&body)
        .map(Bytes::from)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_use_the_allowed_characters_only() {
        let reasons = [
            Refused::SeveralCredentials,
            Refused::MalformedCredentials,
            Refused::Malformed {
                reason: InvalidJws::Parts,
            },
            Refused::Unsigned,
            Refused::OtherType { typ: None },
            Refused::Algorithm { alg: String::new() },
            Refused::UnknownKey { kid: None },
            Refused::Signature {
                reason: BadSignature::Mismatch,
            },
            Refused::EmptyClaim { claim: "sub" },
            Refused::OtherIssuer {
                expected: Issuer::parse("https://as.example").unwrap(),
                received: String::new(),
            },
            Refused::OtherAudience {
                expected: ResourceId::parse("https://rs.example").unwrap(),
                received: String::new(),
            },
            Refused::Expired {
                ago: Duration::ZERO,
            },
            Refused::NotYetValid {
                ahead: Duration::ZERO,
            },
            Refused::Revoked,
            Refused::InsufficientScope {
                needed: ScopeSet::empty(),
                granted: ScopeSet::empty(),
            },
        ];
        for reason in reasons {
            let (_, description) = reason.answer().error.unwrap();
            // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E.
            let allowed = |b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            assert!(description.bytes().all(allowed), "{description}");
        }
    }

    #[test]
    fn quoted_text_is_cut() {
        assert_eq!(shortened(&"\u{e9}".repeat(500)).chars().count(), 200);
    }
}
