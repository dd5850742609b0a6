//! Asking an authorization server about a token (RFC 7662).
//!
//! The answer is read as JSON; the signed answer of RFC 9701 is not asked for.

use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::auth::Caller;
use super::exchange::{self, ExchangeFailed};
use crate::json;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;

const WHAT: &str = "introspection response";

/// The most audiences of one token.
pub const MAX_AUDIENCES: usize = 16;

/// What the server says of a token that is good.
///
/// What it does not say is absent.
///
/// Does not check: whether the token is for the one who asks, or what has to be bound to it; compare
/// [`Active::audience`] and the confirmations, and keep nothing longer than [`Active::expires_at`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Active {
    /// What it allows.
    pub scope: Option<ScopeSet>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
    /// A name of the person, for people.
    pub username: Option<String>,
    /// How it is presented.
    pub token_type: Option<String>,
    /// When it ends.
    pub expires_at: Option<UnixSeconds>,
    /// When it was issued.
    pub issued_at: Option<UnixSeconds>,
    /// Before when it is not good.
    pub not_before: Option<UnixSeconds>,
    /// Whom it is about.
    pub subject: Option<String>,
    /// Whom it is for.
    pub audience: Vec<String>,
    /// Who issued it.
    pub issuer: Option<String>,
    /// Its identifier.
    pub jti: Option<String>,
    /// The thumbprint of the key that it is bound to (RFC 9449 section 6.2).
    pub jkt: Option<String>,
    /// The thumbprint of the certificate that it is bound to (RFC 8705 section 3.2).
    pub x5t_s256: Option<String>,
}

/// Asks about a token; `hint` is its type, if that is known.
///
/// # Errors
/// The endpoint is neither https nor loopback http, or the client cannot authenticate.
pub fn request(
    endpoint: &str,
    caller: &Caller<'_>,
    token: &Secret,
    hint: Option<&str>,
) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    let mut pairs = vec![("token", token.expose())];
    pairs.extend(hint.map(|hint| ("token_type_hint", hint)));
    caller.post("introspection endpoint", endpoint, &pairs)
}

/// Reads the answer; `None` is a token that is not good, for whatever reason.
///
/// It decides, in this order: length and status; a well-formed object; `active` is `true` and nothing
/// else; the members are of their types; the scope is well-formed; a bound on the audiences; a
/// confirmation of a kind that is known here.
///
/// # Errors
/// The first rule that does not hold; a member that cannot be read does not count as absent, since it
/// may be a limit.
pub fn response(response: &Response<Vec<u8>>) -> Result<Option<Active>, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent<'a> {
        #[serde(default)]
        active: Option<bool>,
        scope: Option<String>,
        client_id: Option<String>,
        username: Option<String>,
        token_type: Option<String>,
        exp: Option<f64>,
        iat: Option<f64>,
        nbf: Option<f64>,
        sub: Option<String>,
        #[serde(borrow)]
        aud: Option<&'a RawValue>,
        iss: Option<String>,
        jti: Option<String>,
        #[serde(borrow)]
        cnf: Option<&'a RawValue>,
    }
    exchange::check_status(response, &[StatusCode::OK])?;
    let bad = ExchangeFailed::Malformed;
    let sent: Sent<'_> = json::object(response.body()).map_err(|_| bad(WHAT))?;
    // RFC 7662 section 2.2: REQUIRED; without it nothing says that the token is good.
    if sent.active != Some(true) {
        return Ok(None);
    }
    let scope = sent.scope.as_deref().filter(|scope| !scope.is_empty());
    let scope = scope.map(ScopeSet::parse).transpose();
    let (jkt, x5t_s256) = sent.cnf.map(confirmation).transpose()?.unwrap_or_default();
    Ok(Some(Active {
        scope: scope.map_err(|_| bad("scope"))?,
        client_id: sent.client_id,
        username: sent.username,
        token_type: sent.token_type,
        expires_at: sent.exp.map(seconds).transpose()?,
        issued_at: sent.iat.map(seconds).transpose()?,
        not_before: sent.nbf.map(seconds).transpose()?,
        subject: sent.sub,
        audience: sent.aud.map(audience).transpose()?.unwrap_or_default(),
        issuer: sent.iss,
        jti: sent.jti,
        jkt,
        x5t_s256,
    }))
}

// RFC 7519 section 4.1.3: a string or an array of strings.
fn audience(raw: &RawValue) -> Result<Vec<String>, ExchangeFailed> {
    let bad = || ExchangeFailed::Malformed("aud");
    let all: Vec<String> = if raw.get().starts_with('"') {
        vec![serde_json::from_str(raw.get()).map_err(|_| bad())?]
    } else {
        serde_json::from_str(raw.get()).map_err(|_| bad())?
    };
    if all.len() > MAX_AUDIENCES {
        return Err(bad());
    }
    Ok(all)
}

type Thumbprints = (Option<String>, Option<String>);

// RFC 7800 section 3.1: a confirmation that is not understood is one that cannot be checked.
fn confirmation(raw: &RawValue) -> Result<Thumbprints, ExchangeFailed> {
    #[derive(Deserialize)]
    struct Sent {
        jkt: Option<String>,
        #[serde(rename = "x5t#S256")]
        x5t_s256: Option<String>,
    }
    let bad = || ExchangeFailed::Malformed("cnf");
    let sent: Sent = json::object(raw.get().as_bytes()).map_err(|_| bad())?;
    if sent.jkt.is_none() && sent.x5t_s256.is_none() {
        return Err(bad());
    }
    Ok((sent.jkt, sent.x5t_s256))
}

// RFC 7519 section 2: a number of seconds that may have a fraction, which is cut off.
fn seconds(sent: f64) -> Result<UnixSeconds, ExchangeFailed> {
    std::time::Duration::try_from_secs_f64(sent)
        .map(|since| UnixSeconds(since.as_secs()))
        .map_err(|_| ExchangeFailed::Malformed("a point in time is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::auth::tests::{caller, issuer};
    use crate::client::{Client, ClientAuth};

    fn read(body: &str) -> Result<Option<Active>, ExchangeFailed> {
        response(&Response::new(body.as_bytes().to_vec()))
    }

    #[test]
    fn what_is_sent() {
        let client = Client {
            client_id: "rs".into(),
            auth: ClientAuth::Post(Secret::new("s")),
        };
        let sent = |hint| {
            let url = "https://as.example/introspect";
            let token = Secret::new("t");
            let sent = request(url, &caller(&client, &issuer()), &token, hint);
            String::from_utf8(sent.unwrap().into_body()).unwrap()
        };
        assert_eq!(sent(None), "token=t&client_id=rs&client_secret=s");
        assert_eq!(
            sent(Some("access_token")),
            "token=t&token_type_hint=access_token&client_id=rs&client_secret=s"
        );
    }

    #[test]
    fn only_true_is_active() {
        for body in ["{}", r#"{"active":false,"sub":"x"}"#, r#"{"active":null}"#] {
            assert_eq!(read(body), Ok(None), "{body}");
        }
        assert_eq!(read(r#"{"active":true}"#), Ok(Some(Active::default())));
        for body in [
            r#"{"active":"true"}"#,
            r#"{"active":1}"#,
            r#"{"active":false,"active":true}"#,
        ] {
            assert_eq!(read(body), Err(ExchangeFailed::Malformed(WHAT)), "{body}");
        }
    }

    #[test]
    fn what_is_said() {
        let active = read(
            r#"{"active":true,"scope":"a b","client_id":"c","exp":60.9,"iat":1,"nbf":0,"sub":"u","aud":"https://rs.example","iss":"https://as.example","jti":"j","token_type":"DPoP","username":"n","cnf":{"jkt":"k","x5t#S256":"x"}}"#,
        );
        let active = active.unwrap().unwrap();
        assert_eq!(active.expires_at, Some(UnixSeconds(60)));
        assert_eq!(active.audience, ["https://rs.example"]);
        assert_eq!(active.jkt.as_deref(), Some("k"));
        assert_eq!(active.x5t_s256.as_deref(), Some("x"));
        assert_eq!(active.scope.unwrap().to_string(), "a b");
        let two = read(r#"{"active":true,"aud":["a","b"],"scope":""}"#).unwrap();
        let two = two.unwrap();
        assert_eq!((two.audience.len(), two.scope), (2, None));
    }

    #[test]
    fn each_refusal() {
        let many = format!("[{}]", vec![r#""a""#; MAX_AUDIENCES + 1].join(","));
        for member in [
            r#""exp":"60""#,
            r#""exp":-1"#,
            r#""exp":1e300"#,
            r#""aud":7"#,
            r#""aud":[7]"#,
            &format!(r#""aud":{many}"#),
            r#""scope":"a  b""#,
            r#""cnf":{}"#,
            r#""cnf":{"new":"x"}"#,
            r#""cnf":{"jkt":"a","jkt":"b"}"#,
            r#""cnf":"x""#,
            r#""sub":7"#,
        ] {
            let refused = read(&format!(r#"{{"active":true,{member}}}"#));
            assert!(
                matches!(refused, Err(ExchangeFailed::Malformed(_))),
                "{member}"
            );
        }
        let not_asked = Response::builder().status(401).body(Vec::new()).unwrap();
        let refused = response(&not_asked).unwrap_err();
        assert_eq!(refused, ExchangeFailed::Status(StatusCode::UNAUTHORIZED));
    }
}
