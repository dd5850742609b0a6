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
mod way;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use egress_guard::{Client as Egress, Limits, Policy};
use http::Uri;
use mcp_protocol::Revision;
use mcp_protocol::client::process::{Process, ProcessLimits, ServerCommand};
use mcp_protocol::client::{Client, Pausing};
use mcp_protocol::types::Implementation;

use crate::authorized::{Authorized, SignIn};
use crate::carrier::Open;
use crate::environment::Environment;
use crate::failed::Failed;
use crate::interop::{Inbox, Speaking, Watched};
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
    let environment = Environment::read(|name| std::env::var(name).ok())?;
    if environment.scenario == interop::NAME {
        return interoperate(environment.revision).await;
    }
    let url = environment::address(std::env::args())?;
    let egress = egress();
    let open = Open::new(egress.streaming());
    let sign_in = SignIn::new(&url, &environment, egress)?;
    let carrier = Authorized::new(open, sign_in);
    let client = dressed(
        Client::new(carrier, endpoint(&url)?, info()),
        environment.revision,
    );
    scenario::run(&environment, &client).await
}

/// The job that is no scenario: with a server at an address, or with one that is started.
async fn interoperate(revision: Revision) -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().ok_or(Failed::Usage)?;
    let inbox = Inbox::default();
    let ears = inbox.clone();
    let hear = move |notice| ears.push(notice);
    if target.starts_with("http://") {
        let wire = Watched::new(Open::new(egress().streaming()));
        let client = dressed(
            Client::new(wire.clone(), endpoint(&target)?, info()),
            revision,
        )
        .with_notices(hear)
        .with_spawner(|work| drop(tokio::spawn(work)));
        return interop::run(&client, &inbox, wire, &target, revision).await;
    }
    let command = ServerCommand::new(target).args(arguments);
    let process = Process::new(command, ProcessLimits::default());
    let client = dressed(Client::over_process(process.clone(), info()), revision)
        .with_notices(hear)
        .with_spawner(|work| drop(tokio::spawn(work)));
    interop::run_process(&client, &inbox, &process, revision).await
}

/// The suite's servers are on this machine; a real client of foreign servers takes the strict policy.
fn egress() -> Egress {
    Egress::new(Policy::dangerous_allow_loopback(), limits())
}

fn endpoint(url: &str) -> Result<Uri, Failed> {
    url.parse().map_err(|_| Failed::Address(url.to_owned()))
}

fn info() -> Implementation {
    Implementation::new("conformance-client", env!("CARGO_PKG_VERSION"))
}

/// A client as any program would build it: where it begins, who is asked, and how to wait.
fn dressed<S: Speaking>(client: Client<S>, first: Revision) -> Client<S> {
    client
        .starting_with(first)
        .with_host(Person)
        .with_pause(|time: Duration| Box::pin(tokio::time::sleep(time)) as Pausing)
}

/// A stream may be quiet for a while; nothing of the suite takes half a minute or a megabyte.
fn limits() -> Limits {
    Limits {
        total: Duration::from_secs(25),
        headers: Duration::from_secs(25),
        body_bytes: 1024 * 1024,
        // All servers of the suite are on one host.
        in_flight_per_host: Limits::default().in_flight,
        ..Limits::default()
    }
}
