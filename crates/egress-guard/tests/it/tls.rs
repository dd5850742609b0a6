//! TLS: the name goes into the handshake, and nothing that fails it gets further.

use std::net::IpAddr;
use std::time::Duration;

use egress_guard::{Client, EgressError, Limits, Policy, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{get, listen, loopback};

/// `https` cannot be tried where the machine has no certificate store.
fn has_roots(error: &EgressError) -> bool {
    !matches!(error, EgressError::NoTrustRoots)
}

#[tokio::test]
async fn the_handshake_names_the_host_and_goes_to_the_checked_address() {
    let (listener, address) = listen().await;
    let resolver = |name: String| -> Resolving {
        assert_eq!(name, "named.example");
        Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) })
    };
    let client = Client::with_resolver(
        Policy::dangerous_allow_loopback(),
        Limits::default(),
        resolver,
    );
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let read = stream.read(&mut hello).await.unwrap();
        hello.truncate(read);
        // A fatal alert: handshake_failure.
        stream.write_all(&[21, 3, 3, 0, 2, 2, 40]).await.unwrap();
        hello
    });
    let url = format!("https://named.example:{}/", address.port());
    let error = client.send(get(&url)).await.unwrap_err();
    assert!(has_roots(&error), "this test needs a certificate store");
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
    let hello = server.await.unwrap();
    // RFC 8446 section 5.1: a handshake record; RFC 6066 section 3: the name stands in it as it is.
    assert_eq!(hello[0], 22);
    assert!(hello.windows(13).any(|w| w == b"named.example"));
}

#[tokio::test]
async fn plain_text_on_an_https_port_fails_the_handshake() {
    let (listener, address) = listen().await;
    drop(tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .ok();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    }));
    let error = loopback(Limits::default())
        .send(get(&format!("https://{address}/")))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_handshake_that_does_not_move_meets_the_connect_limit() {
    let (listener, address) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 1];
        stream.read_exact(&mut hello).await.unwrap();
        tokio::time::pause();
        std::future::pending::<()>().await;
        drop(stream);
    });
    let error = loopback(Limits::default())
        .send(get(&format!("https://{address}/")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, EgressError::ConnectTimeout { limit } if limit == Duration::from_secs(5)),
        "{error:?}"
    );
    server.abort();
}
