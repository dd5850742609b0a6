//! A test for each row of the table, at both of its edges, and for each way to spell an address.

use std::net::IpAddr;

use super::{Range, V4, V6, forbidden};

/// One row of the table: its edges, and what lies just outside.
struct Row {
    first: &'static str,
    last: &'static str,
    range: Range,
    before: Option<(&'static str, Option<Range>)>,
    after: Option<(&'static str, Option<Range>)>,
}

fn judge(text: &str) -> Option<Range> {
    let address: IpAddr = text.parse().unwrap();
    forbidden(address)
}

fn check(row: &Row) {
    assert_eq!(judge(row.first), Some(row.range), "{}", row.first);
    assert_eq!(judge(row.last), Some(row.range), "{}", row.last);
    for (outside, expected) in [row.before, row.after].into_iter().flatten() {
        assert_eq!(judge(outside), expected, "{outside}");
    }
}

macro_rules! rows {
    ($($name:ident: $first:literal ..= $last:literal is $range:ident, before $before:expr, after $after:expr;)+) => {
        $(
            #[test]
            fn $name() {
                check(&Row {
                    first: $first,
                    last: $last,
                    range: Range::$range,
                    before: $before,
                    after: $after,
                });
            }
        )+

        /// A row added to the table without a test here is noticed by this count.
        #[test]
        fn every_row_has_a_test() {
            let tested = [$(stringify!($name)),+].len();
            // One more than the tables: what lies outside 2000::/3 is a rule, not a row.
            assert_eq!(tested, V4.len() + V6.len() + 1);
        }
    };
}

rows! {
    v4_this_network: "0.0.0.0" ..= "0.255.255.255" is Unspecified,
        before None, after Some(("1.0.0.0", None));
    v4_private_10: "10.0.0.0" ..= "10.255.255.255" is Private,
        before Some(("9.255.255.255", None)), after Some(("11.0.0.0", None));
    v4_shared: "100.64.0.0" ..= "100.127.255.255" is Shared,
        before Some(("100.63.255.255", None)), after Some(("100.128.0.0", None));
    v4_loopback: "127.0.0.0" ..= "127.255.255.255" is Loopback,
        before Some(("126.255.255.255", None)), after Some(("128.0.0.0", None));
    v4_platform: "168.63.129.16" ..= "168.63.129.16" is Platform,
        before Some(("168.63.129.15", None)), after Some(("168.63.129.17", None));
    v4_platform_shared: "100.100.100.200" ..= "100.100.100.200" is Platform,
        before Some(("100.100.100.199", Some(Range::Shared))),
        after Some(("100.100.100.201", Some(Range::Shared)));
    v4_link_local: "169.254.0.0" ..= "169.254.255.255" is LinkLocal,
        before Some(("169.253.255.255", None)), after Some(("169.255.0.0", None));
    v4_private_172: "172.16.0.0" ..= "172.31.255.255" is Private,
        before Some(("172.15.255.255", None)), after Some(("172.32.0.0", None));
    v4_protocol: "192.0.0.0" ..= "192.0.0.255" is Protocol,
        before Some(("191.255.255.255", None)), after Some(("192.0.1.0", None));
    v4_documentation_1: "192.0.2.0" ..= "192.0.2.255" is Documentation,
        before Some(("192.0.1.255", None)), after Some(("192.0.3.0", None));
    v4_relay: "192.88.99.0" ..= "192.88.99.255" is Relay,
        before Some(("192.88.98.255", None)), after Some(("192.88.100.0", None));
    v4_private_192: "192.168.0.0" ..= "192.168.255.255" is Private,
        before Some(("192.167.255.255", None)), after Some(("192.169.0.0", None));
    v4_benchmarking: "198.18.0.0" ..= "198.19.255.255" is Benchmarking,
        before Some(("198.17.255.255", None)), after Some(("198.20.0.0", None));
    v4_documentation_2: "198.51.100.0" ..= "198.51.100.255" is Documentation,
        before Some(("198.51.99.255", None)), after Some(("198.51.101.0", None));
    v4_documentation_3: "203.0.113.0" ..= "203.0.113.255" is Documentation,
        before Some(("203.0.112.255", None)), after Some(("203.0.114.0", None));
    v4_multicast: "224.0.0.0" ..= "239.255.255.255" is Multicast,
        before Some(("223.255.255.255", None)), after Some(("240.0.0.0", Some(Range::Reserved)));
    v4_broadcast: "255.255.255.255" ..= "255.255.255.255" is Broadcast,
        before Some(("255.255.255.254", Some(Range::Reserved))), after None;
    v4_reserved: "240.0.0.0" ..= "255.255.255.254" is Reserved,
        before Some(("239.255.255.255", Some(Range::Multicast))), after None;

    v6_unspecified: "::" ..= "::0" is Unspecified,
        before None, after Some(("::1", Some(Range::Loopback)));
    v6_loopback: "::1" ..= "0:0:0:0:0:0:0:1" is Loopback,
        before None, after Some(("::2", Some(Range::Compatible)));
    v6_compatible: "::2" ..= "::255.255.255.255" is Compatible,
        before None, after Some(("::1:0:0", Some(Range::Reserved)));
    v6_mapped: "::ffff:0.0.0.0" ..= "::ffff:255.255.255.255" is Mapped,
        before Some(("::fffe:ffff:ffff", Some(Range::Reserved))),
        after Some(("::1:0:0:0", Some(Range::Reserved)));
    v6_translated: "::ffff:0:0:0" ..= "::ffff:0:255.255.255.255" is Translated,
        before Some(("::fffe:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("::ffff:1:0:0", Some(Range::Reserved)));
    v6_nat64: "64:ff9b::" ..= "64:ff9b::255.255.255.255" is Nat64,
        before Some(("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("64:ff9b::1:0:0", Some(Range::Reserved)));
    v6_nat64_local: "64:ff9b:1::" ..= "64:ff9b:1:ffff:ffff:ffff:ffff:ffff" is Nat64,
        before Some(("64:ff9b:0:ffff:ffff:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("64:ff9b:2::", Some(Range::Reserved)));
    v6_discard: "100::" ..= "100::ffff:ffff:ffff:ffff" is Discard,
        before Some(("ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("100:0:0:1::", Some(Range::Reserved)));
    v6_teredo: "2001::" ..= "2001:0:ffff:ffff:ffff:ffff:ffff:ffff" is Teredo,
        before Some(("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
        after Some(("2001:1::", Some(Range::Protocol)));
    v6_protocol: "2001:1::" ..= "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff" is Protocol,
        before Some(("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::Teredo))),
        after Some(("2001:200::", None));
    v6_documentation: "2001:db8::" ..= "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" is Documentation,
        before Some(("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", None)),
        after Some(("2001:db9::", None));
    v6_six_to_four: "2002::" ..= "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is SixToFour,
        before Some(("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
        after Some(("2003::", None));
    v6_documentation_long: "3fff::" ..= "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff" is Documentation,
        before Some(("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
        after Some(("3fff:1000::", None));
    v6_platform_42: "fd00:42::42" ..= "fd00:42::42" is Platform,
        before Some(("fd00:42::41", Some(Range::UniqueLocal))),
        after Some(("fd00:42::43", Some(Range::UniqueLocal)));
    v6_platform_c1: "fd00:c1::a9fe:a9fe" ..= "fd00:c1::a9fe:a9fe" is Platform,
        before Some(("fd00:c1::a9fe:a9fd", Some(Range::UniqueLocal))),
        after Some(("fd00:c1::a9fe:a9ff", Some(Range::UniqueLocal)));
    v6_platform_100: "fd00:100::100:200" ..= "fd00:100::100:200" is Platform,
        before Some(("fd00:100::100:1ff", Some(Range::UniqueLocal))),
        after Some(("fd00:100::100:201", Some(Range::UniqueLocal)));
    v6_platform_ec2: "fd00:ec2::" ..= "fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff" is Platform,
        before Some(("fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::UniqueLocal))),
        after Some(("fd00:ec3::", Some(Range::UniqueLocal)));
    v6_platform_a9fe: "fd00:a9fe:a9fe::1" ..= "fd00:a9fe:a9fe::1" is Platform,
        before Some(("fd00:a9fe:a9fe::", Some(Range::UniqueLocal))),
        after Some(("fd00:a9fe:a9fe::2", Some(Range::UniqueLocal)));
    v6_platform_ce: "fd20:ce::254" ..= "fd20:ce::254" is Platform,
        before Some(("fd20:ce::253", Some(Range::UniqueLocal))),
        after Some(("fd20:ce::255", Some(Range::UniqueLocal)));
    v6_unique_local: "fc00::" ..= "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is UniqueLocal,
        before Some(("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("fe00::", Some(Range::Reserved)));
    v6_link_local: "fe80::" ..= "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is LinkLocal,
        before Some(("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::Reserved))),
        after Some(("fec0::", Some(Range::SiteLocal)));
    v6_site_local: "fec0::" ..= "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is SiteLocal,
        before Some(("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::LinkLocal))),
        after Some(("ff00::", Some(Range::Multicast)));
    v6_multicast: "ff00::" ..= "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is Multicast,
        before Some(("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Range::SiteLocal))),
        after None;
    v6_outside_global_unicast: "4000::" ..= "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" is Reserved,
        before Some(("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None)),
        after Some(("fc00::", Some(Range::UniqueLocal)));
}

/// The metadata service of most clouds, in every spelling a URL can give it.
#[test]
fn one_ipv4_address_in_every_ipv6_spelling() {
    for (text, expected) in [
        ("169.254.169.254", Range::LinkLocal),
        ("::ffff:169.254.169.254", Range::Mapped),
        ("::ffff:a9fe:a9fe", Range::Mapped),
        ("0:0:0:0:0:FFFF:A9FE:A9FE", Range::Mapped),
        ("::169.254.169.254", Range::Compatible),
        ("::a9fe:a9fe", Range::Compatible),
        ("::ffff:0:169.254.169.254", Range::Translated),
        ("64:ff9b::169.254.169.254", Range::Nat64),
        ("64:ff9b::a9fe:a9fe", Range::Nat64),
        ("64:ff9b:1::a9fe:a9fe", Range::Nat64),
        ("2002:a9fe:a9fe::1", Range::SixToFour),
        // The client's address is written with every bit turned over.
        ("2001:0:4136:e378:8000:63bf:5601:5601", Range::Teredo),
        ("2606:4700::5efe:169.254.169.254", Range::Isatap),
        ("2606:4700::200:5efe:a9fe:a9fe", Range::Isatap),
        ("fe80::5efe:169.254.169.254", Range::LinkLocal),
    ] {
        assert_eq!(judge(text), Some(expected), "{text}");
    }
}

/// A spelling is refused even when the inner address is public: see [`Range`].
#[test]
fn embedding_is_refused_whatever_it_embeds() {
    for text in [
        "::ffff:8.8.8.8",
        "::8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::1",
        "2606:4700::5efe:8.8.8.8",
    ] {
        assert!(judge(text).is_some(), "{text}");
    }
}

/// The edges of the rule that is not a prefix.
#[test]
fn isatap_is_known_by_its_interface_identifier() {
    for (text, expected) in [
        ("2606:4700::5efe:0:0", Some(Range::Isatap)),
        ("2606:4700::5efe:ffff:ffff", Some(Range::Isatap)),
        ("2606:4700::200:5efe:0:0", Some(Range::Isatap)),
        ("2606:4700::5efd:ffff:ffff", None),
        ("2606:4700::5eff:0:0", None),
        ("2606:4700::1:5efe:0:0", None),
        ("2606:4700::1ff:5efe:0:0", None),
        ("2606:4700::201:5efe:0:0", None),
    ] {
        assert_eq!(judge(text), expected, "{text}");
    }
}

#[test]
fn public_addresses_are_not_forbidden() {
    for text in [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700:4700::1111",
        "2a00:1450:4001:80b::200e",
    ] {
        assert_eq!(judge(text), None, "{text}");
    }
}
