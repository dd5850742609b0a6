//! One call: a row with its values, as a request; and the reading of its response.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::api::{Api, ORGANIZATION_HEADER, PathPart, percent_encode};
use crate::error::ApiError;
use crate::operation::Operation;
use crate::secret::Secret;

/// The longest query string that is sent, in bytes.
pub const MAX_QUERY: usize = 16 * 1024;

/// The largest body that is sent, in bytes.
pub const MAX_REQUEST_BODY: usize = 4 * 1024 * 1024;

/// The largest answer that is read, in bytes.
pub const MAX_RESPONSE_BODY: usize = 8 * 1024 * 1024;

/// The longest text that is passed on from an answer that is not JSON, in characters.
pub const MAX_RAW_TEXT: usize = 64 * 1024;

/// A row and the values for it.
#[derive(Clone, Debug)]
pub struct Call {
    operation: &'static Operation,
    parts: Vec<(&'static str, PathPart)>,
    query: Vec<(String, String)>,
    body: Map<String, Value>,
    organization: Option<PathPart>,
    user_agent: Option<HeaderValue>,
}

impl Call {
    /// A call without values.
    pub fn new(operation: &'static Operation) -> Self {
        Self {
            operation,
            parts: Vec::new(),
            query: Vec::new(),
            body: Map::new(),
            organization: None,
            user_agent: None,
        }
    }

    /// The row.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// Fills a name in braces of the path.
    #[must_use]
    pub fn part(mut self, name: &'static str, part: PathPart) -> Self {
        self.parts.push((name, part));
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a field to the JSON body.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: Value) -> Self {
        self.body.insert(name.into(), value);
        self
    }

    /// Names the organisation on whose behalf the call is made.
    #[must_use]
    pub fn acting_in(mut self, organization: PathPart) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Replaces the `User-Agent` of [`Api`] for this call.
    #[must_use]
    pub fn user_agent(mut self, user_agent: HeaderValue) -> Self {
        self.user_agent = Some(user_agent);
        self
    }

    /// The request.
    ///
    /// Checked: every name in braces is filled, every query parameter and body field is in the row, the sizes.
    /// Not checked: what the values mean; Didit does that.
    ///
    /// # Errors
    /// [`InvalidCall`] with the first rule that is broken.
    pub fn request(&self, api: &Api, credential: &Secret) -> Result<Request<Vec<u8>>, InvalidCall> {
        let mut uri = format!("{}{}", api.base(self.operation.base), self.path()?);
        let query = self.query_text()?;
        if !query.is_empty() {
            uri.push('?');
            uri.push_str(&query);
        }
        let mut builder = Request::builder()
            .method(self.operation.method.method())
            .uri(uri)
            .header(AUTHORIZATION, bearer(credential)?)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            // Didit expects it on every method.
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(
                USER_AGENT,
                self.user_agent.as_ref().unwrap_or(api.user_agent()),
            );
        if let Some(organization) = &self.organization {
            let value = HeaderValue::from_str(organization.as_str())
                .map_err(|_| InvalidCall::Organization)?;
            builder = builder.header(ORGANIZATION_HEADER, value);
        }
        builder
            .body(self.body_bytes()?)
            .map_err(|_| InvalidCall::Address)
    }

    /// The answer to that request, masked as the row says.
    ///
    /// A 204 is `{"success": true}`; a body that is not JSON is `{"raw": text}`.
    /// Redirects are not followed: a 3xx is an error.
    ///
    /// # Errors
    /// [`ApiError`] for every status outside 2xx, and for an answer larger than [`MAX_RESPONSE_BODY`].
    pub fn response<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Value, ApiError> {
        let body = response.body().as_ref();
        if !response.status().is_success() {
            return Err(ApiError::from_response(
                response.status(),
                response.headers(),
                body,
            ));
        }
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(json!({ "success": true }));
        }
        if body.len() > MAX_RESPONSE_BODY {
            return Err(ApiError::too_large());
        }
        let mut value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(_) => json!({ "raw": raw_text(body) }),
        };
        self.operation.mask.apply(&mut value);
        Ok(value)
    }

    fn path(&self) -> Result<String, InvalidCall> {
        if let Some((name, _)) = self
            .parts
            .iter()
            .find(|(name, _)| !self.operation.parts().any(|part| part == *name))
        {
            return Err(InvalidCall::UnknownPart { name });
        }
        let mut out = String::new();
        for (at, segment) in self.operation.path.split('/').enumerate() {
            if at > 0 {
                out.push('/');
            }
            match segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'))
            {
                None => out.push_str(segment),
                Some(name) => {
                    let (_, part) = self
                        .parts
                        .iter()
                        .find(|(given, _)| *given == name)
                        .ok_or(InvalidCall::MissingPart { name })?;
                    out.push_str(&part.encoded());
                }
            }
        }
        Ok(out)
    }

    fn query_text(&self) -> Result<String, InvalidCall> {
        let mut out = String::new();
        for (name, value) in &self.query {
            if !self.operation.query.contains(&name.as_str()) {
                return Err(InvalidCall::UnknownQuery { name: name.clone() });
            }
            if value.len() > MAX_QUERY {
                return Err(InvalidCall::QueryTooLong);
            }
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(name);
            out.push('=');
            out.push_str(&percent_encode(value));
            if out.len() > MAX_QUERY {
                return Err(InvalidCall::QueryTooLong);
            }
        }
        Ok(out)
    }

    fn body_bytes(&self) -> Result<Vec<u8>, InvalidCall> {
        if let Some(name) = self
            .body
            .keys()
            .find(|name| !self.operation.body.contains(&name.as_str()))
        {
            return Err(InvalidCall::UnknownField { name: name.clone() });
        }
        if self.operation.body.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = serde_json::to_vec(&self.body).map_err(|_| InvalidCall::BodyTooLarge)?;
        if bytes.len() > MAX_REQUEST_BODY {
            return Err(InvalidCall::BodyTooLarge);
        }
        Ok(bytes)
    }
}

/// Why a call did not become a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCall {
    /// The path has no such name in braces.
    #[error("the path has no part {name}")]
    UnknownPart {
        /// The name given.
        name: &'static str,
    },
    /// A name in braces was not filled.
    #[error("the path part {name} is missing")]
    MissingPart {
        /// The name in braces.
        name: &'static str,
    },
    /// The row has no such query parameter.
    #[error("the operation has no query parameter {name}")]
    UnknownQuery {
        /// The name given.
        name: String,
    },
    /// The row has no such body field.
    #[error("the operation has no body field {name}")]
    UnknownField {
        /// The name given.
        name: String,
    },
    /// More than [`MAX_QUERY`] bytes.
    #[error("the query is longer than 16 KiB")]
    QueryTooLong,
    /// More than [`MAX_REQUEST_BODY`] bytes.
    #[error("the body is larger than 4 MiB")]
    BodyTooLarge,
    /// The organisation's id may not stand in a header.
    #[error("the organisation id may not stand in a header")]
    Organization,
    /// The credential may not stand in a header.
    #[error("the credential may not stand in a header")]
    Credential,
    /// Base and path together are no address.
    #[error("the address is too long or not valid")]
    Address,
}

// RFC 6750 section 2.1: the Authorization request header field.
fn bearer(credential: &Secret) -> Result<HeaderValue, InvalidCall> {
    if credential.expose().is_empty() {
        return Err(InvalidCall::Credential);
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", credential.expose()))
        .map_err(|_| InvalidCall::Credential)?;
    value.set_sensitive(true);
    Ok(value)
}

fn raw_text(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .take(MAX_RAW_TEXT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use crate::operation::find;

    fn part(text: &str) -> PathPart {
        PathPart::parse(text).unwrap()
    }

    fn token() -> Secret {
        Secret::new("ada")
    }

    fn list() -> Call {
        Call::new(find("session.list").unwrap())
            .part("org", part("o 1"))
            .part("app", part("a-1"))
            .acting_in(part("o 1"))
    }

    #[test]
    fn a_read_carries_path_query_and_headers() {
        let request = list()
            .query("status", "In Review,Approved")
            .query("limit", "5")
            .request(&Api::hosted(), &token())
            .unwrap();
        assert_eq!(request.method(), "GET");
        assert_eq!(
            request.uri().to_string(),
            "https://verification.didit.me/v3/organization/o%201/application/a-1/sessions/?status=In%20Review%2CApproved&limit=5"
        );
        assert_eq!(request.headers()["authorization"], "Bearer ada");
        assert!(request.headers()["authorization"].is_sensitive());
        assert_eq!(request.headers()["x-didit-organization-id"], "o 1");
        assert_eq!(request.headers()["content-type"], "application/json");
        assert!(request.body().is_empty());
    }

    #[test]
    fn a_write_carries_a_json_body() {
        let request = Call::new(find("session.create").unwrap())
            .field("workflow_id", json!("w"))
            .field("metadata", json!({"a": 1}))
            .request(&Api::hosted(), &token())
            .unwrap();
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri().path(), "/v3/session/");
        assert_eq!(
            serde_json::from_slice::<Value>(request.body()).unwrap(),
            json!({"workflow_id": "w", "metadata": {"a": 1}})
        );
        assert!(request.headers().get("x-didit-organization-id").is_none());
    }

    #[test]
    fn what_the_row_does_not_know_is_refused() {
        let api = Api::hosted();
        let why = |call: Call| call.request(&api, &token()).unwrap_err();
        assert_eq!(
            why(list().part("session_id", part("s"))),
            InvalidCall::UnknownPart { name: "session_id" }
        );
        assert_eq!(
            why(Call::new(find("session.list").unwrap()).part("org", part("o"))),
            InvalidCall::MissingPart { name: "app" }
        );
        assert_eq!(
            why(list().query("api_key", "x")),
            InvalidCall::UnknownQuery {
                name: "api_key".into()
            }
        );
        assert_eq!(
            why(list().field("a", json!(1))),
            InvalidCall::UnknownField { name: "a".into() }
        );
        assert_eq!(
            why(list().query("search", "x".repeat(MAX_QUERY + 1))),
            InvalidCall::QueryTooLong
        );
        assert_eq!(
            why(list().query("search", "ż".repeat(MAX_QUERY / 3))),
            InvalidCall::QueryTooLong
        );
        assert_eq!(
            why(Call::new(find("session.create").unwrap())
                .field("workflow_id", json!("x".repeat(MAX_REQUEST_BODY)))),
            InvalidCall::BodyTooLarge
        );
        assert_eq!(
            list().request(&api, &Secret::new("a\r\nb")).unwrap_err(),
            InvalidCall::Credential
        );
        assert_eq!(
            list().request(&api, &Secret::new("")).unwrap_err(),
            InvalidCall::Credential
        );
    }

    fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
        Response::builder()
            .status(status)
            .body(body.as_bytes().to_vec())
            .unwrap()
    }

    #[test]
    fn answers_are_read_by_status_and_form() {
        let call = list();
        assert_eq!(
            call.response(&answer(200, r#"{"results":[]}"#)).unwrap(),
            json!({"results": []})
        );
        assert_eq!(
            call.response(&answer(204, "")).unwrap(),
            json!({"success": true})
        );
        assert_eq!(
            call.response(&answer(200, "<html>")).unwrap(),
            json!({"raw": "<html>"})
        );
        let raw = call
            .response(&answer(200, &"ż".repeat(MAX_RAW_TEXT + 5)))
            .unwrap();
        assert_eq!(raw["raw"].as_str().unwrap().chars().count(), MAX_RAW_TEXT);
        let deep = "[".repeat(100_000);
        assert!(call.response(&answer(200, &deep)).unwrap()["raw"].is_string());
    }

    #[test]
    fn redirects_and_oversize_answers_are_errors() {
        let call = list();
        let moved = call.response(&answer(301, "")).unwrap_err();
        assert_eq!(
            (moved.code(), moved.status()),
            (ErrorCode::Error, Some(301))
        );
        let large = call
            .response(&answer(200, &"1".repeat(MAX_RESPONSE_BODY + 1)))
            .unwrap_err();
        assert_eq!(large.code(), ErrorCode::Error);
        assert!(large.message().contains("8 MiB"), "{}", large.message());
    }

    #[test]
    fn the_row_decides_what_is_masked() {
        let body = r#"[{"uuid":"a","api_key":"0123456789abcdef"}]"#;
        let applications =
            Call::new(find("organization.applications").unwrap()).part("org", part("o"));
        let masked = applications.response(&answer(200, body)).unwrap();
        assert_eq!(
            masked,
            json!([{"uuid": "a", "api_key_set": true, "api_key_preview": "0123…cdef (16)"}])
        );
        assert_eq!(
            list().response(&answer(200, body)).unwrap()[0]["api_key"],
            "0123456789abcdef"
        );
    }
}
