//! Which of several addresses is connected to, and the limits on lookups and connections.

use std::io::ErrorKind;

use tokio::time::Instant;

use super::{At, NAME, Network, PUBLIC, Step, get, ok, seconds, send};
use crate::client::Client;
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;
use crate::resolve::{Resolve, Resolving};

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_where_one_refuses_or_swallows() {
    let public = format!("{PUBLIC}:443");
    for (first, takes) in [(None, seconds(0)), (Some(At::Silence), seconds(5) / 2)] {
        for dead in ["93.184.216.35", "2606:4700::1"] {
            let mut network = Network::public(ok("{}")).name(NAME, &[&[dead, PUBLIC]]);
            let dead = match dead.contains(':') {
                true => format!("[{dead}]:443"),
                false => format!("{dead}:443"),
            };
            if let Some(first) = &first {
                network = network.at(&dead, first.clone());
            }
            let begun = Instant::now();
            let response = network.strict().send(get("https://named.example/")).await;
            assert_eq!(response.unwrap().body(), "{}");
            assert_eq!(network.dialed(), [dead, public.clone()]);
            assert_eq!(begun.elapsed().as_millis() / 10, takes.as_millis() / 10);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn four_addresses_are_tried_and_no_more() {
    let many = [
        "8.8.8.1", "8.8.8.2", "8.8.8.3", "8.8.8.4", "8.8.8.5", PUBLIC,
    ];
    let network = Network::public(ok("{}")).name(NAME, &[&many]);
    let error = network.strict().send(get("https://named.example/")).await;
    assert!(matches!(
        error.unwrap_err(),
        EgressError::Connect {
            kind: ErrorKind::ConnectionRefused,
            ..
        }
    ));
    assert_eq!(network.dialed().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_family_that_leads_nowhere_does_not_use_up_the_attempts() {
    let sixes = [
        "2606:4700::1",
        "2606:4700::2",
        "2606:4700::3",
        "2606:4700::4",
    ];
    let answers: Vec<&str> = sixes.into_iter().chain([PUBLIC, "8.8.8.8"]).collect();
    let mut network = Network::public(ok("{}")).name(NAME, &[&answers]);
    for six in sixes {
        network = network.at(&format!("[{six}]:443"), At::Silence);
    }
    let response = network.strict().send(get("https://named.example/")).await;
    assert_eq!(response.unwrap().body(), "{}");
    assert_eq!(
        network.dialed(),
        ["[2606:4700::1]:443".to_owned(), format!("{PUBLIC}:443")]
    );
    // Where both are dead the order shows.
    let network = Network::default().name(NAME, &[&answers]);
    assert!(
        network
            .strict()
            .send(get("https://named.example/"))
            .await
            .is_err()
    );
    let order = [
        "[2606:4700::1]:443",
        "93.184.216.34:443",
        "[2606:4700::2]:443",
        "8.8.8.8:443",
    ];
    assert_eq!(network.dialed(), order);
}

#[tokio::test(start_paused = true)]
async fn addresses_that_swallow_end_at_the_connect_limit() {
    let mut network = Network::default().name(NAME, &[&["8.8.8.1", "8.8.8.2", "8.8.8.3"]]);
    for address in ["8.8.8.1:443", "8.8.8.2:443", "8.8.8.3:443"] {
        network = network.at(address, At::Silence);
    }
    let begun = Instant::now();
    let error = network.strict().send(get("https://named.example/")).await;
    let error = error.unwrap_err();
    assert!(
        matches!(
            error,
            EgressError::Connect {
                kind: ErrorKind::TimedOut,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 5);
    assert_eq!(network.dialed().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_does_not_end_keeps_its_place() {
    let silent = |_: String| -> Resolving { Box::pin(std::future::pending()) };
    let limits = Limits {
        lookups: 2,
        ..Limits::default()
    };
    let client = Client::with_resolver(Policy::strict(), limits, silent);
    for n in 0..2 {
        let error = client.send(get(&format!("https://n{n}.example/"))).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, EgressError::ResolveTimeout { .. }),
            "{error:?}"
        );
    }
    let begun = Instant::now();
    let error = client.send(get("https://n3.example/")).await.unwrap_err();
    assert!(
        matches!(error, EgressError::TooManyLookups { limit: 2 }),
        "{error:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 3);
    // A literal needs none.
    let error = client.send(get("https://127.0.0.1/")).await.unwrap_err();
    assert!(
        matches!(error, EgressError::ForbiddenAddress { .. }),
        "{error:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lookup_waits_for_one_that_ends_in_time() {
    let network = Network::public(ok("{}"));
    let inner = network.clone();
    let slow = move |name: String| -> Resolving {
        let found = inner.resolve(name);
        Box::pin(async move {
            tokio::time::sleep(seconds(1)).await;
            found.await
        })
    };
    let limits = Limits {
        lookups: 1,
        ..Limits::default()
    };
    let client = Client::with_resolver(Policy::strict(), limits, slow);
    // Both look up; the real sockets behind this client are never reached, since the name is inside.
    let network = network.name(NAME, &[&["10.0.0.1"]]);
    let (a, b) = tokio::join!(
        client.send(get("https://named.example/")),
        client.send(get("https://named.example/"))
    );
    for error in [a.unwrap_err(), b.unwrap_err()] {
        assert!(
            matches!(error, EgressError::ForbiddenAddress { .. }),
            "{error:?}"
        );
    }
    assert_eq!(network.lookups().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_connection_too_many_waits_for_a_place_and_is_refused_in_the_end() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let network = Network::public(vec![Step::Wait(seconds(7))])
        .name("b.example", &[&["8.8.8.8"]])
        .at("8.8.8.8:80", At::Http(ok("b")));
    let client = network.client(Policy::strict(), limits);
    let (first, second) = tokio::join!(client.send(get("https://named.example/")), async {
        tokio::time::sleep(seconds(1)).await;
        let begun = Instant::now();
        let error = client.send(get("https://b.example/")).await.unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), 5);
        error
    });
    assert!(matches!(first.unwrap_err(), EgressError::Deadline { .. }));
    assert!(
        matches!(second, EgressError::TooManyConnections { limit: 1 }),
        "{second:?}"
    );
    assert_eq!(network.dialed(), [format!("{PUBLIC}:443")]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_connection_makes_room_for_one_that_waits() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let close = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let network = Network::public(vec![Step::Wait(seconds(2)), send(close), Step::Close]);
    let client = network.client(Policy::strict(), limits);
    let (first, second) = tokio::join!(
        client.send(get("https://named.example/1")),
        client.send(get("https://named.example/2"))
    );
    first.unwrap();
    second.unwrap();
    assert_eq!(network.dialed().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_makes_room_after_four_to_eight_seconds() {
    let limits = Limits {
        connections: 1,
        connect: seconds(9),
        ..Limits::default()
    };
    let network = Network::public(ok("{}"));
    let client = network.client(Policy::strict(), limits);
    client.send(get("https://named.example/")).await.unwrap();
    let begun = Instant::now();
    // The same address by itself is another host, and so another connection; its certificate is for the name.
    let error = client.send(get(&format!("https://{PUBLIC}/"))).await;
    let error = error.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
    let waited = begun.elapsed();
    assert!(waited >= seconds(4) && waited <= seconds(8), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn one_host_does_not_take_every_place() {
    let limits = Limits {
        in_flight_per_host: 2,
        ..Limits::default()
    };
    let network = Network::public(vec![Step::Wait(seconds(60))]);
    let client = network.client(Policy::strict(), limits);
    let slow = |path| client.send(get(&format!("https://{path}/")));
    let (a, b, c, d) = tokio::join!(
        slow("named.example"),
        slow("NAMED.example"),
        slow("named.example"),
        slow("other.example")
    );
    assert!(matches!(a.unwrap_err(), EgressError::Deadline { .. }));
    // Names are looked up as they are written, and this one is not known here.
    assert!(matches!(b.unwrap_err(), EgressError::NotFound { .. }));
    let c = c.unwrap_err();
    assert!(
        matches!(c, EgressError::TooManyForHost { ref host, limit: 2 } if host == NAME),
        "{c:?}"
    );
    assert!(!c.is_refusal());
    assert!(matches!(d.unwrap_err(), EgressError::NotFound { .. }));
}
