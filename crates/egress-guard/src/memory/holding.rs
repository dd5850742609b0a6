//! Servers that would keep a connection for themselves: what they hold is given back.

use std::pin::pin;

use bytes::Bytes;
use http::Request;
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{At, NAME, Network, PUBLIC, Step, get, http2, seconds, send};
use crate::dial::Duplex;
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;

/// One exchange that ends at its deadline, and then one with somebody else, for which there is no second connection.
async fn next_after(network: Network, request: Request<Bytes>) -> EgressError {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    // The certificate is for the name, so a handshake that fails shows that there was a place.
    let network = network.at("8.8.8.8:443", At::Https(Vec::new()));
    let client = network.client(Policy::strict(), limits);
    let error = client.send(request).await.unwrap_err();
    assert!(matches!(error, EgressError::Deadline { .. }), "{error:?}");
    sleep(seconds(60)).await;
    client.send(get("https://8.8.8.8/")).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_in_the_middle_does_not_keep_its_place() {
    for said in [
        "",
        "HTTP/1.1 103 Early Hints\r\n\r\n",
        "HTTP/1.1 200 OK\r\na: b",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\na: b",
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}",
    ] {
        let network = Network::public(vec![send(said), Step::Wait(seconds(24 * 60 * 60))]);
        let next = next_after(network, get(&format!("https://{NAME}/"))).await;
        assert!(matches!(next, EgressError::Tls { .. }), "{said}: {next:?}");
    }
}

/// Asks for answers that it never reads, until nothing can be written to it any more.
fn ask_and_never_read(mut stream: Box<dyn Duplex>) {
    drop(tokio::spawn(async move {
        // RFC 9113 sections 6.5 and 6.7: empty settings, and a ping.
        let mut asked = stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await;
        while asked.is_ok() {
            let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
            asked = stream.write_all(&ping).await;
        }
    }));
}

#[tokio::test(start_paused = true)]
async fn an_http2_server_that_reads_nothing_does_not_keep_its_place() {
    let network = Network::default()
        .name(NAME, &[&[PUBLIC]])
        .at(&format!("{PUBLIC}:443"), At::Tls(ask_and_never_read));
    let next = next_after(network, get(&format!("https://{NAME}/"))).await;
    assert!(matches!(next, EgressError::Tls { .. }), "{next:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_the_request_does_not_keep_its_place() {
    let network = Network::public(vec![Step::Wait(seconds(24 * 60 * 60))]);
    let post = Request::post(format!("https://{NAME}/")).body(Bytes::from(vec![b'x'; 1 << 20]));
    let next = next_after(network, post.unwrap()).await;
    assert!(matches!(next, EgressError::Tls { .. }), "{next:?}");
}

/// Serves for three seconds; from then on the connection is open and nobody is there.
fn serve_and_go(stream: Box<dyn Duplex>) {
    drop(tokio::spawn(async move {
        let mut serving = pin!(http2::serving(stream));
        timeout(seconds(3), serving.as_mut()).await.ok();
        std::future::pending::<()>().await;
    }));
}

#[tokio::test(start_paused = true)]
async fn an_http2_connection_that_nobody_answers_on_is_given_up_though_it_is_in_use() {
    let network = Network::default()
        .name(NAME, &[&[PUBLIC]])
        .at(&format!("{PUBLIC}:443"), At::Tls(serve_and_go));
    let client = network.strict();
    let mut asking = JoinSet::new();
    // More often than an idle connection is closed.
    for n in 0..60 {
        let client = client.clone();
        asking.spawn(async move {
            sleep(seconds(n)).await;
            let answered = client.send(get(&format!("https://{NAME}/0"))).await.is_ok();
            (n, answered)
        });
    }
    let answered = asking.join_all().await;
    let is_late = |(n, answered): &(u64, bool)| *n >= 30 && *answered;
    assert!(answered.iter().any(is_late), "{answered:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_offers_another_protocol_does_not_keep_its_place() {
    let other = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n";
    let network = Network::public(vec![send(other), Step::Wait(seconds(24 * 60 * 60))])
        .at("8.8.8.8:443", At::Https(Vec::new()));
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let client = network.client(Policy::strict(), limits);
    let answer = client.send(get(&format!("https://{NAME}/"))).await.unwrap();
    assert_eq!(answer.status(), 101);
    let next = client.send(get("https://8.8.8.8/")).await.unwrap_err();
    assert!(matches!(next, EgressError::Tls { .. }), "{next:?}");
    drop(answer);
}
