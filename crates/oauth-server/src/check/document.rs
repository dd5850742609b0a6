//! Client ID metadata documents: which addresses may be one, how it is asked for, what counts as an answer.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use oauth_rs::metadata::client::{AuthMethod, ClientMetadata};

use super::client::KnownClient;
use crate::refused::Refused;

/// Largest document, the size that the draft recommends (section 8.7).
pub(crate) const MAX_DOCUMENT: usize = 5 * 1024;

/// Longest address of a document; browsers and proxies begin to cut above.
const MAX_ADDRESS: usize = 2048;

/// Whether a client identifier is meant as the address of a document.
///
/// Identifiers that this server gives out never look like one.
pub(crate) fn is_address(client_id: &str) -> bool {
    client_id.starts_with("https://") || client_id.starts_with("http://")
}

/// An address that may be that of a document.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DocumentAddress(String);

impl DocumentAddress {
    /// Checks the address as it was written; nothing is normalised.
    ///
    /// Does not check: where the host resolves to; what fetches it does.
    ///
    /// Specification: draft-ietf-oauth-client-id-metadata-document section 3.
    pub(crate) fn parse(client_id: &str, loopback: bool) -> Result<Self, Refused> {
        let refused = Err(Refused::ClientAddress);
        let (secure, rest) = match client_id.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return refused,
        };
        // Section 3: printable, without fragment; a backslash is a slash to some parsers.
        if client_id.len() > MAX_ADDRESS
            || !client_id.bytes().all(|byte| byte.is_ascii_graphic())
            || client_id.contains(['#', '\\', '"', '<', '>'])
        {
            return refused;
        }
        // Section 3: a path component MUST be there.
        let Some((authority, path)) = rest.split_once('/') else {
            return refused;
        };
        // Section 3: no user information; an encoded host is another name for one that was checked.
        if authority.is_empty() || authority.contains(['@', '%', '?']) {
            return refused;
        }
        // Section 3: no dot segments, encoded ones included.
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        let dotted = |segment: &str| {
            matches!(
                segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if path.split('/').any(dotted) {
            return refused;
        }
        // Section 3: https, but for a server that is itself on this machine.
        if secure || (loopback && is_loopback(authority)) {
            return Ok(Self(client_id.to_owned()));
        }
        refused
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the text of an authority names this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}

/// How the document is asked for.
pub(crate) fn request(address: &DocumentAddress) -> Result<Request<Bytes>, Refused> {
    Request::builder()
        .method(Method::GET)
        .uri(address.as_str())
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Refused::ClientAddress)
}

/// The client that an answer describes.
pub(crate) fn response(
    address: &DocumentAddress,
    answer: &Response<Bytes>,
) -> Result<KnownClient, Refused> {
    let unavailable = |why: &str| Refused::DocumentUnavailable {
        why: why.to_owned(),
    };
    // Section 5: only a 200 counts, a redirect is not followed.
    if answer.status() != StatusCode::OK {
        return Err(unavailable("the answer is not a 200"));
    }
    let kind = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(is_json) {
        return Err(unavailable("the answer is not JSON by its content type"));
    }
    // Section 8.7: a bound on the size.
    if answer.body().len() > MAX_DOCUMENT {
        return Err(unavailable("the document is too long"));
    }
    let document = ClientMetadata::parse_document(answer.body(), address.as_str())
        .map_err(Refused::Document)?;
    // Section 4: a document may ask for authentication by key; a server that does not offer it must not treat the client as public.
    if document.token_endpoint_auth_method != AuthMethod::None {
        return Err(Refused::DocumentAuthenticates);
    }
    Ok(KnownClient::documented(address.as_str(), &document))
}

/// `application/json`, or any type that is JSON underneath.
fn is_json(content_type: &str) -> bool {
    let essence = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json"
        || essence
            .strip_prefix("application/")
            .is_some_and(|rest| rest.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::{DocumentAddress, MAX_DOCUMENT, response};
    use crate::refused::Refused;

    #[test]
    fn the_grammar_of_an_address() {
        for good in [
            "https://app.example/client.json",
            "https://app.example/",
            "https://app.example:8443/a/b?v=1",
            "https://app.example/%41.json",
            "https://app.example/a..b",
        ] {
            assert!(DocumentAddress::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "https://app.example",
            "https://app.example?x=/",
            "https:///client.json",
            "https://user@app.example/c",
            "https://app%2eexample/c",
            "https://app.example/c#f",
            "https://app.example/../c",
            "https://app.example/a/%2E%2e/c",
            "https://app.example/./c",
            "https://app.example/a b",
            "https://app.example\\@evil.example/c",
            "https://app.example/\u{e9}",
            "HTTPS://app.example/c",
            "http://app.example/c",
            "http://127.0.0.1/c",
            "ftp://app.example/c",
        ] {
            assert_eq!(
                DocumentAddress::parse(bad, false),
                Err(Refused::ClientAddress),
                "{bad}"
            );
        }
        let long = format!("https://app.example/{}", "a".repeat(2048));
        assert_eq!(
            DocumentAddress::parse(&long, false),
            Err(Refused::ClientAddress)
        );
    }

    #[test]
    fn plain_http_only_from_this_machine_and_only_if_allowed() {
        for good in [
            "http://127.0.0.1:9/c",
            "http://localhost/c",
            "http://[::1]:9/c",
        ] {
            assert!(DocumentAddress::parse(good, true).is_ok(), "{good}");
            assert_eq!(
                DocumentAddress::parse(good, false),
                Err(Refused::ClientAddress),
                "{good}"
            );
        }
        for bad in [
            "http://app.example/c",
            "http://localhost.example/c",
            "http://127.1/c",
            "http://127.0.0.1.example/c",
        ] {
            assert_eq!(
                DocumentAddress::parse(bad, true),
                Err(Refused::ClientAddress),
                "{bad}"
            );
        }
    }

    const URL: &str = "https://app.example/c";
    const DOCUMENT: &str = r#"{"client_id":"https://app.example/c","client_name":"App","redirect_uris":["https://app.example/cb"],"grant_types":["authorization_code","refresh_token"]}"#;

    fn read(status: u16, kind: &str, body: &str) -> Result<super::KnownClient, Refused> {
        let address = DocumentAddress::parse(URL, false).unwrap();
        let answer = Response::builder()
            .status(status)
            .header("content-type", kind)
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        response(&address, &answer)
    }

    #[test]
    fn a_document_is_read() {
        for kind in [
            "application/json",
            "application/JSON; charset=utf-8",
            "application/x+json",
        ] {
            let client = read(200, kind, DOCUMENT).unwrap();
            assert_eq!(
                (client.id.as_str(), client.name.as_deref()),
                (URL, Some("App"))
            );
            assert!(client.may_refresh);
        }
    }

    #[test]
    fn each_answer_that_is_refused() {
        let padded = format!("{DOCUMENT}{}", " ".repeat(MAX_DOCUMENT));
        let keyed = DOCUMENT.replace(
            "\"client_name\"",
            "\"token_endpoint_auth_method\":\"private_key_jwt\",\"client_name\"",
        );
        for (status, kind, body) in [
            (204, "application/json", DOCUMENT),
            (302, "application/json", DOCUMENT),
            (404, "application/json", DOCUMENT),
            (200, "text/html", DOCUMENT),
            (200, "text/json", DOCUMENT),
            (200, "application/json", padded.as_str()),
        ] {
            let refused = read(status, kind, body).unwrap_err();
            assert!(
                matches!(refused, Refused::DocumentUnavailable { .. }),
                "{status} {kind}"
            );
        }
        assert_eq!(
            read(200, "application/json", &keyed).unwrap_err(),
            Refused::DocumentAuthenticates
        );
        let slash = DOCUMENT.replace("example/c\"", "example/c/\"");
        for body in ["[]", "{}", slash.as_str()] {
            assert!(matches!(
                read(200, "application/json", body),
                Err(Refused::Document(_))
            ));
        }
    }
}
