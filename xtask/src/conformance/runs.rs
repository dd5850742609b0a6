//! The runs of the official suite: what each is pointed at, and how its results are found.

use std::path::Path;
use std::time::Duration;

use crate::conformance::listing::{self, Listed, Role};
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
    /// What the suite is told to do.
    pub(crate) mode: Mode,
    /// Fewer scored scenarios than this mean that the suite did not run what it should.
    pub(crate) at_least: usize,
}

/// What the suite is told to do with the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Be a client of it, by the requirements for this revision.
    Server(&'static str),
    /// Be servers for it, by the requirements for this revision.
    Client(&'static str),
    /// Be servers for it, with a suite that counts for no revision.
    ClientSuite {
        suite: &'static str,
        /// What the suite's list says of its scenarios, in brackets.
        mark: &'static str,
    },
    /// Be a client of it as an authorization server.
    Authorization,
}

/// Every run there is, in the order of the page.
pub(crate) const RUNS: [Run; 7] = [
    Run {
        name: "server-2025-11-25",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2025-11-25",
        program: "conformance-server",
        mode: Mode::Server("2025-11-25"),
        at_least: 30,
    },
    Run {
        name: "server-2026-07-28",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2026-07-28",
        program: "conformance-server",
        mode: Mode::Server("2026-07-28"),
        at_least: 37,
    },
    Run {
        name: "client-2025-11-25",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2025-11-25",
        program: "conformance-client",
        mode: Mode::Client("2025-11-25"),
        at_least: 18,
    },
    Run {
        name: "client-2026-07-28",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2026-07-28",
        program: "conformance-client",
        mode: Mode::Client("2026-07-28"),
        at_least: 32,
    },
    Run {
        name: "client-extensions",
        subject: "the authorization extensions in `oauth-rs`, by `examples/conformance-client`",
        program: "conformance-client",
        mode: Mode::ClientSuite {
            suite: "extensions",
            mark: "extension",
        },
        at_least: 0,
    },
    Run {
        name: "client-backcompat",
        subject: "the authorization of revision 2025-03-26 in `oauth-rs`, by `examples/conformance-client`",
        program: "conformance-client",
        mode: Mode::ClientSuite {
            suite: "backcompat",
            mark: "2025-03-26",
        },
        at_least: 0,
    },
    Run {
        name: "authorization",
        subject: "`oauth-server` as it is in `mcp-server dev`",
        program: "mcp-server",
        mode: Mode::Authorization,
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
    let list = |words: &[&str]| succeeded(&node.script(SUITE).arg("list").args(words));
    let listed = match run.mode {
        Mode::Server(revision) => {
            server(&program, node, revision, &folder)?;
            listing::requirements(&list(&["--requirements", revision])?, Role::Server)?
        }
        Mode::Client(revision) => {
            client(&program, node, &["--requirements", revision], &folder)?;
            listing::requirements(&list(&["--requirements", revision])?, Role::Client)?
        }
        Mode::ClientSuite { suite, mark } => {
            client(&program, node, &["--suite", suite], &folder)?;
            listing::authorization_clients(&list(&["--client"])?, mark)?
        }
        Mode::Authorization => {
            authorization(&program, node, &folder)?;
            listing::authorization(&list(&["--authorization"])?)?
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

fn client(program: &Path, node: &Node, which: &[&str], folder: &Path) -> Outcome {
    // The suite starts the program itself, once for each scenario.
    let command = program.display().to_string();
    node.script(SUITE)
        .args(&["client", "--command", &command])
        .args(which)
        .arg("-o")
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
