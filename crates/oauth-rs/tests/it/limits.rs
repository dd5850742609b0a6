//! Each limit of a reader, to the byte: what reaches it is read, and one more is refused.

use oauth_rs::metadata::client::{ClientMetadata, Registration};
use oauth_rs::metadata::resource::ResourceMetadata;
use oauth_rs::metadata::server::ServerMetadata;
use oauth_rs::metadata::{MAX_LIST_ENTRIES, MAX_METADATA_BYTES, MAX_TEXT_BYTES};
use oauth_rs::uri::{ClientIdUrl, Issuer, MAX_URI_BYTES, RedirectUri, ResourceId};

const SERVER: &str = r#"{"issuer":"https://as.example"}"#;
const RESOURCE: &str = r#"{"resource":"https://rs.example/mcp"}"#;
const REGISTRATION: &str = r#"{"redirect_uris":["https://c.example/cb"]}"#;
const DOCUMENT: &str = r#"{"client_id":"https://app.example/c","client_name":"A","redirect_uris":["https://app.example/cb"]}"#;
const ANSWER: &str = r#"{"client_id":"c1"}"#;

/// Whether a text is read.
type Reads = fn(&str) -> bool;

fn server(text: &str) -> bool {
    let issuer = Issuer::parse("https://as.example").unwrap();
    ServerMetadata::parse(text.as_bytes(), &issuer).is_ok()
}

fn resource(text: &str) -> bool {
    ResourceMetadata::parse(text.as_bytes(), "https://rs.example/mcp").is_ok()
}

fn registration(text: &str) -> bool {
    ClientMetadata::parse_registration(text.as_bytes()).is_ok()
}

fn document(text: &str) -> bool {
    ClientMetadata::parse_document(text.as_bytes(), "https://app.example/c").is_ok()
}

fn answer(text: &str) -> bool {
    Registration::parse(text.as_bytes(), "https://as.example/register").is_ok()
}

#[test]
fn documents_of_every_kind() {
    let readers: [(&str, Reads); 5] = [
        (SERVER, server),
        (RESOURCE, resource),
        (REGISTRATION, registration),
        (DOCUMENT, document),
        (ANSWER, answer),
    ];
    for (text, reads) in readers {
        let full = text.to_owned() + &" ".repeat(MAX_METADATA_BYTES - text.len());
        assert!(reads(&full), "{text}");
        assert!(!reads(&format!("{full} ")), "{text}");
        // What is not JSON, or more than one object, is no document.
        for bad in [
            "",
            "null",
            "[]",
            "\"x\"",
            "<html>",
            "{",
            "{}{}",
            "{\"a\":1,\"a\":1}",
        ] {
            assert!(!reads(bad), "{bad}");
        }
        let marked = format!("\u{feff}{text}");
        assert!(!reads(&marked), "{text}");
        let twice = text.replacen('{', "{\"x\":1,\"\\u0078\":1,", 1);
        assert!(!reads(&twice), "{twice}");
        // Depth is nothing to a member that nobody reads.
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(reads(&text.replacen('{', &format!("{{\"x\":{deep},"), 1)));
    }
}

#[test]
fn lists_and_texts_of_servers_and_resources() {
    let with = |text: &str, list: &[String]| {
        let list = serde_json::to_string(list).unwrap();
        text.replacen('{', &format!("{{\"scopes_supported\":{list},"), 1)
    };
    let many = vec!["s".to_owned(); MAX_LIST_ENTRIES];
    let more = vec!["s".to_owned(); MAX_LIST_ENTRIES + 1];
    let long = vec!["s".repeat(MAX_TEXT_BYTES)];
    let longer = vec!["s".repeat(MAX_TEXT_BYTES + 1)];
    for (list, expected) in [(many, true), (more, false), (long, true), (longer, false)] {
        assert_eq!(server(&with(SERVER, &list)), expected);
        assert_eq!(resource(&with(RESOURCE, &list)), expected);
    }
}

#[test]
fn a_hundred_redirect_addresses_and_a_name_of_ten_thousand_characters() {
    let uris = vec!["\"https://c.example/cb\""; 100].join(",");
    assert!(!registration(&format!(r#"{{"redirect_uris":[{uris}]}}"#)));
    let name = "n".repeat(10 * 1024);
    assert!(!registration(&REGISTRATION.replacen(
        '{',
        &format!(r#"{{"client_name":"{name}","#),
        1
    )));
}

#[test]
fn addresses() {
    let reads = |text: &str| {
        [
            Issuer::parse(text).is_ok(),
            ResourceId::parse(text).is_ok(),
            RedirectUri::parse(text).is_ok(),
            ClientIdUrl::parse(text).is_ok(),
        ]
    };
    let full = format!("https://x.example/{}", "a".repeat(MAX_URI_BYTES - 18));
    assert_eq!(full.len(), MAX_URI_BYTES);
    assert_eq!(reads(&full), [true; 4]);
    assert_eq!(reads(&format!("{full}a")), [false; 4]);
}
