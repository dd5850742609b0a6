//! Registrations and documents, and each refusal of one.

mod management;
mod negotiate;

use super::*;
use crate::metadata::MAX_METADATA_BYTES;

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
    let many_methods = format!(
        r#","token_endpoint_auth_methods_supported":[{}]"#,
        vec!["\"none\""; 17].join(",")
    );
    let long_page = format!(r#","logo_uri":"https://c.example/{}""#, "l".repeat(2048));
    for (more, field) in [
        (r#","redirect_uris":[]"#, "document"),
        (r#","client_name":7"#, "client_name"),
        (r#","redirect_uris_":1,"grant_types":"code""#, "grant_types"),
        (
            r#","dpop_bound_access_tokens":"yes""#,
            "dpop_bound_access_tokens",
        ),
        (
            r#","token_endpoint_auth_method":"attest_jwt_client_auth""#,
            "token_endpoint_auth_method",
        ),
        // Each method has to bring what it rests on.
        (
            r#","token_endpoint_auth_method":"tls_client_auth""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","token_endpoint_auth_method":"private_key_jwt""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","token_endpoint_auth_method":"self_signed_tls_client_auth""#,
            "token_endpoint_auth_method",
        ),
        (
            r#","tls_client_auth_san_dns":"c.example","tls_client_auth_san_ip":"192.0.2.1""#,
            "tls_client_auth_san_ip",
        ),
        (
            r#","tls_client_auth_subject_dn":"""#,
            "tls_client_auth_subject_dn",
        ),
        (
            many_methods.as_str(),
            "token_endpoint_auth_methods_supported",
        ),
        // RFC 7591 section 2.1, row by row.
        (
            r#","grant_types":["implicit"],"response_types":["code"]"#,
            "grant_types",
        ),
        (
            r#","grant_types":["authorization_code","implicit"],"response_types":["code"]"#,
            "grant_types",
        ),
        (
            r#","grant_types":["authorization_code"],"response_types":["code","token"]"#,
            "grant_types",
        ),
        (
            r#","grant_types":["client_credentials"],"response_types":["id_token"]"#,
            "grant_types",
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
        (r#","client_name":"App\ud82f\udca0""#, "client_name"),
        (r#","client_name":"App\ud834\udd73""#, "client_name"),
        (r#","client_name":"App\udb40\uddf0""#, "client_name"),
        (r#","client_name":"App\udb43\udfff""#, "client_name"),
        (r#","software_id":"\ufeffx""#, "software_id"),
        (
            r#","token_endpoint_auth_signing_alg":"none""#,
            "token_endpoint_auth_signing_alg",
        ),
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
        (r#","jwks":[]"#, "jwks"),
        (
            r#","jwks":{"keys":[{"kty":"EC","crv":"P-256","d":"AA"}]}"#,
            "jwks",
        ),
        (r#","jwks":{"keys":[{"kty":"oct","k":"AA"}]}"#, "jwks"),
        (
            r#","jwks":{"keys":[{"kty":"AKP","pub":"AA","priv":"AA"}]}"#,
            "jwks",
        ),
        (r#","jwks":{"keys":[{"kty":"EC","\u0064":"AA"}]}"#, "jwks"),
        (
            r#","jwks":{"keys":[{"kty":"EC","x":"AA","x":"AA"}]}"#,
            "jwks",
        ),
        (r#","jwks":{"keys":[7]}"#, "jwks"),
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
    for name in [
        "\u{645}\u{200c}\u{6cc}",
        "\u{1f468}\u{200d}\u{1f4bb}",
        "\u{845b}\u{e0100}",
    ] {
        assert!(registration(&format!(r#","client_name":"{name}""#)).is_ok());
    }
    let longest = format!(r#","client_name":"{}""#, "\u{e9}".repeat(200));
    assert!(registration(&longest).is_ok());
    let long = vec![b' '; MAX_METADATA_BYTES + 1];
    assert_eq!(
        ClientMetadata::parse_registration(&long).unwrap_err().why,
        "is longer than 65536 bytes"
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
    let signed = document(
        r#","token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://app.example/jwks""#,
    );
    assert_eq!(
        signed.unwrap().token_endpoint_auth_method,
        AuthMethod::PrivateKeyJwt
    );
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
        (r#","client_id_issued_at":0"#, "client_id_issued_at"),
        (
            r#","registration_access_token":"x""#,
            "registration_access_token",
        ),
        (
            r#","registration_client_uri":"https://as.example/c""#,
            "registration_client_uri",
        ),
        // A document elsewhere has no business with what listens on this machine.
        (r#","jwks_uri":"http://127.0.0.1/jwks""#, "jwks_uri"),
        (r#","logo_uri":"http://localhost/logo.png""#, "logo_uri"),
        (
            r#","jwks":{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}]}"#,
            "jwks",
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
    assert_eq!(parse(&format!("\u{feff}{{{base}}}")), "document");
    assert_eq!(
        parse(&format!(
            r#"{{"client_id":"https://app.example/client%2ejson",{base}}}"#
        )),
        "client_id"
    );
    assert_eq!(
        parse(&format!(
            r#"{{"client_id":"{URL}","client_id":"{URL}",{base}}}"#
        )),
        "document"
    );
    assert_eq!(parse(&format!("{{{base}}}")), "client_id");
    assert_eq!(
        parse(&format!(r#"{{"client_id":"{URL}/",{base}}}"#)),
        "client_id"
    );
    assert_eq!(
        parse(&format!(r#"{{"client_id":"{URL}",{base}}}"#)),
        "client_name"
    );
    // A name of what nobody sees is none: space, joiners, selectors of a variant, and an empty cell of Braille.
    for name in [
        "",
        " ",
        "\u{a0}\u{3000}",
        "\u{200c}\u{200d}",
        " \u{fe0f}",
        "\u{e0100}",
        "\u{2800}",
    ] {
        let text = format!(r#"{{"client_id":"{URL}","client_name":"{name}",{base}}}"#);
        assert_eq!(parse(&text), "client_name", "{name:?}");
    }
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
    for method in AuthMethod::ALL {
        let name = method.as_str();
        assert_eq!(AuthMethod::parse(name), Some(method));
        assert_eq!(
            serde_json::to_string(&method).unwrap(),
            format!("\"{name}\"")
        );
    }
    assert_eq!(AuthMethod::parse("None"), None);
}

#[test]
fn null_and_unknown_members_count_as_absent() {
    let more = r#","client_name":null,"jwks":null,"scope":"","grant_types":null,"contacts":null,
        "client_name#fr":"\u202e","logo_uri#fr":"javascript:x","software_statement":"a.b.c",
        "default_max_age":"x""#;
    assert_eq!(registration(more), registration(""));
}

#[test]
fn grants_and_responses_follow_from_each_other() {
    let types = |more: &str| {
        let read = registration(more).unwrap();
        (read.grant_types.join(" "), read.response_types.join(","))
    };
    let of = |grants: &str, responses: &str| (grants.to_owned(), responses.to_owned());
    for (more, expected) in [
        ("", of("authorization_code", "code")),
        (r#","grant_types":[]"#, of("", "")),
        (r#","response_types":[]"#, of("", "")),
        (r#","grant_types":["implicit"]"#, of("implicit", "token")),
        (
            r#","response_types":["code id_token"]"#,
            of("authorization_code implicit", "code id_token"),
        ),
        (
            r#","grant_types":["refresh_token","authorization_code"]"#,
            of("refresh_token authorization_code", "code"),
        ),
        (
            r#","grant_types":["urn:ietf:params:oauth:grant-type:device_code"]"#,
            of("urn:ietf:params:oauth:grant-type:device_code", ""),
        ),
    ] {
        assert_eq!(types(more), expected, "{more}");
    }
}

#[test]
fn published_keys_are_kept_as_they_are() {
    let key = crate::jose::SigningKey::generate_es256().unwrap();
    let own = crate::jose::PublicJwkSet {
        keys: vec![key.public_jwk().clone()],
    };
    let keys = PublishedKeys::new(&own).unwrap();
    assert_eq!(keys.to_set().keys().len(), 1);
    let more = format!(
        r#","token_endpoint_auth_method":"private_key_jwt","jwks":{}"#,
        keys.as_str()
    );
    let read = document(&more).unwrap();
    assert_eq!(read.jwks, Some(keys));
    let written = serde_json::to_string(&read).unwrap();
    assert!(ClientMetadata::parse_document(written.as_bytes(), URL).unwrap() == read);
}

#[test]
fn the_subject_of_a_certificate_is_one_of_five() {
    for member in [
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
    ] {
        let more = format!(r#","token_endpoint_auth_method":"tls_client_auth","{member}":"x""#);
        let read = registration(&more).unwrap();
        let written = serde_json::to_string(&read).unwrap();
        assert!(written.contains(&format!(r#""{member}":"x""#)), "{written}");
        assert_eq!(
            ClientMetadata::parse_registration(written.as_bytes()).unwrap(),
            read
        );
    }
}
