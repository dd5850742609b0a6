//! The server of mcp-echo, which only accepts access tokens made for it.
//!
//! `mcp-protected [PORT]` prints tokens and curl lines for both eras, and serves.

#![expect(
    clippy::unwrap_used,
    reason = "an example stops at the first surprise; a server tells its operator"
)]
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod echo;
mod mint;
mod requests;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use mcp_protocol::serve::{Gate, HttpService, Options};
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::ResourceId;
use resource_guard::{
    Guard, GuardConfig, GuardLayer, GuardService, Principal, Requirement, TrustedIssuer,
};
use tokio::net::TcpListener;
use tower_layer::Layer as _;

use crate::echo::Echo;
use crate::mint::{LIFETIME, Mint};
use crate::requests::{curl, requests};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(0, |port| port.parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());

    let mint = Mint::new();
    let service = serve(&url, &mint);
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

/// The handler as a service of `http` requests, with the guard in front.
fn serve(url: &str, mint: &Mint) -> GuardService<HttpService<Echo>> {
    let resource = ResourceId::parse(url).unwrap();
    let config = GuardConfig::new(resource, TrustedIssuer::new(mint.issuer.clone()))
        .resource_name("Echo")
        .scopes_supported(ScopeSet::parse("echo").unwrap())
        .challenge_scopes(ScopeSet::parse("echo").unwrap());
    let guard = Arc::new(Guard::new(config).unwrap());

    let options = Options {
        gate: Some(gate(&guard)),
        ..Options::default()
    };
    GuardLayer::new(guard, mint.keys().fixed(), Arc::new(now))
        .layer(HttpService::new(Echo, options))
}

/// Calling the tool takes a scope; looking around takes any valid token.
fn gate(guard: &Arc<Guard>) -> Gate {
    let guard = Arc::clone(guard);
    Arc::new(move |caller, operation| {
        if operation.method != "tools/call" {
            return Ok(());
        }
        // The layer lets nothing through without a principal.
        let principal = caller.get::<Principal>().unwrap();
        guard
            .require(principal, &Requirement::any_of(["echo"]).unwrap())
            .map_err(|refused| Box::new(guard.response(&refused)))
    })
}

/// The operating system's clock; the guard has none of its own.
fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixSeconds(since.as_secs())
}

/// Tokens to try, by the name of a shell variable, with the status of a call that carries it.
fn tokens(url: &str, mint: &Mint) -> [(&'static str, String, u16); 4] {
    let (past, later) = (UnixSeconds(now().0 - 60), now().after(LIFETIME));
    let elsewhere = "https://other.example/mcp";
    [
        ("GOOD", mint.token(url, "echo", later), 200),
        ("POOR", mint.token(url, "", later), 403),
        ("EXPIRED", mint.token(url, "echo", past), 401),
        ("ELSEWHERE", mint.token(elsewhere, "echo", later), 401),
    ]
}

/// The tokens, and a curl line for each request.
fn told(url: &str, mint: &Mint) -> String {
    let mut lines = vec![format!(
        "The tool is at {url}. Paste into another terminal:\n"
    )];
    lines.extend(tokens(url, mint).map(|(name, token, _)| format!("{name}={token}")));
    for post in requests() {
        lines.push(format!("\n# {}: 200", post.what));
        lines.push(curl(url, &post, " -H \"authorization: Bearer $GOOD\""));
    }
    let [.., call] = requests();
    for (name, _, status) in tokens(url, mint) {
        lines.push(format!("\n# the same call with ${name}: {status}"));
        let field = format!(" -H \"authorization: Bearer ${name}\"");
        lines.push(curl(url, &call, &field));
    }
    lines.push("\n# the same call without a token: 401".to_owned());
    lines.push(curl(url, &call, ""));
    lines.join("\n")
}
