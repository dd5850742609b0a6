//! One call: a row with its values, as a request; and the reading of its response.

mod fill;
mod invalid;
#[cfg(test)]
mod tests;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::api::{
    APPLICATION_HEADER, Api, IDEMPOTENCY_KEY_HEADER, IdempotencyKey, ORGANIZATION_HEADER, PathPart,
    percent_encode,
};
use crate::credential::Credential;
use crate::error::ApiError;
use crate::file::{File, FileKind};
use crate::form::{self, Content};
use crate::operation::{Extra, Operation};
use crate::redact::Mask;

pub use invalid::InvalidCall;

/// The longest query string that is sent, in bytes.
pub const MAX_QUERY: usize = 16 * 1024;

/// The largest JSON body that is sent, in bytes; forms with files have [`MAX_FORM_BODY`](crate::MAX_FORM_BODY).
pub const MAX_REQUEST_BODY: usize = 4 * 1024 * 1024;

/// The largest answer that is read, in bytes.
pub const MAX_RESPONSE_BODY: usize = 8 * 1024 * 1024;

/// The longest text that is passed on from an answer that is not JSON, in characters.
pub const MAX_RAW_TEXT: usize = 64 * 1024;

/// A row and the values for it.
#[derive(Clone)]
pub struct Call {
    operation: &'static Operation,
    parts: Vec<(&'static str, PathPart)>,
    query: Vec<(String, String)>,
    body: Map<String, Value>,
    form: Vec<(String, Content)>,
    organization: Option<PathPart>,
    application: Option<PathPart>,
    idempotency_key: Option<IdempotencyKey>,
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
            form: Vec::new(),
            organization: None,
            application: None,
            idempotency_key: None,
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

    /// Adds a query parameter, or replaces its value.
    pub(crate) fn with_query(mut self, name: &str, value: String) -> Self {
        self.query.retain(|(known, _)| known != name);
        self.query(name, value)
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs.find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    #[cfg(feature = "send")]
    pub(crate) fn body_value(&self, name: &str) -> Option<&Value> {
        self.body.get(name)
    }

    /// Adds a field to the JSON body.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, value: Value) -> Self {
        self.body.insert(name.into(), value);
        self
    }

    /// Adds a text to the form.
    #[must_use]
    pub fn form_field(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.form.push((name.into(), Content::Text(text.into())));
        self
    }

    /// Adds a file to the form.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, file: File) -> Self {
        self.form.push((name.into(), Content::File(file)));
        self
    }

    /// Names the organisation on whose behalf the call is made.
    #[must_use]
    pub fn acting_in(mut self, organization: PathPart) -> Self {
        self.organization = Some(organization);
        self
    }

    /// Names the application in a header, for the rows that take it there.
    #[must_use]
    pub fn acting_in_application(mut self, application: PathPart) -> Self {
        self.application = Some(application);
        self
    }

    /// Sends the call so that a second one with the same key and body does nothing more, for the rows that know such keys.
    #[must_use]
    pub fn idempotency_key(mut self, key: IdempotencyKey) -> Self {
        self.idempotency_key = Some(key);
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
    /// Checked: the credential is of the kind the row takes, every name in braces is filled, every query parameter, field, file and header is in the row (a row may be open to further fields), the sizes.
    /// Not checked: what the values mean; Didit does that.
    ///
    /// # Errors
    /// [`InvalidCall`] with the first rule that is broken.
    pub fn request(
        &self,
        api: &Api,
        credential: &Credential,
    ) -> Result<Request<Vec<u8>>, InvalidCall> {
        if credential.kind() != self.operation.credential {
            return Err(InvalidCall::OtherCredential {
                takes: self.operation.credential,
            });
        }
        let mut uri = format!("{}{}", api.base(self.operation.base), self.path()?);
        let query = self.query_text()?;
        if !query.is_empty() {
            uri.push('?');
            uri.push_str(&query);
        }
        let credential = credential.header().map_err(|_| InvalidCall::Credential)?;
        let (content_type, body) = self.body()?;
        let mut builder = Request::builder()
            .method(self.operation.method.method())
            .uri(uri)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(CONTENT_TYPE, content_type)
            .header(
                USER_AGENT,
                self.user_agent.as_ref().unwrap_or(api.user_agent()),
            );
        if let Some((name, value)) = credential {
            builder = builder.header(name, value);
        }
        if let Some(organization) = &self.organization {
            let value = HeaderValue::from_str(organization.as_str())
                .map_err(|_| InvalidCall::Organization)?;
            builder = builder.header(ORGANIZATION_HEADER, value);
        }
        if let Some(application) = &self.application {
            self.may_carry(Extra::Application)?;
            let value = HeaderValue::from_str(application.as_str())
                .map_err(|_| InvalidCall::Application)?;
            builder = builder.header(APPLICATION_HEADER, value);
        }
        if let Some(key) = &self.idempotency_key {
            self.may_carry(Extra::IdempotencyKey)?;
            builder = builder.header(IDEMPOTENCY_KEY_HEADER, key.header());
        }
        builder.body(body).map_err(|_| InvalidCall::Address)
    }

    fn may_carry(&self, header: Extra) -> Result<(), InvalidCall> {
        if self.operation.headers.contains(&header) {
            Ok(())
        } else {
            Err(InvalidCall::UnknownHeader { header })
        }
    }

    /// The answer to that request, masked as the row says.
    ///
    /// A 204 is `{"success": true}`; a body that is not JSON is `{"raw": text}`, but an error where something would be masked.
    /// Redirects are not followed: a 3xx is an error.
    ///
    /// # Errors
    /// [`ApiError`] for every status outside 2xx, and for an answer larger than [`MAX_RESPONSE_BODY`].
    pub fn response<B: AsRef<[u8]>>(&self, response: &Response<B>) -> Result<Value, ApiError> {
        let body = successful(response)?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(json!({ "success": true }));
        }
        let mut value = match serde_json::from_slice(body) {
            Ok(value) => value,
            // The text may be cut off in the middle of what would have been masked.
            Err(_) if self.operation.mask != Mask::Nothing => return Err(ApiError::not_json()),
            Err(_) => json!({ "raw": raw_text(body) }),
        };
        self.operation.mask.apply(&mut value);
        Ok(value)
    }

    /// The answer of a row that answers with a file, such as a report in PDF; the kind is that of its leading bytes.
    ///
    /// # Errors
    /// [`ApiError`] as for [`Call::response`], and for an answer that is no file.
    pub fn file_response<'r, B: AsRef<[u8]>>(
        &self,
        response: &'r Response<B>,
    ) -> Result<(FileKind, &'r [u8]), ApiError> {
        let body = successful(response)?;
        match FileKind::of(body) {
            Some(kind) => Ok((kind, body)),
            None => Err(ApiError::not_a_file()),
        }
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

    /// The body and its media type.
    fn body(&self) -> Result<(HeaderValue, Vec<u8>), InvalidCall> {
        if self.operation.is_form() {
            return self.form_bytes();
        }
        if let Some((name, _)) = self.form.first() {
            return Err(InvalidCall::UnknownField { name: name.clone() });
        }
        // Didit expects it on every method.
        let json = HeaderValue::from_static("application/json");
        Ok((json, self.json_bytes()?))
    }

    fn form_bytes(&self) -> Result<(HeaderValue, Vec<u8>), InvalidCall> {
        if let Some(name) = self.body.keys().next() {
            return Err(InvalidCall::UnknownField { name: name.clone() });
        }
        for (name, content) in &self.form {
            let known = match content {
                Content::Text(_) => self.operation.form,
                Content::File(_) => self.operation.files,
            };
            if !known.contains(&name.as_str()) {
                return Err(InvalidCall::UnknownField { name: name.clone() });
            }
        }
        let encoded = form::encode(&self.form).map_err(|_| InvalidCall::FormTooLarge)?;
        Ok((encoded.content_type, encoded.body))
    }

    fn json_bytes(&self) -> Result<Vec<u8>, InvalidCall> {
        let known = |name: &&String| self.operation.body.contains(&name.as_str());
        if !self.operation.open
            && let Some(name) = self.body.keys().find(|name| !known(name))
        {
            return Err(InvalidCall::UnknownField { name: name.clone() });
        }
        if self.operation.body.is_empty() && !self.operation.open {
            return Ok(Vec::new());
        }
        let bytes = serde_json::to_vec(&self.body).map_err(|_| InvalidCall::BodyTooLarge)?;
        if bytes.len() > MAX_REQUEST_BODY {
            return Err(InvalidCall::BodyTooLarge);
        }
        Ok(bytes)
    }
}

/// The body of an answer that says yes and is not too large.
fn successful<B: AsRef<[u8]>>(response: &Response<B>) -> Result<&[u8], ApiError> {
    let body = response.body().as_ref();
    if !response.status().is_success() {
        let (status, headers) = (response.status(), response.headers());
        return Err(ApiError::from_response(status, headers, body));
    }
    if body.len() > MAX_RESPONSE_BODY {
        return Err(ApiError::too_large());
    }
    Ok(body)
}

fn raw_text(body: &[u8]) -> String {
    String::from_utf8_lossy(body)
        .chars()
        .take(MAX_RAW_TEXT)
        .collect()
}
