//! Which answers scripts of other sites may read.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::respond;

/// The answer to a preflight request.
pub(super) fn preflight(allow: &'static str) -> Response<Bytes> {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(allow),
    );
    // Fetch section 3.3.3: the star covers every header but Authorization.
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("*, authorization"),
    );
    // Two hours, as long as a browser keeps it at most.
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("7200"),
    );
    response
}

/// Lets any site read the answer, without cookies.
pub(super) fn allow(request: &HeaderMap, response: &mut Response<Bytes>) {
    // A page without an origin of its own could be anybody's, a local file included.
    let opaque = request
        .get(header::ORIGIN)
        .is_some_and(|origin| origin == "null");
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if opaque {
        return;
    }
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate, DPoP-Nonce, Retry-After"),
    );
}
