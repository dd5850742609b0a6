//! One question to an issuer, in the form that it understands: a request out, a response in.

use http::{Request, Response, StatusCode};
use oauth_rs::client::discover::DiscoveryFailed;
use oauth_rs::client::introspect::{
    self, Form, IntrospectionFailed, SignedBy, request, signed_response,
};
use oauth_rs::client::{Caller, ClientAuth, ExchangeFailed, MAX_BODY_BYTES};
use oauth_rs::error_code::ErrorCode;
use oauth_rs::introspection::Introspection;
use oauth_rs::jose::{AlgSet, JwkSet};
use oauth_rs::secret::Secret;

use super::didit;
use crate::fetch::keys::KeyCache;
use crate::fetch::send::SendFailed;
use crate::fetch::unavailable::Unavailable;

/// How an issuer is asked, and what its answer looks like.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum IntrospectionProfile {
    /// A form, answered by a JSON object.
    ///
    /// Specification: RFC 7662 section 2.
    Json,
    /// A form, answered by a JWT that the issuer signs for this resource server, which is then the
    /// `client_id` that it authenticates with.
    ///
    /// Specification: RFC 9701.
    Signed {
        /// Where the issuer's keys come from.
        keys: KeyCache,
        /// The algorithms that it may sign answers with.
        algorithms: AlgSet,
    },
    /// What Didit has: a question in JSON with `client_secret_basic`, and an answer whose scopes are
    /// in `org_permissions`, `claims` and `scope`, whose subject may be in `user_id`, whose client may
    /// be in `aud` and whose user name is in `identifier`.
    ///
    /// Does not check: for whom the token is, which such an answer does not say.
    Didit {
        /// The organisation that is asked for, if it is always the same; an answer that names none is
        /// about this one.
        organization: Option<String>,
    },
}

/// Why an issuer did not say anything about a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AskFailed {
    /// There was no response.
    #[error(transparent)]
    Send(#[from] SendFailed),
    /// The question could not be written, or what came is not an answer.
    #[error(transparent)]
    Answer(#[from] IntrospectionFailed),
    /// An answer of the profile `Didit` that cannot be read.
    #[error("the introspection answer is malformed: {0}")]
    Didit(String),
    /// The profile `Didit` authenticates with `client_secret_basic` and nothing else.
    #[error("the profile Didit needs client_secret_basic")]
    DiditAuth,
    /// The keys that an answer was signed with could not be fetched.
    #[error("the keys of the issuer are {0}")]
    Keys(Unavailable),
    /// No metadata document was accepted; of several addresses, why the last one was not.
    #[error("discovery: {0}")]
    Discovery(#[from] DiscoveryFailed),
    /// The metadata names no endpoint for introspection.
    #[error("the metadata of the issuer names no introspection_endpoint")]
    NoEndpoint,
    /// The question ended without a result: the client panicked, or the runtime is shutting down.
    #[error("the question was abandoned")]
    Abandoned,
}

impl AskFailed {
    /// Whether the issuer says that it answers for no token of this kind: one that it does not know.
    // RFC 7009 section 2.2.1 has the code; servers use it for RFC 7662 as well, which has none.
    pub(super) fn rejects_the_token(&self) -> bool {
        matches!(
            self,
            Self::Answer(IntrospectionFailed::Exchange(failed))
                if failed.is(ErrorCode::UnsupportedTokenType)
        )
    }

    /// Whether it says something about the issuer and not about one token.
    ///
    /// Anybody can send tokens that make an issuer answer 400; that must not keep it from being
    /// asked about others.
    pub(super) fn is_outage(&self) -> bool {
        let exchange = match self {
            Self::Answer(IntrospectionFailed::Exchange(exchange)) => exchange,
            Self::DiditAuth | Self::Keys(_) => return false,
            Self::Send(_)
            | Self::Answer(_)
            | Self::Didit(_)
            | Self::Discovery(_)
            | Self::NoEndpoint
            | Self::Abandoned => return true,
        };
        match exchange {
            ExchangeFailed::Status(status) => {
                !status.is_client_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            ExchangeFailed::Redirect(_) | ExchangeFailed::TooLong => true,
            _ => false,
        }
    }
}

impl IntrospectionProfile {
    pub(super) fn question(
        &self,
        url: &str,
        caller: &Caller<'_>,
        token: &Secret,
    ) -> Result<Request<Vec<u8>>, AskFailed> {
        let form = match self {
            Self::Signed { .. } => Form::Signed,
            Self::Json | Self::Didit { .. } => Form::Json,
        };
        let asked = request(url, caller, token, Some("access_token"), form)
            .map_err(IntrospectionFailed::from)?;
        let Self::Didit { organization } = self else {
            return Ok(asked);
        };
        // A secret in the body would be lost with the form.
        if !matches!(caller.client.auth, ClientAuth::Basic(_)) {
            return Err(AskFailed::DiditAuth);
        }
        didit::question(asked, token, organization.as_deref())
            .map_err(|error| AskFailed::Didit(error.to_string()))
    }

    /// Reads an answer that is not signed.
    pub(super) fn answer(&self, response: &Response<Vec<u8>>) -> Result<Introspection, AskFailed> {
        let Self::Didit { organization } = self else {
            return Ok(introspect::response(response)?);
        };
        let status = response.status();
        let failed = if response.body().len() > MAX_BODY_BYTES {
            ExchangeFailed::TooLong
        } else if status.is_redirection() {
            ExchangeFailed::Redirect(status)
        } else if status != StatusCode::OK {
            ExchangeFailed::Status(status)
        } else {
            return didit::answer(response.body(), organization.as_deref());
        };
        Err(IntrospectionFailed::from(failed).into())
    }
}

/// Reads a signed answer with the keys that are known.
pub(super) fn signed_answer(
    response: &Response<Vec<u8>>,
    caller: &Caller<'_>,
    keys: Option<&JwkSet>,
    algorithms: AlgSet,
) -> Result<Introspection, AskFailed> {
    let none = JwkSet::default();
    let by = SignedBy {
        issuer: caller.issuer,
        keys: keys.unwrap_or(&none),
        algorithms,
        audience: &caller.client.client_id,
        now: caller.now,
    };
    Ok(signed_response(response, &by)?)
}
