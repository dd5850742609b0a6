//! What is written is read as the same, whatever it holds; and the comparison of addresses is one.

use oauth_rs::metadata::client::{
    AuthMethod, CertificateSubject, ClientMetadata, Management, Registration,
};
use oauth_rs::metadata::resource::ResourceMetadata;
use oauth_rs::metadata::server::{MtlsEndpointAliases, ServerMetadata};
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, RedirectUri, ResourceId};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const ISSUER: &str = "https://as.example/t1";

fn address() -> impl Strategy<Value = String> {
    "https://[a-z]{1,8}\\.example(:[1-9][0-9]{0,3})?(/([a-zA-Z0-9_~-]|%41){1,8}){0,3}(\\?[a-z]=[a-z]{0,4})?"
}

fn list() -> impl Strategy<Value = Vec<String>> {
    vec("[!-~]{1,12}", 0..5)
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z\u{e0}-\u{ff}\u{4e00}-\u{4e20} \"\\\\]{1,40}"
}

prop_compose! {
    fn server()(
        endpoints in vec(option::of(address()), 5),
        lists in vec(list(), 5),
        flags in vec(any::<bool>(), 3),
        alias in option::of(option::of(address())),
    ) -> ServerMetadata {
        let mut endpoints = endpoints.into_iter();
        let mut lists = lists.into_iter();
        let mut endpoint = || endpoints.next().flatten();
        let mut list = || lists.next().unwrap_or_default();
        ServerMetadata {
            issuer: ISSUER.into(),
            authorization_endpoint: endpoint(),
            token_endpoint: endpoint(),
            jwks_uri: endpoint(),
            pushed_authorization_request_endpoint: endpoint(),
            service_documentation: endpoint(),
            scopes_supported: list(),
            grant_types_supported: list(),
            code_challenge_methods_supported: list(),
            dpop_signing_alg_values_supported: list(),
            protected_resources: list(),
            authorization_response_iss_parameter_supported: flags[0],
            client_id_metadata_document_supported: flags[1],
            require_pushed_authorization_requests: flags[2],
            mtls_endpoint_aliases: alias.map(|token_endpoint| MtlsEndpointAliases {
                token_endpoint,
                ..MtlsEndpointAliases::default()
            }),
            ..ServerMetadata::default()
        }
    }
}

prop_compose! {
    fn resource()(
        resource in address(),
        lists in vec(list(), 2),
        methods in option::of(list()),
        resource_name in option::of(name()),
        policy in option::of(address()),
        dpop in any::<bool>(),
    ) -> ResourceMetadata {
        let [servers, scopes] = <[Vec<String>; 2]>::try_from(lists).unwrap();
        ResourceMetadata {
            resource,
            authorization_servers: servers,
            scopes_supported: scopes,
            bearer_methods_supported: methods,
            resource_name,
            resource_policy_uri: policy,
            dpop_bound_access_tokens_required: dpop,
            ..ResourceMetadata::default()
        }
    }
}

prop_compose! {
    fn client()(
        client_name in name(),
        uris in vec(address(), 1..4),
        method in prop::sample::select(AuthMethod::ALL.to_vec()),
        others in prop::sample::subsequence(AuthMethod::ALL.to_vec(), 0..4),
        grants in prop::sample::subsequence(vec!["refresh_token", "client_credentials"], 0..3),
        scope in option::of("[a-z]{1,5}( [f-z]{6}){0,3}"),
        pages in vec(option::of(address()), 2),
        contacts in vec(name(), 0..3),
        flags in vec(any::<bool>(), 2),
    ) -> ClientMetadata {
        let uris = uris.iter().map(|uri| RedirectUri::parse(uri).unwrap()).collect();
        let mut grant_types = vec!["authorization_code".to_owned()];
        grant_types.extend(grants.into_iter().map(str::to_owned));
        ClientMetadata {
            token_endpoint_auth_method: method,
            token_endpoint_auth_methods_supported: others,
            grant_types,
            scope: scope.map(|scope| ScopeSet::parse(&scope).unwrap()),
            client_uri: pages[0].clone(),
            logo_uri: pages[1].clone(),
            jwks_uri: method.needs_published_key().then(|| "https://c.example/jwks".into()),
            certificate_subject: (method == AuthMethod::TlsClientAuth)
                .then(|| CertificateSubject::Dns("c.example".into())),
            contacts,
            dpop_bound_access_tokens: flags[0],
            require_pushed_authorization_requests: flags[1],
            ..ClientMetadata::native(&client_name, uris)
        }
    }
}

proptest! {
    #[test]
    fn the_metadata_of_a_server(metadata in server()) {
        let text = serde_json::to_vec(&metadata).unwrap();
        let issuer = Issuer::parse(ISSUER).unwrap();
        prop_assert_eq!(ServerMetadata::parse(&text, &issuer), Ok(metadata));
    }

    #[test]
    fn the_metadata_of_a_resource(metadata in resource(), below in "(/[a-z]{1,4}){0,2}") {
        let text = serde_json::to_vec(&metadata).unwrap();
        let read = ResourceMetadata::parse(&text, &metadata.resource);
        prop_assert_eq!(read.as_ref(), Ok(&metadata));
        if !metadata.resource.contains('?') {
            let called = format!("{}{below}", metadata.resource);
            prop_assert!(ResourceMetadata::parse(&text, &called).is_ok());
            let beside = format!("{}-other", metadata.resource);
            let own = ResourceId::parse(&metadata.resource).unwrap();
            prop_assert!(!own.covers(&beside));
        }
    }

    #[test]
    fn a_registration_and_its_update(metadata in client()) {
        let text = serde_json::to_vec(&metadata).unwrap();
        let read = ClientMetadata::parse_registration(&text);
        prop_assert_eq!(read.as_ref(), Ok(&metadata));
        let method = metadata.token_endpoint_auth_method;
        let given = Registration {
            client_id: "c1".into(),
            client_id_issued_at: Some(UnixSeconds(1)),
            client_secret: method.shares_a_secret().then(|| Secret::new("s3cret")),
            client_secret_expires_at: None,
            token_endpoint_auth_method: method,
            redirect_uris: None,
            grant_types: None,
            scope: None,
            management: Some(Management {
                uri: "https://as.example/register/c1".into(),
                access_token: Secret::new("r4t"),
            }),
        };
        let answer = given.to_response(&metadata).unwrap();
        let read = Registration::parse(&answer, "https://as.example/register").unwrap();
        prop_assert_eq!(read.token_endpoint_auth_method, method);
        prop_assert_eq!(read.scope.as_ref(), metadata.scope.as_ref());
        let update = metadata.to_update(&read).unwrap();
        let updated = ClientMetadata::parse_update(&update, "c1", |secret| secret == "s3cret");
        let expected = ClientMetadata {
            client_id: Some("c1".into()),
            ..metadata
        };
        prop_assert_eq!(updated, Ok(expected));
    }

    #[test]
    fn a_document_with_one_changed_byte_is_read_or_refused(
        metadata in client(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        const URL: &str = "https://app.example/client.json";
        let own = ClientMetadata {
            client_id: Some(URL.into()),
            ..metadata
        };
        let mut text = serde_json::to_vec(&own).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(read) = ClientMetadata::parse_document(&text, URL) {
            prop_assert!(!read.token_endpoint_auth_method.shares_a_secret());
            prop_assert_eq!(read.client_id.as_deref(), Some(URL));
        }
    }

    #[test]
    fn any_port_of_loopback_and_of_nothing_else(
        host in prop::sample::select(vec!["127.0.0.1", "[::1]", "localhost", "c.example"]),
        ports in vec(option::of(1_u16..), 2),
        path in "(/[a-z]{0,4}){1,2}(\\?[a-z]{0,3})?",
        secure in any::<bool>(),
    ) {
        let secure = secure || host == "c.example";
        let scheme = if secure { "https" } else { "http" };
        let uri = |port: Option<u16>| {
            let port = port.map_or(String::new(), |port| format!(":{port}"));
            RedirectUri::parse(&format!("{scheme}://{host}{port}{path}")).unwrap()
        };
        let (one, other) = (uri(ports[0]), uri(ports[1]));
        let same = one.same_but_loopback_port(&other);
        prop_assert_eq!(same, !secure || ports[0] == ports[1]);
        let literal = one.same_but_loopback_address_port(&other);
        prop_assert_eq!(literal, ports[0] == ports[1] || (!secure && host != "localhost"));
        let elsewhere = RedirectUri::parse(&format!("{}x", other.as_str())).unwrap();
        prop_assert!(!one.same_but_loopback_port(&elsewhere));
    }
}
