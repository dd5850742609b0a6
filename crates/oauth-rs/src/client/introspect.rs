//! Asking an authorization server about a token (RFC 7662), and its signed answer (RFC 9701).

use std::borrow::Cow;

use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use thiserror::Error;

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use crate::introspection::Introspection;
use crate::jose::claim::{self, read_audience, read_seconds, read_text};
use crate::jose::jwt::InvalidClaims;
use crate::jose::{AlgSet, BadSignature, InvalidJws, JwkSet, Jws, Verified, typ_is};
use crate::media_type;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::Issuer;

/// The media type of a signed answer.
const SIGNED: &str = "application/token-introspection+jwt";

/// How far `iat` of a signed answer may be from the present, either way, in seconds.
///
/// A minute: an answer is made when it is asked for, and clocks that are further off are broken. It
/// keeps an answer that was recorded from being given again later.
const MAX_AGE: u64 = 60;

/// Which form of answer is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object, RFC 7662.
    Json,
    /// The same object in a JWT that the server signs, RFC 9701.
    Signed,
}

/// Asks whether a token is good, and what it allows; `hint` is its type, if that is known.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the caller cannot authenticate.
///
/// Specification: RFC 7662 section 2.1; RFC 9701 section 4.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    token: &Secret,
    hint: Option<&str>,
    form: Form,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let mut pairs = vec![("token", token.expose())];
    pairs.extend(hint.map(|hint| ("token_type_hint", hint)));
    let mut request = caller.post("introspection endpoint", endpoint, &pairs)?;
    if form == Form::Signed {
        let signed = HeaderValue::from_static(SIGNED);
        request.headers_mut().insert(header::ACCEPT, signed);
    }
    Ok(request)
}

/// Why an answer says nothing about the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum IntrospectionFailed {
    /// The exchange failed, or the server refused the caller.
    #[error(transparent)]
    Exchange(#[from] ExchangeFailed),
    /// The answer is not the object that belongs here.
    #[error("the introspection answer is malformed: {0}")]
    Malformed(#[from] InvalidClaims),
    /// A signed answer was asked for, and the media type is another.
    #[error("the introspection answer is not application/token-introspection+jwt")]
    NotSigned,
    /// The answer is not a signed JWT.
    #[error("the introspection answer is not a signed JWT: {0}")]
    Jws(#[from] InvalidJws),
    /// The JWT is of another type.
    #[error("typ of the introspection answer is not token-introspection+jwt")]
    Type,
    /// No key of the server has the answer's key id and algorithm; newer keys may have.
    #[error("no key {kid:?} of the server for the introspection answer")]
    UnknownKey {
        /// The key id, cut to 200 characters.
        kid: Option<String>,
    },
    /// The signature was not made by the key.
    #[error("the introspection answer: {0}")]
    Signature(#[from] BadSignature),
    /// The answer was made by somebody else.
    #[error("iss of the introspection answer is not the server")]
    Issuer,
    /// The answer was made for somebody else.
    #[error("aud of the introspection answer is not this resource server")]
    Audience,
    /// The answer was not made just now.
    #[error("iat of the introspection answer is more than {MAX_AGE} s away")]
    Age,
}

/// Reads an answer in JSON.
///
/// Does not check: any value in it; see [`Introspection`].
///
/// # Errors
/// The status is not 200, or the body is not an answer.
pub fn response(response: &Response<Vec<u8>>) -> Result<Introspection, IntrospectionFailed> {
    exchange::check_status(response, &[StatusCode::OK])?;
    Ok(Introspection::parse(response.body())?)
}

/// Who has to have made a signed answer, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct SignedBy<'a> {
    /// The server that was asked.
    pub issuer: &'a Issuer,
    /// Its keys.
    pub keys: &'a JwkSet,
    /// The algorithms that it may sign answers with.
    pub algorithms: AlgSet,
    /// Whom the answer is for: the identifier of this resource server as a client of the server.
    pub audience: &'a str,
    /// The present.
    pub now: UnixSeconds,
}

/// Reads a signed answer.
///
/// It decides, in this order: status; media type; compact form; `typ`; a key with the answer's id and
/// algorithm; signature; `iss` exactly the server; `aud` contains the resource server; `iat` within a
/// minute of the present; the object in `token_introspection`.
///
/// Does not check: that the answer is about the token that was asked about, which nothing in it says;
/// the connection does.
///
/// # Errors
/// The first rule that does not hold.
///
/// Specification: RFC 9701 section 5; RFC 8725 section 3.
pub fn signed_response(
    response: &Response<Vec<u8>>,
    by: &SignedBy<'_>,
) -> Result<Introspection, IntrospectionFailed> {
    #[derive(Deserialize)]
    struct Claims<'a> {
        #[serde(borrow, deserialize_with = "read_text")]
        iss: Cow<'a, str>,
        #[serde(borrow, deserialize_with = "read_audience")]
        aud: Vec<Cow<'a, str>>,
        #[serde(deserialize_with = "read_seconds")]
        iat: UnixSeconds,
        #[serde(borrow)]
        token_introspection: &'a RawValue,
    }
    exchange::check_status(response, &[StatusCode::OK])?;
    // RFC 9701 section 5: the content type of the response is application/token-introspection+jwt.
    if media_type::of(response.headers()).as_deref() != Some(SIGNED) {
        return Err(IntrospectionFailed::NotSigned);
    }
    let text = std::str::from_utf8(response.body()).map_err(|_| InvalidJws::Parts)?;
    let jws = Jws::parse(text)?;
    // RFC 9701 section 5: typ is token-introspection+jwt, so that no other token passes for an answer.
    let typ = jws.header().typ.as_deref();
    if !typ.is_some_and(|typ| typ_is(typ, "token-introspection+jwt")) {
        return Err(IntrospectionFailed::Type);
    }
    let verified = verified(&jws, by)?;
    let claims: Claims<'_> = claim::read(verified.payload())?;
    // RFC 9701 section 5: iss is the server, compared exactly, and aud is the resource server.
    if claims.iss != by.issuer.as_str() {
        return Err(IntrospectionFailed::Issuer);
    }
    if !claims.aud.iter().any(|audience| audience == by.audience) {
        return Err(IntrospectionFailed::Audience);
    }
    if claims.iat.0.abs_diff(by.now.0) > MAX_AGE {
        return Err(IntrospectionFailed::Age);
    }
    let object = claims.token_introspection.get();
    Ok(Introspection::parse(object.as_bytes())?)
}

// RFC 8725 section 3.1: the key decides the algorithm; several keys may share an id.
fn verified<'a>(jws: &'a Jws<'_>, by: &SignedBy<'_>) -> Result<Verified<'a>, IntrospectionFailed> {
    let kid = jws.header().kid.as_deref();
    let alg = jws.header().alg();
    let keys = alg.into_iter().flat_map(|alg| by.keys.find(kid, alg));
    let mut failed = IntrospectionFailed::UnknownKey {
        kid: kid.map(|kid| kid.chars().take(200).collect()),
    };
    for key in keys.take(MAX_CANDIDATES) {
        match jws.verify(key, by.algorithms) {
            Ok(verified) => return Ok(verified),
            Err(reason) => failed = reason.into(),
        }
    }
    Err(failed)
}

/// Signatures that one answer may cost, when it names no key.
const MAX_CANDIDATES: usize = 8;

#[cfg(test)]
mod tests;
