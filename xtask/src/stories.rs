//! The stories: programs in Node that use the built server as its users do.

use std::path::PathBuf;
use std::time::Duration;

use crate::interop::python;
use crate::node::Node;
use crate::process::Step;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{Outcome, suite};

/// Each is `xtask/node/NAME-story.mjs`.
pub(crate) const NAMES: [&str; 6] = [
    "sdk",
    "didit",
    "own-client",
    "foreign-servers",
    "foreign-tokens",
    "browser",
];

/// What the stories start, and the variable that says where it is.
const PROGRAMS: [(&str, &str); 2] = [
    ("mcp-server", "MCP_SERVER"),
    ("protect-an-axum-api", "PROTECTED_API"),
];

/// A story ends itself before this.
const LIMIT: Duration = Duration::from_secs(240);

/// What a story prints in front of each thing that it saw to hold.
const HELD: &str = "  ok  ";

/// Runs the stories, or one of them.
pub(crate) fn run(workspace: &Workspace, node: &Node, only: Option<&str>) -> Outcome<Tally> {
    for (program, _) in PROGRAMS {
        suite::build(program)?;
    }
    let mut tally = Tally::default();
    for name in NAMES
        .into_iter()
        .filter(|name| only.is_none_or(|only| only == *name))
    {
        println!("\n== story: {name}");
        match name {
            "browser" => match chromium() {
                Some(program) => {
                    let also = [("CHROMIUM", program)];
                    tally.add(tell(workspace, node, name, &also)?);
                }
                None => tally.not_run(
                    "browser story",
                    "no Chromium: install Debian's package chromium, or name one in CHROMIUM",
                ),
            },
            "didit" => {
                let also = didit(workspace, &mut tally)?;
                tally.add(tell(workspace, node, name, &also)?);
            }
            _ => tally.add(tell(workspace, node, name, &[])?),
        }
    }
    Ok(tally)
}

/// What the story about Didit's tools needs besides: the sandbox alone, and the Python client where there is a Python.
fn didit(workspace: &Workspace, tally: &mut Tally) -> Outcome<Vec<(&'static str, PathBuf)>> {
    Step::cargo(&["build", "--locked", "--package", "didit-session"])
        .args(&["--example", "sandbox"])
        .run()?;
    let mut also = vec![("SANDBOX", workspace.example("sandbox"))];
    match python::prepare(workspace)? {
        Ok(program) => also.extend([
            ("PYTHON", program),
            ("PYTHON_PROGRAM", python::program(workspace, "didit.py")),
        ]),
        Err(reason) => tally.not_run("didit story, the Python client", reason),
    }
    Ok(also)
}

fn tell(
    workspace: &Workspace,
    node: &Node,
    name: &str,
    also: &[(&str, PathBuf)],
) -> Outcome<Tally> {
    let mut step = node
        .script(&format!("{name}-story.mjs"))
        .env("SCREENSHOTS", workspace.scratch("screenshots"));
    for (program, variable) in PROGRAMS {
        step = step.env(variable, workspace.binary(program));
    }
    for (variable, path) in also {
        step = step.env(variable, path);
    }
    let mut held = 0_usize;
    let status = step.run_seen(LIMIT, |line| held += usize::from(line.starts_with(HELD)))?;
    let mut tally = Tally::default();
    // A story that saw nothing hold has not been told.
    if status.success() && held > 0 {
        tally.pass(1);
    } else {
        tally.fail(format!(
            "{name} story; repeat it with cargo xtask stories --only {name}"
        ));
    }
    Ok(tally)
}

/// The Chromium of the environment, or Debian's.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CHROMIUM").map(PathBuf::from);
    let program = named.unwrap_or_else(|| PathBuf::from("/usr/bin/chromium"));
    program.is_file().then_some(program)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_story_is_there_and_says_what_holds_the_way_it_is_counted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
        for name in NAMES {
            assert!(folder.join(format!("{name}-story.mjs")).is_file(), "{name}");
        }
        let assertions = std::fs::read_to_string(folder.join("story.mjs")).unwrap();
        assert!(assertions.contains(&format!("`{HELD}${{text}}`")));
    }
}
