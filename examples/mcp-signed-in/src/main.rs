//! An MCP client that signs a person in whenever the server wants it.
//!
//! `mcp-signed-in URL` lists the tools of a server that is protected as the Model Context Protocol asks.

#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod person;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use egress_guard::{Limits, Policy};
use http::{Request, Response};
use mcp_protocol::client::Client;
use mcp_protocol::types::Implementation;
use oauth_rs::client::flow::FlowOptions;
use oauth_rs::client::store::MemoryStore;
use oauth_rs::send::{Browser, Egress, ProgramError, Seams, SignInLayer, SignedIn};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::RedirectUri;
use tower_layer::Layer as _;
use tower_service::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        println!("usage: mcp-signed-in URL");
        return ExitCode::FAILURE;
    };
    match list(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn list(url: &str) -> Result<(), Box<dyn Error>> {
    // A server chooses where its sign-in leads: to this machine only if it is on this machine itself.
    let policy = if url.starts_with("http://") {
        Policy::dangerous_allow_loopback()
    } else {
        Policy::strict()
    };
    let http = egress_guard::Client::new(policy, Limits::default());
    let client = signed_in(url, http, Arc::new(person::ask))?;
    for tool in client.list_tools().await?.tools {
        println!("{:?}", tool.name);
    }
    Ok(())
}

/// A client whose calls are signed in: the whole of what it takes.
fn signed_in<S>(
    url: &str,
    http: S,
    browser: Arc<dyn Browser>,
) -> Result<Client<SignedIn<S>>, Box<dyn Error>>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
    S::Error: Into<ProgramError>,
    S::Future: Send,
{
    let options = FlowOptions::new("mcp-signed-in", RedirectUri::parse(person::CALLBACK)?);
    let seams = Seams {
        store: Arc::new(MemoryStore::new()),
        egress: Egress::new(http.clone()),
        browser: Some(browser),
        clock: Arc::new(now),
        entropy: Arc::new(random),
        spawn: Arc::new(|work| drop(tokio::spawn(work))),
    };
    let service = SignInLayer::new(url, options, seams)?.layer(http);
    let info = Implementation::new("mcp-signed-in", env!("CARGO_PKG_VERSION"));
    Ok(Client::new(service, url.parse()?, info))
}

/// The operating system's clock.
fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    UnixSeconds(since.as_secs())
}

/// The operating system's random source.
fn random(dest: &mut [u8]) {
    // Without randomness nothing of this is worth doing.
    if getrandom::fill(dest).is_err() {
        std::process::abort();
    }
}
