//! The Rust programs: a package outside the workspace, so that the SDK's packages stay out of our lock file.

use std::path::PathBuf;

use crate::Outcome;
use crate::process::Step;
use crate::workspace::Workspace;

/// The manifest of the package.
pub(crate) const MANIFEST: &str = "xtask/interop/rust/Cargo.toml";

/// Builds the programs; gives the folder that they are in, or why they cannot be had.
pub(crate) fn prepare(workspace: &Workspace) -> Outcome<Result<PathBuf, String>> {
    let target = workspace.scratch("interop/rust");
    let build = Step::cargo(&["build", "--quiet", "--locked", "--manifest-path"])
        .arg(workspace.path(MANIFEST))
        .arg("--target-dir")
        .arg(&target);
    match build.output()? {
        (true, _) => Ok(Ok(target.join("debug"))),
        (false, text) if no_network(&text) => Ok(Err("cargo cannot reach its registry".to_owned())),
        (false, text) => Err(format!("{}\n{text}", build.line())),
    }
}

/// Whether cargo's words mean that the network is missing, rather than that something does not build.
pub(crate) fn no_network(text: &str) -> bool {
    [
        "Could not resolve host",
        "Could not connect",
        "failed to download",
    ]
    .iter()
    .any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_network_is_told_from_a_program_that_does_not_build() {
        assert!(no_network(
            "warning: spurious network error (3 tries remaining): [6] Could not resolve hostname"
        ));
        assert!(!no_network(
            "error[E0425]: cannot find value `x` in this scope"
        ));
    }
}
