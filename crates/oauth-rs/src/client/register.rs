//! Dynamic client registration (RFC 7591), and its management (RFC 7592).

use std::sync::Arc;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};

use super::auth::{AuthRefused, Client, ClientAuth};
use super::exchange::{self, ExchangeFailed};
use crate::jose::SigningKey;
use crate::metadata::client::{ClientMetadata, Management, Registration};
use crate::secret::Secret;

const WHAT: &str = "registration endpoint";
const MANAGED: &str = "registration";

/// Asks for a client identifier.
///
/// `initial_access_token` is for servers that register only those who were given one.
///
/// # Errors
/// The address is neither https nor loopback http, or the token cannot be written into a header.
pub fn request(
    endpoint: &str,
    metadata: &ClientMetadata,
    initial_access_token: Option<&Secret>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    // Strings and lists always serialise; an error could only be one of memory.
    let body = serde_json::to_vec(metadata).map_err(|_| ExchangeFailed::Malformed(WHAT))?;
    send(
        WHAT,
        Method::POST,
        endpoint,
        Some(body),
        initial_access_token,
    )
}

/// Reads what the server registered at `endpoint`.
///
/// # Errors
/// The server refused, or its answer is no registration.
pub fn response(
    response: &Response<Vec<u8>>,
    endpoint: &str,
) -> Result<Registration, ExchangeFailed> {
    // RFC 7591 section 3.2.1: 201; some servers say 200.
    registration(response, &[StatusCode::CREATED, StatusCode::OK], endpoint)
}

/// The client that was registered, with the key if it is to authenticate with one.
///
/// # Errors
/// The server chose a way to authenticate that is not used here, or that needs a key that is not given.
pub fn client(
    registration: &Registration,
    key: Option<Arc<SigningKey>>,
) -> Result<Client, AuthRefused> {
    let method = registration.token_endpoint_auth_method.as_str();
    Ok(Client {
        client_id: registration.client_id.clone(),
        // RFC 7591 section 3.2.1: the server may have replaced the requested method with another.
        auth: ClientAuth::named(method, registration.client_secret.clone(), key)?,
    })
}

/// Asks what is registered (RFC 7592 section 2.1).
///
/// # Errors
/// The address is neither https nor loopback http, or the token cannot be written into a header.
pub fn read(management: &Management) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    manage(Method::GET, management, None)
}

/// Asks that `metadata` take the place of all that is registered (RFC 7592 section 2.2).
///
/// What it leaves out is deleted or gets its default.
///
/// # Errors
/// The address is neither https nor loopback http, or the token cannot be written into a header.
pub fn replace(
    management: &Management,
    registration: &Registration,
    metadata: &ClientMetadata,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let body = metadata.to_update(registration);
    // Strings and lists always serialise; an error could only be one of memory.
    let body = body.map_err(|_| ExchangeFailed::Malformed(MANAGED))?;
    manage(Method::PUT, management, Some(body))
}

/// Reads what is registered now, after [`read`] or [`replace`].
///
/// A new secret or a new token for management takes the place of the old one at once; an answer
/// without [`Registration::management`] leaves the old one as it is.
///
/// # Errors
/// The server refused, its answer is no registration, or it is about another client.
pub fn current(
    response: &Response<Vec<u8>>,
    before: &Registration,
    management: &Management,
) -> Result<Registration, ExchangeFailed> {
    let now = registration(response, &[StatusCode::OK], &management.uri)?;
    // RFC 7592 section 2.2: the client_id MUST be the one that the client has.
    if now.client_id != before.client_id {
        return Err(ExchangeFailed::Malformed("registration of another client"));
    }
    Ok(now)
}

/// Asks that the client be forgotten, and all that was given to it (RFC 7592 section 2.3).
///
/// # Errors
/// The address is neither https nor loopback http, or the token cannot be written into a header.
pub fn delete(management: &Management) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    manage(Method::DELETE, management, None)
}

/// Reads whether the client was forgotten.
///
/// # Errors
/// The server refused.
pub fn deleted(response: &Response<Vec<u8>>) -> Result<(), ExchangeFailed> {
    // RFC 7592 section 2.3: 204.
    exchange::check_status(response, &[StatusCode::NO_CONTENT])
}

fn manage(
    method: Method,
    management: &Management,
    body: Option<Vec<u8>>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let token = Some(&management.access_token);
    send(MANAGED, method, &management.uri, body, token)
}

fn send(
    what: &'static str,
    method: Method,
    url: &str,
    body: Option<Vec<u8>>,
    token: Option<&Secret>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let has_body = body.is_some();
    let mut request = exchange::request(what, method, url, body.unwrap_or_default())?;
    let headers = request.headers_mut();
    if has_body {
        let json = HeaderValue::from_static("application/json");
        headers.insert(header::CONTENT_TYPE, json);
    }
    if let Some(token) = token {
        // RFC 7591 section 3, RFC 7592 section 2: as a bearer token, in the header.
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| AuthRefused::Token)?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(request)
}

fn registration(
    response: &Response<Vec<u8>>,
    wanted: &[StatusCode],
    endpoint: &str,
) -> Result<Registration, ExchangeFailed> {
    exchange::check_status(response, wanted)?;
    Ok(Registration::parse(response.body(), endpoint)?)
}

#[cfg(test)]
mod tests;
