//! What a million requests with distinct invalid tokens leave behind, and how often they make a guard
//! fetch keys.
//!
//! `bench-strangers COUNT` sends them through the layer, with keys from a cache whose client counts,
//! after a tenth of as many that fill whatever is bounded. It prints the bytes that are left after
//! them, the tokens that are remembered, the fetches of keys, and the seconds that it took. Of ten
//! tokens one has a forged signature, five an invented key, and four are garbled.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program for measuring stops at the first surprise"
)]
#![expect(clippy::print_stdout, reason = "the numbers are its only output")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use allocation_counter::measure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bench_server::bare::Bare;
use bench_server::guarded::{Guarded, now, token};
use bench_server::signature;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use oauth_rs::jose::{Alg, PublicJwkSet};
use oauth_rs::uri::Issuer;
use resource_guard::fetch::{Fetched, HttpClient, KeyCache, KeyLimits, KeySource, VerifiedTokens};
use resource_guard::{GuardLayer, GuardService};
use tower_layer::Layer as _;
use tower_service::Service;

fn main() {
    let count = std::env::args().nth(1).map(|count| count.parse().unwrap());
    let count: usize = count.unwrap_or_else(|| panic!("bench-strangers COUNT"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut world = World::new();
    let before = Instant::now();
    assert_eq!(
        runtime.block_on(world.send(&world.token.clone())),
        StatusCode::OK
    );
    let warm = count / 10;
    runtime.block_on(world.strangers(0..warm));
    let left = measure(|| runtime.block_on(world.strangers(warm..warm + count)));
    println!(
        "{} {} {} {}",
        left.bytes_current,
        world.tokens.len(),
        world.keys.fetches(),
        before.elapsed().as_secs(),
    );
}

struct World {
    service: GuardService<Bare>,
    keys: KeyCache,
    tokens: VerifiedTokens,
    token: String,
}

impl World {
    fn new() -> Self {
        let Guarded { guard, tokens, .. } = Guarded::new(Alg::Es256);
        let keys = PublicJwkSet {
            keys: vec![signature::key(Alg::Es256).public_jwk().clone()],
        };
        let endpoint = Endpoint(serde_json::to_vec(&keys).unwrap().into());
        let issuer = Issuer::parse("https://as.example.com").unwrap();
        let source = KeySource::At("https://as.example.com/jwks".to_owned());
        let client = HttpClient::new(endpoint);
        let keys = KeyCache::new([(issuer, source)], client, KeyLimits::default());
        let layer = GuardLayer::new(Arc::new(guard), Fetched::new(keys.clone()), Arc::new(now));
        Self {
            service: layer.layer(Bare::new(Bytes::new())),
            keys,
            tokens,
            token: token(Alg::Es256, 0),
        }
    }

    async fn strangers(&mut self, numbers: std::ops::Range<usize>) {
        let (body, _) = self.token.rsplit_once('.').unwrap();
        let (_, payload) = body.split_once('.').unwrap();
        let (body, payload) = (body.to_owned(), payload.to_owned());
        for number in numbers {
            // As long as a signature, with a number in the middle.
            let signature = format!("{:A>30}{number:0>10}{:A>46}", "", "");
            let token = match number % 10 {
                0 => format!("{body}.{signature}"),
                1..6 => {
                    let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{number}"}}"#);
                    let header = URL_SAFE_NO_PAD.encode(header);
                    format!("{header}.{payload}.{signature}")
                }
                _ => format!("e30.{number}.AAAA"),
            };
            assert_eq!(self.send(&token).await, StatusCode::UNAUTHORIZED);
        }
    }

    async fn send(&mut self, token: &str) -> StatusCode {
        let request = Request::get("https://rs.example.com/mcp");
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.body(Empty::<Bytes>::new()).unwrap();
        self.service.call(request).await.unwrap().status()
    }
}

/// The key endpoint.
#[derive(Clone)]
struct Endpoint(Bytes);

impl Service<Request<Bytes>> for Endpoint {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        ready(Ok(Response::new(self.0.clone())))
    }
}
