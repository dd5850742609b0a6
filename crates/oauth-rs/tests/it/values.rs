//! What the documents print, read by our readers: addresses, forms, metadata, registrations, challenges.

use std::collections::BTreeMap;

use oauth_rs::challenge::Challenge;
use oauth_rs::metadata::client::{AuthMethod, ClientMetadata, Registration};
use oauth_rs::metadata::resource::{ResourceMatch, ResourceMetadata};
use oauth_rs::metadata::server::ServerMetadata;
use oauth_rs::params::{Params, encode};
use oauth_rs::pkce::{CodeChallenge, CodeVerifier};
use oauth_rs::uri::{Issuer, ResourceId};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Vectors {
    issuers: Vec<IssuerRow>,
    resources: Vec<ResourceRow>,
    form: Form,
    pkce: Vec<Pair>,
    server_metadata: Box<RawValue>,
    resource_metadata: Box<RawValue>,
    registration: Box<RawValue>,
    registration_answer: Box<RawValue>,
    challenges: Vec<ChallengeRow>,
}

#[derive(Deserialize)]
struct IssuerRow {
    issuer: String,
    documents: Vec<String>,
}

#[derive(Deserialize)]
struct ResourceRow {
    resource: String,
    document: String,
}

#[derive(Deserialize)]
struct Form {
    text: String,
    encoded: String,
}

#[derive(Deserialize)]
struct Pair {
    verifier: String,
    challenge: String,
}

#[derive(Deserialize)]
struct ChallengeRow {
    source: String,
    value: String,
    params: BTreeMap<String, String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/values.json")).unwrap()
}

#[test]
fn the_well_known_addresses_of_issuers_in_the_order_of_mcp() {
    for row in vectors().issuers {
        let issuer = Issuer::parse(&row.issuer).unwrap();
        assert_eq!(issuer.metadata_urls(), row.documents, "{}", row.issuer);
        // With or without a final slash, the document has to say exactly this.
        let text = format!(r#"{{"issuer":"{}"}}"#, row.issuer);
        assert!(ServerMetadata::parse(text.as_bytes(), &issuer).is_ok());
        let text = format!(r#"{{"issuer":"{}/"}}"#, row.issuer);
        assert!(ServerMetadata::parse(text.as_bytes(), &issuer).is_err());
    }
}

#[test]
fn the_well_known_addresses_of_resources() {
    for row in vectors().resources {
        let resource = ResourceId::parse(&row.resource).unwrap();
        assert_eq!(resource.metadata_url(), row.document, "{}", row.resource);
    }
}

#[test]
fn the_form_of_rfc_6749_appendix_b() {
    let form = vectors().form;
    let text = encode(&[("v", &form.text)]);
    assert_eq!(text, format!("v={}", form.encoded));
    let read = Params::parse_form(text.as_bytes(), &[]).unwrap();
    assert_eq!(read.get("v"), Some(form.text.as_str()));
}

#[test]
fn the_pairs_of_rfc_7636_and_oauth_2_1() {
    let pairs = vectors().pkce;
    assert_eq!(pairs.len(), 2);
    for pair in pairs {
        let verifier = CodeVerifier::parse(&pair.verifier).unwrap();
        assert_eq!(verifier.challenge().as_str(), pair.challenge);
        let challenge = CodeChallenge::parse(&pair.challenge).unwrap();
        assert!(challenge.verify(&verifier));
    }
}

#[test]
fn the_server_of_rfc_8414() {
    let issuer = Issuer::parse("https://server.example.com").unwrap();
    let text = vectors().server_metadata;
    let read = ServerMetadata::parse(text.get().as_bytes(), &issuer).unwrap();
    assert!(read.supports_auth(AuthMethod::PrivateKeyJwt));
    assert!(!read.supports_auth(AuthMethod::None));
    assert!(read.supports_grant("implicit"));
    // It was written before PKCE was demanded, and an MCP client has to stop here.
    assert!(!read.supports_s256());
    assert_eq!(read.ui_locales_supported.len(), 5);
    assert!(read.service_documentation.is_some());
}

#[test]
fn the_resource_of_rfc_9728() {
    let text = vectors().resource_metadata;
    let called = "https://resource.example.com";
    let read = ResourceMetadata::parse(text.get().as_bytes(), called).unwrap();
    assert_eq!(read.compare(called), Some(ResourceMatch::Same));
    let below = "https://resource.example.com/mcp";
    assert_eq!(read.compare(below), Some(ResourceMatch::Above));
    assert_eq!(read.authorization_servers.len(), 2);
}

#[test]
fn the_registration_of_rfc_7591_and_its_answer() {
    let vectors = vectors();
    let sent = ClientMetadata::parse_registration(vectors.registration.get().as_bytes()).unwrap();
    assert_eq!(sent.client_name.as_deref(), Some("My Example Client"));
    assert_eq!(sent.redirect_uris.len(), 2);
    let answer = vectors.registration_answer.get().as_bytes();
    let read = Registration::parse(answer, "https://server.example.com/register").unwrap();
    assert_eq!(read.client_id, "s6BhdRkqt3");
    assert!(read.management.is_some());
    let update = sent.to_update(&read).unwrap();
    let is_secret = |secret: &str| secret == "cf136dc3c1fc93f31185e5885805d";
    let updated = ClientMetadata::parse_update(&update, "s6BhdRkqt3", is_secret).unwrap();
    assert_eq!(updated.redirect_uris, sent.redirect_uris);
    // The answer itself is no update: it holds what only the server gives.
    assert!(ClientMetadata::parse_update(answer, "s6BhdRkqt3", is_secret).is_err());
}

#[test]
fn the_challenges_of_the_documents() {
    for row in vectors().challenges {
        let all = Challenge::parse_all(&row.value).unwrap();
        assert_eq!(all.len(), 1, "{}", row.source);
        let params: BTreeMap<String, String> = all[0]
            .params()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(params, row.params, "{}", row.source);
        assert_eq!(all[0].to_string(), row.value, "{}", row.source);
        assert!(all[0].error().is_some() || row.params.contains_key("resource_metadata"));
    }
}
