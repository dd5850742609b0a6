//! The host of a URL, read once: an address literal, or a name that is fit to be looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the host of a URL is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A literal; it is never handed to a resolver.
    Address(IpAddr),
    /// A name.
    Name(String),
}

impl Host {
    /// Reads the host as it stands in the authority, with brackets around an IPv6 literal.
    ///
    /// `None` means that it is neither a plain literal nor a plain name: an IPv6 zone, a
    /// percent-encoding, or a number in one of the spellings that some resolvers take for an
    /// IPv4 address (`127.1`, `0x7f000001`, `2130706433`).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']')?;
            // RFC 6874: a zone belongs to this machine only, and does not parse here.
            let address: Ipv6Addr = inner.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address)));
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        if ends_in_a_number(text) || !is_name(text) {
            return None;
        }
        Some(Self::Name(text.to_owned()))
    }

    /// One text for every spelling of this host, for counting.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        }
    }
}

/// Whether a resolver could take the host for an IPv4 address written in a way of its own.
// WHATWG URL section 3.5, "ends in a number": the last label decides, a final dot aside.
fn ends_in_a_number(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let last = text.rsplit('.').next().unwrap_or(text);
    if last.is_empty() {
        return false;
    }
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return true;
    }
    last.strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Letters, digits, hyphens and underscores in labels of 1 to 63, 253 in all, one final dot.
// RFC 1035 section 2.3.4 for the lengths; underscores are in use and harmless.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let in_label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.len() <= 253
        && text
            .split('.')
            .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(in_label))
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn literals_are_recognised() {
        for text in ["127.0.0.1", "8.8.8.8", "[::1]", "[::ffff:169.254.169.254]"] {
            assert!(
                matches!(Host::parse(text), Some(Host::Address(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn names_are_kept_as_they_are() {
        let long = format!("{}.example", "a".repeat(63));
        for text in [
            "example.com",
            "example.com.",
            "xn--bcher-kva.example",
            "a_b.example",
            "LOCALHOST",
            "0xfg.0xfg",
            &long,
        ] {
            assert_eq!(
                Host::parse(text),
                Some(Host::Name(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn neither_literal_nor_name_is_refused() {
        let label = format!("{}.example", "a".repeat(64));
        let all = format!("{}example", "a.".repeat(130));
        for text in [
            "",
            ".",
            "..",
            "a..b",
            ".example",
            "127.1",
            "127.0.0.1.",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "0x7f000001",
            "0x",
            "2130706433",
            "example.1",
            "256.0.0.1",
            "[::1",
            "[127.0.0.1]",
            "[fe80::1%25eth0]",
            "[fe80::1%eth0]",
            "::1",
            "ex%61mple.com",
            "b\u{fc}cher.example",
            "exa mple.com",
            &label,
            &all,
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }
}
