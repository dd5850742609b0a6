//! The table of addresses that a URL from a stranger must never reach, for both families.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of address that makes it forbidden.
///
/// Every spelling of an IPv4 address inside an IPv6 address is a kind of its own and is refused
/// whatever the inner address is: no public service is reached that way only, and a gateway that
/// translates it would decide the target for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Range {
    /// `0.0.0.0/8` and `::`: this host, this network.
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`.
    Private,
    /// `100.64.0.0/10`: between a provider and its customers.
    Shared,
    /// `169.254.0.0/16` and `fe80::/10`; the metadata services of clouds are here.
    LinkLocal,
    /// `fc00::/7`.
    UniqueLocal,
    /// `fec0::/10`: site-local, deprecated, still routed in old networks.
    SiteLocal,
    /// `192.0.0.0/24` and `2001::/23`: protocol assignments.
    Protocol,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// `198.18.0.0/15`.
    Benchmarking,
    /// `192.88.99.0/24`: relays of 6to4.
    Relay,
    /// `224.0.0.0/4` and `ff00::/8`.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// `240.0.0.0/4`, and every IPv6 address outside `2000::/3` that has no row of its own.
    Reserved,
    /// `100::/64`: thrown away by routers.
    Discard,
    /// `168.63.129.16`, which looks public, `100.100.100.200`, `fd00:ec2::/32`, `fd00:c1::a9fe:a9fe`, `fd00:42::42`,
    /// `fd00:100::100:200`, `fd00:a9fe:a9fe::1` and `fd20:ce::254`: services of clouds for their own machines, credentials
    /// among them. Named because a policy may allow what lies around them.
    Platform,
    /// `::ffff:0:0/96`: IPv4 mapped into IPv6.
    Mapped,
    /// `::/96`: IPv4 compatible.
    Compatible,
    /// `::ffff:0:0:0/96`: IPv4 translated.
    Translated,
    /// `64:ff9b::/96` and `64:ff9b:1::/48`: IPv4 behind a NAT64 gateway.
    Nat64,
    /// `2002::/16`: IPv4 in 6to4.
    SixToFour,
    /// `2001::/32`: two IPv4 addresses in Teredo.
    Teredo,
    /// An interface identifier of `0:5efe` or `200:5efe` and an IPv4 address, behind any prefix.
    Isatap,
}

impl Range {
    /// The words for a log line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::Shared => "shared between provider and customers",
            Self::LinkLocal => "link-local",
            Self::UniqueLocal => "unique-local",
            Self::SiteLocal => "site-local",
            Self::Protocol => "protocol assignment",
            Self::Documentation => "documentation",
            Self::Benchmarking => "benchmarking",
            Self::Relay => "6to4 relay",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Reserved => "reserved",
            Self::Discard => "discard",
            Self::Platform => "cloud platform",
            Self::Mapped => "IPv4 mapped into IPv6",
            Self::Compatible => "IPv4-compatible IPv6",
            Self::Translated => "IPv4 translated into IPv6",
            Self::Nat64 => "NAT64",
            Self::SixToFour => "6to4",
            Self::Teredo => "Teredo",
            Self::Isatap => "ISATAP",
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says why an address is forbidden, or `None` for a public unicast address.
///
/// The rows are tried in the order written, so a narrow row stands before the wide one around it.
/// An IPv6 address outside `2000::/3` is always forbidden: nothing else is given out for the
/// public network.
///
/// Does not check: names, ports, or whether anything answers there. Cannot know: the prefix that one
/// network chose for its own NAT64 or 6rd gateway, and public addresses that lead inside.
///
/// Specification: RFC 6890 and its IANA registries; RFC 4291 section 2.4; RFC 6052 section 2.1;
/// RFC 3056 section 2; RFC 4380 section 4; RFC 5214 section 6.1.
pub fn forbidden(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Range> {
    let bits = u32::from(address);
    V4.iter()
        .find(|row| same_prefix(row.network.into(), bits.into(), row.prefix, 32))
        .map(|row| row.range)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Range> {
    let bits = u128::from(address);
    V6.iter()
        .find(|row| same_prefix(row.network, bits, row.prefix, 128))
        .map(|row| row.range)
        .or_else(|| (!same_prefix(GLOBAL_UNICAST, bits, 3, 128)).then_some(Range::Reserved))
        .or_else(|| is_isatap(address).then_some(Range::Isatap))
}

/// Whether the lower half is the one of an ISATAP interface, with the universal bit or without.
// RFC 5214 section 6.1: 00-00-5E-FE and 02-00-5E-FE stand before the IPv4 address.
fn is_isatap(address: Ipv6Addr) -> bool {
    let [_, _, _, _, fifth, sixth, _, _] = address.segments();
    matches!((fifth, sixth), (0 | 0x200, 0x5efe))
}

/// Whether the first `prefix` bits of two numbers of `width` bits are equal; `prefix` is never 0.
fn same_prefix(a: u128, b: u128, prefix: u32, width: u32) -> bool {
    (a ^ b) >> (width - prefix) == 0
}

pub(crate) struct V4Row {
    pub(crate) network: u32,
    pub(crate) prefix: u32,
    pub(crate) range: Range,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32, range: Range) -> V4Row {
    V4Row {
        network: u32::from_be_bytes([a, b, c, d]),
        prefix,
        range,
    }
}

pub(crate) struct V6Row {
    pub(crate) network: u128,
    pub(crate) prefix: u32,
    pub(crate) range: Range,
}

const fn v6(groups: [u16; 8], prefix: u32, range: Range) -> V6Row {
    let [a, b, c, d, e, f, g, h] = groups;
    V6Row {
        network: Ipv6Addr::new(a, b, c, d, e, f, g, h).to_bits(),
        prefix,
        range,
    }
}

// RFC 6890 section 2.2.2 and the IANA IPv4 special-purpose registry.
pub(crate) const V4: &[V4Row] = &[
    v4(0, 0, 0, 0, 8, Range::Unspecified),
    v4(10, 0, 0, 0, 8, Range::Private),
    v4(100, 100, 100, 200, 32, Range::Platform),
    v4(100, 64, 0, 0, 10, Range::Shared),
    v4(127, 0, 0, 0, 8, Range::Loopback),
    v4(168, 63, 129, 16, 32, Range::Platform),
    v4(169, 254, 0, 0, 16, Range::LinkLocal),
    v4(172, 16, 0, 0, 12, Range::Private),
    v4(192, 0, 0, 0, 24, Range::Protocol),
    v4(192, 0, 2, 0, 24, Range::Documentation),
    v4(192, 88, 99, 0, 24, Range::Relay),
    v4(192, 168, 0, 0, 16, Range::Private),
    v4(198, 18, 0, 0, 15, Range::Benchmarking),
    v4(198, 51, 100, 0, 24, Range::Documentation),
    v4(203, 0, 113, 0, 24, Range::Documentation),
    v4(224, 0, 0, 0, 4, Range::Multicast),
    v4(255, 255, 255, 255, 32, Range::Broadcast),
    v4(240, 0, 0, 0, 4, Range::Reserved),
];

// RFC 6890 section 2.2.3 and the IANA IPv6 special-purpose registry.
pub(crate) const V6: &[V6Row] = &[
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, Range::Unspecified),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Range::Loopback),
    // RFC 4291 section 2.5.5.1: the IPv4-compatible form.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, Range::Compatible),
    // RFC 4291 section 2.5.5.2: the IPv4-mapped form.
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Range::Mapped),
    // RFC 2765 section 2.1: the IPv4-translated form.
    v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Range::Translated),
    // RFC 6052 section 2.1: the well-known prefix of NAT64.
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Range::Nat64),
    // RFC 8215: NAT64 inside one network.
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Range::Nat64),
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Range::Discard),
    // RFC 4380 section 4: a server and a client, both IPv4, behind this prefix.
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Range::Teredo),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Range::Protocol),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Range::Documentation),
    // RFC 3056 section 2: the IPv4 address is the second and third group.
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Range::SixToFour),
    // RFC 9637: the second documentation prefix.
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Range::Documentation),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, Range::Platform),
    v6(
        [0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe],
        128,
        Range::Platform,
    ),
    v6(
        [0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200],
        128,
        Range::Platform,
    ),
    // Metadata at `::254`, credentials of pods at `::23`, names, time.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, Range::Platform),
    v6(
        [0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1],
        128,
        Range::Platform,
    ),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Range::Platform),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Range::UniqueLocal),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Range::LinkLocal),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Range::SiteLocal),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Range::Multicast),
];

// RFC 4291 section 2.4: 2000::/3 is the part given out for global unicast.
const GLOBAL_UNICAST: u128 = 0x2000 << 112;

#[cfg(test)]
mod tests;
