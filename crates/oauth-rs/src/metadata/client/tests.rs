//! Registrations and documents, and each refusal of one.

use super::*;

const URL: &str = "https://app.example/client.json";

fn registration(more: &str) -> Result<ClientMetadata, InvalidClientMetadata> {
    let body = format!(r#"{{"redirect_uris":["https://c.example/cb"]{more}}}"#);
    ClientMetadata::parse_registration(body.as_bytes())
}

fn document(more: &str) -> Result<ClientMetadata, InvalidClientMetadata> {
    let body = format!(
        r#"{{"client_id":"{URL}","client_name":"App","redirect_uris":["https://app.example/cb"]{more}}}"#
    );
    ClientMetadata::parse_document(body.as_bytes(), URL)
}

#[test]
fn defaults_of_a_registration() {
    let client = registration(r#","client_id":"mine","unknown":{"a":[]}"#).unwrap();
    assert_eq!(client.client_id, None);
    assert_eq!(
        client.token_endpoint_auth_method,
        AuthMethod::ClientSecretBasic
    );
    assert_eq!(client.grant_types, ["authorization_code"]);
    assert_eq!(client.response_types, ["code"]);
    assert_eq!(client.application_type, None);
}

#[test]
fn absent_and_empty_are_different() {
    let refused = registration(r#","grant_types":[],"response_types":["code"]"#).unwrap_err();
    assert_eq!(refused.field, "grant_types");
    let machine = ClientMetadata::parse_registration(br#"{"grant_types":["client_credentials"]}"#);
    assert_eq!(machine.unwrap().response_types, Vec::<String>::new());
    let empty = ClientMetadata::parse_registration(b"{}").unwrap_err();
    assert_eq!(
        (empty.code, empty.field),
        (ErrorCode::InvalidRedirectUri, "redirect_uris")
    );
}

#[test]
fn each_refusal_of_a_registration() {
    let long_name = format!(r#","client_name":"{}""#, "n".repeat(201));
    let contacts = format!(r#","contacts":[{}]"#, vec!["\"c\""; 17].join(","));
    let grants = format!(
        r#","grant_types":["authorization_code",{}]"#,
        vec!["\"g\""; 16].join(",")
    );
    let long_grant = format!(
        r#","grant_types":["authorization_code","{}"]"#,
        "g".repeat(201)
    );
    let long_page = format!(r#","logo_uri":"https://c.example/{}""#, "l".repeat(2048));
    for (more, field) in [
        (r#","redirect_uris":[]"#, "document"),
        (r#","client_name":7"#, "document"),
        (
            r#","token_endpoint_auth_method":"tls_client_auth""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","token_endpoint_auth_method":"client_secret_jwt""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","grant_types":["refresh_token"],"response_types":["code"]"#,
            "grant_types",
        ),
        (
            r#","grant_types":["authorization_code"],"response_types":["token"]"#,
            "grant_types",
        ),
        (r#","client_name":"a\u0007b""#, "client_name"),
        (r#","client_name":"a\nb""#, "client_name"),
        (r#","client_name":"\u202Egnp.exe""#, "client_name"),
        (r#","client_name":"\u2066x""#, "client_name"),
        (r#","client_name":"\u200b""#, "client_name"),
        (r#","client_name":"App\u2060""#, "client_name"),
        (r#","client_name":"App\u2028by Us""#, "client_name"),
        (r#","client_name":"\udb40\udc41""#, "client_name"),
        (r#","software_id":"\ufeffx""#, "software_id"),
        (r#","contacts":["a\u202eb"]"#, "contacts"),
        (long_name.as_str(), "client_name"),
        (contacts.as_str(), "contacts"),
        (grants.as_str(), "grant_types"),
        (long_grant.as_str(), "grant_types"),
        (long_page.as_str(), "logo_uri"),
        (r#","scope":"a  b""#, "scope"),
        (r#","application_type":"spa""#, "application_type"),
        (r#","logo_uri":"http://c.example/logo.png""#, "logo_uri"),
        (r#","client_uri":"javascript:alert(1)""#, "client_uri"),
        (
            r#","jwks_uri":"https://c.example/jwks","jwks":{"keys":[]}"#,
            "jwks",
        ),
        (r#","jwks":null"#, "jwks"),
        (r#","jwks":[]"#, "jwks"),
        (
            r#","jwks":{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}"#,
            "jwks",
        ),
        (r#","jwks":{"keys":[{"kty":"oct","k":"AA"}]}"#, "jwks"),
        (r#","unknown":1,"unknown":2"#, "document"),
    ] {
        let refused = registration(more).unwrap_err();
        assert_eq!(
            (refused.code, refused.field),
            (ErrorCode::InvalidClientMetadata, field),
            "{more}"
        );
    }
    // Keys of a kind that is not known here are the client's own matter.
    assert!(registration(r#","jwks":{"keys":[{"kty":"AKP"}]}"#).is_ok());
    for name in ["\u{645}\u{200c}\u{6cc}", "\u{1f468}\u{200d}\u{1f4bb}"] {
        assert!(registration(&format!(r#","client_name":"{name}""#)).is_ok());
    }
    let longest = format!(r#","client_name":"{}""#, "\u{e9}".repeat(200));
    assert!(registration(&longest).is_ok());
    let long = vec![b' '; MAX_METADATA_BYTES + 1];
    assert_eq!(
        ClientMetadata::parse_registration(&long).unwrap_err().why,
        "is too long"
    );
}

#[test]
fn each_refusal_of_redirect_addresses() {
    let with = |uris: &str| {
        let body = format!(r#"{{"redirect_uris":[{uris}]}}"#);
        ClientMetadata::parse_registration(body.as_bytes())
    };
    assert!(with(&vec!["\"https://c.example/cb\""; 16].join(",")).is_ok());
    let long = format!("\"https://c.example/{}\"", "a".repeat(2048));
    for uris in [
        vec!["\"https://c.example/cb\""; 17].join(","),
        "\"http://c.example/cb\"".into(),
        "\"https://c.example/cb#x\"".into(),
        "\"https://*.example/cb\"".into(),
        "\"https://ok.example/cb\",\"data:text/html,x\"".into(),
        long,
    ] {
        let refused = with(&uris).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidRedirectUri, "{uris}");
    }
}

#[test]
fn a_document_is_public_unless_it_says_otherwise() {
    let client = document("").unwrap();
    assert_eq!(client.token_endpoint_auth_method, AuthMethod::None);
    assert_eq!(client.client_id.as_deref(), Some(URL));
    let signed = document(r#","token_endpoint_auth_method":"private_key_jwt""#).unwrap();
    assert_eq!(signed.token_endpoint_auth_method, AuthMethod::PrivateKeyJwt);
}

#[test]
fn each_refusal_of_a_document() {
    for (more, field) in [
        (r#","client_secret":"x""#, "client_secret"),
        (r#","client_secret":null"#, "client_secret"),
        (
            r#","client_secret_expires_at":0"#,
            "client_secret_expires_at",
        ),
        (
            r#","token_endpoint_auth_method":"client_secret_basic""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","token_endpoint_auth_method":"client_secret_post""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","token_endpoint_auth_method":"client_secret_jwt""#,
            "token_endpoint_auth_method",
        ),
    ] {
        assert_eq!(document(more).unwrap_err().field, field, "{more}");
    }
    let parse = |text: &str| {
        ClientMetadata::parse_document(text.as_bytes(), URL)
            .unwrap_err()
            .field
    };
    let base = r#""redirect_uris":["https://app.example/cb"]"#;
    assert_eq!(parse("[]"), "document");
    assert_eq!(parse(&format!("{{{base}}}")), "client_id");
    assert_eq!(
        parse(&format!(r#"{{"client_id":"{URL}/",{base}}}"#)),
        "client_id"
    );
    assert_eq!(
        parse(&format!(r#"{{"client_id":"{URL}",{base}}}"#)),
        "client_name"
    );
    assert_eq!(
        parse(&format!(
            r#"{{"client_id":"{URL}","client_name":" ",{base}}}"#
        )),
        "client_name"
    );
    assert_eq!(
        parse(&format!(r#"{{"client_id":"{URL}","client_name":"A"}}"#)),
        "redirect_uris"
    );
}

#[test]
fn what_is_sent_can_be_read() {
    let sent = ClientMetadata {
        scope: Some(ScopeSet::parse("a b").unwrap()),
        ..ClientMetadata::native(
            "CLI",
            vec![RedirectUri::parse("http://127.0.0.1/cb").unwrap()],
        )
    };
    let read = ClientMetadata::parse_registration(&serde_json::to_vec(&sent).unwrap()).unwrap();
    assert_eq!(read, sent);
}

#[test]
fn method_names_lead_back() {
    for name in [
        "none",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
    ] {
        let method = AuthMethod::parse(name).unwrap();
        assert_eq!(method.as_str(), name);
        assert_eq!(
            serde_json::to_string(&method).unwrap(),
            format!("\"{name}\"")
        );
    }
    assert_eq!(AuthMethod::parse("None"), None);
}
