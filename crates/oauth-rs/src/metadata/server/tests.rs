//! Documents of authorization servers, their defaults, and each refusal of one.

use super::*;
use crate::metadata::MAX_METADATA_BYTES;

fn issuer() -> Issuer {
    Issuer::parse("https://as.example").unwrap()
}

#[test]
fn writes_only_what_is_there_and_reads_it_back() {
    let metadata = ServerMetadata {
        issuer: "https://as.example".into(),
        token_endpoint: Some("https://as.example/token".into()),
        code_challenge_methods_supported: vec!["S256".into()],
        client_id_metadata_document_supported: true,
        ..ServerMetadata::default()
    };
    let text = serde_json::to_string(&metadata).unwrap();
    assert_eq!(
        text,
        r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token","code_challenge_methods_supported":["S256"],"client_id_metadata_document_supported":true}"#
    );
    assert_eq!(
        ServerMetadata::parse(text.as_bytes(), &issuer()).unwrap(),
        metadata
    );
    assert!(metadata.supports_s256());
    let plain = ServerMetadata {
        code_challenge_methods_supported: vec!["plain".into()],
        ..ServerMetadata::default()
    };
    assert!(!plain.supports_s256());
}

#[test]
fn a_server_on_this_machine_may_use_http() {
    let issuer = Issuer::parse("http://127.0.0.1:3001").unwrap();
    let text =
        r#"{"issuer":"http://127.0.0.1:3001","token_endpoint":"http://127.0.0.1:3001/token"}"#;
    assert!(ServerMetadata::parse(text.as_bytes(), &issuer).is_ok());
}

#[test]
fn each_refusal() {
    let wrong = |found: &str| InvalidServerMetadata::Issuer {
        found: found.into(),
    };
    let many = format!(
        r#"{{"issuer":"https://as.example","scopes_supported":[{}]}}"#,
        vec!["\"s\""; 257].join(",")
    );
    for (text, reason) in [
        ("<html>", InvalidDocument::Malformed.into()),
        ("[]", InvalidDocument::Malformed.into()),
        (
            r#"{"issuer":7}"#,
            InvalidDocument::Type {
                member: "issuer",
                wanted: "a string",
            }
            .into(),
        ),
        (
            r#"{"issuer":"https://as.example","issuer":"https://as.example"}"#,
            InvalidDocument::Malformed.into(),
        ),
        ("{}", wrong("")),
        (
            r#"{"issuer":"https://as.example/"}"#,
            wrong("https://as.example/"),
        ),
        (
            r#"{"issuer":"https://AS.example"}"#,
            wrong("https://AS.example"),
        ),
        (
            r#"{"issuer":"https://as.example","token_endpoint":"http://as.example/token"}"#,
            InvalidServerMetadata::Endpoint {
                member: "token_endpoint",
                reason: InvalidUri::InsecureHttp,
            },
        ),
        (
            r#"{"issuer":"https://as.example","authorization_endpoint":"javascript:x"}"#,
            InvalidServerMetadata::Endpoint {
                member: "authorization_endpoint",
                reason: InvalidUri::NotAbsolute,
            },
        ),
        (
            r#"{"issuer":"https://as.example","token_endpoint":"https://u:p@as.example/token"}"#,
            InvalidServerMetadata::Endpoint {
                member: "token_endpoint",
                reason: InvalidUri::UserInfo,
            },
        ),
        (
            r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token#x"}"#,
            InvalidServerMetadata::Endpoint {
                member: "token_endpoint",
                reason: InvalidUri::Fragment,
            },
        ),
        (
            r#"{"issuer":"https://as.example","jwks_uri":"https://2130706433/jwks"}"#,
            InvalidServerMetadata::Endpoint {
                member: "jwks_uri",
                reason: InvalidUri::NumericHost,
            },
        ),
        // A server elsewhere has no business with what listens on this machine.
        (
            r#"{"issuer":"https://as.example","registration_endpoint":"http://127.0.0.1:9/x"}"#,
            InvalidServerMetadata::Endpoint {
                member: "registration_endpoint",
                reason: InvalidUri::Loopback,
            },
        ),
        (
            many.as_str(),
            InvalidDocument::Bound("scopes_supported").into(),
        ),
    ] {
        assert_eq!(
            ServerMetadata::parse(text.as_bytes(), &issuer()),
            Err(reason),
            "{text}"
        );
    }
    let refused = InvalidServerMetadata::Endpoint {
        member: "token_endpoint",
        reason: InvalidUri::UserInfo,
    };
    assert_eq!(
        refused.to_string(),
        "token_endpoint cannot be used: user information is not allowed in an address"
    );
    let long = vec![b' '; MAX_METADATA_BYTES + 1];
    assert_eq!(
        ServerMetadata::parse(&long, &issuer()),
        Err(InvalidDocument::TooLong.into())
    );
}

#[test]
fn each_member_is_read_and_written() {
    let text = r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize?tenant=1","token_endpoint":"https://as.example/token","jwks_uri":"https://as.example/jwks","registration_endpoint":"https://as.example/register","revocation_endpoint":"https://as.example/revoke","introspection_endpoint":"https://as.example/introspect","pushed_authorization_request_endpoint":"https://as.example/par","device_authorization_endpoint":"https://as.example/device","scopes_supported":["s"],"response_types_supported":["code"],"response_modes_supported":["query"],"grant_types_supported":["authorization_code"],"token_endpoint_auth_methods_supported":["none"],"token_endpoint_auth_signing_alg_values_supported":["ES256"],"revocation_endpoint_auth_methods_supported":["none"],"revocation_endpoint_auth_signing_alg_values_supported":["ES256"],"introspection_endpoint_auth_methods_supported":["private_key_jwt"],"introspection_endpoint_auth_signing_alg_values_supported":["ES256"],"introspection_signing_alg_values_supported":["ES256"],"code_challenge_methods_supported":["S256"],"dpop_signing_alg_values_supported":["ES256"],"authorization_details_types_supported":["d"],"authorization_grant_profiles_supported":["p"],"identity_chaining_requested_token_types_supported":["t"],"protected_resources":["https://rs.example/mcp"],"acr_values_supported":["a"],"ui_locales_supported":["en"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"],"authorization_response_iss_parameter_supported":true,"client_id_metadata_document_supported":true,"require_pushed_authorization_requests":true,"require_signed_request_object":true,"tls_client_certificate_bound_access_tokens":true,"service_documentation":"https://as.example/docs","op_policy_uri":"http://as.example/policy","op_tos_uri":"https://as.example/tos","mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/token","revocation_endpoint":"https://mtls.as.example/revoke","introspection_endpoint":"https://mtls.as.example/introspect","pushed_authorization_request_endpoint":"https://mtls.as.example/par","device_authorization_endpoint":"https://mtls.as.example/device"}}"#;
    let read = ServerMetadata::parse(text.as_bytes(), &issuer()).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}

#[test]
fn what_is_left_out_has_the_defaults_of_the_specification() {
    let bare = ServerMetadata::default();
    assert!(bare.supports_grant("authorization_code") && bare.supports_grant("implicit"));
    assert!(!bare.supports_grant("refresh_token"));
    assert!(bare.supports_response_mode("query") && bare.supports_response_mode("fragment"));
    assert!(!bare.supports_response_mode("form_post"));
    let (basic, none) = (AuthMethod::ClientSecretBasic, AuthMethod::None);
    for supports in [
        ServerMetadata::supports_auth,
        ServerMetadata::supports_auth_at_revocation,
        ServerMetadata::supports_auth_at_introspection,
    ] {
        assert!(supports(&bare, basic) && !supports(&bare, none));
    }
    let said = ServerMetadata {
        grant_types_supported: vec!["refresh_token".into()],
        response_modes_supported: vec!["form_post".into()],
        token_endpoint_auth_methods_supported: vec!["none".into()],
        revocation_endpoint_auth_methods_supported: vec!["none".into()],
        ..ServerMetadata::default()
    };
    assert!(said.supports_grant("refresh_token") && !said.supports_grant("authorization_code"));
    assert!(said.supports_response_mode("form_post") && !said.supports_response_mode("query"));
    assert!(said.supports_auth(none) && !said.supports_auth(basic));
    assert!(said.supports_auth_at_revocation(none) && !said.supports_auth_at_revocation(basic));
    // What is not said of introspection is what holds at the token endpoint.
    assert!(said.supports_auth_at_introspection(none));
    assert!(!said.supports_auth_at_introspection(basic));
}

#[test]
fn an_id_jag_needs_the_profile_and_the_grant() {
    let profile = || vec!["urn:ietf:params:oauth:grant-profile:id-jag".to_owned()];
    let grant = || vec!["urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()];
    for (profiles, grants, expected) in [
        (profile(), grant(), true),
        (profile(), vec![], false),
        (vec![], grant(), false),
    ] {
        let metadata = ServerMetadata {
            authorization_grant_profiles_supported: profiles,
            grant_types_supported: grants,
            ..ServerMetadata::default()
        };
        assert_eq!(metadata.supports_id_jag(), expected);
    }
}

#[test]
fn a_resource_is_listed_or_not_or_nothing_is_said() {
    let own = ResourceId::parse("https://rs.example/mcp").unwrap();
    let other = ResourceId::parse("https://rs.example/other").unwrap();
    assert_eq!(ServerMetadata::default().lists_resource(&own), None);
    let listing = ServerMetadata {
        protected_resources: vec!["https://rs.example/mcp".into()],
        ..ServerMetadata::default()
    };
    assert_eq!(listing.lists_resource(&own), Some(true));
    assert_eq!(listing.lists_resource(&other), Some(false));
}

#[test]
fn a_client_with_a_certificate_uses_the_aliases() {
    let text = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token",
        "revocation_endpoint":"https://as.example/revoke",
        "mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/token","more":7}}"#;
    let read = ServerMetadata::parse(text.as_bytes(), &issuer()).unwrap();
    assert_eq!(
        read.token_endpoint.as_deref(),
        Some("https://as.example/token")
    );
    let own = read.for_mutual_tls();
    assert_eq!(
        own.token_endpoint.as_deref(),
        Some("https://mtls.as.example/token")
    );
    assert_eq!(
        own.revocation_endpoint.as_deref(),
        Some("https://as.example/revoke")
    );
    let bare = ServerMetadata::default();
    assert_eq!(bare.for_mutual_tls(), bare);
}

#[test]
fn each_refusal_of_aliases() {
    let read = |aliases: &str| {
        let text =
            format!(r#"{{"issuer":"https://as.example","mtls_endpoint_aliases":{aliases}}}"#);
        ServerMetadata::parse(text.as_bytes(), &issuer()).map(|read| read.mtls_endpoint_aliases)
    };
    let no_object = InvalidDocument::Type {
        member: "mtls_endpoint_aliases",
        wanted: "an object in which each member occurs once",
    };
    assert_eq!(read("[]"), Err(no_object.into()));
    assert_eq!(read(r#"{"a":1,"a":2}"#), Err(no_object.into()));
    assert_eq!(
        read(r#"{"token_endpoint":"http://127.0.0.1/token"}"#),
        Err(InvalidServerMetadata::Endpoint {
            member: "token_endpoint",
            reason: InvalidUri::Loopback
        })
    );
    assert_eq!(read("null"), Ok(None));
    assert_eq!(read("{}"), Ok(Some(MtlsEndpointAliases::default())));
}

#[test]
fn what_people_read_is_left_out_rather_than_refused() {
    let text = r#"{"issuer":"https://as.example","service_documentation":"javascript:x",
        "op_policy_uri":"","op_tos_uri":["https://as.example/tos"],"op_tos_uri#fr":"x",
        "signed_metadata":"a.b.c","registration_endpoint":null,"scopes_supported":null}"#;
    let read = ServerMetadata::parse(text.as_bytes(), &issuer()).unwrap();
    let bare = ServerMetadata {
        issuer: "https://as.example".into(),
        ..ServerMetadata::default()
    };
    assert_eq!(read, bare);
}
