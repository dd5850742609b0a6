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
    /// Fewer scenarios than this mean that the suite did not run what it should.
    pub(crate) at_least: usize,
}

/// What the suite is told to do with the program.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Be a client of it, by the requirements for this revision.
    Server(&'static str),
    /// Be servers for it, by the requirements for this revision.
    Client(&'static str),
    /// Be a client of it, with every scenario of this revision, or every scenario there is.
    EveryServer(Option<&'static str>),
    /// Be servers for it, with every scenario of this revision, or every scenario there is.
    EveryClient(Option<&'static str>),
    /// Be a client of it as an authorization server.
    Authorization,
}

/// Every run there is, in the order of the page.
pub(crate) const RUNS: [Run; 11] = [
    Run {
        name: "server-2025-03-26",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2025-03-26",
        program: "conformance-server",
        mode: Mode::EveryServer(Some("2025-03-26")),
        at_least: 1,
    },
    Run {
        name: "server-2025-06-18",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2025-06-18",
        program: "conformance-server",
        mode: Mode::EveryServer(Some("2025-06-18")),
        at_least: 27,
    },
    Run {
        name: "server-2025-11-25",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2025-11-25",
        program: "conformance-server",
        mode: Mode::Server("2025-11-25"),
        at_least: 33,
    },
    Run {
        name: "server-2026-07-28",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, revision 2026-07-28",
        program: "conformance-server",
        mode: Mode::Server("2026-07-28"),
        at_least: 50,
    },
    Run {
        name: "server-all",
        subject: "`mcp-protocol` as a server, by `examples/conformance-server`, every scenario at its own revision",
        program: "conformance-server",
        mode: Mode::EveryServer(None),
        at_least: 65,
    },
    Run {
        name: "client-2025-03-26",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2025-03-26",
        program: "conformance-client",
        mode: Mode::EveryClient(Some("2025-03-26")),
        at_least: 2,
    },
    Run {
        name: "client-2025-06-18",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2025-06-18",
        program: "conformance-client",
        mode: Mode::EveryClient(Some("2025-06-18")),
        at_least: 5,
    },
    Run {
        name: "client-2025-11-25",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2025-11-25",
        program: "conformance-client",
        mode: Mode::Client("2025-11-25"),
        at_least: 25,
    },
    Run {
        name: "client-2026-07-28",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, revision 2026-07-28",
        program: "conformance-client",
        mode: Mode::Client("2026-07-28"),
        at_least: 39,
    },
    Run {
        name: "client-all",
        subject: "`mcp-protocol` as a client and the sign-in of `oauth-rs`, by `examples/conformance-client`, every scenario at its own revision",
        program: "conformance-client",
        mode: Mode::EveryClient(None),
        at_least: 48,
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
            server(&program, node, &["--requirements", revision], &folder)?;
            listing::requirements(&list(&["--requirements", revision])?, Role::Server)?
        }
        Mode::Client(revision) => {
            client(&program, node, &["--requirements", revision], &folder)?;
            listing::requirements(&list(&["--requirements", revision])?, Role::Client)?
        }
        Mode::EveryServer(revision) => {
            let version = of_revision(revision);
            let which = [&["--suite", "all"], version.as_slice()].concat();
            server(&program, node, &which, &folder)?;
            listing::whole(&list(&[&["--server"], version.as_slice()].concat())?)?
        }
        Mode::EveryClient(revision) => {
            let version = of_revision(revision);
            let which = [&["--suite", "all"], version.as_slice()].concat();
            client(&program, node, &which, &folder)?;
            listing::whole(&list(&[&["--client"], version.as_slice()].concat())?)?
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

/// How the suite is told to keep to one revision.
fn of_revision(revision: Option<&'static str>) -> Vec<&'static str> {
    revision.map_or_else(Vec::new, |revision| vec!["--spec-version", revision])
}

fn server(program: &Path, node: &Node, which: &[&str], folder: &Path) -> Outcome {
    let (_running, url) = Step::new(program)
        .args(&["--listen", "127.0.0.1:0"])
        .start(START_LIMIT, |line| {
            line.strip_prefix("listening on ").map(str::to_owned)
        })?;
    // The exit code says less than the results, which are judged one by one.
    node.script(SUITE)
        .args(&["server", "--url", &url])
        .args(which)
        .arg("-o")
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
