//! Every reason for a refusal, and the one mapping to a status and a body.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};

/// Complaints by field, in the form that Didit answers with.
pub(crate) type Complaints = BTreeMap<String, Vec<String>>;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Refused {
    NoCredential,
    UnknownCredential,
    NoKey,
    UnknownKey,
    ForeignHost,
    NotPermitted,
    NotFound,
    MethodNotAllowed {
        method: String,
        allowed: String,
    },
    InvalidCursor,
    Invalid(Complaints),
    NotJson(String),
    NotAnObject(&'static str),
    WrongType(String),
    BrokenForm(String),
    Conflict(String),
    WrongLogin,
    NoCredit,
    /// The columns there are.
    InvalidColumns(&'static [&'static str]),
    /// So many seconds are to be waited.
    Throttled(u64),
    BodyTooLong,
    BodyBroken,
    Full(&'static str),
}

impl Refused {
    /// One complaint about one field.
    pub(crate) fn field(name: &str, complaint: impl Into<String>) -> Self {
        Self::Invalid(Complaints::from([(
            name.to_owned(),
            vec![complaint.into()],
        )]))
    }

    fn told(&self) -> (StatusCode, Value) {
        let detail = |text: &str| json!({ "detail": text });
        match self {
            Self::NoCredential => (
                StatusCode::UNAUTHORIZED,
                detail("Authentication credentials were not provided."),
            ),
            Self::UnknownCredential => (
                StatusCode::UNAUTHORIZED,
                json!({ "detail": "Given token not valid for any token type", "code": "token_not_valid" }),
            ),
            Self::NoKey => (
                StatusCode::FORBIDDEN,
                detail("You must be authenticated with a valid API key."),
            ),
            Self::UnknownKey => (StatusCode::UNAUTHORIZED, detail("Invalid API key.")),
            Self::ForeignHost => (
                StatusCode::FORBIDDEN,
                detail("The sandbox answers only on a loopback host."),
            ),
            Self::NotPermitted => (
                StatusCode::FORBIDDEN,
                detail("You do not have permission to perform this action."),
            ),
            Self::NotFound => (StatusCode::NOT_FOUND, detail("Not found.")),
            Self::MethodNotAllowed { method, .. } => (
                StatusCode::METHOD_NOT_ALLOWED,
                json!({ "detail": format!("Method \"{method}\" not allowed.") }),
            ),
            Self::InvalidCursor => (StatusCode::NOT_FOUND, detail("Invalid cursor")),
            Self::Invalid(complaints) => (StatusCode::BAD_REQUEST, json!(complaints)),
            Self::NotJson(why) => (
                StatusCode::BAD_REQUEST,
                json!({ "detail": format!("JSON parse error - {why}") }),
            ),
            Self::NotAnObject(got) => (
                StatusCode::BAD_REQUEST,
                json!({ "non_field_errors": [format!("Invalid data. Expected a dictionary, but got {got}.")] }),
            ),
            Self::WrongType(media_type) => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                json!({ "detail": format!("Unsupported media type \"{media_type}\" in request.") }),
            ),
            Self::BrokenForm(why) => (
                StatusCode::BAD_REQUEST,
                json!({ "detail": format!("Multipart form parse error - {why}") }),
            ),
            Self::Conflict(why) => (StatusCode::CONFLICT, detail(why)),
            Self::WrongLogin => (
                StatusCode::UNAUTHORIZED,
                detail("No active account found with the given credentials."),
            ),
            Self::NoCredit => (
                StatusCode::PAYMENT_REQUIRED,
                detail("The balance does not cover this check."),
            ),
            Self::InvalidColumns(columns) => (
                StatusCode::BAD_REQUEST,
                json!({ "detail": "Invalid columns", "allowed": columns }),
            ),
            Self::Throttled(seconds) => (
                StatusCode::TOO_MANY_REQUESTS,
                json!({ "detail": format!("Request was throttled. Expected available in {seconds} seconds.") }),
            ),
            Self::BodyTooLong => (
                StatusCode::PAYLOAD_TOO_LARGE,
                detail("The request body is too large."),
            ),
            Self::BodyBroken => (
                StatusCode::BAD_REQUEST,
                detail("The request body broke off."),
            ),
            Self::Full(what) => (
                StatusCode::SERVICE_UNAVAILABLE,
                json!({ "detail": format!("The sandbox is full: it holds no more {what}.") }),
            ),
        }
    }

    pub(crate) fn response(&self) -> Response<Bytes> {
        let (status, body) = self.told();
        let mut response = json_response(status, &body);
        match self {
            // RFC 9110 section 11.6.1: a 401 names a scheme.
            Self::NoCredential | Self::UnknownCredential | Self::UnknownKey | Self::WrongLogin => {
                response.headers_mut().insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"api\""),
                );
            }
            // RFC 9110 section 15.5.6: a 405 lists what would be allowed.
            Self::MethodNotAllowed { allowed, .. } => {
                if let Ok(value) = HeaderValue::from_str(allowed) {
                    response.headers_mut().insert(header::ALLOW, value);
                }
            }
            // RFC 9110 section 10.2.3.
            Self::Throttled(seconds) => {
                let value = HeaderValue::from(*seconds);
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            _ => {}
        }
        response
    }
}

/// A response with a JSON body.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
