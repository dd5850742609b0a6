//! `conformance-client URL`: does the job of one scenario of the official suite and leaves.
//!
//! The suite starts it once for each scenario, says in the environment which one it is, and watches what it sends.

mod authorized;
mod carrier;
mod environment;
mod failed;
mod interop;
mod person;
mod scenario;
mod system;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use egress_guard::{Client as Egress, Limits, Policy};
use http::Uri;
use mcp_protocol::Revision;
use mcp_protocol::client::{Client, Pausing};
use mcp_protocol::types::Implementation;

use crate::authorized::{Authorized, SignIn};
use crate::carrier::{Carrier, Open};
use crate::environment::Environment;
use crate::failed::Failed;
use crate::interop::{Inbox, Watched};
use crate::person::Person;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            // Nowhere to go with an error about an error.
            writeln!(std::io::stderr(), "{}", failed.with_causes()).ok();
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failed> {
    let url = environment::address(std::env::args())?;
    let environment = Environment::read(|name| std::env::var(name).ok())?;
    // The suite's servers are on this machine; a real client of foreign servers takes the strict policy.
    let egress = Egress::new(Policy::dangerous_allow_loopback(), limits());
    let open = Open::new(egress.streaming());
    if environment.scenario == interop::NAME {
        let (wire, inbox) = (Watched::new(open), Inbox::default());
        let ears = inbox.clone();
        let client = client(wire.clone(), &url, environment.revision)?
            .with_notices(move |notice| ears.push(notice))
            .with_spawner(|work| drop(tokio::spawn(work)));
        return interop::run(&client, &inbox, wire, &url, environment.revision).await;
    }
    let sign_in = SignIn::new(&url, &environment, egress)?;
    let client = client(Authorized::new(open, sign_in), &url, environment.revision)?;
    scenario::run(&environment, &client).await
}

/// A client as any program would build it: connections, who is asked, and how to wait.
fn client<C: Carrier>(carrier: C, url: &str, first: Revision) -> Result<Client<C>, Failed> {
    let endpoint: Uri = url.parse().map_err(|_| Failed::Address(url.to_owned()))?;
    let info = Implementation::new("conformance-client", env!("CARGO_PKG_VERSION"));
    Ok(Client::new(carrier, endpoint, info)
        .starting_with(first)
        .with_host(Person)
        .with_pause(|time: Duration| Box::pin(tokio::time::sleep(time)) as Pausing))
}

/// A stream may be quiet for a while; nothing of the suite takes half a minute or a megabyte.
fn limits() -> Limits {
    Limits {
        total: Duration::from_secs(25),
        body_bytes: 1024 * 1024,
        ..Limits::default()
    }
}
