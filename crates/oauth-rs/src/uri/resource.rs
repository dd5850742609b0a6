//! The identifier of a protected resource.

use super::parts::{InvalidUri, Parts};
use super::textual;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A resource identifier, kept and compared as written.
///
/// It decides, in this order: strict RFC 3986 alphabet and host spelling; https, or http on a
/// loopback host; no fragment; no dot segments.
///
/// ```
/// use oauth_rs::uri::{InvalidUri, ResourceId};
///
/// let resource = ResourceId::parse("https://rs.example/mcp")?;
/// assert_eq!(resource.metadata_url(), "https://rs.example/.well-known/oauth-protected-resource/mcp");
/// assert!(resource.covers("https://rs.example/mcp/messages"));
/// assert!(!resource.covers("https://rs.example/mcp-other"));
/// assert_eq!(ResourceId::parse("https://rs.example/#x"), Err(InvalidUri::Fragment));
/// # Ok::<(), InvalidUri>(())
/// ```
///
/// Specification: RFC 8707 section 2, RFC 9728 section 1.2.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceId {
    text: String,
}

textual!(ResourceId);

impl ResourceId {
    /// Reads a resource identifier.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidUri> {
        let parts = Parts::parse(text)?;
        parts.is_https_or_loopback()?;
        // RFC 8707 section 2: the URI MUST NOT include a fragment component.
        if parts.fragment.is_some() {
            return Err(InvalidUri::Fragment);
        }
        if parts.has_dot_segment() {
            return Err(InvalidUri::DotSegment);
        }
        Ok(Self {
            text: text.to_owned(),
        })
    }

    /// Reads the address of a server as a person types it, and writes it as MCP wants it.
    ///
    /// Scheme and host become lower-case, and the port of the scheme and the slash of an empty path
    /// are left out; path and query stay as they are.
    ///
    /// ```
    /// use oauth_rs::uri::ResourceId;
    ///
    /// let resource = ResourceId::canonical("HTTPS://RS.example:443/Mcp")?;
    /// assert_eq!(resource.as_str(), "https://rs.example/Mcp");
    /// # Ok::<(), oauth_rs::uri::InvalidUri>(())
    /// ```
    ///
    /// # Errors
    /// The first rule of [`ResourceId::parse`] that does not hold for what would be written.
    ///
    /// Specification: MCP 2026-07-28, authorization, canonical server URI; RFC 3986 section 6.2.
    pub fn canonical(text: &str) -> Result<Self, InvalidUri> {
        let parts = Parts::parse(text)?;
        let (_, after) = split_origin(text);
        let after = match after.strip_prefix('/') {
            Some(rest) if rest.is_empty() || rest.starts_with(['?', '#']) => rest,
            _ => after,
        };
        let origin = parts.canonical_origin();
        Self::parse(&format!("{origin}{after}"))
    }

    /// Where its metadata is: the well-known path between host and path.
    ///
    /// Specification: RFC 9728 section 3.1.
    pub fn metadata_url(&self) -> String {
        let (origin, rest) = split_origin(&self.text);
        // RFC 9728 section 3.1: a terminating slash after the host MUST be removed first.
        let rest = match rest.strip_prefix('/') {
            Some(after) if after.is_empty() || after.starts_with('?') => after,
            _ => rest,
        };
        format!("{origin}{WELL_KNOWN}{rest}")
    }

    /// Where MCP has a client look last: the well-known path at the root of the host.
    pub fn root_metadata_url(&self) -> String {
        format!("{}{WELL_KNOWN}", split_origin(&self.text).0)
    }

    /// The scheme, host and port, as written.
    pub fn origin(&self) -> &str {
        split_origin(&self.text).0
    }

    /// The same without a query.
    #[must_use]
    pub fn without_query(&self) -> Self {
        let text = self
            .text
            .split_once('?')
            .map_or(&*self.text, |(before, _)| before);
        Self {
            text: text.to_owned(),
        }
    }

    /// Whether an address belongs to this resource: same origin, and the path equal or below it.
    ///
    /// A final slash of the identifier does not count, and paths are compared at their slashes.
    /// An identifier with a query covers only addresses with the same path and query.
    pub fn covers(&self, url: &str) -> bool {
        let (Ok(own), Ok(other)) = (Parts::parse(&self.text), Parts::parse(url)) else {
            return false;
        };
        if !own.same_origin(&other) || other.has_dot_segment() {
            return false;
        }
        if own.query.is_some() {
            return own.rooted_path() == other.rooted_path() && own.query == other.query;
        }
        let base = own.path.strip_suffix('/').unwrap_or(own.path);
        other
            .path
            .strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Cuts an address that was checked before into `scheme://authority` and the rest.
pub(super) fn split_origin(text: &str) -> (&str, &str) {
    let host_at = text.find("://").map_or(0, |at| at + 3);
    let after_host = text.get(host_at..).unwrap_or_default();
    let end = after_host
        .find(['/', '?', '#'])
        .map_or(text.len(), |at| host_at + at);
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    #[test]
    fn metadata_is_inserted_before_path_and_query() {
        let base = "https://rs.example/.well-known/oauth-protected-resource";
        for (text, rest) in [
            ("https://rs.example", ""),
            ("https://rs.example/", ""),
            ("https://rs.example/mcp", "/mcp"),
            ("https://rs.example/mcp/", "/mcp/"),
            ("https://rs.example/mcp?x=1", "/mcp?x=1"),
            ("https://rs.example/?x=1", "?x=1"),
            ("https://rs.example?x=1", "?x=1"),
        ] {
            assert_eq!(id(text).metadata_url(), format!("{base}{rest}"), "{text}");
            assert_eq!(id(text).root_metadata_url(), base);
        }
    }

    #[test]
    fn a_query_can_be_left_out() {
        for (text, without) in [
            ("https://rs.example/mcp?x=1?y", "https://rs.example/mcp"),
            ("https://rs.example?x", "https://rs.example"),
            ("https://rs.example/mcp", "https://rs.example/mcp"),
        ] {
            assert_eq!(id(text).without_query().as_str(), without);
        }
    }

    #[test]
    fn the_canonical_form() {
        for (typed, canonical) in [
            ("https://rs.example", "https://rs.example"),
            ("https://rs.example/", "https://rs.example"),
            ("HTTPS://RS.Example/MCP/", "https://rs.example/MCP/"),
            ("https://rs.example:443/mcp", "https://rs.example/mcp"),
            ("https://rs.example:8443/mcp", "https://rs.example:8443/mcp"),
            ("http://LOCALHOST:80/mcp", "http://localhost/mcp"),
            ("http://localhost:443/mcp", "http://localhost:443/mcp"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://rs.example/?X=1", "https://rs.example?X=1"),
            ("https://rs.example/%41", "https://rs.example/%41"),
        ] {
            assert_eq!(ResourceId::canonical(typed).unwrap().as_str(), canonical);
            // Canonical once is canonical for good.
            assert_eq!(
                ResourceId::canonical(canonical).unwrap().as_str(),
                canonical
            );
        }
        for (typed, reason) in [
            ("https://rs.example/#x", InvalidUri::Fragment),
            ("https://rs.example/a/../b", InvalidUri::DotSegment),
            ("HTTP://rs.example/mcp", InvalidUri::InsecureHttp),
            ("ftp://rs.example/mcp", InvalidUri::Scheme),
            ("rs.example/mcp", InvalidUri::NotAbsolute),
        ] {
            assert_eq!(ResourceId::canonical(typed), Err(reason), "{typed}");
        }
    }

    #[test]
    fn covers_by_origin_and_path_boundary() {
        for (resource, url, expected) in [
            ("https://rs.example/mcp", "https://rs.example/mcp", true),
            ("https://rs.example/mcp", "https://RS.example:443/mcp", true),
            (
                "https://rs.example/mcp",
                "https://rs.example/mcp/x?y=1",
                true,
            ),
            ("https://rs.example/mcp/", "https://rs.example/mcp", true),
            ("https://rs.example", "https://rs.example/mcp", true),
            ("https://rs.example/", "https://rs.example/mcp", true),
            (
                "https://rs.example/mcp",
                "https://rs.example/mcp-other",
                false,
            ),
            ("https://rs.example/mcp", "https://rs.example/", false),
            (
                "https://rs.example/mcp",
                "https://rs.example/mcp/../x",
                false,
            ),
            (
                "https://rs.example/mcp",
                "https://rs.example/mcp/%2e%2e/x",
                false,
            ),
            (
                "https://rs.example/mcp",
                "https://rs.example:8443/mcp",
                false,
            ),
            ("https://rs.example/mcp", "https://evil.example/mcp", false),
            ("https://localhost/mcp", "http://localhost/mcp", false),
            (
                "https://rs.example/mcp?x=1",
                "https://rs.example/mcp?x=1",
                true,
            ),
            (
                "https://rs.example/mcp?x=1",
                "https://rs.example/mcp",
                false,
            ),
            ("https://rs.example/?x=1", "https://rs.example?x=1", true),
            ("https://rs.example?x=1", "https://rs.example/?x=1", true),
            ("https://rs.example?x=1", "https://rs.example/?x=2", false),
            ("https://rs.example/mcp", "not an address", false),
        ] {
            assert_eq!(id(resource).covers(url), expected, "{resource} {url}");
        }
    }

    #[test]
    fn each_refusal() {
        for (text, reason) in [
            ("http://rs.example/mcp", InvalidUri::InsecureHttp),
            ("urn:example:rs", InvalidUri::NotAbsolute),
            ("https://rs.example/mcp#x", InvalidUri::Fragment),
            ("https://rs.example/../x", InvalidUri::DotSegment),
            ("https://u:p@rs.example/mcp", InvalidUri::UserInfo),
        ] {
            assert_eq!(ResourceId::parse(text), Err(reason), "{text}");
        }
    }
}
