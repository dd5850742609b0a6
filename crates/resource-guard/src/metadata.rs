//! The metadata document (RFC 9728), written once from configuration, and where it is served.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use oauth_rs::metadata::resource::ResourceMetadata;

use crate::config::{GuardConfig, InvalidConfig};
use crate::issuer::Demand;

/// The document and its two paths.
///
/// Nothing of it comes from a request: a forged `Host` changes nothing.
///
/// Specification: RFC 9728 sections 2 and 3.
#[derive(Clone, Debug)]
pub struct MetadataDocument {
    body: Bytes,
    inserted: String,
    root: String,
}

impl MetadataDocument {
    pub(crate) fn new(config: &GuardConfig) -> Result<Self, InvalidConfig> {
        let metadata = ResourceMetadata {
            resource: config.resource.as_str().to_owned(),
            authorization_servers: config
                .issuers
                .iter()
                .map(|trusted| trusted.issuer().as_str().to_owned())
                .collect(),
            scopes_supported: config.scopes_supported.iter().map(str::to_owned).collect(),
            // RFC 6750 section 2.1: the one method that is read.
            bearer_methods_supported: Some(vec!["header".to_owned()]),
            // RFC 9449 section 5.1 and RFC 8705 section 3.3, as RFC 9728 section 2 has them.
            dpop_signing_alg_values_supported: config
                .dpop
                .iter()
                .flat_map(|rules| rules.algorithms.iter())
                .map(|alg| alg.to_string())
                .collect(),
            dpop_bound_access_tokens_required: config.demand == Demand::Dpop,
            tls_client_certificate_bound_access_tokens: config.takes_certificates,
            resource_name: config.resource_name.clone(),
            resource_documentation: config.resource_documentation.clone(),
            ..ResourceMetadata::default()
        };
        let Ok(body) = serde_json::to_vec(&metadata) else {
            let what = "the metadata document";
            return Err(InvalidConfig::Unwritable { what });
        };
        let root_url = config.resource.root_metadata_url();
        let inserted_url = config.resource.metadata_url();
        let origin = root_url.strip_suffix(WELL_KNOWN).unwrap_or_default();
        let inserted = inserted_url.strip_prefix(origin).unwrap_or(WELL_KNOWN);
        // The path alone decides: a query of the identifier tells no two documents apart here.
        let inserted = inserted.split_once('?').map_or(inserted, |(path, _)| path);
        Ok(Self {
            body: Bytes::from(body),
            inserted: inserted.to_owned(),
            root: WELL_KNOWN.to_owned(),
        })
    }

    /// The JSON text.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The paths where it is served: with the resource's path inserted, and at the root.
    pub fn paths(&self) -> [&str; 2] {
        [&self.inserted, &self.root]
    }

    /// The answer to a request for one of the paths, or `None` for any other path.
    ///
    /// GET and HEAD are answered with the document; other methods with 405.
    pub fn respond(&self, method: &Method, path: &str) -> Option<Response<Bytes>> {
        if path != self.inserted && path != self.root {
            return None;
        }
        if method != Method::GET && method != Method::HEAD {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            let allow = HeaderValue::from_static("GET, HEAD, OPTIONS");
            response.headers_mut().insert(ALLOW, allow);
            return Some(response);
        }
        // The HTTP server leaves the body of an answer to HEAD away.
        let mut response = Response::new(self.body.clone());
        let headers = response.headers_mut();
        // RFC 9728 section 3.2: 200 and application/json.
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(CACHE_FOR));
        Some(response)
    }
}

// RFC 9728 section 3: the path of the well-known location.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Five minutes: a change of configuration is seen soon, and a burst of sign-ins asks once.
const CACHE_FOR: &str = "public, max-age=300";

#[cfg(test)]
mod tests {
    use oauth_rs::scope::ScopeSet;
    use oauth_rs::uri::{Issuer, ResourceId};

    use super::*;
    use crate::issuer::TrustedIssuer;

    fn document(resource: &str) -> MetadataDocument {
        let issuer = TrustedIssuer::new(Issuer::parse("https://as.example").unwrap());
        let config = GuardConfig::new(ResourceId::parse(resource).unwrap(), issuer)
            .scopes_supported(ScopeSet::parse("a b").unwrap())
            .resource_name("Example");
        MetadataDocument::new(&config).unwrap()
    }

    #[test]
    fn the_document_says_what_was_configured() {
        let expected = r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://as.example"],"scopes_supported":["a","b"],"bearer_methods_supported":["header"],"resource_name":"Example"}"#;
        let document = document("https://rs.example/mcp");
        assert_eq!(document.body(), expected);
        // A client takes it for the resource it is about, and for no other.
        assert!(ResourceMetadata::parse(document.body(), "https://rs.example/mcp").is_ok());
        assert!(ResourceMetadata::parse(document.body(), "https://rs.example/other").is_err());
    }

    #[test]
    fn it_is_served_at_the_inserted_path_and_the_root() {
        let root = "/.well-known/oauth-protected-resource";
        for (resource, inserted) in [
            (
                "https://rs.example/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://rs.example:8443/a/b",
                "/.well-known/oauth-protected-resource/a/b",
            ),
            (
                "https://rs.example/a?b=c",
                "/.well-known/oauth-protected-resource/a",
            ),
            ("https://rs.example/", root),
            ("https://rs.example", root),
            (
                "http://127.0.0.1:3000/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            let document = document(resource);
            assert_eq!(document.paths(), [inserted, root], "{resource}");
            for path in [inserted, root] {
                let response = document.respond(&Method::GET, path).unwrap();
                assert_eq!(response.status(), 200);
                assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
                assert_eq!(response.body(), document.body());
            }
        }
    }

    #[test]
    fn other_paths_and_methods_are_not_answered_with_it() {
        let document = document("https://rs.example/mcp");
        for path in [
            "/mcp",
            "/",
            "/.well-known/oauth-protected-resource/",
            "/.well-known/oauth-protected-resource/mcp/x",
        ] {
            assert!(document.respond(&Method::GET, path).is_none(), "{path}");
        }
        let response = document
            .respond(&Method::POST, "/.well-known/oauth-protected-resource")
            .unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[ALLOW], "GET, HEAD, OPTIONS");
    }
}
