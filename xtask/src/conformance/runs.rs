//! The runs of the official suite: what each is pointed at, and how its results are found.

use std::path::Path;
use std::time::Duration;

use crate::conformance::listing::{self, Listed};
use crate::conformance::results::{self, Scenario};
use crate::node::Node;
use crate::process::Step;
use crate::workspace::Workspace;
use crate::{Outcome, suite};

/// One run of the suite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// How it is called on the command line, in the list of what is expected, and on the page.
    pub(crate) name: &'static str,
    /// What is tested, in words.
    pub(crate) subject: &'static str,
    /// The package whose program is tested.
    pub(crate) program: &'static str,
    /// The requirement set of the suite, or none where there is only one list.
    pub(crate) requirements: Option<&'static str>,
    /// Fewer scored scenarios than this mean that the suite did not run what it should.
    pub(crate) at_least: usize,
}

/// Every run there is, in the order of the page.
pub(crate) const RUNS: [Run; 3] = [
    Run {
        name: "server-2025-11-25",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2025-11-25",
        program: "conformance-server",
        requirements: Some("2025-11-25"),
        at_least: 30,
    },
    Run {
        name: "server-2026-07-28",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2026-07-28",
        program: "conformance-server",
        requirements: Some("2026-07-28"),
        at_least: 37,
    },
    Run {
        name: "authorization",
        subject: "`oauth-server` as it is in `mcp-server dev`",
        program: "mcp-server",
        requirements: None,
        at_least: 2,
    },
];

/// What the suite wanted to run, and what it found.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) listed: Vec<Listed>,
    pub(crate) scenarios: Vec<Scenario>,
}

/// A run of the suite that takes longer than this is stuck.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long the fixture server may take to listen.
const START_LIMIT: Duration = Duration::from_secs(30);

const SUITE: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// Starts what is tested, lets the suite at it, and reads what it wrote.
pub(crate) fn execute(workspace: &Workspace, node: &Node, run: &Run) -> Outcome<Report> {
    suite::build(run.program)?;
    let folder = workspace.scratch("conformance").join(run.name);
    // What an earlier run left would be taken for results of this one.
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{}: {error}", folder.display()));
        }
        _ => {}
    }
    let program = workspace.binary(run.program);
    let listed = match run.requirements {
        Some(revision) => {
            server(&program, node, revision, &folder)?;
            let list = node
                .script(SUITE)
                .args(&["list", "--requirements", revision]);
            listing::requirements(&succeeded(&list)?)?
        }
        None => {
            authorization(&program, node, &folder)?;
            listing::authorization(&succeeded(
                &node.script(SUITE).args(&["list", "--authorization"]),
            )?)?
        }
    };
    let names: Vec<&str> = listed.iter().map(|one| one.name.as_str()).collect();
    let scenarios = results::read_folder(&folder, &names)?;
    Ok(Report { listed, scenarios })
}

fn server(program: &Path, node: &Node, revision: &str, folder: &Path) -> Outcome {
    let (_running, url) = Step::new(program)
        .args(&["--listen", "127.0.0.1:0"])
        .start(START_LIMIT, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        })?;
    // The exit code says less than the results, which are judged one by one.
    node.script(SUITE)
        .args(&["server", "--url", &url, "--requirements", revision, "-o"])
        .arg(folder)
        .run_seen(LIMIT, |_| ())?;
    Ok(())
}

fn authorization(program: &Path, node: &Node, folder: &Path) -> Outcome {
    let status = node
        .script("authorization-mode.mjs")
        .arg(folder)
        .env("MCP_SERVER", program)
        .run_seen(LIMIT, |_| ())?;
    // Without results there is nothing to judge; with them, they say it better.
    if !status.success() && !folder.is_dir() {
        return Err("the authorization mode came to no result; see above".to_owned());
    }
    Ok(())
}

fn succeeded(step: &Step) -> Outcome<String> {
    match step.output()? {
        (true, text) => Ok(text),
        (false, text) => Err(format!("{}\n{text}", step.line())),
    }
}
