//! The servers that `cargo xtask bench` compares, behind one and the same accept loop.
//!
//! `bench-server ours` serves `HttpService`, `bench-server sessions` the same with sessions, and
//! `bench-server bare BYTES` answers each request with so many bytes by hyper alone, which
//! `bench-server guarded BYTES` has a guard in front of. Each prints its port and serves until it is
//! killed.

#![expect(
    clippy::unwrap_used,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the port is its only output")]

mod tools;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bench_server::bare::Bare;
use bench_server::guarded::{self, Guarded};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use mcp_protocol::serve::{HttpService, Options, SessionLimits};
use oauth_rs::jose::Alg;
use resource_guard::GuardLayer;
use tokio::net::TcpListener;
use tower_layer::Layer as _;

use crate::tools::Tools;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["ours"] => {
            let service = HttpService::new(Tools::new(), Options::default());
            serve(TowerToHyperService::new(service)).await;
        }
        ["sessions"] => {
            let limits = SessionLimits::new(|bytes| getrandom::fill(bytes).unwrap());
            let options = Options {
                sessions: Some(limits),
                ..Options::default()
            };
            let service = HttpService::new(Tools::new(), options);
            serve(TowerToHyperService::new(service)).await;
        }
        ["bare", bytes] => {
            let answer = Bytes::from("x".repeat(bytes.parse().unwrap()));
            serve(Bare::new(answer)).await;
        }
        ["guarded", bytes] => {
            let answer = Bytes::from("x".repeat(bytes.parse().unwrap()));
            let Guarded { guard, keys, .. } = Guarded::new(Alg::Es256);
            let layer = GuardLayer::new(Arc::new(guard), keys.fixed(), Arc::new(guarded::now));
            let service = layer.layer(Bare::new(answer));
            serve(TowerToHyperService::new(service)).await;
        }
        _ => println!("usage: bench-server ours | sessions | bare BYTES | guarded BYTES"),
    }
}

/// Accepts connections and serves each with keep-alive and the header timer.
async fn serve<S, B>(service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service.clone()),
        );
    }
}
