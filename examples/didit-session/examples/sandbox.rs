//! Starts a stand-in for Didit's API, and prints how to run the example against it.

#![expect(
    clippy::unwrap_used,
    reason = "an example stops at the first surprise; a server tells its operator"
)]
#![expect(clippy::print_stdout, reason = "what it prints is its purpose")]

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::SystemTime;

use didit_sandbox::Sandbox;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let sandbox = Sandbox::new(Arc::new(now));
    println!("In another terminal:");
    for person in sandbox.people() {
        let credential = sandbox.credential(&person.id).unwrap();
        println!("\n# as {}, {}", person.name, person.role);
        println!("cargo run -p didit-session -- http://{address} {credential}");
    }

    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(sandbox.service());
        tokio::spawn(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs()
}
