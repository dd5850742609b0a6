//! The metadata of a protected resource (RFC 9728).

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_METADATA_BYTES, list_is_bounded};
use crate::json;
use crate::uri::{InvalidUri, ResourceId};

/// Why a document is not the metadata of the resource at hand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidResourceMetadata {
    /// More than [`MAX_METADATA_BYTES`].
    #[error("longer than {MAX_METADATA_BYTES} bytes")]
    TooLong,
    /// Not an object, or a member has the wrong type or occurs twice.
    #[error("not a well-formed metadata document")]
    Malformed,
    /// `resource` is missing or not a resource identifier.
    #[error("resource is not a resource identifier: {0}")]
    Resource(InvalidUri),
    /// `resource` is not the server that was asked, nor a path above it.
    #[error("the document is about {found:?}, which is another resource")]
    Mismatch {
        /// What the document says, cut to 200 characters.
        found: String,
    },
    /// A list that is too long.
    #[error("{0} is too long")]
    List(&'static str),
}

/// The metadata of a protected resource.
///
/// Written, empty lists and absent members are left out; read, unknown members are ignored.
///
/// Specification: RFC 9728 section 2.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourceMetadata {
    /// The resource identifier; required.
    pub resource: String,
    /// The issuers whose tokens it takes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_servers: Vec<String>,
    /// The scopes it knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes_supported: Vec<String>,
    /// How a token may be presented.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bearer_methods_supported: Vec<String>,
    /// Its name, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Where a developer reads about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_documentation: Option<String>,
    /// Where its policy is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_policy_uri: Option<String>,
    /// Where its terms of service are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_tos_uri: Option<String>,
    /// Where its own public keys are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
}

impl ResourceMetadata {
    /// Reads the document that was found for a server.
    ///
    /// It decides, in this order: length; a well-formed object; lists are bounded; `resource` is a
    /// resource identifier that covers the address of the server.
    ///
    /// Does not check: the issuers, which a client reads one by one.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8], server_url: &str) -> Result<Self, InvalidResourceMetadata> {
        if bytes.len() > MAX_METADATA_BYTES {
            return Err(InvalidResourceMetadata::TooLong);
        }
        let read: Self = json::object(bytes).map_err(|_| InvalidResourceMetadata::Malformed)?;
        for (name, list) in [
            ("authorization_servers", &read.authorization_servers),
            ("scopes_supported", &read.scopes_supported),
            ("bearer_methods_supported", &read.bearer_methods_supported),
        ] {
            if !list_is_bounded(list) {
                return Err(InvalidResourceMetadata::List(name));
            }
        }
        let resource =
            ResourceId::parse(&read.resource).map_err(InvalidResourceMetadata::Resource)?;
        // RFC 9728 section 3.3: data about another resource MUST NOT be used.
        // MCP 2026-07-28 reads "same" as same origin with an equal or parent path.
        if !resource.covers(server_url) {
            let found = read.resource.chars().take(200).collect();
            return Err(InvalidResourceMetadata::Mismatch { found });
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://rs.example/mcp";

    #[test]
    fn reads_what_it_writes() {
        let metadata = ResourceMetadata {
            resource: URL.into(),
            authorization_servers: vec!["https://as.example".into()],
            bearer_methods_supported: vec!["header".into()],
            ..ResourceMetadata::default()
        };
        let text = serde_json::to_string(&metadata).unwrap();
        assert_eq!(
            text,
            r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://as.example"],"bearer_methods_supported":["header"]}"#
        );
        assert_eq!(
            ResourceMetadata::parse(text.as_bytes(), URL).unwrap(),
            metadata
        );
        assert!(ResourceMetadata::parse(text.as_bytes(), "https://rs.example/mcp/x").is_ok());
    }

    #[test]
    fn each_refusal() {
        let other = |found: &str| InvalidResourceMetadata::Mismatch {
            found: found.into(),
        };
        for (text, reason) in [
            ("[]", InvalidResourceMetadata::Malformed),
            (r#"{"resource":7}"#, InvalidResourceMetadata::Malformed),
            (
                "{}",
                InvalidResourceMetadata::Resource(InvalidUri::NotAbsolute),
            ),
            (
                r#"{"resource":"https://evil.example/mcp"}"#,
                other("https://evil.example/mcp"),
            ),
            (
                r#"{"resource":"https://rs.example/mcp-other"}"#,
                other("https://rs.example/mcp-other"),
            ),
            (
                r#"{"resource":"https://rs.example/mcp/below"}"#,
                other("https://rs.example/mcp/below"),
            ),
        ] {
            assert_eq!(
                ResourceMetadata::parse(text.as_bytes(), URL),
                Err(reason),
                "{text}"
            );
        }
        let long = vec![b' '; MAX_METADATA_BYTES + 1];
        assert_eq!(
            ResourceMetadata::parse(&long, URL),
            Err(InvalidResourceMetadata::TooLong)
        );
        let many = format!(
            r#"{{"resource":"{URL}","scopes_supported":[{}]}}"#,
            vec!["\"\""; 257].join(",")
        );
        assert_eq!(
            ResourceMetadata::parse(many.as_bytes(), URL),
            Err(InvalidResourceMetadata::List("scopes_supported"))
        );
        let wide = format!(
            r#"{{"resource":"{URL}","authorization_servers":["{}"]}}"#,
            "a".repeat(2049)
        );
        assert_eq!(
            ResourceMetadata::parse(wide.as_bytes(), URL),
            Err(InvalidResourceMetadata::List("authorization_servers"))
        );
    }
}
