//! Cross-origin answers: what a page from elsewhere may send and read, as data.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
    VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

/// What pages from other origins may do.
///
/// Access is by a token that a page has to hold, never by cookies, so
/// `Access-Control-Allow-Credentials` is never sent and any origin may ask by default.
/// The opaque origin `null` is never allowed.
///
/// Does not check: that a request with an `Origin` which is not allowed is harmless; the browser
/// keeps the answer from the page, the request arrives all the same.
///
/// Specification: the Fetch standard, section 3.3 (CORS protocol).
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Origins,
    methods: HeaderValue,
    headers: HeaderValue,
    exposed: HeaderValue,
    max_age: HeaderValue,
}

#[derive(Clone, Debug)]
enum Origins {
    Any,
    These(Vec<HeaderValue>),
}

impl Default for Cors {
    /// Any origin; GET, POST, DELETE and OPTIONS; the fields `Authorization`, `Content-Type` and `DPoP`;
    /// `WWW-Authenticate`, `DPoP-Nonce` and `Retry-After` readable; remembered for a day.
    fn default() -> Self {
        Self {
            origins: Origins::Any,
            methods: HeaderValue::from_static("GET, POST, DELETE, OPTIONS"),
            headers: HeaderValue::from_static("authorization, content-type, dpop"),
            exposed: HeaderValue::from_static("www-authenticate, dpop-nonce, retry-after"),
            // 24 hours; browsers have lower ceilings of their own.
            max_age: HeaderValue::from_static("86400"),
        }
    }
}

impl Cors {
    /// Only these origins, compared exactly, as `https://app.example`.
    #[must_use]
    pub fn origins(mut self, origins: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.origins = Origins::These(origins.into_iter().collect());
        self
    }

    /// The methods that a page may use, in place of the default ones.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = list(methods.into_iter().map(|method| method.as_str().to_owned()));
        self
    }

    /// Request fields that a page may send, besides the default ones.
    #[must_use]
    pub fn also_headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.headers = extended(&self.headers, names);
        self
    }

    /// Response fields that a page may read, besides the default ones.
    #[must_use]
    pub fn also_exposed(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.exposed = extended(&self.exposed, names);
        self
    }

    /// How many seconds a browser may remember the answer to a preflight.
    #[must_use]
    pub fn max_age_seconds(mut self, seconds: u32) -> Self {
        self.max_age = HeaderValue::from(seconds);
        self
    }

    /// The answer to a preflight, or `None` if the request is not one.
    ///
    /// An origin that is not allowed gets an answer without permissions.
    pub fn preflight(&self, parts: &Parts) -> Option<Response<Bytes>> {
        // Fetch standard section 3.3.2: OPTIONS with these two fields is a preflight.
        let is_preflight = parts.method == Method::OPTIONS
            && parts.headers.contains_key(ORIGIN)
            && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(origin) = self.allowed(&parts.headers) {
            let headers = response.headers_mut();
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone());
            headers.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        }
        response
            .headers_mut()
            .append(VARY, HeaderValue::from_static("origin"));
        Some(response)
    }

    /// The origin of a request, if it may read the answer.
    pub(crate) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let allowed = match &self.origins {
            Origins::Any => true,
            Origins::These(origins) => origins.contains(origin),
        };
        // Any sandboxed page has the origin `null`, so allowing it names nobody.
        (allowed && origin != "null").then(|| origin.clone())
    }

    /// Adds the fields to an answer, unless it has some of its own.
    pub(crate) fn decorate(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        if let Some(origin) = origin {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
        }
        // RFC 9110 section 12.5.5: the answer depends on the field, also when it was absent.
        headers.append(VARY, HeaderValue::from_static("origin"));
    }
}

fn extended(own: &HeaderValue, names: impl IntoIterator<Item = HeaderName>) -> HeaderValue {
    let own = own.to_str().unwrap_or_default().to_owned();
    list(
        [own]
            .into_iter()
            .chain(names.into_iter().map(|name| name.as_str().to_owned())),
    )
}

/// Names joined by commas; names of methods and fields always fit a field value.
fn list(names: impl Iterator<Item = String>) -> HeaderValue {
    let names: Vec<String> = names.collect();
    HeaderValue::try_from(names.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: &str, origin: Option<&str>, asks: bool) -> Parts {
        let mut request = Request::builder().method(method).uri("/mcp");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if asks {
            request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "POST");
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_preflight_is_answered_with_the_permissions() {
        let cors = Cors::default()
            .also_headers([HeaderName::from_static("mcp-protocol-version")])
            .max_age_seconds(60);
        let response = cors
            .preflight(&parts("OPTIONS", Some("https://app.example"), true))
            .unwrap();
        assert_eq!(response.status(), 204);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example"),
            ("access-control-allow-methods", "GET, POST, DELETE, OPTIONS"),
            (
                "access-control-allow-headers",
                "authorization, content-type, dpop, mcp-protocol-version",
            ),
            ("access-control-max-age", "60"),
            ("vary", "origin"),
        ] {
            assert_eq!(response.headers()[name], value);
        }
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-credentials")
        );
    }

    #[test]
    fn methods_and_exposed_fields_are_data() {
        let cors = Cors::default()
            .methods([Method::GET, Method::PUT])
            .also_exposed([HeaderName::from_static("mcp-session-id")]);
        let response = cors
            .preflight(&parts("OPTIONS", Some("https://app.example"), true))
            .unwrap();
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], "GET, PUT");
        let mut headers = HeaderMap::new();
        cors.decorate(
            Some(&HeaderValue::from_static("https://app.example")),
            &mut headers,
        );
        assert_eq!(
            headers[ACCESS_CONTROL_EXPOSE_HEADERS],
            "www-authenticate, dpop-nonce, retry-after, mcp-session-id"
        );
    }

    #[test]
    fn what_is_not_a_preflight_is_not_answered() {
        let cors = Cors::default();
        assert!(cors.preflight(&parts("OPTIONS", None, true)).is_none());
        assert!(
            cors.preflight(&parts("OPTIONS", Some("https://app.example"), false))
                .is_none()
        );
        assert!(
            cors.preflight(&parts("POST", Some("https://app.example"), true))
                .is_none()
        );
    }

    #[test]
    fn an_origin_that_is_not_allowed_gets_no_permission() {
        let listed = Cors::default().origins([HeaderValue::from_static("https://app.example")]);
        for (cors, origin) in [
            (&listed, "https://app.example.evil.example"),
            (&listed, "http://app.example"),
            (&listed, "null"),
            (&Cors::default(), "null"),
        ] {
            let response = cors
                .preflight(&parts("OPTIONS", Some(origin), true))
                .unwrap();
            assert_eq!(
                response.headers().len(),
                1,
                "{origin}: {:?}",
                response.headers()
            );
            assert_eq!(response.headers()[VARY], "origin");
        }
        assert!(
            listed
                .allowed(&parts("POST", Some("https://app.example"), false).headers)
                .is_some()
        );
    }

    #[test]
    fn an_answer_with_permissions_of_its_own_keeps_them() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        Cors::default().decorate(
            Some(&HeaderValue::from_static("https://a.example")),
            &mut headers,
        );
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    }
}
