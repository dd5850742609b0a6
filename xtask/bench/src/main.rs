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

use std::sync::Arc;

use bench_server::accept::serve;
use bench_server::bare::Bare;
use bench_server::guarded::{self, Guarded};
use bytes::Bytes;
use hyper_util::service::TowerToHyperService;
use mcp_protocol::serve::{HttpService, Options, SessionLimits};
use oauth_rs::jose::Alg;
use resource_guard::GuardLayer;
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
