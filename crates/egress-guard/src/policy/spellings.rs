//! Properties of hosts: every IPv6 spelling of a forbidden IPv4 address is refused, and nothing is a name to us that is an address to others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;
use proptest::prelude::*;

use super::Policy;
use crate::address;
use crate::error::EgressError;
use crate::host::Host;

/// The ways to put an IPv4 address into an IPv6 one; `noise` fills what the form leaves open.
const FORMS: [fn(u32, u128) -> u128; 10] = [
    // IPv4-mapped, IPv4-compatible, IPv4-translated.
    |v4, _| 0xffff << 32 | u128::from(v4),
    |v4, _| u128::from(v4),
    |v4, _| 0xffff << 48 | u128::from(v4),
    // NAT64: the well-known prefix, and the local one with the address at its end or at bit 48.
    |v4, _| 0x0064_ff9b << 96 | u128::from(v4),
    |v4, noise| 0x0064_ff9b_0001 << 80 | (noise & LOW_48) << 32 | u128::from(v4),
    |v4, _| 0x0064_ff9b_0001 << 80 | u128::from(v4 >> 16) << 64 | u128::from(v4 & 0xffff) << 40,
    // 6to4.
    |v4, noise| 0x2002 << 112 | u128::from(v4) << 80 | (noise & LOW_80),
    // Teredo: the address as the server, and as the client.
    |v4, noise| 0x2001_0000 << 96 | u128::from(v4) << 64 | (noise & LOW_64),
    |v4, noise| 0x2001_0000 << 96 | (noise & LOW_64) << 32 | u128::from(!v4),
    // ISATAP behind a public prefix.
    |v4, noise| 0x2606_4700 << 96 | (noise & 0x0200_0000) << 32 | 0x5efe << 32 | u128::from(v4),
];

const LOW_48: u128 = (1 << 48) - 1;
const LOW_64: u128 = (1 << 64) - 1;
const LOW_80: u128 = (1 << 80) - 1;

/// The ways to write an IPv6 address.
const SPELLINGS: [fn(Ipv6Addr) -> String; 5] = [
    |address| address.to_string(),
    |address| address.to_string().to_uppercase(),
    |address| groups(address, |group| format!("{group:x}")),
    |address| groups(address, |group| format!("{group:04X}")),
    // The last two groups as an IPv4 address.
    |address| {
        let [.., a, b, c, d] = address.octets();
        let all = groups(address, |group| format!("{group:x}"));
        let six: Vec<_> = all.split(':').take(6).collect();
        format!("{}:{}", six.join(":"), Ipv4Addr::new(a, b, c, d))
    },
];

fn groups(address: Ipv6Addr, write: fn(u16) -> String) -> String {
    address.segments().map(write).join(":")
}

fn refusal(host: &str) -> Option<EgressError> {
    let uri: Uri = format!("https://{host}/").parse().unwrap();
    let policy = Policy::strict();
    let target = match policy.target(&uri) {
        Ok(target) => target,
        Err(refused) => return Some(refused),
    };
    let Host::Address(address) = target.host else {
        panic!("{host} is a literal");
    };
    policy.admit(&target, &[address]).err()
}

/// An IPv4 address of a row of the table.
fn forbidden_v4() -> impl Strategy<Value = u32> {
    any::<u32>().prop_filter_map("a public address", |bits| {
        // A public address is pulled into one of the rows that attackers aim at.
        let rows = [
            0x7f00_0000,
            0x0a00_0000,
            0xa9fe_0000,
            0xac10_0000,
            0xc0a8_0000,
        ];
        let bits = match address::forbidden(IpAddr::V4(bits.into())) {
            Some(_) => bits,
            None => rows[bits as usize % rows.len()] | (bits & 0xffff),
        };
        address::forbidden(IpAddr::V4(bits.into())).map(|_| bits)
    })
}

/// Pieces of hosts that somebody reads as numbers, and some that nobody does.
fn host_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<u32>().prop_map(|n| n.to_string()),
        any::<u8>().prop_map(|n| n.to_string()),
        any::<u32>().prop_map(|n| format!("0x{n:x}")),
        any::<u8>().prop_map(|n| format!("0X{n:X}")),
        any::<u8>().prop_map(|n| format!("{n:#05o}").replace('o', "0")),
        Just("0x".to_owned()),
        Just(String::new()),
        Just("localhost".to_owned()),
        "[a-z0-9_%-]{1,6}",
        "[A-Z]{1,3}",
        "[\u{ff10}-\u{ff19}\u{2488}\u{3002}\u{e9}]{1,2}",
    ];
    proptest::collection::vec(piece, 1..6).prop_map(|pieces| pieces.join("."))
}

proptest! {
    #[test]
    fn every_ipv6_spelling_of_a_forbidden_ipv4_address_is_refused(
        v4 in forbidden_v4(),
        form in 0..FORMS.len(),
        spelling in 0..SPELLINGS.len(),
        noise in any::<u128>(),
    ) {
        let address = Ipv6Addr::from(FORMS[form](v4, noise));
        let host = format!("[{}]", SPELLINGS[spelling](address));
        let refused = refusal(&host);
        prop_assert!(
            matches!(refused, Some(EgressError::ForbiddenAddress { address: at, .. }) if at == address),
            "{host}: {refused:?}"
        );
        // The same address as the answer of a resolver.
        prop_assert!(address::forbidden(IpAddr::V6(address)).is_some());
    }

    #[test]
    fn a_name_is_a_name_to_everybody(text in host_text()) {
        // What browsers, curl and the C library's parser make of it: see the URL standard's host parser.
        let others = url::Host::parse(&text);
        match Host::parse(&text) {
            None => {}
            Some(Host::Address(address)) => {
                prop_assert_eq!(others.unwrap().to_string(), address.to_string(), "{}", text);
            }
            Some(Host::Name(name)) => match others {
                Ok(url::Host::Domain(domain)) => {
                    prop_assert_eq!(domain, name.to_ascii_lowercase());
                }
                // Punycode that does not decode is nobody's address either.
                Err(_) => prop_assert!(text.to_ascii_lowercase().contains("xn--"), "{}", text),
                Ok(address) => prop_assert!(false, "{} is {}", text, address),
            },
        }
    }
}
