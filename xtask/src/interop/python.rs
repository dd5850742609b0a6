//! The Python programs: a virtual environment in the target folder, filled from the list of requirements.

use std::path::PathBuf;

use crate::Outcome;
use crate::process::Step;
use crate::workspace::{Workspace, read, write};

/// The programs, and the list of what they need.
const SOURCES: &str = "xtask/interop/python";

/// The oldest minor version of Python 3 that the list was made for.
const OLDEST: u64 = 11;

/// A Python with the SDK in it, or why there is none.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<Result<PathBuf, String>> {
    let Some(version) = version() else {
        return Ok(Err(format!("no Python 3.{OLDEST} or newer")));
    };
    let folder = workspace.scratch("interop/python");
    let python = folder.join("bin/python");
    let list = workspace.path(SOURCES).join("requirements.txt");
    let wanted = format!("{version}\n{}", read(&list)?);
    // Written last, so that a broken installation is not taken for a whole one.
    let stamp = folder.join("installed.txt");
    if read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(python));
    }
    let make = Step::new("python3")
        .args(&["-m", "venv", "--clear"])
        .arg(&folder);
    println!("installing the Python packages: {}", make.line());
    if let (false, text) = make.output()? {
        if text.contains("ensurepip") {
            return Ok(Err("Python has no venv or no pip".to_owned()));
        }
        return Err(format!("{}\n{text}", make.line()));
    }
    // Only what is built already: nothing of a package runs before it is used.
    let fill = Step::new(&python)
        .args(&["-m", "pip", "install", "--quiet", "--no-input"])
        .args(&["--disable-pip-version-check", "--no-deps", "--no-compile"])
        .args(&["--require-hashes", "--only-binary=:all:", "-r"])
        .arg(&list);
    match fill.output()? {
        (true, _) => {
            write(&stamp, &wanted)?;
            Ok(Ok(python))
        }
        (false, text) if no_network(&text) => Ok(Err("pip cannot reach its index".to_owned())),
        (false, text) => Err(format!("{}\n{text}", fill.line())),
    }
}

/// The program in the repository.
pub(crate) fn program(workspace: &Workspace, name: &str) -> PathBuf {
    workspace.path(SOURCES).join(name)
}

fn version() -> Option<String> {
    let (good, text) = Step::new("python3").arg("--version").output().ok()?;
    let text = text.trim().to_owned();
    (good && minor(&text)? >= OLDEST).then_some(text)
}

/// The second number of `Python 3.11.7`.
fn minor(version: &str) -> Option<u64> {
    let (minor, _) = version.strip_prefix("Python 3.")?.split_once('.')?;
    minor.parse().ok()
}

/// Whether pip's words mean that the network is missing, rather than that the list is wrong.
fn no_network(text: &str) -> bool {
    [
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
        "Connection refused",
        "Network is unreachable",
    ]
    .iter()
    .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_python_is_read() {
        assert_eq!(minor("Python 3.11.7"), Some(11));
        assert_eq!(minor("Python 2.7.18"), None);
        assert_eq!(minor("Python 3"), None);
    }

    #[test]
    fn a_missing_network_is_told_from_a_wrong_list() {
        assert!(no_network(
            "after connection broken by 'NewConnectionError('<pip...>: Failed to establish"
        ));
        assert!(!no_network(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."
        ));
    }
}
