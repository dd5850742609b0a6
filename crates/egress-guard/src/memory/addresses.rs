//! The table of forbidden addresses through the whole client: what is refused, and that nothing is dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::{At, NAME, Network, PUBLIC, get, ok, send};
use crate::address::{Range, V4, V6};
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;

/// The first and the last address of each row, and of the rules that are not rows.
fn edges() -> Vec<(IpAddr, Range)> {
    let mut all = Vec::new();
    for row in V4 {
        let last = row.network | u32::MAX.checked_shr(row.prefix).unwrap_or(0);
        all.push((IpAddr::V4(row.network.into()), row.range));
        all.push((IpAddr::V4(last.into()), row.range));
    }
    for row in V6 {
        let last = row.network | u128::MAX.checked_shr(row.prefix).unwrap_or(0);
        all.push((IpAddr::V6(row.network.into()), row.range));
        all.push((IpAddr::V6(last.into()), row.range));
    }
    for (text, range) in [
        ("4000::", Range::Reserved),
        ("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Range::Reserved),
        ("2606:4700::5efe:7f00:1", Range::Isatap),
    ] {
        all.push((text.parse().unwrap(), range));
    }
    all
}

fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// Whether this is a refusal of exactly this address; a row may lie inside another one that stands before it.
fn is_refusal_of(error: &EgressError, at: IpAddr) -> bool {
    matches!(error, EgressError::ForbiddenAddress { address, .. } if *address == at)
}

#[tokio::test(start_paused = true)]
async fn each_row_is_refused_as_a_literal_and_as_the_answer_for_a_name() {
    let network = Network::default();
    let client = network.strict();
    let mut names = 0;
    for (address, range) in edges() {
        let url = format!("https://{}/", literal(address));
        let error = client.send(get(&url)).await.unwrap_err();
        assert!(is_refusal_of(&error, address), "{url}: {error:?}");
        assert_eq!(network.lookups().len(), names, "{url}");

        let name = format!("n{names}.example");
        names += 1;
        let network = network.clone().name(&name, &[&[&address.to_string()]]);
        let error = client
            .send(get(&format!("https://{name}/")))
            .await
            .unwrap_err();
        assert!(is_refusal_of(&error, address), "{range} {error:?}");
        assert!(error.is_refusal());
        assert_eq!(network.lookups().len(), names);
    }
    assert!(names > 60, "{names}");
    assert_eq!(network.dialed(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn each_odd_host_is_refused_before_a_lookup() {
    // Every name leads somewhere here, so a lookup of one of these would succeed.
    let network = Network::default();
    let client = network.strict();
    for host in [
        // Numbers that some resolvers take for an address.
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "0x7f.0.0.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0x",
        "1.1.1.1.",
        "127.0.0.1.",
        "127.0.0.256",
        "1.2.3.4.5",
        "00000000000000000000000000000177.1",
        "a.example.127",
        "a.example.0x7f",
        "a.example.0x7f.",
        // IPv6 that is none, and zones.
        "[::1%25eth0]",
        "[fe80::1%25lo]",
        "[::ffff:127.0.0.1%25]",
        "[1:2:3:4:5:6:7:8:9]",
        "[::127.1]",
        "[::ffff:0x7f.0.0.1]",
        "[v1.fe80]",
        "[]",
        "::1",
        // Names that are none.
        "%31%32%37.0.0.1",
        "127.0.0.%31",
        "loc%61lhost",
        "a%00.example",
        "a..example",
        ".a.example",
        "a.example..",
        ".",
        "127\u{3002}0\u{3002}0\u{3002}1",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "\u{2460}.example",
        "b\u{fc}cher.example",
        "a\u{ad}.example",
        "a.example\\.b.example",
        "a.example,b.example",
        "a example",
        "a.example\t",
    ] {
        let url = format!("https://{host}/");
        // Some do not even get past the type of the URL.
        let Ok(uri) = url.parse::<Uri>() else {
            continue;
        };
        let mut request = get("https://a.example/");
        *request.uri_mut() = uri;
        let error = client.send(request).await.unwrap_err();
        assert!(
            matches!(
                error,
                EgressError::Host { .. }
                    | EgressError::Scheme { .. }
                    | EgressError::Port { port: 0 }
            ),
            "{host:?}: {error:?}"
        );
        assert!(error.is_refusal(), "{host:?}");
    }
    assert_eq!(network.lookups(), Vec::<String>::new());
    assert_eq!(network.dialed(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_final_dot_does_not_make_a_name_another_one() {
    let network = Network::public(ok("{}"))
        .name("named.example.", &[&["10.0.0.1"]])
        .name("localhost.", &[&["127.0.0.1"]]);
    for url in ["https://named.example./", "https://localhost./"] {
        let error = network.strict().send(get(url)).await.unwrap_err();
        assert!(
            matches!(error, EgressError::ForbiddenAddress { .. }),
            "{error:?}"
        );
    }
    assert_eq!(network.dialed(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn of_public_and_private_records_only_the_public_ones_are_dialled() {
    let answers: [&[&str]; 4] = [
        &["10.0.0.1", PUBLIC],
        &[PUBLIC, "10.0.0.1"],
        &["::1", "fd00::1", "::ffff:93.184.216.34", PUBLIC],
        &["169.254.169.254", PUBLIC, "127.0.0.1"],
    ];
    for answer in answers {
        let network = Network::public(ok("{}")).name(NAME, &[answer]);
        let response = network.strict().send(get("https://named.example/")).await;
        assert_eq!(response.unwrap().body(), "{}");
        assert_eq!(network.dialed(), [format!("{PUBLIC}:443")], "{answer:?}");
    }
    // Where the public one does not answer, the private one is still not an alternative.
    let network = Network::default()
        .name(NAME, &[&[PUBLIC, "10.0.0.1"]])
        .at("10.0.0.1:443", At::Https(ok("secret")));
    let error = network.strict().send(get("https://named.example/")).await;
    assert!(matches!(error.unwrap_err(), EgressError::Connect { .. }));
    assert_eq!(network.dialed(), [format!("{PUBLIC}:443")]);
}

#[tokio::test(start_paused = true)]
async fn there_is_one_lookup_between_the_url_and_the_connection() {
    // Whoever asks a second time is sent inside.
    let network = Network::public(ok("{}"))
        .name(NAME, &[&[PUBLIC], &["169.254.169.254"]])
        .at("169.254.169.254:443", At::Https(ok("secret")));
    let response = network.strict().send(get("https://named.example/")).await;
    assert_eq!(response.unwrap().body(), "{}");
    assert_eq!(network.lookups(), [NAME]);
    assert_eq!(network.dialed(), [format!("{PUBLIC}:443")]);
    // The name went into the handshake and into Host.
    assert!(network.requests()[0].contains("host: named.example\r\n"));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_moves_inside_between_two_requests_is_refused_at_the_second() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let network = Network::public(vec![send(answer), super::Step::Close])
        .name(NAME, &[&[PUBLIC], &["10.0.0.1"]])
        .at("10.0.0.1:443", At::Https(ok("secret")));
    let client = network.strict();
    client.send(get("https://named.example/")).await.unwrap();
    let error = client
        .send(get("https://named.example/"))
        .await
        .unwrap_err();
    assert!(
        is_refusal_of(&error, IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
        "{error:?}"
    );
    assert_eq!(network.lookups(), [NAME, NAME]);
    assert_eq!(network.dialed(), [format!("{PUBLIC}:443")]);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_inside_is_a_response_and_goes_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
        );
        let network =
            Network::public(vec![send(&answer)]).at("169.254.169.254:443", At::Https(ok("secret")));
        let response = network.strict().send(get("https://named.example/")).await;
        assert_eq!(response.unwrap().status(), status);
        assert_eq!(network.dialed(), [format!("{PUBLIC}:443")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_of_a_lax_client_is_not_there_for_a_strict_one() {
    let network = Network::default()
        .name(NAME, &[&["127.0.0.1"]])
        .at("127.0.0.1:443", At::Https(ok("{}")));
    let lax = network.client(Policy::dangerous_allow_loopback(), Limits::default());
    let strict = network.strict();
    for _ in 0..2 {
        lax.send(get("https://named.example/")).await.unwrap();
    }
    // It is open and idle: the second request needed no other.
    assert_eq!(network.dialed(), ["127.0.0.1:443"]);
    let error = strict
        .send(get("https://named.example/"))
        .await
        .unwrap_err();
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert!(is_refusal_of(&error, loopback), "{error:?}");
    let configured = network.client(Policy::configured(), Limits::default());
    let error = configured
        .send(get("https://named.example/"))
        .await
        .unwrap_err();
    assert!(is_refusal_of(&error, loopback), "{error:?}");
    assert_eq!(network.dialed(), ["127.0.0.1:443"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_operator_wrote_down_may_be_inside_and_strangers_may_not_use_the_connection() {
    let network = Network::default()
        .name(NAME, &[&["10.0.0.1"]])
        .at("10.0.0.1:8443", At::Https(ok("{}")));
    let url = "https://named.example:8443/";
    let configured = network.client(Policy::configured(), Limits::default());
    assert_eq!(configured.send(get(url)).await.unwrap().body(), "{}");
    let strict = network.client(Policy::strict().with_port(8443), Limits::default());
    let error = strict.send(get(url)).await.unwrap_err();
    let inside = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    assert!(is_refusal_of(&error, inside), "{error:?}");
    assert_eq!(network.dialed(), ["10.0.0.1:8443"]);
    // Where credentials of machines are given out nobody has business.
    for (text, range) in [
        ("169.254.169.254", Range::LinkLocal),
        ("168.63.129.16", Range::Platform),
        ("100.100.100.200", Range::Platform),
        ("fd00:ec2::23", Range::Platform),
        ("fd00:ec2::254", Range::Platform),
        ("fd00:c1::a9fe:a9fe", Range::Platform),
        ("fd20:ce::254", Range::Platform),
        ("::1", Range::Loopback),
        ("::ffff:10.0.0.1", Range::Mapped),
    ] {
        let url = format!("https://{}/", literal(text.parse().unwrap()));
        let error = configured.send(get(&url)).await.unwrap_err();
        assert!(
            matches!(error, EgressError::ForbiddenAddress { range: r, .. } if r == range),
            "{url}: {error:?}"
        );
    }
    let error = configured
        .send(get("http://named.example/"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Scheme { .. }), "{error:?}");
}

/// What is looked up is what was written, and a spelling with other letters is not another host.
#[tokio::test(start_paused = true)]
async fn an_ipv6_literal_is_dialled_as_it_is() {
    let network = Network::default();
    let error = network
        .strict()
        .send(get("https://[2606:4700:0::1]/"))
        .await;
    assert!(matches!(error.unwrap_err(), EgressError::Connect { .. }));
    let address: Ipv6Addr = "2606:4700::1".parse().unwrap();
    assert_eq!(network.dialed(), [format!("[{address}]:443")]);
    assert_eq!(network.lookups(), Vec::<String>::new());
}
