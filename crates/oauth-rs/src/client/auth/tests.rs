//! Each way to authenticate as it is sent, and each reason for which none is.

use super::*;
use crate::jose::{AlgSet, Jws, VerifyingKey, typ_is};
use crate::params::Params;

pub(in crate::client) fn issuer() -> Issuer {
    Issuer::parse("https://as.example").unwrap()
}

pub(in crate::client) fn caller<'a>(client: &'a Client, issuer: &'a Issuer) -> Caller<'a> {
    Caller {
        client,
        issuer,
        now: UnixSeconds(1_000),
        entropy: &ZEROS,
    }
}

const ZEROS: fn(&mut [u8]) = |dest| dest.fill(0);

fn with(auth: ClientAuth) -> Client {
    Client {
        client_id: "c".into(),
        auth,
    }
}

fn post(client: &Client) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    caller(client, &issuer()).post("token endpoint", "https://as.example/token", &[("a", "b")])
}

fn body(client: &Client) -> String {
    let request = post(client).unwrap();
    assert!(!request.headers().contains_key(header::AUTHORIZATION));
    String::from_utf8(request.into_body()).unwrap()
}

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::generate_es256().unwrap())
}

fn server(json: &str) -> ServerMetadata {
    let document = json.replacen('{', r#"{"issuer":"https://as.example","#, 1);
    let document = document.replace(",}", "}");
    ServerMetadata::parse(document.as_bytes(), &issuer()).unwrap()
}

#[test]
fn basic_encodes_both_halves_first() {
    let client = Client {
        client_id: "https://app.example.com/client.json".into(),
        auth: ClientAuth::Basic(Secret::new("a+b c%d:e/f")),
    };
    let request = post(&client).unwrap();
    let value = request.headers().get(header::AUTHORIZATION).unwrap();
    assert_eq!(
        value.to_str().unwrap(),
        "Basic aHR0cHMlM0ElMkYlMkZhcHAuZXhhbXBsZS5jb20lMkZjbGllbnQuanNvbjphJTJCYitjJTI1ZCUzQWUlMkZm"
    );
    assert!(value.is_sensitive());
    assert_eq!(request.body(), b"a=b");
}

#[test]
fn basic_example_of_rfc_6749() {
    let value = basic("s6BhdRkqt3", &Secret::new("7Fjfp0ZBr1KtDRbnfVdmIw")).unwrap();
    assert_eq!(
        value.to_str().unwrap(),
        "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"
    );
}

#[test]
fn methods_without_a_header_name_the_client_in_the_body() {
    assert_eq!(body(&Client::public("c")), "a=b&client_id=c");
    assert_eq!(
        body(&with(ClientAuth::Tls(TlsMethod::Pki))),
        "a=b&client_id=c"
    );
    assert_eq!(
        body(&with(ClientAuth::Post(Secret::new("s")))),
        "a=b&client_id=c&client_secret=s"
    );
    // An exchange that has the identifier among its own parameters does not say it twice.
    let client = Client::public("c");
    let issuer = issuer();
    let own = caller(&client, &issuer)
        .post("x", "https://as.example/par", &[("client_id", "c")])
        .unwrap();
    assert_eq!(own.body(), b"client_id=c");
}

#[test]
fn an_assertion_is_for_one_server_and_a_short_time() {
    let key = key();
    let sent = body(&with(ClientAuth::PrivateKeyJwt(Arc::clone(&key))));
    let params = Params::parse_query(&sent, &[]).unwrap();
    assert_eq!(params.get("client_id"), Some("c"));
    assert_eq!(
        params.get("client_assertion_type"),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    let jws = Jws::parse(params.get("client_assertion").unwrap()).unwrap();
    let typ = jws.header().typ.as_deref().unwrap();
    assert!(typ_is(typ, "client-authentication+jwt"));
    assert_eq!(jws.header().kid.as_deref(), Some(key.kid()));
    let set = crate::jose::JwkSet::from_public([key.public_jwk()]);
    let verifying: &VerifyingKey = &set.keys()[0];
    let verified = jws.verify(verifying, AlgSet::default()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(verified.payload()).unwrap();
    assert_eq!(
        claims,
        serde_json::json!({"iss": "c", "sub": "c", "aud": "https://as.example",
            "exp": 1_060, "iat": 1_000, "jti": "AAAAAAAAAAAAAAAAAAAAAA"})
    );
}

#[test]
fn what_cannot_be_sent() {
    assert_eq!(
        post(&with(ClientAuth::KeyAbsent)).unwrap_err(),
        ExchangeFailed::Authentication(AuthRefused::KeyMissing)
    );
    let client = Client::public("c");
    let insecure = caller(&client, &issuer()).post("token endpoint", "http://as.example/t", &[]);
    assert_eq!(
        insecure.unwrap_err(),
        ExchangeFailed::Address("token endpoint")
    );
}

#[test]
fn methods_by_name() {
    let secret = || Some(Secret::new("s"));
    for (name, secret, key) in [
        ("none", None, None),
        ("client_secret_basic", secret(), None),
        ("client_secret_post", secret(), None),
        ("private_key_jwt", None, Some(key())),
        ("tls_client_auth", None, None),
        ("self_signed_tls_client_auth", None, None),
    ] {
        let auth = ClientAuth::named(name, secret, key).unwrap();
        assert_eq!(auth.method().as_str(), name);
    }
    let refused = |name: &str| ClientAuth::named(name, None, None).unwrap_err();
    for (name, reason) in [
        (
            "client_secret_basic",
            AuthRefused::SecretMissing("client_secret_basic"),
        ),
        (
            "client_secret_post",
            AuthRefused::SecretMissing("client_secret_post"),
        ),
        ("private_key_jwt", AuthRefused::KeyMissing),
        ("client_secret_jwt", AuthRefused::SecretJwt),
        (
            "attest_jwt_client_auth",
            AuthRefused::Unknown {
                name: "attest_jwt_client_auth".into(),
            },
        ),
    ] {
        assert_eq!(refused(name), reason, "{name}");
    }
    let with_secret = ClientAuth::named("client_secret_jwt", secret(), None);
    assert_eq!(with_secret.unwrap_err(), AuthRefused::SecretJwt);
}

#[test]
fn how_a_server_takes_a_secret() {
    let choose = |methods: &str| {
        let json = format!(r#"{{"token_endpoint_auth_methods_supported":{methods}}}"#);
        ClientAuth::with_secret(Secret::new("s"), &server(&json)).map(|auth| auth.method())
    };
    let basic = Ok(AuthMethod::ClientSecretBasic);
    assert_eq!(choose("[]"), basic);
    assert_eq!(
        choose(r#"["client_secret_post","client_secret_basic"]"#),
        basic
    );
    assert_eq!(
        choose(r#"["none","client_secret_post"]"#),
        Ok(AuthMethod::ClientSecretPost)
    );
    assert_eq!(
        choose(r#"["client_secret_jwt"]"#),
        Err(AuthRefused::SecretJwt)
    );
    assert_eq!(
        choose(r#"["private_key_jwt"]"#),
        Err(AuthRefused::NotOffered("a secret"))
    );
}

#[test]
fn how_a_server_takes_a_key() {
    let choose = |json: &str| ClientAuth::with_key(key(), &server(json)).map(|auth| auth.method());
    let listed = r#"{"token_endpoint_auth_methods_supported":["private_key_jwt"]}"#;
    assert_eq!(choose(listed), Ok(AuthMethod::PrivateKeyJwt));
    let algs = |algs: &str| {
        choose(&format!(
            r#"{{"token_endpoint_auth_methods_supported":["private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported":{algs}}}"#
        ))
    };
    assert_eq!(algs(r#"["RS256","ES256"]"#), Ok(AuthMethod::PrivateKeyJwt));
    assert_eq!(algs(r#"["RS256"]"#), Err(AuthRefused::Algorithm("ES256")));
    for json in [
        "{}",
        r#"{"token_endpoint_auth_methods_supported":["client_secret_basic"]}"#,
    ] {
        assert_eq!(
            choose(json),
            Err(AuthRefused::NotOffered("a private key")),
            "{json}"
        );
    }
}

#[test]
fn debug_shows_neither_secret_nor_key() {
    let client = with(ClientAuth::Post(Secret::new("hush")));
    let shown = format!("{client:?} {:?}", caller(&client, &issuer()));
    assert!(!shown.contains("hush") && shown.contains("Secret(..)"));
    let keyed = with(ClientAuth::PrivateKeyJwt(key()));
    assert!(format!("{keyed:?}").contains("kid"));
}
