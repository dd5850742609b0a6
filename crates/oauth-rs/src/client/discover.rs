//! Finding the authorization server of a protected resource (RFC 9728, RFC 8414).

use http::{Method, Request, Response, StatusCode};
use thiserror::Error;

use super::exchange::{self, ExchangeFailed};
use crate::metadata::resource::{InvalidResourceMetadata, ResourceMetadata};
use crate::metadata::server::{InvalidServerMetadata, ServerMetadata};
use crate::uri::{Issuer, ResourceId};

/// Why a metadata document was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiscoveryFailed {
    /// The request failed, or there is no document at this address.
    #[error(transparent)]
    Exchange(#[from] ExchangeFailed),
    /// The resource's document was refused.
    #[error("resource metadata: {0}")]
    Resource(#[from] InvalidResourceMetadata),
    /// The authorization server's document was refused.
    #[error("authorization server metadata: {0}")]
    Server(#[from] InvalidServerMetadata),
    /// The authorization server does not announce PKCE at all.
    #[error("the authorization server does not announce PKCE (code_challenge_methods_supported)")]
    NoPkce,
    /// The authorization server announces PKCE, but not `S256`.
    #[error("the authorization server announces PKCE without S256")]
    NoS256,
}

impl DiscoveryFailed {
    /// Whether the next address in the list may be tried: this one had no document for us.
    ///
    /// A document that is about somebody else ends the search.
    pub fn may_try_next(&self) -> bool {
        match self {
            Self::Exchange(_)
            | Self::Resource(InvalidResourceMetadata::Document(_))
            | Self::Server(InvalidServerMetadata::Document(_)) => true,
            Self::Resource(_) | Self::Server(_) | Self::NoPkce | Self::NoS256 => false,
        }
    }
}

/// Where the resource's metadata may be: where the challenge says, else the path, then the root.
pub fn resource_urls(server: &ResourceId, challenged: Option<&str>) -> Vec<String> {
    // RFC 9728 section 5.1, MCP 2026-07-28: the challenge comes first, then path and root.
    if let Some(url) = challenged {
        return vec![url.to_owned()];
    }
    let mut urls = vec![server.metadata_url(), server.root_metadata_url()];
    urls.dedup();
    urls
}

/// Asks for a metadata document of either kind.
///
/// # Errors
/// The address is neither https nor loopback http.
pub fn request(url: &str) -> Result<Request<Vec<u8>>, ExchangeFailed> {
    exchange::request("metadata document", Method::GET, url, Vec::new())
}

/// Reads the resource's metadata.
///
/// # Errors
/// There is no document, or it is not about this server.
pub fn resource_response(
    response: &Response<Vec<u8>>,
    server_url: &str,
) -> Result<ResourceMetadata, DiscoveryFailed> {
    exchange::check_status(response, &[StatusCode::OK])?;
    Ok(ResourceMetadata::parse(response.body(), server_url)?)
}

/// Reads the authorization server's metadata.
///
/// # Errors
/// There is no document, it is not of this issuer, or it does not announce `S256`.
pub fn server_response(
    response: &Response<Vec<u8>>,
    issuer: &Issuer,
) -> Result<ServerMetadata, DiscoveryFailed> {
    let metadata = server_document(response, issuer)?;
    check_pkce(&metadata)?;
    Ok(metadata)
}

/// Reads the authorization server's metadata, whatever it says about PKCE; [`check_pkce`] comes next.
///
/// # Errors
/// There is no document, or it is not of this issuer.
pub fn server_document(
    response: &Response<Vec<u8>>,
    issuer: &Issuer,
) -> Result<ServerMetadata, DiscoveryFailed> {
    exchange::check_status(response, &[StatusCode::OK])?;
    Ok(ServerMetadata::parse(response.body(), issuer)?)
}

/// Whether the authorization server announces PKCE with `S256`.
///
/// # Errors
/// It announces nothing, or other methods only.
pub fn check_pkce(metadata: &ServerMetadata) -> Result<(), DiscoveryFailed> {
    if metadata.supports_s256() {
        Ok(())
    } else if metadata.code_challenge_methods_supported.is_empty() {
        // MCP 2026-07-28: without code_challenge_methods_supported a client MUST refuse to proceed.
        Err(DiscoveryFailed::NoPkce)
    } else {
        // RFC 9700 section 2.1.1: a method that exposes the verifier is no protection.
        Err(DiscoveryFailed::NoS256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
        Response::builder()
            .status(status)
            .body(body.as_bytes().to_vec())
            .unwrap()
    }

    #[test]
    fn where_to_look() {
        let server = ResourceId::parse("https://rs.example/mcp").unwrap();
        let root = "https://rs.example/.well-known/oauth-protected-resource";
        assert_eq!(
            resource_urls(&server, None),
            [format!("{root}/mcp"), root.to_owned()]
        );
        assert_eq!(
            resource_urls(&server, Some("https://x.example/m")),
            ["https://x.example/m"]
        );
        let bare = ResourceId::parse("https://rs.example").unwrap();
        assert_eq!(resource_urls(&bare, None), [root]);
        assert!(request("http://rs.example/m").is_err());
        assert_eq!(
            request(root).unwrap().headers()["accept"],
            "application/json"
        );
    }

    #[test]
    fn what_ends_the_search() {
        let issuer = Issuer::parse("https://as.example").unwrap();
        let read =
            |status, body: &str| server_response(&answer(status, body), &issuer).unwrap_err();
        assert!(read(404, "").may_try_next());
        assert!(read(200, "<html>").may_try_next());
        assert!(read(302, "").may_try_next());
        assert!(!read(200, r#"{"issuer":"https://evil.example"}"#).may_try_next());
        let without = r#"{"issuer":"https://as.example"}"#;
        assert_eq!(read(200, without), DiscoveryFailed::NoPkce);
        let plain =
            r#"{"issuer":"https://as.example","code_challenge_methods_supported":["plain"]}"#;
        assert_eq!(read(200, plain), DiscoveryFailed::NoS256);
        let other = r#"{"resource":"https://evil.example/mcp"}"#;
        let refused = resource_response(&answer(200, other), "https://rs.example/mcp").unwrap_err();
        assert!(!refused.may_try_next());
    }
}
