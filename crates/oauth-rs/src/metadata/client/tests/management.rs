//! What a server answers to a registration, and what replaces one.

use super::*;
use crate::metadata::InvalidDocument;
use crate::secret::Secret;
use crate::time::UnixSeconds;

const ENDPOINT: &str = "https://as.example/register";

fn answer(more: &str) -> Result<Registration, InvalidRegistration> {
    let text = format!(r#"{{"client_id":"c1"{more}}}"#);
    Registration::parse(text.as_bytes(), ENDPOINT)
}

#[test]
fn the_answer_of_rfc_7591() {
    // RFC 7591 section 3.2.1 and RFC 7592 section 3.
    let read = answer(
        r#","client_id_issued_at":2893256800,"client_secret":"cf136dc3c1fc93f31185e5885805d",
        "client_secret_expires_at":2893276800,"grant_types":["authorization_code"],
        "redirect_uris":["https://client.example.org/callback"],"scope":"read",
        "registration_client_uri":"https://as.example/register/c1",
        "registration_access_token":"reg-23410913-abewfq.123483","token_endpoint_auth_method":"client_secret_post""#,
    )
    .unwrap();
    assert_eq!(read.client_id_issued_at, Some(UnixSeconds(2_893_256_800)));
    assert_eq!(
        read.client_secret_expires_at,
        Some(UnixSeconds(2_893_276_800))
    );
    assert!(
        read.client_secret
            .as_ref()
            .unwrap()
            .ct_eq("cf136dc3c1fc93f31185e5885805d")
    );
    assert_eq!(
        read.token_endpoint_auth_method,
        AuthMethod::ClientSecretPost
    );
    assert_eq!(read.redirect_uris.as_ref().unwrap().len(), 1);
    assert_eq!(read.grant_types.as_ref().unwrap(), &["authorization_code"]);
    assert_eq!(read.scope, Some(ScopeSet::parse("read").unwrap()));
    let management = read.management.as_ref().unwrap();
    assert_eq!(management.uri, "https://as.example/register/c1");
    assert!(management.access_token.ct_eq("reg-23410913-abewfq.123483"));
    let shown = format!("{read:?}");
    assert!(
        !shown.contains("cf136") && !shown.contains("reg-234"),
        "{shown}"
    );
}

#[test]
fn what_servers_leave_out() {
    let bare = answer("").unwrap();
    assert_eq!(bare.token_endpoint_auth_method, AuthMethod::None);
    assert!(bare.client_secret.is_none() && bare.management.is_none());
    let secret = answer(r#","client_secret":"s""#).unwrap();
    assert_eq!(
        secret.token_endpoint_auth_method,
        AuthMethod::ClientSecretBasic
    );
    assert_eq!(secret.client_secret_expires_at, None);
    let forever = answer(r#","client_secret":"s","client_secret_expires_at":0"#).unwrap();
    assert_eq!(forever.client_secret_expires_at, None);
    // Half of what management needs is nothing, and a scope that is none says nothing.
    for half in [
        r#","registration_client_uri":"https://as.example/register/c1""#,
        r#","registration_access_token":"t","scope":" ""#,
    ] {
        let read = answer(half).unwrap();
        assert!(read.management.is_none() && read.scope.is_none(), "{half}");
    }
}

#[test]
fn each_refusal_of_an_answer() {
    let wrong = |member, wanted| InvalidDocument::Type { member, wanted }.into();
    let long = format!(r#","client_secret":"{}""#, "s".repeat(8 * 1024 + 1));
    for (more, reason) in [
        (r#","client_id":"c2""#, InvalidDocument::Malformed.into()),
        (r#","client_secret":7"#, wrong("client_secret", "a string")),
        (
            r#","client_secret_expires_at":"0""#,
            wrong("client_secret_expires_at", "a whole number"),
        ),
        (
            r#","client_secret_expires_at":-1"#,
            wrong("client_secret_expires_at", "a whole number"),
        ),
        (
            r#","client_secret":"""#,
            InvalidRegistration::Text("client_secret"),
        ),
        (
            r#","client_secret":"a\nb""#,
            InvalidRegistration::Text("client_secret"),
        ),
        (long.as_str(), InvalidRegistration::Text("client_secret")),
        (
            r#","token_endpoint_auth_method":"magic""#,
            InvalidRegistration::AuthMethod {
                name: "magic".into(),
            },
        ),
        (
            r#","token_endpoint_auth_method":"client_secret_basic""#,
            InvalidRegistration::NoSecret("client_secret_basic"),
        ),
        (
            r#","registration_client_uri":"http://127.0.0.1/c1","registration_access_token":"t""#,
            InvalidRegistration::ManagementAddress,
        ),
        (
            r#","registration_client_uri":"javascript:x","registration_access_token":"t""#,
            InvalidRegistration::ManagementAddress,
        ),
    ] {
        assert_eq!(answer(more).unwrap_err(), reason, "{more}");
    }
    for (text, reason) in [
        ("[]", InvalidDocument::Malformed.into()),
        ("{}", InvalidRegistration::Text("client_id")),
        (
            r#"{"client_id":""}"#,
            InvalidRegistration::Text("client_id"),
        ),
        (
            r#"{"client_id":"\u00e9"}"#,
            InvalidRegistration::Text("client_id"),
        ),
    ] {
        let refused = Registration::parse(text.as_bytes(), ENDPOINT).unwrap_err();
        assert_eq!(refused, reason, "{text}");
    }
}

#[test]
fn what_a_server_answers_can_be_read() {
    let metadata = registration(r#","client_name":"App","scope":"read""#).unwrap();
    let given = Registration {
        client_id: "c1".into(),
        client_id_issued_at: Some(UnixSeconds(7)),
        client_secret: Some(Secret::new("s3cret")),
        client_secret_expires_at: None,
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        redirect_uris: None,
        grant_types: None,
        scope: None,
        management: Some(Management {
            uri: "https://as.example/register/c1".into(),
            access_token: Secret::new("r4t"),
        }),
    };
    let body = given.to_response(&metadata).unwrap();
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"client_id":"c1","client_id_issued_at":7,"client_secret":"s3cret","client_secret_expires_at":0,"registration_client_uri":"https://as.example/register/c1","registration_access_token":"r4t","client_name":"App","redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code"],"response_types":["code"],"scope":"read"}"#
    );
    let read = Registration::parse(&body, ENDPOINT).unwrap();
    assert_eq!(read.client_id, "c1");
    assert!(read.client_secret.unwrap().ct_eq("s3cret"));
    assert!(read.management.unwrap().access_token.ct_eq("r4t"));
    assert_eq!(read.redirect_uris.unwrap(), ["https://c.example/cb"]);
}

#[test]
fn a_client_replaces_its_registration_with_all_of_it() {
    let metadata = ClientMetadata {
        client_id: Some("old".into()),
        ..registration(r#","client_name":"App""#).unwrap()
    };
    let given = answer(
        r#","client_secret":"s","client_secret_expires_at":0,
        "registration_client_uri":"https://as.example/register/c1","registration_access_token":"t""#,
    )
    .unwrap();
    let body = metadata.to_update(&given).unwrap();
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        r#"{"client_id":"c1","client_secret":"s","client_name":"App","redirect_uris":["https://c.example/cb"],"token_endpoint_auth_method":"client_secret_basic","grant_types":["authorization_code"],"response_types":["code"]}"#
    );
    let read = ClientMetadata::parse_update(&body, "c1", |secret| secret == "s").unwrap();
    let expected = ClientMetadata {
        client_id: Some("c1".into()),
        ..metadata
    };
    assert_eq!(read, expected);
}

#[test]
fn what_an_update_leaves_out_has_its_default_again() {
    let body = br#"{"client_id":"c1","redirect_uris":["https://c.example/cb"],"client_name":null}"#;
    let read = ClientMetadata::parse_update(body, "c1", |_| false).unwrap();
    let plain = ClientMetadata {
        client_id: Some("c1".into()),
        ..registration("").unwrap()
    };
    assert_eq!(read, plain);
}

#[test]
fn each_refusal_of_an_update() {
    let update = |more: &str| {
        let body = format!(r#"{{"redirect_uris":["https://c.example/cb"]{more}}}"#);
        ClientMetadata::parse_update(body.as_bytes(), "c1", |secret| secret == "s")
            .map_err(|refused| refused.field)
    };
    for (more, field) in [
        ("", "client_id"),
        (r#","client_id":null"#, "client_id"),
        (r#","client_id":"c2""#, "client_id"),
        (r#","client_id":"c1","client_id":"c1""#, "document"),
        (
            r#","client_id":"c1","registration_access_token":"t""#,
            "registration_access_token",
        ),
        (
            r#","client_id":"c1","registration_client_uri":null"#,
            "registration_client_uri",
        ),
        (
            r#","client_id":"c1","client_secret_expires_at":0"#,
            "client_secret_expires_at",
        ),
        (
            r#","client_id":"c1","client_id_issued_at":1"#,
            "client_id_issued_at",
        ),
        (
            r#","client_id":"c1","client_secret":"mine""#,
            "client_secret",
        ),
        (r#","client_id":"c1","client_secret":7"#, "client_secret"),
        (r#","client_id":"c1","scope":"a  b""#, "scope"),
    ] {
        assert_eq!(update(more), Err(field), "{more}");
    }
    assert!(update(r#","client_id":"c1","client_secret":"s""#).is_ok());
}
