//! What is asked, what is read, and each refusal of an answer.

use serde_json::{Value, json};

use super::*;
use crate::client::auth::tests::{caller, issuer};
use crate::client::{Client, ClientAuth};
use crate::jose::SigningKey;

const ENDPOINT: &str = "https://as.example/introspect";

fn asked(client: &Client, form: Form) -> Request<Vec<u8>> {
    let issuer = issuer();
    request(
        ENDPOINT,
        &caller(client, &issuer),
        &Secret::new("t/1"),
        Some("access_token"),
        form,
    )
    .unwrap()
}

#[test]
fn the_question_is_a_form_with_the_callers_authentication() {
    let client = |auth| Client {
        client_id: "rs".into(),
        auth,
    };
    let basic = asked(&client(ClientAuth::Basic(Secret::new("s"))), Form::Json);
    assert_eq!(basic.uri(), ENDPOINT);
    assert_eq!(basic.body(), b"token=t%2F1&token_type_hint=access_token");
    assert_eq!(basic.headers()["accept"], "application/json");
    assert!(basic.headers()["authorization"].is_sensitive());
    let post = asked(&client(ClientAuth::Post(Secret::new("s"))), Form::Json);
    let body = b"token=t%2F1&token_type_hint=access_token&client_id=rs&client_secret=s";
    assert_eq!(post.body(), body);
    let key = SigningKey::generate_es256().unwrap();
    let signed = asked(&client(ClientAuth::PrivateKeyJwt(key.into())), Form::Signed);
    let body = String::from_utf8(signed.body().clone()).unwrap();
    assert!(body.contains("&client_assertion="), "{body}");
    assert_eq!(signed.headers()["accept"], SIGNED);
}

#[test]
fn a_token_is_not_sent_without_tls() {
    let (client, issuer) = (Client::public("rs"), issuer());
    let asked = request(
        "http://as.example/introspect",
        &caller(&client, &issuer),
        &Secret::new("t"),
        None,
        Form::Json,
    );
    let reason = ExchangeFailed::Address("introspection endpoint");
    assert_eq!(asked.unwrap_err(), reason);
}

fn answer(status: u16, content_type: &str, body: &str) -> Response<Vec<u8>> {
    let response = Response::builder()
        .status(status)
        .header("content-type", content_type);
    response.body(body.into()).unwrap()
}

#[test]
fn an_answer_in_json_is_read_and_each_other_one_refused() {
    let read = |status, body: &str| response(&answer(status, "application/json", body));
    assert!(matches!(
        read(200, r#"{"active":true}"#),
        Ok(Introspection::Active(_))
    ));
    assert_eq!(
        read(200, r#"{"active":false}"#),
        Ok(Introspection::Inactive)
    );
    // RFC 7662 section 2.2: active is REQUIRED; without it nothing says that the token is good.
    assert_eq!(read(200, "{}"), Ok(Introspection::Inactive));
    for body in [
        "<html>",
        "",
        "[]",
        r#"{"active":"true"}"#,
        r#"{"active":1}"#,
    ] {
        let failed = read(200, body).unwrap_err();
        assert!(
            matches!(failed, IntrospectionFailed::Malformed(_)),
            "{body}"
        );
    }
    let status = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        IntrospectionFailed::Exchange(ExchangeFailed::Status(status))
    };
    assert_eq!(read(500, "").unwrap_err(), status(500));
    assert_eq!(read(201, r#"{"active":true}"#).unwrap_err(), status(201));
    let redirect = ExchangeFailed::Redirect(StatusCode::FOUND);
    assert_eq!(read(302, "").unwrap_err(), redirect.into());
    // RFC 7662 section 2.3: a caller that the server does not know is answered with 401.
    let refused = read(401, r#"{"error":"invalid_client"}"#).unwrap_err();
    assert_eq!(refused.to_string(), "the server refused: invalid_client");
}

struct Signer {
    key: SigningKey,
    keys: JwkSet,
    issuer: Issuer,
}

impl Signer {
    fn new() -> Self {
        let key = SigningKey::generate_es256().unwrap();
        let keys = JwkSet::from_public([key.public_jwk()]);
        let issuer = issuer();
        Self { key, keys, issuer }
    }

    fn read(&self, response: &Response<Vec<u8>>) -> Result<Introspection, IntrospectionFailed> {
        let by = SignedBy {
            issuer: &self.issuer,
            keys: &self.keys,
            algorithms: AlgSet::DEFAULT,
            audience: "rs",
            now: UnixSeconds(1000),
        };
        signed_response(response, &by)
    }

    fn answer(&self, typ: &str, claims: &Value) -> Response<Vec<u8>> {
        let token = self.key.sign(typ, claims.to_string().as_bytes()).unwrap();
        answer(200, SIGNED, &token)
    }

    /// The outcome when one claim is changed, or removed by `null`.
    fn with(&self, claim: &str, value: Value) -> Result<Introspection, IntrospectionFailed> {
        let mut claims = claims();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(claim).unwrap();
        } else {
            claims[claim] = value;
        }
        self.read(&self.answer("token-introspection+jwt", &claims))
    }
}

fn claims() -> Value {
    json!({
        "iss": "https://as.example",
        "aud": ["rs", "other"],
        "iat": 1000,
        "token_introspection": {"active": true, "sub": "u"},
    })
}

#[test]
fn a_signed_answer_is_read() {
    let signer = Signer::new();
    for typ in [
        "token-introspection+jwt",
        "application/Token-Introspection+JWT",
    ] {
        let Ok(Introspection::Active(token)) = signer.read(&signer.answer(typ, &claims())) else {
            panic!("{typ}");
        };
        assert_eq!(token.sub.as_deref(), Some("u"));
    }
    let inactive = signer.with("token_introspection", json!({"active": false}));
    assert_eq!(inactive, Ok(Introspection::Inactive));
    for iat in [940, 1060] {
        assert!(signer.with("iat", json!(iat)).is_ok(), "{iat}");
    }
}

#[test]
fn each_refusal_of_a_signed_answer() {
    use IntrospectionFailed as Failed;
    let signer = Signer::new();
    let other = signer.with("iss", json!("https://as.example/"));
    assert_eq!(other, Err(Failed::Issuer));
    assert_eq!(signer.with("aud", json!("rs2")), Err(Failed::Audience));
    for iat in [939, 1061] {
        assert_eq!(signer.with("iat", json!(iat)), Err(Failed::Age));
    }
    for (claim, value) in [
        ("iss", Value::Null),
        ("aud", Value::Null),
        ("iat", Value::Null),
        ("token_introspection", Value::Null),
        ("aud", json!([])),
        ("iat", json!("1000")),
        ("token_introspection", json!("{}")),
        ("token_introspection", json!({"active": "true"})),
    ] {
        let failed = signer.with(claim, value.clone()).unwrap_err();
        assert!(matches!(failed, Failed::Malformed(_)), "{claim} {value}");
    }
    for typ in ["JWT", "at+jwt", "token-introspection"] {
        let read = signer.read(&signer.answer(typ, &claims()));
        assert_eq!(read, Err(Failed::Type), "{typ}");
    }
    let unsigned = answer(200, "application/json", r#"{"active":true}"#);
    assert_eq!(signer.read(&unsigned), Err(Failed::NotSigned));
    for body in [r#"{"active":true}"#, "", "a.b", "e30.e30."] {
        let read = signer.read(&answer(200, SIGNED, body));
        assert!(matches!(read, Err(Failed::Jws(_))), "{body}");
    }
    let bytes = Response::builder().header("content-type", SIGNED);
    let bytes = bytes.body(vec![0xff; 9]).unwrap();
    assert_eq!(signer.read(&bytes), Err(Failed::Jws(InvalidJws::Parts)));
    let stranger = Signer::new();
    let kid = Some(stranger.key.kid().to_owned());
    let read = signer.read(&stranger.answer("token-introspection+jwt", &claims()));
    assert_eq!(read, Err(Failed::UnknownKey { kid }));
    let signed = signer.answer("token-introspection+jwt", &claims());
    let mut body = signed.body().clone();
    let at = body.len() - 10;
    body[at] = if body[at] == b'A' { b'B' } else { b'A' };
    let changed = answer(200, SIGNED, std::str::from_utf8(&body).unwrap());
    assert_eq!(
        signer.read(&changed),
        Err(Failed::Signature(BadSignature::Mismatch))
    );
    let failed = signer.read(&answer(503, SIGNED, "")).unwrap_err();
    let status = ExchangeFailed::Status(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failed, Failed::Exchange(status));
}
