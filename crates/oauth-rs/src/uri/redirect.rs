//! The address at a client to which a browser is sent back.

use thiserror::Error;

use super::parts::{self, InvalidUri, Parts};
use super::textual;
use crate::params;

/// Applications whose schemes have no dot, against RFC 8252, with their names.
///
/// A scheme is here because that application's own MCP client registers it.
const APPLICATIONS: &[(&str, &str)] = &[
    ("cursor", "Cursor"),
    ("vscode", "Visual Studio Code"),
    ("vscode-insiders", "Visual Studio Code Insiders"),
    ("vscodium", "VSCodium"),
    ("windsurf", "Windsurf"),
    ("zed", "Zed"),
];

/// Why a redirect address was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidRedirectUri {
    /// The address as such is malformed, or not one a browser may be sent to.
    #[error(transparent)]
    Address(#[from] InvalidUri),
    /// A scheme that makes a browser run or read something.
    #[error("the scheme {0:?} is never allowed")]
    ForbiddenScheme(String),
    /// A private-use scheme without a dot, and not of a known application.
    #[error("the scheme {0:?} is neither https, nor loopback http, nor a reverse domain name")]
    UnknownScheme(String),
}

/// A redirect address, kept and compared as written.
///
/// It decides, in this order: strict RFC 3986 alphabet; no fragment; a scheme that browsers
/// interpret themselves is refused; https with any host; http with a loopback host; a private-use
/// scheme that is a reverse domain name or belongs to a known application; no user information.
///
/// Does not check: that the client owns the host or the scheme.
///
/// ```
/// use oauth_rs::uri::RedirectUri;
///
/// let registered = RedirectUri::parse("http://127.0.0.1/callback")?;
/// let sent = RedirectUri::parse("http://127.0.0.1:52714/callback")?;
/// assert!(registered.same_but_loopback_port(&sent));
/// assert!(RedirectUri::parse("javascript:alert(1)").is_err());
/// # Ok::<(), oauth_rs::uri::InvalidRedirectUri>(())
/// ```
///
/// Specification: RFC 6749 section 3.1.2, RFC 8252 section 7, OAuth 2.1 section 4.1.1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RedirectUri {
    text: String,
}

textual!(RedirectUri);

impl RedirectUri {
    /// Reads a redirect address.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidRedirectUri> {
        parts::check_text(text)?;
        // RFC 6749 section 3.1.2: the endpoint URI MUST NOT include a fragment component.
        if text.contains('#') {
            return Err(InvalidUri::Fragment.into());
        }
        let (scheme, rest) = text.split_once(':').ok_or(InvalidUri::NotAbsolute)?;
        if !parts::is_scheme(scheme) {
            return Err(InvalidUri::NotAbsolute.into());
        }
        match scheme {
            "https" | "http" => Parts::parse(text)?.is_https_or_loopback()?,
            _ => check_private_use(scheme, rest)?,
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// The scheme as written.
    pub fn scheme(&self) -> &str {
        self.text.split_once(':').map_or("", |(scheme, _)| scheme)
    }

    /// The host as written, brackets included; none for a private-use scheme without authority.
    pub fn host(&self) -> Option<&str> {
        Parts::parse(&self.text).ok().map(|parts| parts.host)
    }

    /// Whether it is plain http to `127.0.0.1`, `[::1]` or `localhost`.
    pub fn is_loopback(&self) -> bool {
        Parts::parse(&self.text).is_ok_and(|parts| parts.scheme == "http" && parts.is_loopback())
    }

    /// The name of the application, if the scheme is that of a known one.
    pub fn application(&self) -> Option<&'static str> {
        application(self.scheme())
    }

    /// Whether a request's address is this registered one: the same text, or, for loopback, the
    /// same but for the port.
    ///
    /// `localhost` and `127.0.0.1` are different hosts here, and each counts as loopback: OAuth 2.1
    /// section 4.1.1 speaks of "localhost", and real clients register it.
    pub fn same_but_loopback_port(&self, sent: &Self) -> bool {
        self.same_but_port(sent, &["localhost", "127.0.0.1", "[::1]"])
    }

    /// The same, but any port is for the two address literals only, to the letter of RFC 8252
    /// section 7.3: the name `localhost` can be made to lead elsewhere.
    pub fn same_but_loopback_address_port(&self, sent: &Self) -> bool {
        self.same_but_port(sent, &["127.0.0.1", "[::1]"])
    }

    fn same_but_port(&self, sent: &Self, hosts: &[&str]) -> bool {
        // RFC 3986 section 6.2.1: simple string comparison.
        if self.text == sent.text {
            return true;
        }
        let (Ok(own), Ok(other)) = (Parts::parse(&self.text), Parts::parse(&sent.text)) else {
            return false;
        };
        // RFC 8252 section 7.3: any port MUST be allowed for loopback redirect addresses.
        self.is_loopback()
            && sent.is_loopback()
            && hosts.contains(&own.host)
            && own.host == other.host
            && own.path == other.path
            && own.query == other.query
    }

    /// The address with parameters added to its query, which is kept as it is.
    pub fn with_params(&self, pairs: &[(&str, &str)]) -> String {
        // RFC 6749 section 3.1.2: a query component MUST be retained when adding parameters.
        let separator = match self.text.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        format!("{}{separator}{}", self.text, params::encode(pairs))
    }
}

fn application(scheme: &str) -> Option<&'static str> {
    APPLICATIONS
        .iter()
        .find(|(own, _)| *own == scheme)
        .map(|(_, name)| *name)
}

fn check_private_use(scheme: &str, rest: &str) -> Result<(), InvalidRedirectUri> {
    let lower = scheme.to_ascii_lowercase();
    // Schemes that a browser acts on by itself, and those of the web in another spelling.
    if matches!(
        lower.as_str(),
        "javascript"
            | "data"
            | "file"
            | "vbscript"
            | "blob"
            | "about"
            | "filesystem"
            | "view-source"
            | "http"
            | "https"
            | "ws"
            | "wss"
            | "ftp"
            | "mailto"
            | "urn"
    ) {
        return Err(InvalidRedirectUri::ForbiddenScheme(shortened(scheme)));
    }
    // RFC 8252 section 7.1: a private-use scheme MUST be based on a domain name, in reverse order.
    let reverse_domain = scheme.contains('.') && scheme.split('.').all(|label| !label.is_empty());
    if !reverse_domain && application(scheme).is_none() {
        return Err(InvalidRedirectUri::UnknownScheme(shortened(scheme)));
    }
    if rest.is_empty() {
        return Err(InvalidUri::NotAbsolute.into());
    }
    let authority = rest
        .strip_prefix("//")
        .and_then(|after| after.split(['/', '?']).next());
    if authority.is_some_and(|authority| authority.contains('@')) {
        return Err(InvalidUri::UserInfo.into());
    }
    Ok(())
}

fn shortened(scheme: &str) -> String {
    scheme.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(text: &str) -> RedirectUri {
        RedirectUri::parse(text).unwrap()
    }

    #[test]
    fn what_real_clients_register() {
        for (text, host, loopback) in [
            ("https://client.example/cb", Some("client.example"), false),
            ("http://localhost:8080/callback", Some("localhost"), true),
            ("http://127.0.0.1/callback", Some("127.0.0.1"), true),
            ("http://[::1]:9/callback", Some("[::1]"), true),
            ("com.example.app:/cb", None, false),
            ("com.example.app://cb", Some("cb"), false),
            (
                "cursor://anysphere.cursor-mcp/oauth/callback",
                Some("anysphere.cursor-mcp"),
                false,
            ),
            (
                "vscode://vscode.microsoft-authentication",
                Some("vscode.microsoft-authentication"),
                false,
            ),
        ] {
            let uri = uri(text);
            assert_eq!(uri.host(), host, "{text}");
            assert_eq!(uri.is_loopback(), loopback, "{text}");
            assert_eq!(uri.as_str(), text);
        }
        assert_eq!(uri("cursor://x/y").application(), Some("Cursor"));
        assert_eq!(uri("com.example.app:/cb").application(), None);
    }

    #[test]
    fn each_refusal() {
        let forbidden = |s: &str| InvalidRedirectUri::ForbiddenScheme(s.into());
        let unknown = |s: &str| InvalidRedirectUri::UnknownScheme(s.into());
        let address = InvalidRedirectUri::Address;
        let cases = [
            ("javascript:alert(1)", forbidden("javascript")),
            ("JavaScript:alert(1)", forbidden("JavaScript")),
            ("data:text/html,x", forbidden("data")),
            ("file:///etc/passwd", forbidden("file")),
            ("vbscript:x", forbidden("vbscript")),
            ("blob:https://x/y", forbidden("blob")),
            ("about:blank", forbidden("about")),
            ("HTTPS://client.example/cb", forbidden("HTTPS")),
            ("myapp://cb", unknown("myapp")),
            ("Cursor://cb", unknown("Cursor")),
            ("com..example:/cb", unknown("com..example")),
            ("com.example.app:", address(InvalidUri::NotAbsolute)),
            ("/callback", address(InvalidUri::NotAbsolute)),
            ("callback", address(InvalidUri::NotAbsolute)),
            (
                "http://client.example/cb",
                address(InvalidUri::InsecureHttp),
            ),
            ("http://127.0.0.2/cb", address(InvalidUri::InsecureHttp)),
            ("http://LOCALHOST/cb", address(InvalidUri::InsecureHttp)),
            ("http://localhost./cb", address(InvalidUri::Host)),
            (
                "http://localhost.evil.example/cb",
                address(InvalidUri::InsecureHttp),
            ),
            (
                "http://[::ffff:127.0.0.1]/cb",
                address(InvalidUri::InsecureHttp),
            ),
            ("http://localhost:/cb", address(InvalidUri::Port)),
            (
                "https:\\\\client.example/cb",
                address(InvalidUri::Character('\\')),
            ),
            (
                "java\tscript:alert(1)",
                address(InvalidUri::Character('\t')),
            ),
            (" javascript:alert(1)", address(InvalidUri::Character(' '))),
            ("javascript%3Aalert(1)", address(InvalidUri::NotAbsolute)),
            ("https:/client.example/cb", address(InvalidUri::NotAbsolute)),
            ("https:client.example", address(InvalidUri::NotAbsolute)),
            ("https:///client.example/cb", address(InvalidUri::Host)),
            ("http://127.1/cb", address(InvalidUri::NumericHost)),
            ("http://0x7f.1/cb", address(InvalidUri::NumericHost)),
            ("http://2130706433/cb", address(InvalidUri::NumericHost)),
            (
                "http://127.0.0.1@evil.example/",
                address(InvalidUri::UserInfo),
            ),
            (
                "com.example.app://me@host/cb",
                address(InvalidUri::UserInfo),
            ),
            ("https://client.example/cb#x", address(InvalidUri::Fragment)),
            ("https://client.example/cb#", address(InvalidUri::Fragment)),
            ("https://*.client.example/cb", address(InvalidUri::Host)),
            (
                "https://client.example/c b",
                address(InvalidUri::Character(' ')),
            ),
        ];
        for (text, reason) in cases {
            assert_eq!(RedirectUri::parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn comparison_is_exact_but_for_the_loopback_port() {
        for (registered, sent, expected) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true),
            ("http://127.0.0.1:1/cb", "http://127.0.0.1/cb", true),
            (
                "http://localhost:1/cb?x=1",
                "http://localhost:2/cb?x=1",
                true,
            ),
            ("http://[::1]/cb", "http://[::1]:2/cb", true),
            (
                "https://client.example/cb",
                "https://client.example/cb",
                true,
            ),
            ("com.example.app:/cb", "com.example.app:/cb", true),
            ("http://127.0.0.1/cb", "http://localhost/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/other", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?x=1", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1:5000/cb", false),
            ("https://localhost/cb", "https://localhost:2/cb", false),
            (
                "https://client.example/cb",
                "https://client.example:443/cb",
                false,
            ),
            (
                "https://client.example/cb",
                "https://CLIENT.example/cb",
                false,
            ),
            (
                "https://client.example/cb",
                "https://client.example/cb/",
                false,
            ),
            (
                "https://client.example/cb",
                "https://client.example/%63b",
                false,
            ),
        ] {
            assert_eq!(
                uri(registered).same_but_loopback_port(&uri(sent)),
                expected,
                "{sent}"
            );
        }
    }

    #[test]
    fn any_port_of_localhost_is_a_switch() {
        for (registered, sent, expected) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb", true),
            ("http://[::1]/cb", "http://[::1]:2/cb", true),
            ("http://localhost/cb", "http://localhost/cb", true),
            ("http://localhost/cb", "http://localhost:5000/cb", false),
        ] {
            let (registered, sent) = (uri(registered), uri(sent));
            assert_eq!(
                registered.same_but_loopback_address_port(&sent),
                expected,
                "{sent}"
            );
            assert!(registered.same_but_loopback_port(&sent));
        }
    }

    #[test]
    fn parameters_are_added_to_the_query() {
        let pairs = [("code", "a b"), ("state", "\u{e9}&")];
        for (text, expected) in [
            (
                "https://c.example/cb",
                "https://c.example/cb?code=a+b&state=%C3%A9%26",
            ),
            (
                "https://c.example/cb?",
                "https://c.example/cb?code=a+b&state=%C3%A9%26",
            ),
            (
                "https://c.example/cb?x=1",
                "https://c.example/cb?x=1&code=a+b&state=%C3%A9%26",
            ),
            (
                "com.example.app:/cb",
                "com.example.app:/cb?code=a+b&state=%C3%A9%26",
            ),
        ] {
            assert_eq!(uri(text).with_params(&pairs), expected);
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_keeps_the_text(text in "\\PC{0,60}") {
            let parsed = RedirectUri::parse(&text);
            if let Ok(uri) = parsed {
                prop_assert_eq!(uri.as_str(), text);
                prop_assert!(!uri.scheme().is_empty());
            }
        }
    }
}
