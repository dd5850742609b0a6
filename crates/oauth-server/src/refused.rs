//! Every reason for which a request is refused, and the one mapping to the wire.

use oauth_rs::error_code::ErrorCode;
use oauth_rs::jose::dpop::{NotSpent, ProofRefused};
use oauth_rs::metadata::client::InvalidClientMetadata;
use oauth_rs::params::InvalidParams;

/// Why a request was refused.
///
/// `Display` is for the operator; the peer gets [`Refused::code`] and [`Refused::description`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Params(#[from] InvalidParams),
    #[error("parameter {0} is missing")]
    Missing(&'static str),
    #[error("parameter {name:?} occurs more than once")]
    Repeated { name: String },
    #[error("the body is not a form")]
    ContentType,

    #[error("there is no client of this identifier")]
    ClientUnknown,
    #[error("the client identifier is not an address that a document may have")]
    ClientAddress,
    #[error("the client's document could not be had: {why}")]
    DocumentUnavailable { why: String },
    #[error("the client's document was refused: {0}")]
    Document(InvalidClientMetadata),
    #[error("the client's document asks for authentication, and only public clients are served")]
    DocumentAuthenticates,
    #[error("a public client sent a password")]
    PublicClientAuthenticated { by_header: bool },
    #[error("a client authenticated in two ways at once")]
    TwoAuthentications,
    #[error("the client may not use the grant {0}")]
    GrantNotRegistered(&'static str),

    #[error("no redirect address was named, and the client has not exactly one")]
    RedirectUriMissing,
    #[error("the redirect address is malformed")]
    RedirectUriMalformed,
    #[error("the redirect address is not one that the client registered")]
    RedirectUriUnknown,

    #[error("state holds characters that cannot be sent back")]
    State,
    #[error("the response type is not code")]
    ResponseType,
    #[error("the response mode is not query")]
    ResponseMode,
    #[error("there is no code challenge")]
    ChallengeMissing,
    #[error("the code challenge method is not S256")]
    ChallengeMethod,
    #[error("the code challenge is malformed")]
    ChallengeMalformed,
    #[error("the scope is malformed")]
    ScopeMalformed,
    #[error("the resource does not offer a scope that was asked for")]
    ScopeUnknown,
    #[error("the resource is not one that this server issues tokens for")]
    ResourceUnknown,
    #[error("more than one resource was named")]
    ResourceTwice,
    #[error("nobody is signed in, and the client asked for no page to be shown")]
    LoginRequired,
    #[error("the person refused")]
    Denied,

    #[error("the request waits no longer")]
    RequestOver,
    #[error("the form was not made for this browser, this person and this request")]
    Forged,
    #[error("there is no such person")]
    PersonUnknown,
    #[error("the decision is neither allow nor deny")]
    DecisionUnknown,

    #[error("dpop_jkt is not a SHA-256 thumbprint")]
    KeyThumbprint,
    #[error("{0}")]
    Proof(ProofRefused),
    #[error("there is no DPoP proof, and {0} is bound to a key or asks for it")]
    NoProof(&'static str),
    #[error("the proof was made with another key than the one that {0} is bound to")]
    OtherKey(&'static str),
    #[error("{0}")]
    ProofSpent(NotSpent),

    #[error("the grant type is not supported")]
    GrantType,
    #[error("the code is unknown")]
    CodeUnknown,
    #[error("the code was issued to another client")]
    CodeOfAnother,
    #[error("the code was sent to another address")]
    CodeRedirectUri,
    #[error("the verifier does not meet the challenge")]
    Verifier,
    #[error("the code was issued for another resource")]
    CodeResource,
    #[error("the code was used before; its grant is ended")]
    CodeReplayed,
    #[error("the code has expired")]
    CodeExpired,

    #[error("the person is no longer known")]
    PersonGone,

    #[error("the refresh token is unknown")]
    RefreshUnknown,
    #[error("the refresh token was issued to another client")]
    RefreshOfAnother,
    #[error("the grant is ended")]
    GrantOver,
    #[error("the refresh token was issued for another resource")]
    RefreshResource,
    #[error("more was asked for than was granted")]
    ScopeWider,
    #[error("the refresh token was spent before; its grant is ended")]
    RefreshReused,
    #[error("the refresh token has expired for want of use")]
    RefreshExpired,

    #[error("registration is closed")]
    RegistrationClosed,
    #[error("too many clients registered within this minute")]
    RegistrationsTooMany,
    #[error("the client's metadata was refused: {0}")]
    Metadata(InvalidClientMetadata),

    #[error("others kept changing the same records")]
    Contended,
    #[error("the store failed")]
    Store,
    #[error("a token could not be signed")]
    Signing,
    #[error("a stored record is not what its name says")]
    Damaged,
}

impl Refused {
    /// The error code on the wire.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Params(_)
            | Self::Missing(_)
            | Self::Repeated { .. }
            | Self::ContentType
            | Self::TwoAuthentications
            | Self::RedirectUriMissing
            | Self::RedirectUriMalformed
            | Self::RedirectUriUnknown
            | Self::State
            | Self::ResponseMode
            | Self::ChallengeMissing
            | Self::ChallengeMethod
            | Self::ChallengeMalformed
            | Self::KeyThumbprint
            | Self::RequestOver
            | Self::Forged
            | Self::PersonUnknown
            | Self::DecisionUnknown => ErrorCode::InvalidRequest,
            Self::ClientUnknown
            | Self::ClientAddress
            | Self::DocumentUnavailable { .. }
            | Self::Document(_)
            | Self::DocumentAuthenticates
            | Self::PublicClientAuthenticated { .. } => ErrorCode::InvalidClient,
            Self::GrantNotRegistered(_) => ErrorCode::UnauthorizedClient,
            Self::ResponseType => ErrorCode::UnsupportedResponseType,
            Self::ScopeMalformed | Self::ScopeUnknown | Self::ScopeWider => ErrorCode::InvalidScope,
            // RFC 8707 section 2: one audience for each token, so a second resource has no target.
            Self::ResourceUnknown
            | Self::ResourceTwice
            | Self::CodeResource
            | Self::RefreshResource => ErrorCode::InvalidTarget,
            Self::LoginRequired => ErrorCode::LoginRequired,
            Self::Denied | Self::RegistrationClosed => ErrorCode::AccessDenied,
            Self::Proof(reason) => reason.code(),
            // RFC 9449 section 5: invalid_dpop_proof for a proof that is not as it has to be.
            Self::NoProof(_) | Self::ProofSpent(NotSpent::Replayed) => ErrorCode::InvalidDpopProof,
            Self::GrantType => ErrorCode::UnsupportedGrantType,
            Self::CodeUnknown
            | Self::CodeOfAnother
            | Self::CodeRedirectUri
            | Self::Verifier
            | Self::CodeReplayed
            | Self::CodeExpired
            | Self::PersonGone
            | Self::RefreshUnknown
            | Self::RefreshOfAnother
            | Self::GrantOver
            | Self::RefreshReused
            | Self::RefreshExpired
            // RFC 6749 section 5.2: a grant of somebody else; whoever lost the key has to sign in anew.
            | Self::OtherKey(_) => ErrorCode::InvalidGrant,
            Self::Metadata(invalid) => invalid.code,
            Self::Contended
            | Self::RegistrationsTooMany
            | Self::ProofSpent(NotSpent::Full { .. } | NotSpent::ShareFull { .. }) => ErrorCode::TemporarilyUnavailable,
            Self::Store | Self::Signing | Self::Damaged => ErrorCode::ServerError,
        }
    }

    /// A sentence for the developer of the client.
    ///
    /// It tells apart what the developer can repair, and nothing that helps to guess a code or a token.
    pub(crate) fn description(&self) -> String {
        let text = match self {
            Self::Params(invalid) => return printable(&invalid.to_string()),
            Self::Missing(name) => return format!("parameter {name} is missing"),
            Self::Repeated { name } => {
                return printable(&format!("parameter {name} occurs more than once"));
            }
            Self::GrantNotRegistered(grant) => {
                return format!("the client did not register the grant type {grant}");
            }
            Self::Metadata(invalid) | Self::Document(invalid) => {
                return printable(&invalid.to_string());
            }
            Self::Proof(reason) => return printable(&reason.to_string()),
            Self::NoProof(what) => {
                return format!("send a DPoP proof: {what} is bound to a key or asks for it");
            }
            Self::OtherKey(what) => return format!("{what} is bound to another key"),
            Self::ProofSpent(NotSpent::Replayed) => {
                "the proof was used before: make a new one for each request"
            }
            Self::ProofSpent(NotSpent::Full { .. } | NotSpent::ShareFull { .. }) => {
                "too many requests with proofs: try again later"
            }
            Self::KeyThumbprint => "dpop_jkt is not a SHA-256 thumbprint in base64url",
            Self::ContentType => "the body has to be application/x-www-form-urlencoded",
            Self::ClientUnknown => "the client is not known here",
            Self::ClientAddress => "the client identifier is not a valid document address",
            Self::DocumentUnavailable { .. } => "the document of the client could not be fetched",
            Self::DocumentAuthenticates => {
                "the client asks to authenticate, and only public clients are served"
            }
            Self::PublicClientAuthenticated { .. } => {
                "a public client has no secret: send client_id in the body only"
            }
            Self::TwoAuthentications => "send client credentials in one way only",
            Self::RedirectUriMissing => "parameter redirect_uri is missing",
            Self::RedirectUriMalformed => "redirect_uri is malformed",
            Self::RedirectUriUnknown => "redirect_uri is not registered for this client",
            Self::State => "state holds characters outside printable ASCII",
            Self::ResponseType => "the only response type is code",
            Self::ResponseMode => "the only response mode is query",
            Self::ChallengeMissing => "code_challenge is missing: PKCE is required",
            Self::ChallengeMethod => "code_challenge_method must be S256",
            Self::ChallengeMalformed => "code_challenge is not a SHA-256 hash in base64url",
            Self::ScopeMalformed => "scope is malformed",
            Self::ScopeUnknown => "the resource does not offer all of these scopes",
            Self::ResourceUnknown => "the resource is not known here",
            Self::ResourceTwice => "one resource at a time",
            Self::LoginRequired => "nobody is signed in",
            Self::Denied => "the request was refused",
            Self::RequestOver => "the request was answered before or has expired",
            Self::Forged => "the form was not made for this browser",
            Self::PersonUnknown => "there is no such person",
            Self::DecisionUnknown => "the decision is neither allow nor deny",
            Self::GrantType => "the grant types are authorization_code and refresh_token",
            Self::CodeUnknown | Self::CodeOfAnother | Self::CodeReplayed | Self::CodeExpired => {
                "the code is unknown, used, expired or of another client"
            }
            Self::PersonGone => "the person is no longer known here",
            Self::CodeRedirectUri => "redirect_uri is not the one of the authorization request",
            Self::Verifier => "code_verifier does not match the code_challenge",
            Self::CodeResource | Self::RefreshResource => "the resource was not granted",
            Self::RefreshUnknown
            | Self::RefreshOfAnother
            | Self::GrantOver
            | Self::RefreshReused
            | Self::RefreshExpired => {
                "the refresh token is unknown, used, expired, revoked or of another client"
            }
            Self::ScopeWider => "the scope is wider than what was granted",
            Self::RegistrationClosed => "registration is closed",
            Self::RegistrationsTooMany => "too many clients registered just now: try again later",
            Self::Contended => "try again",
            Self::Store | Self::Signing | Self::Damaged => "the server failed",
        };
        text.to_owned()
    }
}

impl Refused {
    /// The description for a page: a person reads there no words that a stranger put into the address.
    pub(crate) fn on_page(&self) -> String {
        let ours = |name: &str| PARAMETERS.contains(&name);
        match self {
            Self::Params(InvalidParams::Encoding { .. }) => {
                "a parameter is not correctly encoded".to_owned()
            }
            Self::Repeated { name } | Self::Params(InvalidParams::Duplicate { name })
                if !ours(name) =>
            {
                "a parameter occurs more than once".to_owned()
            }
            other => other.description(),
        }
    }
}

/// Parameters whose names a page may show: those that the authorization endpoint and the forms read.
const PARAMETERS: [&str; 13] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "prompt",
    "request",
    "csrf",
    "decision",
];

/// The text without the characters that an error description must not hold.
fn printable(text: &str) -> String {
    // RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E.
    text.chars()
        .filter(|c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~'))
        .take(MAX_DESCRIPTION)
        .collect()
}

/// Longest description, in characters; enough for a field and a reason.
const MAX_DESCRIPTION: usize = 200;

#[cfg(test)]
mod tests {
    use super::{Refused, printable};

    #[test]
    fn a_description_holds_only_what_the_grammar_allows() {
        assert_eq!(printable("a \"b\" \\ c\u{7f}\u{e9}\n"), "a b  c");
        let repeated = Refused::Repeated {
            name: "x\"y".to_owned(),
        };
        assert_eq!(repeated.description(), "parameter xy occurs more than once");
    }

    #[test]
    fn a_description_is_bounded() {
        assert_eq!(printable(&"x".repeat(1000)).len(), 200);
    }
}
