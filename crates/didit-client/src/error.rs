//! What went wrong with a call: a stable code, a message without secrets, a hint.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::retry_after::retry_after;
use crate::scrub::scrub;

/// The deepest level of an error body that is read.
const MAX_DEPTH: usize = 8;
/// The most parts that are read on one level.
const MAX_PARTS: usize = 40;
/// The longest text of one part, in characters.
const MAX_LEAF: usize = 400;
/// The longest message, in characters.
const MAX_MESSAGE: usize = 2000;
/// The largest error body that is read, in bytes.
const MAX_ERROR_BODY: usize = 256 * 1024;
/// The longest field name that is shown.
const MAX_FIELD: usize = 64;

/// The stable codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// 400, or an argument that is wrong by itself.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 402.
    PaymentRequired,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 422, or an argument with a value that is not allowed.
    Unprocessable,
    /// 429.
    RateLimited,
    /// 500 and above.
    ServerError,
    /// No answer.
    NetworkError,
    /// The caller's token lacks a scope.
    MissingScope,
    /// The caller has no credential for Didit.
    MissingAuth,
    /// Something dangerous was asked for without the confirmation it needs.
    UnsafeOperation,
    /// Anything else.
    Error,
}

impl ErrorCode {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::PaymentRequired => "payment_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::Unprocessable => "unprocessable",
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::NetworkError => "network_error",
            Self::MissingScope => "missing_scope",
            Self::MissingAuth => "missing_auth",
            Self::UnsafeOperation => "unsafe_operation",
            Self::Error => "error",
        }
    }

    /// The code for a status.
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::BadRequest,
            401 => Self::Unauthorized,
            402 => Self::PaymentRequired,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            409 => Self::Conflict,
            422 => Self::Unprocessable,
            429 => Self::RateLimited,
            500.. => Self::ServerError,
            _ => Self::Error,
        }
    }

    /// What the reader can do about it, where that is known.
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::BadRequest => Some("Correct the named field and call again."),
            Self::Unauthorized => Some("The access token was not accepted: sign in again."),
            Self::PaymentRequired => Some("The balance is too low: top up, at least 50 USD."),
            Self::Forbidden => Some("Another role in this organisation may be needed."),
            Self::NotFound => Some("List the collection it belongs to and take an id from there."),
            Self::Conflict => {
                Some("Something it depends on is not set up yet: configure that first.")
            }
            Self::Unprocessable => {
                Some("Choose one of the allowed values, or check the limits of the field.")
            }
            Self::RateLimited => Some("Too many calls: wait, then call again."),
            _ => None,
        }
    }
}

/// A call that did not succeed.
///
/// The message and the allowed values hold no secret, address, path, email, token or telephone number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.as_str())]
pub struct ApiError {
    code: ErrorCode,
    status: Option<u16>,
    message: String,
    field: Option<String>,
    allowed: Vec<String>,
    retry_after: Option<u64>,
}

impl ApiError {
    /// An error that did not come from Didit; the message is ours and is not cleaned.
    pub fn local(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            status: None,
            message: message.into(),
            field: None,
            allowed: Vec::new(),
            retry_after: None,
        }
    }

    /// Reads an answer outside 2xx, whatever its body is.
    ///
    /// At most 256 KiB of the body are read; bodies that are not JSON are not shown.
    pub fn from_response(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut error = Self::local(ErrorCode::of(status), "");
        error.status = Some(status.as_u16());
        error.retry_after = retry_after(headers);
        if body.len() <= MAX_ERROR_BODY
            && let Ok(value) = serde_json::from_slice::<Value>(body)
        {
            error.read(&value);
        }
        if error.message.is_empty() {
            error.message = fallback(status);
        }
        error
    }

    pub(crate) fn not_json() -> Self {
        Self::local(
            ErrorCode::Error,
            "the answer of the Didit API is not JSON, or ends too early",
        )
    }

    pub(crate) fn not_a_file() -> Self {
        Self::local(
            ErrorCode::Error,
            "the answer of the Didit API is not a file",
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::local(
            ErrorCode::Error,
            "the answer of the Didit API is larger than 8 MiB",
        )
    }

    /// The same refusal with more said about it; the words are ours and are not cleaned.
    #[cfg(feature = "send")]
    pub(crate) fn and(mut self, words: &str) -> Self {
        self.message = format!("{}; {words}", self.message);
        self
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The status of the answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What went wrong, cleaned.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The field at fault, if Didit named one that may be shown.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The values Didit would accept, if it said so, cleaned.
    pub fn allowed(&self) -> &[String] {
        &self.allowed
    }

    /// The seconds after which Didit wants to be asked again, if it said so.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }

    fn read(&mut self, body: &Value) {
        if let Value::Object(object) = body {
            self.field = object
                .get("field")
                .and_then(Value::as_str)
                .and_then(shown_field);
            if let Some(Value::Array(allowed)) = object.get("allowed") {
                self.allowed = allowed.iter().take(MAX_PARTS).filter_map(plain).collect();
            }
            let text = ["detail", "message", "error"]
                .into_iter()
                .filter_map(|name| object.get(name).and_then(Value::as_str))
                .find(|text| !text.trim().is_empty());
            if let Some(text) = text {
                self.message = clean(text);
                return;
            }
        }
        let mut leaves = Vec::new();
        collect(body, "", 0, &mut leaves);
        if self.field.is_none() {
            self.field = leaves.iter().find_map(|leaf| leaf.field.clone());
        }
        self.message = cut(
            &leaves
                .into_iter()
                .map(|leaf| match leaf.field {
                    Some(field) => format!("{field}: {}", leaf.text),
                    None => leaf.text,
                })
                .collect::<Vec<_>>()
                .join("; "),
            MAX_MESSAGE,
        );
    }
}

struct Leaf {
    field: Option<String>,
    text: String,
}

/// Walks a field map or an array; everything beyond the bounds is left out.
fn collect(value: &Value, path: &str, depth: usize, leaves: &mut Vec<Leaf>) {
    if depth > MAX_DEPTH || leaves.len() >= MAX_PARTS * MAX_PARTS {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items.iter().take(MAX_PARTS) {
                collect(item, path, depth + 1, leaves);
            }
        }
        Value::Object(object) => {
            for (name, item) in object.iter().take(MAX_PARTS) {
                if depth == 0 && (name == "field" || name == "allowed") {
                    continue;
                }
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(item, &inner, depth + 1, leaves);
            }
        }
        leaf => {
            if let Some(text) = plain(leaf).filter(|text| !text.is_empty()) {
                leaves.push(Leaf {
                    field: shown_field(path),
                    text,
                });
            }
        }
    }
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(clean(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn clean(text: &str) -> String {
    let one_line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    cut(scrub(&one_line).trim(), MAX_LEAF)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// A field name is shown if it looks like one, and not like a secret.
fn shown_field(name: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']');
    let fits = !name.is_empty() && name.len() <= MAX_FIELD && name.chars().all(allowed);
    (fits && scrub(name) == name).then(|| name.to_owned())
}

fn fallback(status: StatusCode) -> String {
    if status.is_redirection() {
        return format!(
            "the Didit API answered with a redirect (status {}), which is not followed",
            status.as_u16()
        );
    }
    let reason = status.canonical_reason().unwrap_or("unknown status");
    format!(
        "the Didit API answered with status {} ({reason})",
        status.as_u16()
    )
}

#[cfg(test)]
mod tests {
    use http::header::RETRY_AFTER;
    use serde_json::json;

    use super::*;

    fn read(status: u16, body: &Value) -> ApiError {
        let bytes = serde_json::to_vec(body).unwrap();
        ApiError::from_response(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            &bytes,
        )
    }

    #[test]
    fn every_status_has_its_code() {
        for (status, code, hinted) in [
            (400, "bad_request", true),
            (401, "unauthorized", true),
            (402, "payment_required", true),
            (403, "forbidden", true),
            (404, "not_found", true),
            (409, "conflict", true),
            (418, "error", false),
            (422, "unprocessable", true),
            (429, "rate_limited", true),
            (500, "server_error", false),
            (503, "server_error", false),
        ] {
            let error = read(status, &json!({}));
            assert_eq!(error.code().as_str(), code);
            assert_eq!(error.code().hint().is_some(), hinted, "{code}");
            assert_eq!(error.status(), Some(status));
            assert!(error.message().contains(&status.to_string()));
        }
    }

    #[test]
    fn the_first_text_of_the_three_names_is_the_message() {
        assert_eq!(
            read(400, &json!({"error": "c", "message": "b", "detail": "a"})).message(),
            "a"
        );
        assert_eq!(
            read(400, &json!({"error": "c", "message": "b"})).message(),
            "b"
        );
        assert_eq!(
            read(400, &json!({"error": "c", "detail": {"x": "y"}})).message(),
            "c"
        );
        assert_eq!(
            read(400, &json!({"detail": " ", "message": "b"})).message(),
            "b"
        );
        assert_eq!(
            read(409, &json!({"detail": "", "reason": "still running"})).message(),
            "reason: still running"
        );
    }

    #[test]
    fn a_field_map_names_its_first_field() {
        let error = read(
            400,
            &json!({"limit": ["too large", "odd"], "a": [{"b": ["no"]}]}),
        );
        assert_eq!(error.message(), "a.b: no; limit: too large; limit: odd");
        assert_eq!(error.field(), Some("a.b"));
    }

    #[test]
    fn field_and_allowed_are_read() {
        let error = read(
            422,
            &json!({"detail": "Invalid", "field": "data.columns", "allowed": ["a", 2, "mail me@b.example"]}),
        );
        assert_eq!(error.field(), Some("data.columns"));
        assert_eq!(error.allowed(), ["a", "2", "mail [email]"]);
        assert_eq!(error.message(), "Invalid");
    }

    #[test]
    fn a_bare_array_is_joined() {
        let error = read(400, &json!(["one", {"two": "three"}]));
        assert_eq!(error.message(), "one; two: three");
    }

    #[test]
    fn a_field_name_that_looks_like_anything_else_is_not_shown() {
        for name in ["sk_live_12345678", "a b", "", "x\n", &"x".repeat(65), "a<b"] {
            assert_eq!(
                read(400, &json!({"detail": "d", "field": name})).field(),
                None,
                "{name}"
            );
        }
        assert_eq!(
            read(400, &json!({"sk_live_12345678": ["bad"]})).message(),
            "bad"
        );
    }

    #[test]
    fn messages_are_cleaned_and_bounded() {
        assert_eq!(
            read(400, &json!({"detail": "no ada@b.example\nHint: x"})).message(),
            "no [email] Hint: x"
        );
        let leaf = read(400, &json!({"detail": "a ".repeat(1000)}));
        assert!(leaf.message().chars().count() <= MAX_LEAF);
        let wide: Vec<Value> = (0..100).map(|_| json!("b ".repeat(300))).collect();
        assert!(read(400, &json!(wide)).message().chars().count() <= MAX_MESSAGE);
        let mut deep = json!("bottom");
        for _ in 0..20 {
            deep = json!([deep]);
        }
        assert_eq!(
            read(400, &deep).message(),
            "the Didit API answered with status 400 (Bad Request)"
        );
    }

    #[test]
    fn a_body_that_is_no_json_or_too_large_is_not_shown() {
        for body in [&b"<h1>secret</h1>"[..], &[b'"'; MAX_ERROR_BODY + 1]] {
            let error = ApiError::from_response(StatusCode::BAD_GATEWAY, &HeaderMap::new(), body);
            assert_eq!(
                error.message(),
                "the Didit API answered with status 502 (Bad Gateway)"
            );
        }
    }

    #[test]
    fn retry_after_in_seconds_is_read() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let error = ApiError::from_response(StatusCode::TOO_MANY_REQUESTS, &headers, b"{}");
        assert_eq!(error.retry_after(), Some(7));
        headers.insert(RETRY_AFTER, "soon".parse().unwrap());
        let error = ApiError::from_response(StatusCode::TOO_MANY_REQUESTS, &headers, b"{}");
        assert_eq!(error.retry_after(), None);
    }
}
