//! `cargo xtask bench`: what a request costs beside a bare HTTP server, what a session
//! keeps, what a token costs beside its signature check, what a guard costs, and what the server for
//! Didit costs.

mod compare;
mod didit;
mod guard;
mod load;
mod requests;
mod server;
mod tokens;

use self::compare::{Beside, Comparison};
use self::load::Load;
use self::server::Program;
use crate::Outcome;
use crate::process::Step;
use crate::workspace::Workspace;

/// How many connections are kept busy.
const CONNECTIONS: usize = 8;

/// How many sessions are opened, which is as many as there may be by default.
const SESSIONS: usize = 10_000;

/// Builds, measures and prints.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>, calls: usize) -> Outcome {
    const NAMES: [&str; 4] = ["requests", "tokens", "guard", "didit"];
    if let Some(name) = only.filter(|name| !NAMES.contains(name)) {
        return Err(format!("no bench {name:?}; there are {}", NAMES.join(", ")));
    }
    let is_wanted = |name| only.is_none_or(|only| only == name);
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "bench-server",
    ];
    let server = ["--package", "mcp-server"];
    let server = if is_wanted("didit") { &server[..] } else { &[] };
    Step::cargo(&build).args(server).run()?;
    server::step_aside()?;
    if is_wanted("requests") {
        requests(workspace)?;
    }
    if is_wanted("tokens") {
        println!("\n{}", tokens::run(workspace)?);
    }
    if is_wanted("guard") {
        println!("\n{}", guard::run(workspace)?);
    }
    if is_wanted("didit") {
        println!("\n{}", didit::run(workspace, calls)?);
    }
    Ok(())
}

fn requests(workspace: &Workspace) -> Outcome {
    let mut table = compare::table("request of 2026-07-28", "bare hyper");
    let comparisons = [
        Comparison {
            name: "`tools/call` of an echo",
            ours: Program::bench(workspace, &["ours"]),
            asked: requests::echo(),
            bare_asked: requests::echo(),
            beside: Beside::InBody(200),
            requests: 8_000,
            counted: 400,
            bar: 1.5,
        },
        Comparison {
            name: "`tools/list` of 160 tools",
            ours: Program::bench(workspace, &["ours"]),
            asked: requests::list(None),
            bare_asked: requests::list(None),
            beside: Beside::SameBody,
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
    let server = Program::bench(workspace, &["sessions"]).start()?;
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
