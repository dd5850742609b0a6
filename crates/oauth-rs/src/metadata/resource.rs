//! The metadata of a protected resource (RFC 9728).

use thiserror::Error;

use super::document::{self, InvalidDocument};
use crate::uri::{InvalidUri, ResourceId, check_endpoint_of};

/// Why a document is not the metadata of the resource at hand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidResourceMetadata {
    /// It is not a metadata document at all.
    #[error(transparent)]
    Document(#[from] InvalidDocument),
    /// `resource` is missing or not a resource identifier.
    #[error("resource is not a resource identifier: {0}")]
    Resource(InvalidUri),
    /// `resource` is not the server that was asked, nor a path above it.
    #[error("the document is about {found:?}, which is another resource")]
    Mismatch {
        /// What the document says, cut to 200 characters.
        found: String,
    },
    /// Not a sound address, or neither https nor, for a resource on loopback http, that as well.
    #[error("{member} cannot be used: {reason}")]
    Endpoint {
        /// The member.
        member: &'static str,
        /// The rule that its address breaks.
        reason: InvalidUri,
    },
}

/// How the `resource` of a document stands to the address that was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceMatch {
    /// The two are the same, which is all that RFC 9728 section 3.3 accepts.
    Same,
    /// They are the same but for a query of the address that was called.
    ///
    /// A query chooses what an endpoint shows (`/mcp?toolsets=core`), and not which endpoint it is: it is
    /// named without one in its metadata and its challenges, and one token is for all of them.
    /// An identifier that has a query itself is compared with it.
    WithoutQuery,
    /// It is of the same origin and its path is above: a server at `/mcp` that publishes its origin,
    /// or one identifier with and without a final slash.
    ///
    /// MCP accepts this. A token for it works at everything below, so that whoever has a path of
    /// its own on a shared host gets one for the neighbours as well.
    Above,
}

document::document! {
    /// The metadata of a protected resource.
    ///
    /// Written, empty lists, false flags and absent members are left out; read, unknown members are
    /// ignored, and so are their variants in other languages (`name#lang`).
    ///
    /// `signed_metadata` is ignored on purpose, which RFC 9728 section 2.2 permits: who signed it
    /// would have to be known beforehand, and a client that has just heard of the resource knows nobody.
    ///
    /// Specification: RFC 9728 section 2.
    pub struct ResourceMetadata {
        identifiers {
            /// The resource identifier; required.
            resource,
        }
        endpoints {
            /// Where its own public keys are.
            jwks_uri,
        }
        lists {
            /// The issuers whose tokens it takes.
            authorization_servers,
            /// The scopes it knows.
            scopes_supported,
            /// With which algorithms it signs its answers.
            resource_signing_alg_values_supported,
            /// RFC 9396: the types of authorization details.
            authorization_details_types_supported,
            /// RFC 9449: the algorithms of DPoP proofs.
            dpop_signing_alg_values_supported,
        }
        lists_that_may_be_empty {
            /// How a bearer token may be presented: `header`, `body`, `query`; an empty list is not at all.
            bearer_methods_supported,
        }
        flags {
            /// RFC 8705: it takes tokens that are bound to a certificate.
            tls_client_certificate_bound_access_tokens,
            /// RFC 9449: it takes no other tokens than those bound to a key.
            dpop_bound_access_tokens_required,
        }
        names {
            /// Its name, for people.
            resource_name,
        }
        links {
            /// Where a developer reads about it.
            resource_documentation,
            /// Where its policy is.
            resource_policy_uri,
            /// Where its terms of service are.
            resource_tos_uri,
        }
        documents {}
    }
}

impl ResourceMetadata {
    /// Reads the document that was found for a server.
    ///
    /// It decides, in this order: length; an object in which each member occurs once; the types and
    /// bounds of the members known here; `resource` is a resource identifier that covers the address
    /// of the server; `jwks_uri` is https or, if the resource is too, loopback http.
    /// A name that could mislead and a link that is no address of the web count as absent.
    ///
    /// Does not check: the issuers, which a client reads one by one; whether `resource` is the
    /// server itself or a path above it, which [`ResourceMetadata::compare`] says.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(bytes: &[u8], called: &str) -> Result<Self, InvalidResourceMetadata> {
        let read = Self::from_members(&document::members(bytes)?)?;
        ResourceId::parse(&read.resource).map_err(InvalidResourceMetadata::Resource)?;
        // RFC 9728 section 3.3: data about another resource MUST NOT be used.
        // MCP 2026-07-28 reads "same" as same origin with an equal or parent path.
        if read.compare(called).is_none() {
            let found = read.resource.chars().take(200).collect();
            return Err(InvalidResourceMetadata::Mismatch { found });
        }
        // OAuth 2.1 section 1.5: keys are fetched over https; loopback is for development.
        for (name, url) in read.endpoints() {
            check_endpoint_of(url, &read.resource).map_err(|reason| {
                InvalidResourceMetadata::Endpoint {
                    member: name,
                    reason,
                }
            })?;
        }
        Ok(read)
    }

    /// How `resource` stands to an address that was called; none if it is about something else.
    ///
    /// The case of scheme and host, the default port and the slash of an empty path make no
    /// difference; everything else does, and a query makes one of its own.
    pub fn compare(&self, called: &str) -> Option<ResourceMatch> {
        let resource = ResourceId::parse(&self.resource).ok()?;
        if !resource.covers(called) {
            return None;
        }
        // RFC 9728 section 3.3: identical, code point by code point, once the spelling is canonical.
        let (own, other) = (
            ResourceId::canonical(&self.resource),
            ResourceId::canonical(called),
        );
        let (Ok(own), Ok(other)) = (own, other) else {
            return Some(ResourceMatch::Above);
        };
        Some(if own == other {
            ResourceMatch::Same
        } else if own == other.without_query() {
            ResourceMatch::WithoutQuery
        } else {
            ResourceMatch::Above
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::MAX_METADATA_BYTES;

    const URL: &str = "https://rs.example/mcp";

    #[test]
    fn reads_what_it_writes() {
        let metadata = ResourceMetadata {
            resource: URL.into(),
            authorization_servers: vec!["https://as.example".into()],
            bearer_methods_supported: Some(vec!["header".into()]),
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
            ("[]", InvalidDocument::Malformed.into()),
            (
                r#"{"resource":7}"#,
                InvalidDocument::Type {
                    member: "resource",
                    wanted: "a string",
                }
                .into(),
            ),
            (
                r#"{"resource":"https://rs.example/mcp","jwks_uri":"http://127.0.0.1/jwks"}"#,
                InvalidResourceMetadata::Endpoint {
                    member: "jwks_uri",
                    reason: InvalidUri::Loopback,
                },
            ),
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
            Err(InvalidDocument::TooLong.into())
        );
        let many = format!(
            r#"{{"resource":"{URL}","scopes_supported":[{}]}}"#,
            vec!["\"\""; 257].join(",")
        );
        assert_eq!(
            ResourceMetadata::parse(many.as_bytes(), URL),
            Err(InvalidDocument::Bound("scopes_supported").into())
        );
        let wide = format!(
            r#"{{"resource":"{URL}","authorization_servers":["{}"]}}"#,
            "a".repeat(2049)
        );
        assert_eq!(
            ResourceMetadata::parse(wide.as_bytes(), URL),
            Err(InvalidDocument::Bound("authorization_servers").into())
        );
    }

    #[test]
    fn what_people_read_is_left_out_rather_than_refused() {
        let text = r#"{"resource":"https://rs.example/mcp","resource_name":"a\u202eb",
            "resource_policy_uri":"javascript:x","resource_tos_uri":7,
            "resource_documentation":"https://rs.example/docs#top",
            "resource_name#fr":"x","signed_metadata":"a.b.c","authorization_servers":null}"#;
        let read = ResourceMetadata::parse(text.as_bytes(), URL).unwrap();
        let expected = ResourceMetadata {
            resource: URL.into(),
            resource_documentation: Some("https://rs.example/docs#top".into()),
            ..ResourceMetadata::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn signed_metadata_changes_nothing() {
        // A consumer that does not know the signer may ignore it (RFC 9728 section 2.2).
        let claims = crate::base64url::encode(br#"{"iss":"https://evil.example","resource":"https://evil.example","scopes_supported":["admin"]}"#);
        let text = format!(
            r#"{{"resource":"{URL}","scopes_supported":["read"],"signed_metadata":"e30.{claims}."}}"#
        );
        let read = ResourceMetadata::parse(text.as_bytes(), URL).unwrap();
        assert_eq!(
            (read.resource.as_str(), read.scopes_supported),
            (URL, vec!["read".to_owned()])
        );
    }

    #[test]
    fn no_methods_and_no_word_about_them_are_different() {
        let read = |more: &str| {
            let text = format!(r#"{{"resource":"{URL}"{more}}}"#);
            let read = ResourceMetadata::parse(text.as_bytes(), URL).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), text);
            read.bearer_methods_supported
        };
        assert_eq!(read(""), None);
        assert_eq!(read(r#","bearer_methods_supported":[]"#), Some(vec![]));
        assert_eq!(
            read(r#","bearer_methods_supported":["header"]"#),
            Some(vec!["header".to_owned()])
        );
    }

    #[test]
    fn the_same_or_above_or_another() {
        let compare = |resource: &str, called: &str| {
            let metadata = ResourceMetadata {
                resource: resource.into(),
                ..ResourceMetadata::default()
            };
            metadata.compare(called)
        };
        let (same, above) = (Some(ResourceMatch::Same), Some(ResourceMatch::Above));
        let unasked = Some(ResourceMatch::WithoutQuery);
        for (resource, called, expected) in [
            (URL, URL, same),
            ("https://rs.example", "https://rs.example/", same),
            ("https://rs.example/", "HTTPS://RS.example:443", same),
            (URL, "https://RS.example/mcp", same),
            // The servers at /mcp that publish only their origin.
            ("https://rs.example", URL, above),
            ("https://rs.example/", URL, above),
            (URL, "https://rs.example/mcp/", above),
            // One endpoint, of which a query chooses what it shows.
            (URL, "https://rs.example/mcp?x=1", unasked),
            (URL, "HTTPS://rs.example:443/mcp?", unasked),
            ("https://rs.example", "https://rs.example/?x=1", unasked),
            (URL, "https://rs.example/mcp/?x=1", above),
            ("https://rs.example", "https://rs.example/mcp?x=1", above),
            (URL, "https://rs.example/MCP?x=1", None),
            (
                "https://rs.example/mcp?x=1",
                "https://rs.example/mcp?x=1",
                same,
            ),
            ("https://rs.example/mcp?x=1", URL, None),
            (
                "https://rs.example/mcp?x=1",
                "https://rs.example/mcp?x=2",
                None,
            ),
            (URL, "https://rs.example/MCP", None),
            (URL, "https://rs.example/mcp-other", None),
            (URL, "https://rs.example", None),
            (URL, "http://rs.example/mcp", None),
            (URL, "https://evil.example/mcp", None),
            (URL, "not an address", None),
            ("not an address", URL, None),
        ] {
            assert_eq!(compare(resource, called), expected, "{resource} {called}");
        }
    }
}
