//! What the consent page says about clients and addresses.

use oauth_rs::uri::RedirectUri;

use super::destination;

#[test]
fn an_address_in_words() {
    for (uri, words) in [
        ("https://c.example/cb", "c.example"),
        ("http://127.0.0.1:4711/cb", "127.0.0.1 (this computer)"),
        ("http://localhost/cb", "localhost (this computer)"),
        (
            "cursor://anysphere.cursor-mcp/cb",
            "Cursor, on this computer",
        ),
        (
            "com.example.app:/cb",
            "the application on this computer that opens com.example.app: links",
        ),
    ] {
        assert_eq!(destination(&RedirectUri::parse(uri).unwrap()), words);
    }
}
