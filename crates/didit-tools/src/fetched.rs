//! Addresses that Didit's servers will fetch for us: they must not point inside anybody's network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Whether the text is an address at all, and not the data itself.
pub(crate) fn is_address(text: &str) -> bool {
    let text = text.trim_start();
    ["http:", "https:"].iter().any(|scheme| {
        text.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })
}

/// Checks an address by its text; names are not looked up.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    let uri: Uri = text.trim().parse().map_err(|_| "is not a valid address")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("is neither http nor https");
    }
    let authority = uri.authority().ok_or("has no host")?;
    if authority.as_str().contains('@') {
        return Err("has user information");
    }
    if is_internal(authority.host()) {
        Err("points inside a private network")
    } else {
        Ok(())
    }
}

fn is_internal(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner
            .parse()
            .map_or(true, |address| is_internal_address(IpAddr::V6(address)));
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return is_internal_address(IpAddr::V4(address));
    }
    host.is_empty()
        || host == "localhost"
        || host.ends_with(".localhost")
        || host.ends_with(".local")
        || is_numeric_spelling(&host)
        || embeds_internal_address(&host)
}

/// `0x7f.1`, `2130706433`, `0177.0.0.1`: numbers that resolvers read as an address.
fn is_numeric_spelling(host: &str) -> bool {
    let numeric = |label: &str| {
        let digits = label.strip_prefix("0x");
        let hexadecimal = digits.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_hexdigit()));
        hexadecimal || (!label.is_empty() && label.chars().all(|c| c.is_ascii_digit()))
    };
    host.rsplit('.').next().is_some_and(numeric)
}

/// `10.0.0.1.nip.example`, `app-10-0-0-1.sslip.example`: names that such services turn into the address.
fn embeds_internal_address(host: &str) -> bool {
    let numbers: Vec<&str> = host.split(['.', '-']).collect();
    numbers.windows(4).any(|four| {
        four.join(".")
            .parse()
            .is_ok_and(|address| is_internal_address(IpAddr::V4(address)))
    })
}

fn is_internal_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    // RFC 6890: this network, private use, shared, loopback, link-local.
    matches!(
        (a, b),
        (0 | 10 | 127, _) | (100, 64..=127) | (169, 254) | (172, 16..=31) | (192, 168)
    )
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    // RFC 4291 section 2.5.5: an IPv4 address inside, in both forms.
    if let Some(inner) = address.to_ipv4() {
        return address.is_loopback() || address.is_unspecified() || is_internal_v4(inner);
    }
    // RFC 4193 (fc00::/7) and RFC 4291 section 2.5.6 (fe80::/10).
    address.is_unique_local() || address.is_unicast_link_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_pass() {
        for text in [
            "https://images.example/a.jpg?x=1",
            "http://93.184.216.34/",
            "https://[2606:2800:220:1::1]/a",
            "HTTPS://images.example",
            "https://v1-2-3-4.images.example/",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn internal_addresses_do_not() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "printer.local",
            "127.0.0.1",
            "127.0.0.1.",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "[::]",
            "[::1]",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::10.0.0.1]",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "10.0.0.1.nip.example",
            "app-10-0-0-1.sslip.example",
        ] {
            assert_eq!(
                check(&format!("http://{host}/x")),
                Err("points inside a private network"),
                "{host}"
            );
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        assert_eq!(check("ftp://a.example/"), Err("is neither http nor https"));
        assert_eq!(check("/etc/passwd"), Err("is neither http nor https"));
        assert_eq!(check("http://"), Err("is not a valid address"));
        assert_eq!(
            check("https://a.example@10.0.0.1/"),
            Err("has user information")
        );
    }

    #[test]
    fn data_is_not_an_address() {
        assert!(is_address("https://a.example/"));
        assert!(is_address(" HTTP://a.example/"));
        assert!(is_address("http:\\\\10.0.0.1"));
        assert!(!is_address("aHR0cHM6Ly9h"));
        assert!(!is_address("ż"));
    }
}
