//! A plain HTTP API that only accepts access tokens made for it, on resource-guard alone.
//!
//! `protect-an-api [PORT]` prints tokens and curl lines with the status to expect from each, and serves.

#![expect(
    clippy::unwrap_used,
    reason = "an example stops at the first surprise; a server tells its operator"
)]
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod mint;
mod notes;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use http::Method;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ResourceId;
use resource_guard::{Guard, GuardConfig, GuardLayer, GuardService, TrustedIssuer};
use tokio::net::TcpListener;
use tower_layer::Layer as _;

use crate::mint::{LIFETIME, Mint};
use crate::notes::Notes;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(0, |port| port.parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let url = format!("http://{}/notes", listener.local_addr().unwrap());

    let mint = Mint::new();
    let service = protect(&url, &mint);
    println!("{}", told(&url, &mint));

    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(service.clone());
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Puts the guard in front of the API.
fn protect(url: &str, mint: &Mint) -> GuardService<Notes> {
    // What is protected, whose tokens count, and what a client without a token should ask for.
    let resource = ResourceId::parse(url).unwrap();
    let config = GuardConfig::new(resource, TrustedIssuer::new(mint.issuer.clone()))
        .resource_name("Notes")
        .scopes_supported(ScopeSet::parse("notes:read notes:write").unwrap())
        .challenge_scopes(ScopeSet::parse("notes:read").unwrap());
    let guard = Arc::new(Guard::new(config).unwrap());

    // The layer checks every request; the API only asks for the scope of its route.
    let notes = Notes {
        guard: Arc::clone(&guard),
    };
    GuardLayer::new(guard, mint.keys().fixed(), Arc::new(now)).layer(notes)
}

/// The operating system's clock; the guard has none of its own.
fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixSeconds(since.as_secs())
}

/// Tokens to try, by the name of a shell variable.
fn tokens(url: &str, mint: &Mint) -> [(&'static str, String); 4] {
    let (past, later) = (UnixSeconds(now().0 - 60), now().after(LIFETIME));
    [
        ("READER", mint.token(url, "notes:read", later)),
        ("WRITER", mint.token(url, "notes:read notes:write", later)),
        ("EXPIRED", mint.token(url, "notes:read", past)),
        (
            "ELSEWHERE",
            mint.token("https://other.example/", "notes:read", later),
        ),
    ]
}

/// One request to try: what it shows, the method, the token, and the status to expect.
type Try = (&'static str, Method, Option<&'static str>, u16);

const TRIES: [Try; 6] = [
    ("nobody in particular", Method::GET, None, 401),
    ("a good token", Method::GET, Some("READER"), 200),
    (
        "one that lacks the scope",
        Method::POST,
        Some("READER"),
        403,
    ),
    ("one that has it", Method::POST, Some("WRITER"), 200),
    ("one that has expired", Method::GET, Some("EXPIRED"), 401),
    ("one for another API", Method::GET, Some("ELSEWHERE"), 401),
];

/// The tokens, and a curl line for each request.
fn told(url: &str, mint: &Mint) -> String {
    let mut lines = vec![format!(
        "Notes are at {url}. Paste into another terminal:\n"
    )];
    for (name, token) in tokens(url, mint) {
        lines.push(format!("{name}={token}"));
    }
    for (what, method, token, expected) in TRIES {
        lines.push(format!("\n# {what}: {expected}"));
        let field = token.map(|name| format!(" -H \"authorization: Bearer ${name}\""));
        lines.push(format!(
            "curl -i -X {method} {url}{}",
            field.unwrap_or_default()
        ));
    }
    let resource = ResourceId::parse(url).unwrap();
    lines.push("\n# where clients learn who issues tokens: 200".to_owned());
    lines.push(format!("curl -i {}", resource.metadata_url()));
    lines.join("\n")
}
