//! What all exchanges share: where a request may go, and reading an answer.

use http::{Method, Request, Response, StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::auth::AuthRefused;
use crate::error_code::ErrorCode;
use crate::json;
use crate::metadata::client::InvalidRegistration;
use crate::scope::ScopeSet;
use crate::uri::is_endpoint;

/// The longest answer that is read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Why an exchange did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExchangeFailed {
    /// The address is neither https nor loopback http, or cannot be written as a request.
    #[error("the address of the {0} is neither https nor loopback http")]
    Address(&'static str),
    /// The client cannot authenticate.
    #[error(transparent)]
    Authentication(#[from] AuthRefused),
    /// A redirect, which is never followed.
    #[error("the server answered with a redirect ({0}), which is not followed")]
    Redirect(StatusCode),
    /// An answer with another status, and without an error code.
    #[error("the server answered with status {0}")]
    Status(StatusCode),
    /// More than [`MAX_BODY_BYTES`].
    #[error("the answer is longer than {MAX_BODY_BYTES} bytes")]
    TooLong,
    /// Not the JSON object that belongs here.
    #[error("the answer is malformed: {0}")]
    Malformed(&'static str),
    /// Not the registration that belongs here.
    #[error("the registration cannot be used: {0}")]
    Registration(#[from] InvalidRegistration),
    /// The server refused, with an error code.
    #[error("the server refused: {name}{}", description.as_ref().map_or(String::new(), |d| format!(" ({d:?})")))]
    Refused {
        /// The code, if it is one of the known ones.
        code: Option<ErrorCode>,
        /// The code as sent, cut to 64 characters.
        name: String,
        /// What the server says about it, cut to 300 characters.
        description: Option<String>,
    },
}

/// What is sent as `scope`: nothing where nothing is asked for, since an empty value counts as none.
// OAuth 2.1 section 3: a parameter with an empty value is treated as omitted.
pub(super) fn scope_text(scope: Option<&ScopeSet>) -> Option<String> {
    scope
        .filter(|scope| !scope.is_empty())
        .map(ToString::to_string)
}

impl ExchangeFailed {
    /// Whether the server refused with this code.
    pub fn is(&self, wanted: ErrorCode) -> bool {
        matches!(self, Self::Refused { code: Some(code), .. } if *code == wanted)
    }
}

/// A request that asks for JSON, at an address that credentials may be sent to.
pub(super) fn request(
    what: &'static str,
    method: Method,
    url: &str,
    body: Vec<u8>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    if !is_endpoint(url) {
        return Err(ExchangeFailed::Address(what));
    }
    Request::builder()
        .method(method)
        .uri(url)
        .header(header::ACCEPT, "application/json")
        .body(body)
        .map_err(|_| ExchangeFailed::Address(what))
}

/// Reads an answer that must have one of these statuses and hold an object.
pub(super) fn read<T: DeserializeOwned>(
    response: &Response<Vec<u8>>,
    wanted: &[StatusCode],
    what: &'static str,
) -> Result<T, ExchangeFailed> {
    check_status(response, wanted)?;
    json::object(response.body()).map_err(|_| ExchangeFailed::Malformed(what))
}

/// Whether the answer has one of these statuses; if not, why.
pub(super) fn check_status(
    response: &Response<Vec<u8>>,
    wanted: &[StatusCode],
) -> Result<(), ExchangeFailed> {
    if response.body().len() > MAX_BODY_BYTES {
        return Err(ExchangeFailed::TooLong);
    }
    let status = response.status();
    if wanted.contains(&status) {
        return Ok(());
    }
    if status.is_redirection() {
        return Err(ExchangeFailed::Redirect(status));
    }
    #[derive(Deserialize)]
    struct Sent {
        error: String,
        error_description: Option<String>,
    }
    // RFC 6749 section 5.2: a refusal is an object with `error`.
    match json::object::<Sent>(response.body()) {
        Ok(sent) => Err(ExchangeFailed::Refused {
            code: ErrorCode::parse(&sent.error),
            name: error_name(&sent.error),
            description: sent
                .error_description
                .map(|text| text.chars().take(300).collect()),
        }),
        Err(_) => Err(ExchangeFailed::Status(status)),
    }
}

/// The name of an error for a person to read, cut to 64 characters.
pub(super) fn error_name(sent: &str) -> String {
    // RFC 6749 section 5.2: %x20-21 / %x23-5B / %x5D-7E; all else could be a command to a terminal.
    let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    sent.chars()
        .map(|c| if allowed(c) { c } else { '?' })
        .take(64)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_refusals() {
        let answer = |status: u16, body: &str| {
            Response::builder()
                .status(status)
                .body(body.as_bytes().to_vec())
                .unwrap()
        };
        let check = |status: u16, body: &str| {
            check_status(&answer(status, body), &[StatusCode::OK]).unwrap_err()
        };
        let refused = check(
            400,
            r#"{"error":"invalid_grant","error_description":"used"}"#,
        );
        assert!(refused.is(ErrorCode::InvalidGrant));
        assert_eq!(
            refused.to_string(),
            "the server refused: invalid_grant (\"used\")"
        );
        assert_eq!(
            check(307, ""),
            ExchangeFailed::Redirect(StatusCode::TEMPORARY_REDIRECT)
        );
        assert_eq!(
            check(404, "<html>"),
            ExchangeFailed::Status(StatusCode::NOT_FOUND)
        );
        assert_eq!(
            check(201, "{}"),
            ExchangeFailed::Status(StatusCode::CREATED)
        );
        assert_eq!(
            check(200, &"x".repeat(MAX_BODY_BYTES + 1)),
            ExchangeFailed::TooLong
        );
        assert!(!check(400, r#"{"error":"new_code"}"#).is(ErrorCode::InvalidGrant));
        let commands = check(
            400,
            r#"{"error":"x\u001b[2J\u202e\"\\y","error_description":"\u001b[2J"}"#,
        );
        assert_eq!(
            commands.to_string(),
            "the server refused: x?[2J???y (\"\\u{1b}[2J\")"
        );
    }
}
