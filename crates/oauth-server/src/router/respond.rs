//! Responses: JSON, errors, pages, redirects, each with the headers that it must have.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use oauth_rs::error_code::ErrorCode;
use serde::Serialize;

use crate::check::redirect_uri::Location;
use crate::endpoint::authorize::Told;
use crate::page;
use crate::refused::Refused;

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// A line of text, for what no client should ever see.
pub(super) fn text(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = with_body(
        status,
        "text/plain; charset=utf-8",
        Bytes::from_static(text.as_bytes()),
    );
    sealed(&mut response);
    response
}

/// A document that anybody may keep.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Bytes> {
    // Our own types always serialise; if one ever does not, the client is told that the server failed.
    match serde_json::to_vec(value) {
        Ok(body) => with_body(status, "application/json", body.into()),
        Err(_) => empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A document that nobody may keep.
pub(super) fn private_json(status: StatusCode, value: &impl Serialize) -> Response<Bytes> {
    let mut response = json(status, value);
    sealed(&mut response);
    response
}

/// An error of a protocol endpoint.
pub(super) fn error(status: StatusCode, code: &str, description: &str) -> Response<Bytes> {
    private_json(
        status,
        &ErrorBody {
            error: code,
            error_description: description,
        },
    )
}

/// A refusal of a protocol endpoint.
pub(super) fn refused(reason: &Refused) -> Response<Bytes> {
    let code = reason.code();
    let status = match reason {
        Refused::RegistrationClosed => StatusCode::FORBIDDEN,
        // RFC 6585 section 4.
        Refused::RegistrationsTooMany => StatusCode::TOO_MANY_REQUESTS,
        Refused::Params(oauth_rs::params::InvalidParams::TooLong) => StatusCode::PAYLOAD_TOO_LARGE,
        Refused::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => code.status(),
    };
    let mut response = error(status, code.as_str(), &reason.description());
    // RFC 6749 section 5.2: a client that used the Authorization header MUST be answered in its scheme.
    if matches!(
        reason,
        Refused::PublicClientAuthenticated { by_header: true }
    ) {
        let challenge = HeaderValue::from_static("Basic realm=\"oauth\"");
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    if code == ErrorCode::TemporarilyUnavailable {
        let seconds = match reason {
            Refused::RegistrationsTooMany => 60,
            Refused::ProofSpent(reason) => {
                let wait = reason.retry_after().unwrap_or_default();
                wait.as_secs().max(1)
            }
            _ => 1,
        };
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A refusal that a person sees.
pub(super) fn wrong(reason: &Refused) -> Response<Bytes> {
    let status = match reason {
        Refused::Forged => StatusCode::FORBIDDEN,
        Refused::Store | Refused::Signing | Refused::Damaged => StatusCode::INTERNAL_SERVER_ERROR,
        Refused::Contended => StatusCode::SERVICE_UNAVAILABLE,
        Refused::Params(oauth_rs::params::InvalidParams::TooLong) => StatusCode::PAYLOAD_TOO_LARGE,
        Refused::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        _ => StatusCode::BAD_REQUEST,
    };
    match page::wrong(reason) {
        Ok(wrong) => page(status, wrong),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the server failed\n"),
    }
}

/// An error that a person sees and may take to the client.
pub(super) fn told(told: &Told) -> Response<Bytes> {
    match page::told(told) {
        Ok(shown) => page(StatusCode::BAD_REQUEST, shown),
        Err(reason) => wrong(&reason),
    }
}

/// A page.
pub(super) fn page(status: StatusCode, page: page::Page) -> Response<Bytes> {
    let mut response = with_body(status, "text/html; charset=utf-8", page.html.into());
    sealed(&mut response);
    let headers = response.headers_mut();
    // RFC 9700 section 4.16: a page that asks for consent must not be shown in a frame.
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    match HeaderValue::from_str(&page.policy.header()) {
        Ok(policy) => headers.insert(header::CONTENT_SECURITY_POLICY, policy),
        // The policy is made of checked ASCII; a page without one is not shown.
        Err(_) => return text(StatusCode::INTERNAL_SERVER_ERROR, "the server failed\n"),
    };
    response
}

/// Sends the browser elsewhere, always by GET.
pub(super) fn redirect(location: &Location) -> Response<Bytes> {
    // RFC 9700 section 4.12: 303, so that no form is ever sent on.
    let mut response = empty(StatusCode::SEE_OTHER);
    sealed(&mut response);
    match HeaderValue::from_str(location.as_str()) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
            response
        }
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the server failed\n"),
    }
}

fn with_body(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Nobody keeps the answer, and nobody learns from which page a link was followed.
fn sealed(response: &mut Response<Bytes>) {
    let headers = response.headers_mut();
    // RFC 6749 section 5.1: Cache-Control no-store and Pragma no-cache.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
}
