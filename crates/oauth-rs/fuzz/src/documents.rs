//! What servers, resources and clients publish about themselves.

use oauth_rs::metadata::client::{
    AuthMethod, ClientMetadata, InvalidClientMetadata, MAX_ENTRIES, MAX_REDIRECT_URIS, Offer,
    Registration,
};
use oauth_rs::metadata::resource::ResourceMetadata;
use oauth_rs::metadata::server::{InvalidServerMetadata, ServerMetadata};
use oauth_rs::metadata::{MAX_LIST_ENTRIES, MAX_METADATA_BYTES, MAX_NAME_CHARS, MAX_TEXT_BYTES};
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::{Issuer, is_endpoint, is_endpoint_of};
use serde::Serialize;
use serde_json::Value;

use super::names::each_once;

/// The address of every document of a client here.
const DOCUMENT: &str = "https://app.example/client.json";

/// A server's metadata: of its issuer alone, bounded, with endpoints that may be used, and written and read as the same.
pub fn server_metadata(data: &[u8]) {
    let Some(issuer) = member(data, "issuer").and_then(|text| Issuer::parse(&text).ok()) else {
        return;
    };
    let other = Issuer::parse("https://another.example").expect("an issuer");
    let Ok(read) = ServerMetadata::parse(data, &issuer) else {
        return;
    };
    // Whatever else is right about it, it is the document of one issuer.
    assert!(
        issuer == other
            || matches!(
                ServerMetadata::parse(data, &other),
                Err(InvalidServerMetadata::Issuer { .. })
            )
    );
    assert!(data.len() <= MAX_METADATA_BYTES);
    each_once(data);
    let text = json(&read);
    assert_eq!(ServerMetadata::parse(&text, &issuer), Ok(read.clone()));
    published(&text, issuer.as_str());
    // The aliases are judged like the endpoints whose place they take.
    let with_certificate = json(&read.for_mutual_tls());
    assert!(ServerMetadata::parse(&with_certificate, &issuer).is_ok());
    for method in AuthMethod::ALL {
        let _ = read.supports_auth(method) | read.supports_auth_at_introspection(method);
    }
}

/// A resource's metadata: about itself, bounded, and written and read as the same.
pub fn resource_metadata(data: &[u8]) {
    let called = member(data, "resource").unwrap_or_default();
    let Ok(read) = ResourceMetadata::parse(data, &called) else {
        return;
    };
    assert!(data.len() <= MAX_METADATA_BYTES);
    each_once(data);
    let text = json(&read);
    assert_eq!(ResourceMetadata::parse(&text, &called), Ok(read.clone()));
    published(&text, &called);
    assert!(read.compare(&called).is_some());
    assert!(read.compare("https://another.example/mcp").is_none() || called.contains("another"));
    assert!(
        ResourceMetadata::parse(data, "https://another.example/mcp").is_err()
            || called.contains("another")
    );
}

/// What a document of either kind holds once it is written, read by somebody else.
fn published(text: &[u8], named_by: &str) {
    let value: Value = serde_json::from_slice(text).expect("what was written is JSON");
    for (name, value) in value.as_object().expect("an object") {
        match value {
            Value::String(text) => {
                assert!(text.len() <= MAX_TEXT_BYTES, "{name}");
                if name.ends_with("_endpoint") || name == "jwks_uri" {
                    assert!(is_endpoint_of(text, named_by), "{name} {text}");
                }
                assert!(
                    !text.starts_with("javascript:") || name == "resource_name",
                    "{name}"
                );
            }
            Value::Array(list) => {
                assert!(list.len() <= MAX_LIST_ENTRIES, "{name}");
                assert!(list.iter().all(Value::is_string), "{name}");
            }
            Value::Bool(flag) => assert!(flag, "{name} is written although it is false"),
            Value::Object(_) => published(&json(value), named_by),
            other => panic!("{name} is {other}"),
        }
    }
}

/// A client's document: of its address alone, without secrets, and written and read as the same.
pub fn client_document(data: &[u8]) {
    assert!(
        ClientMetadata::parse_document(data, "https://another.example/c").is_err()
            || member(data, "client_id").as_deref() != Some(DOCUMENT)
    );
    let Ok(read) = ClientMetadata::parse_document(data, DOCUMENT) else {
        return;
    };
    assert_eq!(read.client_id.as_deref(), Some(DOCUMENT));
    each_once(data);
    assert!(!read.redirect_uris.is_empty() && read.client_name.is_some());
    let mut methods = read.token_endpoint_auth_methods_supported.iter();
    assert!(!read.token_endpoint_auth_method.shares_a_secret());
    assert!(!methods.any(|method| method.shares_a_secret()));
    client(&read);
    assert_eq!(
        ClientMetadata::parse_document(&json(&read), DOCUMENT),
        Ok(read)
    );
}

/// A registration: bounded, and written and read as the same.
pub fn client_registration(data: &[u8]) {
    let Ok(read) = ClientMetadata::parse_registration(data) else {
        return;
    };
    assert_eq!(read.client_id, None);
    each_once(data);
    client(&read);
    assert_eq!(ClientMetadata::parse_registration(&json(&read)), Ok(read));
}

/// What replaces a registration: of one client alone, with no secret but the present one.
pub fn client_update(data: &[u8]) {
    let mut asked = None;
    let read = ClientMetadata::parse_update(data, "c1", |secret| {
        asked = Some(secret.to_owned());
        secret == "s3cret"
    });
    let Ok(read) = read else {
        return;
    };
    assert!(asked.is_none_or(|secret| secret == "s3cret"));
    assert_eq!(read.client_id.as_deref(), Some("c1"));
    each_once(data);
    assert_eq!(member(data, "client_id").as_deref(), Some("c1"));
    client(&read);
    assert_eq!(
        ClientMetadata::parse_update(&json(&read), "c1", |_| false),
        Ok(read)
    );
}

/// What holds for the metadata of a client from wherever it came.
fn client(read: &ClientMetadata) {
    assert!(read.redirect_uris.len() <= MAX_REDIRECT_URIS);
    for list in [&read.grant_types, &read.response_types, &read.contacts] {
        assert!(list.len() <= MAX_ENTRIES);
        assert!(
            list.iter()
                .all(|entry| entry.chars().count() <= MAX_NAME_CHARS)
        );
    }
    if let Some(name) = &read.client_name {
        assert!(name.chars().count() <= MAX_NAME_CHARS);
        assert!(!name.contains(['\u{202e}', '\u{200b}', '\n', '\0']));
    }
    for url in [
        &read.client_uri,
        &read.logo_uri,
        &read.jwks_uri,
        &read.tos_uri,
    ]
    .into_iter()
    .flatten()
    {
        assert!(is_endpoint(url));
    }
    assert!(read.jwks.is_none() || read.jwks_uri.is_none());
    if let Some(keys) = &read.jwks {
        let value: Value = serde_json::from_str(keys.as_str()).expect("what was kept is JSON");
        let keys = value.get("keys").and_then(Value::as_array).expect("a list");
        let secret = |key: &Value| {
            ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"]
                .iter()
                .any(|name| key.get(name).is_some())
        };
        assert!(!keys.iter().any(secret));
    }
    negotiated(read.clone());
}

/// What a server leaves of it is no more than it offers, and negotiated once is negotiated for good.
fn negotiated(read: ClientMetadata) {
    let scopes = ScopeSet::parse("read write").expect("a scope");
    let offer = Offer {
        auth_methods: &[AuthMethod::None, AuthMethod::PrivateKeyJwt],
        grant_types: &["authorization_code", "refresh_token"],
        response_types: &["code"],
        scopes: &scopes,
    };
    let left: Result<ClientMetadata, InvalidClientMetadata> = read.negotiate(&offer);
    let Ok(left) = left else {
        return;
    };
    assert!(
        offer
            .auth_methods
            .contains(&left.token_endpoint_auth_method)
    );
    assert!(
        left.grant_types
            .iter()
            .all(|grant| offer.grant_types.contains(&grant.as_str()))
    );
    assert!(left.response_types.iter().all(|kind| kind == "code"));
    assert!(
        left.scope
            .as_ref()
            .is_none_or(|scope| scope.is_subset_of(&scopes))
    );
    assert_eq!(left.clone().negotiate(&offer), Ok(left.clone()));
    // It could be registered like this.
    let again = ClientMetadata::parse_registration(&json(&left)).expect("what is left agrees");
    assert_eq!(again.grant_types, left.grant_types);
}

/// The answer to a registration: with a secret wherever one is needed, which nothing shows, and written and read as the same.
pub fn registration_answer(data: &[u8]) {
    const ENDPOINT: &str = "https://as.example/register";
    let Ok(read) = Registration::parse(data, ENDPOINT) else {
        return;
    };
    let secret = read
        .client_secret
        .as_ref()
        .map(|own| own.expose().to_owned());
    assert!(!read.client_id.is_empty());
    each_once(data);
    assert!(secret.is_some() || !read.token_endpoint_auth_method.shares_a_secret());
    if let Some(management) = &read.management {
        assert!(is_endpoint_of(&management.uri, ENDPOINT));
    }
    // What it answers to is what any client could have sent.
    let sent = ClientMetadata {
        token_endpoint_auth_method: read.token_endpoint_auth_method,
        ..ClientMetadata::native("App", Vec::new())
    };
    let text = read
        .to_response(&sent)
        .expect("what was read can be written");
    let again = Registration::parse(&text, ENDPOINT).expect("what was written is read");
    assert_eq!(again.client_id, read.client_id);
    assert_eq!(
        again.client_secret.map(|own| own.expose().to_owned()),
        secret
    );
    assert_eq!(
        again.client_secret_expires_at,
        read.client_secret_expires_at.filter(|_| secret.is_some())
    );
    assert_eq!(
        again.token_endpoint_auth_method,
        read.token_endpoint_auth_method
    );
    assert_eq!(
        again.management.map(|own| own.uri),
        read.management.as_ref().map(|own| own.uri.clone())
    );
}

/// One member of a document, read by somebody else.
fn member(data: &[u8], name: &str) -> Option<String> {
    let value: Value = serde_json::from_slice(data).ok()?;
    Some(value.get(name)?.as_str()?.to_owned())
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("what was read can be written")
}
