//! Every reason for a refusal.

use std::time::Duration;

use oauth_rs::certificate::InvalidClientCert;
use oauth_rs::jose::dpop::{NotSpent, ProofRefused};
use oauth_rs::jose::jwt::InvalidClaims;
use oauth_rs::jose::{BadSignature, InvalidJws};
use oauth_rs::scope::{InvalidScope, ScopeSet};
use oauth_rs::uri::Issuer;

/// Why a request was refused: a closed list.
///
/// The text of `Display` is for the operator's log: it quotes what was received, shortened, and
/// never the token. What the client sees of each is decided by
/// [`Guard::response`](crate::Guard::response).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No `Authorization` field, or one of a scheme that is not taken here.
    #[error("no access token")]
    NoToken,
    /// A token in the query, which is not read, and none in the field.
    #[error("the token is in the query, where it is not read")]
    TokenInQuery,
    /// More than one `Authorization` field, or a token in the query besides.
    #[error("credentials in more than one place")]
    SeveralCredentials,
    /// What follows the scheme is not one token.
    #[error("the authorization field is malformed")]
    MalformedCredentials,
    /// The token is longer than anything that is read.
    #[error("the token has {bytes} bytes, which is too long")]
    TokenTooLong {
        /// How long it is.
        bytes: usize,
    },
    /// The token is no JWT, and no issuer is asked about such tokens.
    #[error("the token is not a JWT, and no trusted issuer introspects")]
    Opaque,
    /// The token is an encrypted JWT.
    #[error("the token is an encrypted JWT, which is not read")]
    Encrypted,
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
    #[error("typ is {} and not at+jwt", quoted(typ.as_deref()))]
    OtherType {
        /// The `typ` that was received.
        typ: Option<String>,
    },
    /// `iss` names nobody whose tokens are accepted in this way.
    #[error("iss is {received:?}, which is not trusted")]
    OtherIssuer {
        /// The `iss` that was received.
        received: String,
    },
    /// The issuer may not use this algorithm.
    #[error("algorithm {alg:?} is not allowed to {issuer}")]
    Algorithm {
        /// Whose token it says it is.
        issuer: Issuer,
        /// The `alg` that was received.
        alg: String,
    },
    /// The issuer has no key with this id for this algorithm.
    #[error("{issuer} has no key for this algorithm; kid is {}", quoted(kid.as_deref()))]
    UnknownKey {
        /// Whose key it would have to be.
        issuer: Issuer,
        /// The `kid` that was received.
        kid: Option<String>,
    },
    /// There are no keys of the issuer, since they could not be fetched.
    #[error("the keys of {issuer} cannot be fetched")]
    KeysUnavailable {
        /// The issuer.
        issuer: Issuer,
        /// When to try again.
        retry_after: Duration,
    },
    /// The signature was not made by the key.
    #[error("{reason}")]
    Signature {
        /// What is wrong.
        reason: BadSignature,
    },
    /// A claim is missing, occurs twice or has the wrong type.
    #[error("{reason}")]
    Claims {
        /// What is wrong.
        reason: InvalidClaims,
    },
    /// The issuer could not be asked about the token.
    #[error("{issuer} cannot be asked about the token")]
    IntrospectionUnavailable {
        /// The issuer.
        issuer: Issuer,
        /// When to try again.
        retry_after: Duration,
    },
    /// The issuer says that the token is not active: unknown to it, expired or revoked.
    #[error("{issuer} says that the token is not active")]
    Inactive {
        /// The issuer.
        issuer: Issuer,
    },
    /// The issuer says that the token is not one for the `Authorization` field.
    #[error("token_type is {token_type:?}, which is not an access token of this binding")]
    OtherTokenType {
        /// The `token_type` of its answer.
        token_type: String,
    },
    /// The issuer says nothing of something that has to be known.
    #[error("the issuer's answer lacks {member}")]
    MissingMember {
        /// The member of its answer.
        member: &'static str,
    },
    /// The token was issued for another resource, or for none in particular.
    #[error("aud is {received:?}, and none of the resources here")]
    OtherAudience {
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
    /// The token is bound to a key and was sent as a bearer token.
    #[error("the token is bound to a key (cnf.jkt) and was sent as Bearer")]
    BoundAsBearer,
    /// The token is bound to a key, and DPoP is not configured.
    #[error("the token is bound to a key (cnf.jkt), and DPoP is not configured here")]
    DpopNotConfigured,
    /// The token was sent with the scheme `DPoP` and is not bound to a key.
    #[error("the token was sent as DPoP and is not bound to a key")]
    NotBound,
    /// The token was sent with the scheme `DPoP` and there is no proof.
    #[error("there is no DPoP proof")]
    NoProof,
    /// The proof does not hold.
    #[error("{reason}")]
    Proof {
        /// Which rule.
        reason: ProofRefused,
    },
    /// The proof has to be made again with the nonce of this server.
    #[error("{reason}")]
    Nonce {
        /// Whether it was missing or is an old one.
        reason: ProofRefused,
    },
    /// The proof was used before.
    #[error("the proof was used before")]
    Replayed,
    /// There is no room to remember the proof, so it could be used again.
    #[error("the replay window is full")]
    ReplayWindowFull {
        /// When there is room again.
        retry_after: Duration,
    },
    /// The key of the proof has used up its share of the room, so that others keep theirs.
    #[error("the key of the proof has used up its share of the replay window")]
    ReplayShareFull {
        /// When there may be room again.
        retry_after: Duration,
    },
    /// The token is bound to a certificate, and the connection has none.
    #[error("the token is bound to a certificate (cnf.x5t#S256), and the connection has none")]
    NoCertificate,
    /// The token is bound to another certificate than that of the connection.
    #[error("the token is bound to another certificate than {received}")]
    OtherCertificate {
        /// The thumbprint of the connection's certificate.
        received: String,
    },
    /// The proxy in front sent a certificate that cannot be read.
    #[error("the Client-Cert field of the proxy: {reason}")]
    ClientCert {
        /// What is wrong.
        reason: InvalidClientCert,
    },
    /// Only bound tokens are accepted, and this one is not.
    #[error("the token is not bound to a key or certificate as is required")]
    BindingRequired,
    /// The token, or the grant it came from, was revoked.
    #[error("revoked")]
    Revoked,
    /// The person has to sign in again, more strongly or more recently.
    #[error("the sign-in is not enough: acr is {}, auth_time {}", quoted(acr.as_deref()), ago(*age))]
    InsufficientAuthentication {
        /// What would be enough: the context classes, best first.
        acr_values: Vec<String>,
        /// What would be enough: how long ago at most.
        max_age: Option<Duration>,
        /// The `acr` of the token.
        acr: Option<String>,
        /// How long ago `auth_time` is.
        age: Option<Duration>,
    },
    /// The token is valid, and does not allow this operation.
    #[error("scope \"{granted}\" does not hold \"{needed}\"")]
    InsufficientScope {
        /// Every scope that the operation needs.
        needed: ScopeSet,
        /// What was granted.
        granted: ScopeSet,
    },
    /// The token allows the operation, and the role of its subject does not.
    #[error("the role of the subject does not hold \"{needed}\"")]
    Role {
        /// Every scope that the operation needs.
        needed: ScopeSet,
    },
    /// Nobody has said what this operation needs.
    #[error("no requirement is configured for operation {operation:?}")]
    UnknownOperation {
        /// The operation.
        operation: String,
    },
}

impl From<NotSpent> for Reason {
    fn from(why: NotSpent) -> Self {
        match why {
            NotSpent::Replayed => Self::Replayed,
            NotSpent::Full { retry_after } => Self::ReplayWindowFull { retry_after },
            NotSpent::ShareFull { retry_after } => Self::ReplayShareFull { retry_after },
        }
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "missing".to_owned(), |text| format!("{text:?}"))
}

fn ago(age: Option<Duration>) -> String {
    age.map_or_else(|| "missing".to_owned(), |age| format!("{age:?} ago"))
}

/// Cuts text from a stranger to a length that a log line can take.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

/// Characters of a received value that a reason keeps.
const MAX_QUOTED_CHARS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_cut() {
        assert_eq!(shortened(&"\u{e9}".repeat(500)).chars().count(), 200);
    }
}
