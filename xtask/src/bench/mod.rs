//! `cargo xtask bench`: what a request costs beside a bare HTTP server, what a session
//! keeps, what a token costs beside its signature check, and what a guard costs.

mod compare;
mod guard;
mod load;
mod requests;
mod server;
mod tokens;

use self::compare::{BareBytes, Comparison};
use self::load::Load;
use self::server::Server;
use crate::Outcome;
use crate::process::Step;
use crate::workspace::Workspace;

/// How many connections are kept busy.
const CONNECTIONS: usize = 8;

/// How many sessions are opened, which is as many as there may be by default.
const SESSIONS: usize = 10_000;

/// Builds, measures and prints.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Outcome {
    const NAMES: [&str; 3] = ["requests", "tokens", "guard"];
    if let Some(name) = only.filter(|name| !NAMES.contains(name)) {
        return Err(format!("no bench {name:?}; there are {}", NAMES.join(", ")));
    }
    Step::cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "bench-server",
    ])
    .run()?;
    server::step_aside()?;
    let is_wanted = |name| only.is_none_or(|only| only == name);
    if is_wanted("requests") {
        requests(workspace)?;
    }
    if is_wanted("tokens") {
        println!("\n{}", tokens::run(workspace)?);
    }
    if is_wanted("guard") {
        println!("\n{}", guard::run(workspace)?);
    }
    Ok(())
}

fn requests(workspace: &Workspace) -> Outcome {
    let mut table = compare::table("request of 2026-07-28");
    let comparisons = [
        Comparison {
            name: "`tools/call` of an echo",
            ours: &["ours"],
            asked: requests::echo(),
            bare_asked: requests::echo(),
            bare_bytes: BareBytes::InBody(200),
            requests: 8_000,
            counted: 400,
            bar: 1.5,
        },
        Comparison {
            name: "`tools/list` of 160 tools",
            ours: &["ours"],
            asked: requests::list(),
            bare_asked: requests::list(),
            bare_bytes: BareBytes::SameBody,
            requests: 2_000,
            counted: 160,
            bar: 1.2,
        },
    ];
    for comparison in &comparisons {
        comparison.run(workspace, &mut table)?;
    }
    println!("\n{table}");
    println!("{}", sessions(workspace)?);
    Ok(())
}

/// Opens sessions and leaves them alone, and says what the process has grown by.
fn sessions(workspace: &Workspace) -> Outcome<String> {
    let server = Server::start(workspace, &["sessions"])?;
    let mut load = Load::open(server.port, CONNECTIONS)?;
    let echo = requests::echo();
    load.run(&echo, SESSIONS)?;
    let before = server.memory()?;
    load.run(&echo, SESSIONS)?;
    let stateless = server.memory()?.saturating_sub(before);
    let before = server.memory()?;
    let sent = load.run(&requests::initialize(), SESSIONS)?;
    let each = per(server.memory()?.saturating_sub(before), sent.requests)?;
    Ok(format!(
        "{} idle sessions: {each:.0} bytes of memory each (bar: 2048)\n\
         {SESSIONS} stateless requests after as many: {stateless} bytes of memory",
        sent.requests
    ))
}

fn per(total: u64, requests: usize) -> Outcome<f64> {
    if requests == 0 {
        return Err("nothing was sent".to_owned());
    }
    Ok(total as f64 / requests as f64)
}
