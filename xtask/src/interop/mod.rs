//! Runs with the official SDKs: the other implementations of the protocol go through the same cases with ours.
//!
//! A program of this folder or of `xtask/node` prints one line for each case and fails at the first that goes wrong.

mod cases;
mod page;
pub(crate) mod python;
mod runs;
mod rust;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::node::Node;
use crate::process::{Running, Step};
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{Outcome, suite};

pub(crate) use rust::{MANIFEST as RUST, no_network};

use runs::{RUNS, Role, Run, Sdk, Transport};

/// What the runs are called by on the command line.
pub(crate) const NAME: &str = "interop";

/// Our server.
const SERVER: &str = "conformance-server";

/// Our client.
const CLIENT: &str = "conformance-client";

/// A run that takes longer than this is stuck.
const LIMIT: Duration = Duration::from_secs(120);

/// How long a server may take to listen.
const START_LIMIT: Duration = Duration::from_secs(30);

/// What came of all runs.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) tally: Tally,
    played: Vec<Played>,
}

impl Report {
    /// The section of the page; `page_now` has the lines of the runs that cannot be made here.
    pub(crate) fn render(&self, page_now: &str) -> String {
        page::render(&self.played, page_now)
    }
}

/// What came of one run.
#[derive(Debug)]
struct Played {
    run: Run,
    cases: usize,
    complaints: Vec<String>,
    not_run: bool,
}

/// Makes the runs whose name contains `only`, or all. Without a Node those of TypeScript are not run.
pub(crate) fn run(
    workspace: &Workspace,
    node: Result<&Node, &str>,
    only: Option<&str>,
) -> Outcome<Report> {
    println!("\n== interop: the official SDKs");
    suite::build(SERVER)?;
    suite::build(CLIENT)?;
    let chosen: Vec<Run> = RUNS
        .into_iter()
        .filter(|run| only.is_none_or(|only| run.name().contains(only)))
        .collect();
    let wanted = |sdk| chosen.iter().any(|run| run.sdk == sdk);
    let start = Instant::now();
    let sdks = Sdks {
        node,
        rust: prepared(wanted(Sdk::Rust), || rust::prepare(workspace))?,
        python: prepared(wanted(Sdk::Python), || python::prepare(workspace))?,
    };
    println!("prepared in {:.1} s", start.elapsed().as_secs_f64());
    let mut tally = Tally::default();
    let mut played = Vec::new();
    for run in chosen {
        let name = run.name();
        let one = match sdks.program(workspace, &run) {
            Ok(program) => play(workspace, run, program)?,
            Err(reason) => {
                println!("{name}: not run, {reason}");
                tally.not_run(&name, reason);
                played.push(Played {
                    run,
                    cases: 0,
                    complaints: Vec::new(),
                    not_run: true,
                });
                continue;
            }
        };
        if one.complaints.is_empty() {
            tally.pass(one.cases);
        }
        for complaint in &one.complaints {
            tally.fail(format!(
                "{name}: {complaint}; repeat it with cargo xtask conformance --only {name}"
            ));
        }
        played.push(one);
    }
    Ok(Report { tally, played })
}

fn prepared<T>(
    wanted: bool,
    prepare: impl FnOnce() -> Outcome<Result<T, String>>,
) -> Outcome<Result<T, String>> {
    if wanted {
        prepare()
    } else {
        Ok(Err("not asked for".to_owned()))
    }
}

/// Where the programs of each SDK are, or why they cannot be run here.
struct Sdks<'a> {
    node: Result<&'a Node, &'a str>,
    rust: Result<PathBuf, String>,
    python: Result<PathBuf, String>,
}

impl Sdks<'_> {
    /// The program of the SDK, without its arguments.
    fn program(&self, workspace: &Workspace, run: &Run) -> Result<Step, String> {
        let role = match run.role {
            Role::Client => "client",
            Role::Server => "server",
        };
        match run.sdk {
            Sdk::Rust => {
                let file = format!("interop-{role}{}", std::env::consts::EXE_SUFFIX);
                self.rust
                    .as_ref()
                    .map(|folder| Step::new(folder.join(file)))
                    .map_err(Clone::clone)
            }
            Sdk::TypeScript1 | Sdk::TypeScript2 => {
                let version = if run.sdk == Sdk::TypeScript1 { 1 } else { 2 };
                self.node
                    .map(|node| node.script(&format!("interop-{role}-v{version}.mjs")))
                    .map_err(str::to_owned)
            }
            Sdk::Python => {
                let script = python::program(workspace, &format!("{role}.py"));
                self.python
                    .as_ref()
                    .map(|python| Step::new(python).arg(script))
                    .map_err(Clone::clone)
            }
        }
    }
}

/// Makes one run and says what came of it.
fn play(workspace: &Workspace, run: Run, sdk: Step) -> Outcome<Played> {
    let ours = workspace.binary(match run.role {
        Role::Client => SERVER,
        Role::Server => CLIENT,
    });
    let (good, text) = match (run.role, run.transport) {
        (Role::Client, Transport::Http) => {
            let (_running, url) = listening(Step::new(ours))?;
            sdk.arg(run.revision).arg(url).run_heard(LIMIT)?
        }
        (Role::Server, Transport::Http) => {
            let (_running, url) = listening(sdk)?;
            job(&ours, &run).arg(url).run_heard(LIMIT)?
        }
        (Role::Client, Transport::Stdio) => sdk
            .arg(run.revision)
            .arg(&ours)
            .arg("--stdio")
            .run_heard(LIMIT)?,
        (Role::Server, Transport::Stdio) => job(&ours, &run)
            .words_of(&sdk)
            .arg("--stdio")
            .run_heard(LIMIT)?,
    };
    let seen: Vec<String> = text
        .lines()
        .filter_map(cases::named)
        .map(str::to_owned)
        .collect();
    let mut complaints = cases::judge(&seen, run.without);
    if !good {
        complaints.insert(0, "the program failed".to_owned());
    }
    if complaints.is_empty() {
        println!("{}: {} cases", run.name(), seen.len());
    } else {
        println!("{}:\n{text}", run.name());
    }
    Ok(Played {
        run,
        cases: seen.len(),
        complaints,
        not_run: false,
    })
}

/// Our client with its job; the server is still to be named.
fn job(client: &Path, run: &Run) -> Step {
    Step::new(client)
        .env("MCP_CONFORMANCE_SCENARIO", NAME)
        .env("MCP_CONFORMANCE_PROTOCOL_VERSION", run.revision)
}

/// Starts a server on any port of this machine.
fn listening(server: Step) -> Outcome<(Running, String)> {
    server
        .args(&["--listen", "127.0.0.1:0"])
        .start(START_LIMIT, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_name_of_its_own_and_a_program() {
        let mut names: Vec<String> = RUNS.iter().map(Run::name).collect();
        assert!(names.iter().all(|name| name.starts_with(NAME)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RUNS.len());
        let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in [
            "node/interop-client-v1.mjs",
            "node/interop-client-v2.mjs",
            "node/interop-server-v1.mjs",
            "node/interop-server-v2.mjs",
            "interop/python/client.py",
            "interop/rust/src/bin/interop-client.rs",
            "interop/rust/src/bin/interop-server.rs",
        ] {
            assert!(xtask.join(file).is_file(), "{file}");
        }
    }
}
