//! TLS with roots given by the test: the name goes into the handshake, and nothing that fails it gets further.

use std::net::IpAddr;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;
use crate::dial::Tcp;
use crate::resolve::Resolving;

/// A certificate for `named.example`, signed by its own key, good until the year 3025.
const CERTIFICATE: &[u8] = include_bytes!("named.example.cert.der");
/// Its key, which protects nothing but these tests.
const KEY: &[u8] = include_bytes!("named.example.key.der");

fn roots(trusted: &[&'static [u8]]) -> Tls {
    let mut roots = RootCertStore::empty();
    for root in trusted {
        roots.add(CertificateDer::from(*root)).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Tls::given(Some(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

/// A connector for loopback, where every name is at `127.0.0.1`.
fn connector(tls: Tls) -> Connector {
    let at_loopback =
        |_: String| -> Resolving { Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) }) };
    let policy = Policy::dangerous_allow_loopback();
    Connector::new(policy, Limits::default(), at_loopback, Tcp, tls)
}

async fn connect(tls: Tls, host: &str, port: u16) -> Result<(), EgressError> {
    let uri = format!("https://{host}:{port}/").parse().unwrap();
    connector(tls).call(uri).await.map(drop)
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Shows the certificate to one client; the name that the client asked for, if it got that far.
async fn named_example() -> (u16, JoinHandle<Option<String>>) {
    let (listener, port) = listen().await;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY));
    let config = builder
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key)
        .unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        let handshake = move || {
            let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
            while tls.is_handshaking() {
                // The client hangs up on a certificate that it does not trust.
                if tls.complete_io(&mut stream).is_err() {
                    break;
                }
            }
            tls.server_name().map(str::to_owned)
        };
        tokio::task::spawn_blocking(handshake).await.unwrap()
    });
    (port, server)
}

#[tokio::test]
async fn a_trusted_certificate_for_the_name_is_accepted() {
    let (port, server) = named_example().await;
    connect(roots(&[CERTIFICATE]), "named.example", port)
        .await
        .unwrap();
    assert_eq!(server.await.unwrap().as_deref(), Some("named.example"));
}

#[tokio::test]
async fn a_certificate_for_another_name_or_that_nobody_trusts_is_refused() {
    for (what, trusted, host) in [
        ("another name", &[CERTIFICATE][..], "other.example"),
        ("another name below", &[CERTIFICATE], "a.named.example"),
        ("an address", &[CERTIFICATE], "127.0.0.1"),
        ("not trusted", &[], "named.example"),
    ] {
        let (port, server) = named_example().await;
        let error = connect(roots(trusted), host, port).await.unwrap_err();
        assert!(
            matches!(error, EgressError::Tls { .. }),
            "{what}: {error:?}"
        );
        assert!(!error.is_refusal(), "{what}");
        server.await.unwrap();
    }
}

#[tokio::test]
async fn without_roots_https_is_refused_before_anything_is_sent() {
    let (listener, port) = listen().await;
    let error = connect(Tls::given(None), "named.example", port)
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::NoTrustRoots), "{error:?}");
    // Not even a connection was made; an accepted one would be there at once.
    let accepted = listener.into_std().unwrap().accept();
    assert_eq!(accepted.unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn plain_text_on_an_https_port_fails_the_handshake() {
    let (listener, port) = listen().await;
    drop(tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .ok();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    }));
    let error = connect(roots(&[]), "127.0.0.1", port).await.unwrap_err();
    assert!(matches!(error, EgressError::Tls { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_within_its_own_limit_is_cut_off_by_the_one_for_connecting_in_that_ones_name() {
    let silent = |_: String| -> Resolving { Box::pin(std::future::pending()) };
    let limits = Limits {
        connect: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut connector = Connector::new(Policy::strict(), limits, silent, Tcp, roots(&[]));
    let uri = "https://named.example/".parse().unwrap();
    let error = connector.call(uri).await.map(drop).unwrap_err();
    assert!(
        matches!(error, EgressError::ConnectTimeout { limit } if limit == Duration::from_secs(1)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_handshake_that_does_not_move_meets_the_connect_limit() {
    let (listener, port) = listen().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 1];
        stream.read_exact(&mut hello).await.unwrap();
        tokio::time::pause();
        std::future::pending::<()>().await;
        drop(stream);
    });
    let error = connect(roots(&[]), "127.0.0.1", port).await.unwrap_err();
    assert!(
        matches!(error, EgressError::ConnectTimeout { limit } if limit == Duration::from_secs(5)),
        "{error:?}"
    );
    server.abort();
}
