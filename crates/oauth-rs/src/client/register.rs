//! Dynamic client registration (RFC 7591).

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Deserialize;

use super::auth::{Client, ClientAuth};
use super::exchange::{self, ExchangeFailed};
use crate::metadata::client::ClientMetadata;
use crate::secret::Secret;

/// Asks for a client identifier.
///
/// # Errors
/// The address is neither https nor loopback http.
pub fn request(
    endpoint: &str,
    metadata: &ClientMetadata,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    const WHAT: &str = "registration endpoint";
    // Strings and lists always serialise; an error could only be one of memory.
    let body = serde_json::to_vec(metadata).map_err(|_| ExchangeFailed::Malformed(WHAT))?;
    let mut request = exchange::request(WHAT, Method::POST, endpoint, body)?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(request)
}

/// Reads the identifier, and the secret if the server insists on one.
///
/// # Errors
/// The server refused, or chose a way to authenticate that is not supported here.
pub fn response(response: &Response<Vec<u8>>) -> Result<Client, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        client_id: String,
        client_secret: Option<String>,
        token_endpoint_auth_method: Option<String>,
    }
    // RFC 7591 section 3.2.1: 201; some servers say 200.
    let wanted = [StatusCode::CREATED, StatusCode::OK];
    let sent: Sent = exchange::read(response, &wanted, "registration")?;
    if sent.client_id.is_empty() {
        return Err(ExchangeFailed::Malformed("registration"));
    }
    let secret = sent.client_secret.map(Secret::new);
    let auth = match (sent.token_endpoint_auth_method.as_deref(), secret) {
        // RFC 7591 section 3.2.1: the server may have replaced the requested method with another.
        (Some(name), secret) => ClientAuth::named(name, secret, None)?,
        (None, Some(secret)) => ClientAuth::Basic(secret),
        (None, None) => ClientAuth::None,
    };
    Ok(Client {
        client_id: sent.client_id,
        auth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::client::AuthMethod;
    use crate::uri::RedirectUri;

    #[test]
    fn what_a_command_line_sends() {
        let uri = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
        let metadata = ClientMetadata::native("CLI", vec![uri]);
        let request = request("https://as.example/register", &metadata).unwrap();
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(
            std::str::from_utf8(request.body()).unwrap(),
            r#"{"client_name":"CLI","redirect_uris":["http://127.0.0.1/callback"],"token_endpoint_auth_method":"none","grant_types":["authorization_code","refresh_token"],"response_types":["code"],"application_type":"native"}"#
        );
    }

    #[test]
    fn reading_the_answer() {
        let read = |status: u16, body: &str| {
            response(
                &Response::builder()
                    .status(status)
                    .body(body.as_bytes().to_vec())
                    .unwrap(),
            )
        };
        let client = read(
            201,
            r#"{"client_id":"c","token_endpoint_auth_method":"none"}"#,
        )
        .unwrap();
        assert_eq!(client.client_id, "c");
        assert_eq!(client.auth.method(), AuthMethod::None);
        let secret = read(201, r#"{"client_id":"c","client_secret":"s"}"#).unwrap();
        assert_eq!(secret.auth.method(), AuthMethod::ClientSecretBasic);
        assert!(secret.auth.secret().unwrap().ct_eq("s"));
        assert!(read(201, r#"{"client_id":""}"#).is_err());
        assert!(
            read(
                201,
                r#"{"client_id":"c","token_endpoint_auth_method":"private_key_jwt"}"#
            )
            .is_err()
        );
        let refused = read(400, r#"{"error":"invalid_redirect_uri"}"#).unwrap_err();
        assert!(refused.is(crate::error_code::ErrorCode::InvalidRedirectUri));
    }
}
