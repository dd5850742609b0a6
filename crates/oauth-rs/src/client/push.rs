//! Handing the authorization request in before the browser is sent (PAR, RFC 9126).

use std::time::Duration;

use http::{Request, Response, StatusCode};
use serde::Deserialize;

use super::auth::Caller;
use super::authorize::{self, Pending};
use super::exchange::{self, ExchangeFailed};
use crate::params;
use crate::secret::Secret;
use crate::uri::is_endpoint;

/// The longest name of a request that is kept: servers make them of a prefix and some dozen characters.
pub const MAX_REQUEST_URI_BYTES: usize = 1024;

/// A request that the server keeps until the browser comes.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// Its name, good for one use.
    pub request_uri: Secret,
    /// How long the server keeps it.
    pub expires_in: Duration,
}

/// Hands in what [`authorize::url`] would put into an address, with the client's authentication.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    resource: &str,
    pending: &Pending,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let sent = authorize::parameters(&caller.client.client_id, resource, pending);
    let pairs: Vec<(&str, &str)> = sent
        .iter()
        .map(|(name, text)| (*name, text.expose()))
        .collect();
    caller.post("pushed authorization request endpoint", endpoint, &pairs)
}

/// Reads the name under which the server keeps the request.
///
/// It decides, in this order: length and status; a well-formed object; the name is visible ASCII and
/// not too long; the life is a number of seconds.
///
/// # Errors
/// The first rule that does not hold.
pub fn response(response: &Response<Vec<u8>>) -> Result<Pushed, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        request_uri: String,
        expires_in: f64,
    }
    // RFC 9126 section 2.2: 201.
    let wanted = [StatusCode::CREATED];
    let sent: Sent = exchange::read(response, &wanted, "pushed authorization response")?;
    let name = &sent.request_uri;
    if name.is_empty()
        || name.len() > MAX_REQUEST_URI_BYTES
        || !name.bytes().all(|b| b.is_ascii_graphic())
    {
        return Err(ExchangeFailed::Malformed("request_uri"));
    }
    let out_of_range = |_| ExchangeFailed::Malformed("expires_in is out of range");
    Ok(Pushed {
        expires_in: Duration::try_from_secs_f64(sent.expires_in).map_err(out_of_range)?,
        request_uri: Secret::new(sent.request_uri),
    })
}

/// The address to open in the browser, which says nothing but who asks and for what was pushed.
///
/// # Errors
/// The endpoint is neither https nor loopback http.
pub fn url(endpoint: &str, client_id: &str, pushed: &Pushed) -> Result<String, ExchangeFailed> {
    if !is_endpoint(endpoint) {
        return Err(ExchangeFailed::Address("authorization endpoint"));
    }
    // RFC 9126 section 4: client_id and request_uri.
    let pairs = [
        ("client_id", client_id),
        ("request_uri", pushed.request_uri.expose()),
    ];
    // OAuth 2.1 section 3.1: a query in the endpoint's address MUST be retained.
    let separator = if endpoint.contains('?') { "&" } else { "?" };
    Ok(format!("{endpoint}{separator}{}", params::encode(&pairs)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::auth::{Client, ClientAuth};
    use crate::params::Params;
    use crate::time::UnixSeconds;
    use crate::uri::{Issuer, RedirectUri};

    fn pending() -> Pending {
        let zeros = |dest: &mut [u8]| dest.fill(0);
        let redirect_uri = RedirectUri::parse("http://127.0.0.1:5000/cb").unwrap();
        let issuer = Issuer::parse("https://as.example").unwrap();
        let mut pending = Pending::new(&zeros, issuer, true, redirect_uri, None);
        pending.dpop_jkt = Some("thumbprint".into());
        pending
    }

    fn answer(status: u16, body: &str) -> Result<Pushed, ExchangeFailed> {
        let answer = Response::builder().status(status);
        response(&answer.body(body.as_bytes().to_vec()).unwrap())
    }

    #[test]
    fn everything_is_pushed_and_the_address_names_it() {
        let client = Client {
            client_id: "c".into(),
            auth: ClientAuth::Post(Secret::new("s")),
        };
        let pending = pending();
        let caller = Caller {
            client: &client,
            issuer: &pending.issuer,
            now: UnixSeconds(1),
            entropy: &|dest: &mut [u8]| dest.fill(0),
        };
        let sent = request(
            "https://as.example/par",
            &caller,
            "https://rs.example/mcp",
            &pending,
        )
        .unwrap();
        let params = Params::parse_form(sent.body(), &[]).unwrap();
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "c"),
            ("client_secret", "s"),
            ("redirect_uri", "http://127.0.0.1:5000/cb"),
            ("state", pending.state.expose()),
            ("code_challenge", pending.verifier.challenge().as_str()),
            ("code_challenge_method", "S256"),
            ("resource", "https://rs.example/mcp"),
            ("dpop_jkt", "thumbprint"),
        ] {
            assert_eq!(params.get(name), Some(value), "{name}");
        }
        assert_eq!(params.get("request_uri"), None);

        let pushed = answer(201, r#"{"request_uri":"urn:x:1","expires_in":60}"#).unwrap();
        assert_eq!(pushed.expires_in, Duration::from_secs(60));
        assert_eq!(
            url("https://as.example/a?t=1", "c", &pushed).unwrap(),
            "https://as.example/a?t=1&client_id=c&request_uri=urn%3Ax%3A1"
        );
        assert!(url("http://as.example/a", "c", &pushed).is_err());
    }

    #[test]
    fn each_refusal() {
        let long = "u".repeat(MAX_REQUEST_URI_BYTES + 1);
        for body in [
            "[]".to_owned(),
            r#"{"expires_in":60}"#.to_owned(),
            r#"{"request_uri":"urn:x:1"}"#.to_owned(),
            r#"{"request_uri":"","expires_in":60}"#.to_owned(),
            r#"{"request_uri":"urn: x","expires_in":60}"#.to_owned(),
            r#"{"request_uri":"urn:x:1","expires_in":-1}"#.to_owned(),
            r#"{"request_uri":"urn:x:1","request_uri":"urn:x:2","expires_in":1}"#.to_owned(),
            format!(r#"{{"request_uri":"{long}","expires_in":60}}"#),
        ] {
            let refused = answer(201, &body).unwrap_err();
            assert!(matches!(refused, ExchangeFailed::Malformed(_)), "{body}");
        }
        let good = r#"{"request_uri":"urn:x:1","expires_in":60}"#;
        let wrong = ExchangeFailed::Status(StatusCode::OK);
        assert_eq!(answer(200, good).unwrap_err(), wrong);
        let moved = ExchangeFailed::Redirect(StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer(308, good).unwrap_err(), moved);
    }
}
