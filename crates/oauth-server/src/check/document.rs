//! Client ID metadata documents: how one is asked for, and what counts as an answer.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use oauth_rs::media_type;
use oauth_rs::metadata::client::ClientMetadata;
use oauth_rs::uri::ClientIdUrl;

use super::client::KnownClient;
use crate::config::Config;
use crate::document::MAX_DOCUMENT;
use crate::endpoint::metadata::{can_bind, offer};
use crate::refused::Refused;

/// The identifier as the address of a document, checked as it was written.
///
/// Plain http on loopback is for a server that is itself on this machine, if its operator says so.
pub(crate) fn address(client_id: &str, loopback: bool) -> Result<ClientIdUrl, Refused> {
    let parsed = if loopback {
        ClientIdUrl::dangerous_parse_with_loopback(client_id)
    } else {
        ClientIdUrl::parse(client_id)
    };
    parsed.map_err(|_| Refused::ClientAddress)
}

/// How the document is asked for.
pub(crate) fn request(address: &ClientIdUrl) -> Result<Request<Bytes>, Refused> {
    Request::builder()
        .method(Method::GET)
        .uri(address.as_str())
        .header(header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| Refused::ClientAddress)
}

/// The document that an answer is.
pub(crate) fn read(
    address: &ClientIdUrl,
    answer: &Response<Bytes>,
) -> Result<ClientMetadata, Refused> {
    let unavailable = |why: &str| Refused::DocumentUnavailable {
        why: why.to_owned(),
    };
    // Section 5: only a 200 counts, a redirect is not followed.
    if answer.status() != StatusCode::OK {
        return Err(unavailable("the answer is not a 200"));
    }
    if !media_type::is_json(answer.headers()) {
        return Err(unavailable("the answer is not JSON by its content type"));
    }
    // Section 8.7: a bound on the size.
    if answer.body().len() > MAX_DOCUMENT {
        return Err(unavailable("the document is too long"));
    }
    ClientMetadata::parse_document(answer.body(), address.as_str()).map_err(Refused::Document)
}

/// The client that an answer describes.
pub(crate) fn response(
    config: &Config,
    address: &ClientIdUrl,
    answer: &Response<Bytes>,
) -> Result<KnownClient, Refused> {
    let document = read(address, answer)?;
    // Section 6: what a document offers beyond what is wanted here is left out; one that needs a way
    // to authenticate that is not offered must not be treated as public.
    let document = document
        .negotiate(&offer(&config.scopes()))
        .map_err(|refused| {
            if refused.field == "token_endpoint_auth_method" {
                Refused::DocumentAuthenticates
            } else {
                Refused::Document(refused)
            }
        })?;
    can_bind(config, &document).map_err(Refused::Document)?;
    Ok(KnownClient::documented(address.as_str(), &document))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::{address, response};
    use crate::document::MAX_DOCUMENT;
    use crate::fixture::config;
    use crate::refused::Refused;

    #[test]
    fn plain_http_only_from_this_machine_and_only_if_allowed() {
        let local = "http://127.0.0.1:9/c";
        assert!(address(local, true).is_ok());
        assert_eq!(address(local, false), Err(Refused::ClientAddress));
        for loopback in [true, false] {
            assert!(address("https://app.example/c", loopback).is_ok());
            assert_eq!(
                address("http://app.example/c", loopback),
                Err(Refused::ClientAddress)
            );
        }
    }

    const URL: &str = "https://app.example/c";
    const DOCUMENT: &str = r#"{"client_id":"https://app.example/c","client_name":"App","redirect_uris":["https://app.example/cb"],"grant_types":["authorization_code","refresh_token"]}"#;

    fn known(status: u16, kind: &str, body: &str) -> Result<super::KnownClient, Refused> {
        let address = address(URL, false).unwrap();
        let answer = Response::builder()
            .status(status)
            .header("content-type", kind)
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        response(&config(), &address, &answer)
    }

    #[test]
    fn a_document_is_read() {
        for kind in [
            "application/json",
            "application/JSON; charset=utf-8",
            "application/x+json",
        ] {
            let client = known(200, kind, DOCUMENT).unwrap();
            assert_eq!(
                (client.id.as_str(), client.name.as_deref()),
                (URL, Some("App"))
            );
            assert!(client.may_refresh);
        }
    }

    #[test]
    fn a_document_that_offers_more_is_taken_as_far_as_it_goes() {
        let more = DOCUMENT.replace(
            "\"authorization_code\",",
            "\"authorization_code\",\"urn:ietf:params:oauth:grant-type:device_code\",",
        );
        let more = more.replace(
            "\"client_name\"",
            "\"token_endpoint_auth_method\":\"private_key_jwt\",\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\",\"none\"],\"jwks_uri\":\"https://app.example/jwks\",\"client_name\"",
        );
        assert!(known(200, "application/json", &more).unwrap().may_refresh);
    }

    #[test]
    fn each_answer_that_is_refused() {
        // The longest document is read, and one of a byte more is not.
        let longest = format!("{DOCUMENT}{}", " ".repeat(MAX_DOCUMENT - DOCUMENT.len()));
        assert!(known(200, "application/json", &longest).is_ok());
        let padded = format!("{longest} ");
        let keyed = DOCUMENT.replace(
            "\"client_name\"",
            "\"token_endpoint_auth_method\":\"private_key_jwt\",\"jwks_uri\":\"https://app.example/jwks\",\"client_name\"",
        );
        for (status, kind, body) in [
            (204, "application/json", DOCUMENT),
            (302, "application/json", DOCUMENT),
            (404, "application/json", DOCUMENT),
            (200, "text/html", DOCUMENT),
            (200, "text/json", DOCUMENT),
            (200, "application/json", padded.as_str()),
        ] {
            let refused = known(status, kind, body).unwrap_err();
            assert!(
                matches!(refused, Refused::DocumentUnavailable { .. }),
                "{status} {kind}"
            );
        }
        assert_eq!(
            known(200, "application/json", &keyed).unwrap_err(),
            Refused::DocumentAuthenticates
        );
        let slash = DOCUMENT.replace("example/c\"", "example/c/\"");
        for body in ["[]", "{}", slash.as_str()] {
            assert!(matches!(
                known(200, "application/json", body),
                Err(Refused::Document(_))
            ));
        }
    }
}
