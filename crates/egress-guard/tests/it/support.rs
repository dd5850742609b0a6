//! Servers on loopback and resolvers with fixed answers.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use egress_guard::{Client, Limits, Policy, Resolving};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

pub(crate) fn loopback(limits: Limits) -> Client {
    Client::new(Policy::dangerous_allow_loopback(), limits)
}

/// Answers the nth lookup with the nth list, the last one for ever, and counts the lookups.
pub(crate) fn scripted(
    answers: &'static [&'static [&'static str]],
) -> (
    impl Fn(String) -> Resolving + Send + Sync + 'static,
    Arc<AtomicUsize>,
) {
    let lookups = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&lookups);
    let resolve = move |_: String| -> Resolving {
        let nth = counter
            .fetch_add(1, Ordering::SeqCst)
            .min(answers.len() - 1);
        let found: Vec<IpAddr> = answers[nth].iter().map(|a| a.parse().unwrap()).collect();
        Box::pin(async move { Ok(found) })
    };
    (resolve, lookups)
}

/// A listener on an IPv4 loopback port of its own.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts one connection and reads one request's head.
pub(crate) async fn accept_request(listener: &TcpListener) -> (TcpStream, String) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = read_head(&mut stream).await;
    (stream, head)
}

/// Reads one request's head.
pub(crate) async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "closed before the end of the head");
        head.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(head).unwrap()
}

/// Answers one request with these bytes, and closes.
pub(crate) async fn answer_with(bytes: Vec<u8>) -> SocketAddr {
    let (listener, address) = listen().await;
    drop(tokio::spawn(async move {
        let (mut stream, _) = accept_request(&listener).await;
        stream.write_all(&bytes).await.ok();
        stream.shutdown().await.ok();
        // Read to the end, so that closing does not throw away what is on its way.
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.ok();
    }));
    address
}
