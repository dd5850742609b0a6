//! What a tool gives back: a value, or a failure in lines that a model can act on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use didit_client::{ApiError, ErrorCode};
use serde_json::{Value, json};

use crate::role::roles_with;

/// The most allowed values that are listed.
const MAX_ALLOWED: usize = 40;

/// What every tool ends with but those that give a file.
pub(crate) type Outcome = Result<Value, Failure>;

/// What a tool gives: its answer, and a file beside it.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) value: Value,
    pub(crate) enclosed: Option<Enclosed>,
}

impl From<Value> for Given {
    fn from(value: Value) -> Self {
        Self {
            value,
            enclosed: None,
        }
    }
}

impl Given {
    /// Everything in one value: the file is its member `blob`.
    pub(crate) fn into_value(self) -> Value {
        let Self {
            mut value,
            enclosed,
        } = self;
        if let (Some(members), Some(file)) = (value.as_object_mut(), enclosed) {
            members.insert("blob".to_owned(), file.base64().into());
        }
        value
    }
}

/// A file that goes along with an answer.
#[derive(Debug)]
pub(crate) struct Enclosed {
    pub(crate) uri: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Bytes,
}

impl Enclosed {
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

/// Why a tool did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: ErrorCode,
    message: String,
    field: Option<String>,
    hint: Option<String>,
    allowed: Vec<String>,
    signed_out: bool,
}

impl Failure {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let hint = code.hint().map(str::to_owned);
        Self {
            code,
            message: message.into(),
            field: None,
            hint,
            allowed: Vec::new(),
            signed_out: false,
        }
    }

    /// The same, and the credential itself is what was refused.
    pub(crate) fn signed_out(mut self) -> Self {
        self.signed_out = true;
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Unprocessable, message)
    }

    /// Says first what was, or was not, done by then.
    pub(crate) fn before(mut self, told: &str) -> Self {
        self.message.insert_str(0, told);
        self
    }

    pub(crate) fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn allowed(mut self, allowed: impl IntoIterator<Item = String>) -> Self {
        self.allowed = allowed.into_iter().take(MAX_ALLOWED).collect();
        self
    }

    /// The token carries permissions, and not the one that the tool needs.
    pub fn missing_permission(permission: &str) -> Self {
        Self::new(
            ErrorCode::MissingScope,
            format!(
                "the access token does not carry the permission {permission}, which this tool needs"
            ),
        )
        .hint(format!(
            "Roles that have it: {}. Sign in again after the role has changed.",
            roles_with(permission).join(", ")
        ))
    }

    /// The stable code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// What went wrong, without the other lines.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether Didit refused the credential as such: with 401, or with 403 to the question what the person can reach.
    ///
    /// A 403 to anything else is about the person's role, and says so.
    pub fn is_signed_out(&self) -> bool {
        self.signed_out
    }

    /// The lines of an error result.
    pub fn text(&self) -> String {
        let mut lines = vec![format!("Error [{}]: {}", self.code.as_str(), self.message)];
        lines.extend(self.field.as_ref().map(|field| format!("Field: {field}")));
        lines.extend(self.hint.as_ref().map(|hint| format!("Hint: {hint}")));
        if !self.allowed.is_empty() {
            lines.push(format!("Allowed: {}", self.allowed.join(", ")));
        }
        lines.join("\n")
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let mut failure = Self::new(error.code(), error.message());
        failure.signed_out = error.status() == Some(401);
        failure.field = error.field().map(str::to_owned);
        failure.allowed = error.allowed().iter().take(MAX_ALLOWED).cloned().collect();
        if let (ErrorCode::RateLimited, Some(seconds)) = (error.code(), error.retry_after()) {
            failure.hint = Some(format!(
                "Too many calls: wait {seconds} s, then call again."
            ));
        }
        failure
    }
}

/// The object of a result: arrays and scalars are wrapped.
pub(crate) fn structured(value: Value) -> Value {
    if value.is_object() {
        value
    } else {
        json!({ "value": value })
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn a_failure_is_up_to_four_lines() {
        let failure = Failure::unprocessable("kind is odd")
            .field("kind")
            .hint("Choose.")
            .allowed(["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            failure.text(),
            "Error [unprocessable]: kind is odd\nField: kind\nHint: Choose.\nAllowed: a, b"
        );
        let bare = Failure::new(ErrorCode::ServerError, "it broke");
        assert_eq!(bare.text(), "Error [server_error]: it broke");
    }

    #[test]
    fn didits_words_are_kept() {
        let body = br#"{"detail":"Invalid columns","field":"columns","allowed":["a"]}"#;
        let error = ApiError::from_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), body);
        assert_eq!(
            Failure::from(error).text(),
            "Error [bad_request]: Invalid columns\nField: columns\nHint: Correct the named field and call again.\nAllowed: a"
        );
    }

    #[test]
    fn a_limit_says_when_it_ends() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", "9".parse().unwrap());
        let error = ApiError::from_response(StatusCode::TOO_MANY_REQUESTS, &headers, b"{}");
        assert!(
            Failure::from(error)
                .text()
                .ends_with("Hint: Too many calls: wait 9 s, then call again.")
        );
    }

    #[test]
    fn only_objects_are_not_wrapped() {
        assert_eq!(structured(json!({"a": 1})), json!({"a": 1}));
        assert_eq!(structured(json!([1])), json!({"value": [1]}));
        assert_eq!(structured(json!("x")), json!({"value": "x"}));
    }
}
