//! What is left of a client's wishes.

use super::*;

const PUBLIC: Offer<'static> = Offer {
    auth_methods: &[AuthMethod::None],
    grant_types: &["authorization_code", "refresh_token"],
    response_types: &["code"],
    scopes: &ScopeSet::empty(),
};

#[test]
fn a_document_that_could_do_more_is_taken_as_far_as_it_goes() {
    let more = r#","token_endpoint_auth_method":"private_key_jwt",
        "token_endpoint_auth_methods_supported":["private_key_jwt","client_secret_post","none","x"],
        "jwks_uri":"https://app.example/jwks",
        "grant_types":["authorization_code","implicit","refresh_token","urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "response_types":["code","token","code token"],"scope":"read admin""#;
    let read = document(more).unwrap();
    // What rests on a secret is not among the choices of a document.
    assert_eq!(
        read.token_endpoint_auth_methods_supported,
        [AuthMethod::PrivateKeyJwt, AuthMethod::None]
    );
    let scopes = ScopeSet::parse("read write").unwrap();
    let left = read
        .clone()
        .negotiate(&Offer {
            scopes: &scopes,
            ..PUBLIC
        })
        .unwrap();
    assert_eq!(left.token_endpoint_auth_method, AuthMethod::None);
    assert_eq!(left.token_endpoint_auth_methods_supported, []);
    assert_eq!(left.grant_types, ["authorization_code", "refresh_token"]);
    assert_eq!(left.response_types, ["code"]);
    assert_eq!(left.scope, Some(ScopeSet::parse("read").unwrap()));
    // Negotiated once is negotiated for good.
    let again = Offer {
        scopes: &scopes,
        ..PUBLIC
    };
    assert_eq!(left.clone().negotiate(&again).unwrap(), left);
    // A server with keys takes the client at its best.
    let keyed = Offer {
        auth_methods: &[AuthMethod::None, AuthMethod::PrivateKeyJwt],
        ..PUBLIC
    };
    let left = read.negotiate(&keyed).unwrap();
    assert_eq!(left.token_endpoint_auth_method, AuthMethod::PrivateKeyJwt);
    assert_eq!(left.scope, None);
}

#[test]
fn a_method_that_nobody_here_knows_gives_way_to_the_others() {
    let more = r#","token_endpoint_auth_method":"attest_jwt_client_auth",
        "token_endpoint_auth_methods_supported":["attest_jwt_client_auth","none"]"#;
    assert_eq!(
        document(more).unwrap().token_endpoint_auth_method,
        AuthMethod::None
    );
    // Nor does a choice count that lacks what it rests on.
    let more = r#","token_endpoint_auth_method":"none",
        "token_endpoint_auth_methods_supported":["private_key_jwt","tls_client_auth"]"#;
    let keyed = Offer {
        auth_methods: &[AuthMethod::PrivateKeyJwt, AuthMethod::TlsClientAuth],
        ..PUBLIC
    };
    let refused = document(more).unwrap().negotiate(&keyed).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "token_endpoint_auth_method: is not offered: use private_key_jwt or tls_client_auth"
    );
}

#[test]
fn a_document_never_comes_to_rest_on_a_secret() {
    for more in [
        r#","token_endpoint_auth_methods_supported":["client_secret_basic"]"#,
        r#","token_endpoint_auth_methods_supported":["client_secret_jwt","client_secret_post"]"#,
        r#","token_endpoint_auth_method":"none","token_endpoint_auth_methods_supported":["client_secret_post"]"#,
    ] {
        let read = document(more).unwrap();
        assert_eq!(read.token_endpoint_auth_method, AuthMethod::None, "{more}");
        assert_eq!(read.token_endpoint_auth_methods_supported, [], "{more}");
    }
    let unknown = r#","token_endpoint_auth_method":"x","token_endpoint_auth_methods_supported":["client_secret_post"]"#;
    assert_eq!(
        document(unknown).unwrap_err().field,
        "token_endpoint_auth_method"
    );
    // A registration gets its secret in the answer.
    let read = registration(r#","token_endpoint_auth_methods_supported":["client_secret_post"]"#);
    assert_eq!(
        read.unwrap().token_endpoint_auth_method,
        AuthMethod::ClientSecretPost
    );
}

#[test]
fn nothing_left_is_a_refusal() {
    let machine = ClientMetadata::parse_registration(
        br#"{"grant_types":["client_credentials"],"token_endpoint_auth_method":"none"}"#,
    );
    let refused = machine.unwrap().negotiate(&PUBLIC).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "grant_types: holds none of authorization_code, refresh_token, or not with a response type of code"
    );
    let secret = registration("").unwrap().negotiate(&PUBLIC).unwrap_err();
    assert_eq!(secret.field, "token_endpoint_auth_method");
}

#[test]
fn a_response_type_goes_with_its_grant() {
    let read = registration(
        r#","token_endpoint_auth_method":"none","grant_types":["authorization_code","client_credentials"]"#,
    );
    let machine = Offer {
        grant_types: &["client_credentials"],
        ..PUBLIC
    };
    assert_eq!(
        read.unwrap().negotiate(&machine).unwrap().response_types,
        Vec::<String>::new()
    );
    // And a grant goes with its response type: a code that comes with a token alone is not offered.
    let hybrid = |more: &str| {
        registration(&format!(
            r#","token_endpoint_auth_method":"none","response_types":["code token"],"grant_types":["authorization_code","implicit"{more}]"#
        ))
        .unwrap()
        .negotiate(&PUBLIC)
    };
    assert_eq!(hybrid("").unwrap_err().field, "grant_types");
    let left = hybrid(r#","refresh_token""#).unwrap();
    assert_eq!(left.grant_types, ["refresh_token"]);
    assert_eq!(left.response_types, Vec::<String>::new());
}
