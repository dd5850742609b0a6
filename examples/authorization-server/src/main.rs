//! An authorization server with two people, which keeps its records in memory, on oauth-server alone.
//!
//! `authorization-server [PORT]` prints how to walk through it by hand, serves, and tells what happens.

#![expect(
    clippy::unwrap_used,
    reason = "an example stops at the first surprise; a server tells its operator"
)]
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

mod by_hand;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use oauth_rs::hash::HashKey;
use oauth_rs::jose::SigningKey;
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{Issuer, ResourceId};
use oauth_server::event::Event;
use oauth_server::identity::{DangerousPicker, Person};
use oauth_server::store::MemoryStore;
use oauth_server::{Config, Keys, Resource, Scope, Seams, Server, router};
use tokio::net::TcpListener;

/// What its tokens are for; nothing needs to be there to try the server.
const RESOURCE: &str = "https://notes.example/";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::args()
        .nth(1)
        .map_or(0, |port| port.parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .unwrap();
    let issuer = Issuer::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();

    println!("{}", by_hand::told(&issuer));
    let service = serve(issuer, |event| println!("{event:?}"));

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

/// The whole server as a service of `http` requests.
fn serve(issuer: Issuer, told: impl Fn(&Event) + Send + Sync + 'static) -> router::Service {
    // New keys at every start; a server that lives longer keeps them with its records.
    let mut hash = [0; 32];
    random(&mut hash);
    let keys = Keys {
        signing: SigningKey::generate_es256().unwrap(),
        hash: HashKey::new(hash),
    };

    // What people are asked to allow, in their words.
    let scope = |name: &str, title: &str, description: &str| Scope {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
    };
    let notes = Resource {
        id: ResourceId::parse(RESOURCE).unwrap(),
        name: "Notes".to_owned(),
        scopes: vec![
            scope(
                "notes:read",
                "Read notes",
                "See every note that you can see.",
            ),
            scope("notes:write", "Write notes", "Add notes under your name."),
        ],
    };

    // Everything that comes from outside: records, people, time, randomness.
    let seams = Seams {
        store: Arc::new(MemoryStore::new()),
        identity: Arc::new(DangerousPicker::new([
            person("ada", "Ada", "writes notes"),
            person("ben", "Ben", "reads them"),
        ])),
        documents: None,
        events: Arc::new(told),
        clock: Arc::new(now),
        entropy: Arc::new(random),
    };
    let config = Config::new(issuer, keys, notes).unwrap();
    router::Service::new(Arc::new(Server::new(config, seams)))
}

fn person(id: &str, name: &str, detail: &str) -> Person {
    Person {
        id: id.to_owned(),
        name: name.to_owned(),
        details: vec![detail.to_owned()],
    }
}

/// The operating system's clock.
fn now() -> UnixSeconds {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixSeconds(since.as_secs())
}

/// The operating system's random source.
fn random(dest: &mut [u8]) {
    getrandom::fill(dest).unwrap();
}
