//! `cargo xtask bench`: what a request costs beside a bare HTTP server, what a session
//! keeps, and what a token costs beside its signature check.

mod load;
mod requests;
mod server;
mod tokens;

use std::fmt::Write as _;

use self::load::Load;
use self::requests::Post;
use self::server::Server;
use crate::Outcome;
use crate::process::Step;
use crate::workspace::Workspace;

/// How many connections are kept busy.
const CONNECTIONS: usize = 8;

/// How often each pair of servers is measured, in turns.
const ROUNDS: usize = 11;

/// How many sessions are opened, which is as many as there may be by default.
const SESSIONS: usize = 10_000;

/// Something that is asked of our server, and the bare server that answers with as many bytes.
struct Comparison {
    name: &'static str,
    request: Post,
    /// The length of the bare server's answer; none is the length of ours.
    bare: Option<usize>,
    /// Requests in one round, and for counting instructions.
    requests: usize,
    counted: usize,
    /// The most that ours may cost, as a multiple of the bare server.
    bar: f64,
}

/// Builds, measures and prints.
pub(crate) fn run(workspace: &Workspace, only: Option<&str>) -> Outcome {
    const NAMES: [&str; 2] = ["requests", "tokens"];
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
    if only != Some("tokens") {
        requests(workspace)?;
    }
    if only != Some("requests") {
        println!("\n{}", tokens::run(workspace)?);
    }
    Ok(())
}

fn requests(workspace: &Workspace) -> Outcome {
    let comparisons = [
        Comparison {
            name: "`tools/call` of an echo",
            request: requests::echo(),
            bare: Some(200),
            requests: 8_000,
            counted: 400,
            bar: 1.5,
        },
        Comparison {
            name: "`tools/list` of 160 tools",
            request: requests::list(),
            bare: None,
            requests: 2_000,
            counted: 160,
            bar: 1.2,
        },
    ];
    let mut table = String::from(
        "| request | answer, bytes | CPU, µs | bare hyper, µs | ratio (least to most of the rounds) | bar | instructions | bare hyper |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for comparison in &comparisons {
        compare(workspace, comparison, &mut table)?;
    }
    println!("\n{table}");
    println!("{}", sessions(workspace)?);
    Ok(())
}

/// Measures one comparison and writes its row.
fn compare(workspace: &Workspace, comparison: &Comparison, table: &mut String) -> Outcome {
    let request = comparison.request.bytes();
    let ours = Server::start(workspace, &["ours"])?;
    let mut our_load = Load::open(ours.port, CONNECTIONS)?;
    let answer = our_load.run(&request, comparison.requests)?.body;
    let bytes = comparison.bare.unwrap_or(answer).to_string();
    let bare = Server::start(workspace, &["bare", &bytes])?;
    let mut bare_load = Load::open(bare.port, CONNECTIONS)?;
    bare_load.run(&request, comparison.requests)?;

    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        rounds.push(Round {
            ours: cost(&ours, &mut our_load, &request, comparison.requests)?,
            bare: cost(&bare, &mut bare_load, &request, comparison.requests)?,
        });
    }
    let ratios = sorted(rounds.iter().map(|round| round.ours / round.bare));
    let (our_cost, bare_cost) = (
        sorted(rounds.iter().map(|round| round.ours)),
        sorted(rounds.iter().map(|round| round.bare)),
    );
    let counted = if server::can_count() {
        let count =
            |arguments: &[&str]| instructions(workspace, arguments, &request, comparison.counted);
        format!("{} | {}", count(&["ours"])?, count(&["bare", &bytes])?)
    } else {
        "*not measured* | *not measured*".to_owned()
    };
    let _infallible = writeln!(
        table,
        "| {} | {answer} | {:.1} | {:.1} | **{:.2}** ({:.2} to {:.2}) | {:.1} | {counted} |",
        comparison.name,
        middle(&our_cost) / 1000.0,
        middle(&bare_cost) / 1000.0,
        middle(&ratios),
        ratios.first().copied().unwrap_or_default(),
        ratios.last().copied().unwrap_or_default(),
        comparison.bar,
    );
    Ok(())
}

/// What one request cost each server in one round, in nanoseconds on the processor.
struct Round {
    ours: f64,
    bare: f64,
}

fn cost(server: &Server, load: &mut Load, request: &[u8], requests: usize) -> Outcome<f64> {
    let before = server.cpu()?;
    let sent = load.run(request, requests)?;
    per(server.cpu()?.saturating_sub(before), sent.requests)
}

/// Instructions for each request: of a long run less those of a short one, so that the start is left out.
fn instructions(
    workspace: &Workspace,
    arguments: &[&str],
    request: &[u8],
    requests: usize,
) -> Outcome<u64> {
    let count = |requests: usize| {
        let mut sent = 0;
        let load = |port| {
            sent = Load::open(port, CONNECTIONS)?
                .run(request, requests)?
                .requests;
            Ok(())
        };
        server::instructions(workspace, arguments, load).map(|count| (count, sent))
    };
    let ((short, few), (long, many)) = (count(requests)?, count(requests * 3)?);
    let each = per(long.saturating_sub(short), many - few)?;
    Ok(each.round() as u64)
}

/// Opens sessions and leaves them alone, and says what the process has grown by.
fn sessions(workspace: &Workspace) -> Outcome<String> {
    let server = Server::start(workspace, &["sessions"])?;
    let mut load = Load::open(server.port, CONNECTIONS)?;
    let echo = requests::echo().bytes();
    load.run(&echo, SESSIONS)?;
    let before = server.memory()?;
    load.run(&echo, SESSIONS)?;
    let stateless = server.memory()?.saturating_sub(before);
    let before = server.memory()?;
    let sent = load.run(&requests::initialize().bytes(), SESSIONS)?;
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

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// The one in the middle.
fn middle(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_rounds_is_taken() {
        let values = sorted([3.0, 1.0, 2.0].into_iter());
        assert_eq!(values, [1.0, 2.0, 3.0]);
        assert_eq!(middle(&values), 2.0);
        assert!(per(10, 0).is_err());
        assert_eq!(per(10, 4), Ok(2.5));
    }
}
