//! `cargo xtask tidy`: rules about the repository that the compiler does not know.
//!
//! Each rule is a function from what is there to what is wrong with it, with tests that show it failing.

mod edges;
pub(crate) mod files;
mod lock;
mod packages;
mod pages;
mod places;
mod reasons;
mod rust;
mod shown;
mod sizes;
mod sources;

use crate::Outcome;
use crate::requirements;
use crate::workspace::Workspace;

/// One thing that is wrong: where, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) at: String,
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(at: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            what: what.into(),
        }
    }
}

/// Runs every rule and prints everything that it finds.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let tracked = files::tracked(workspace)?;
    let mut findings = shown::check(&tracked);
    findings.extend(edges::check(workspace));
    findings.extend(packages::check(workspace));
    findings.extend(lock::check(&tracked));
    findings.extend(pages::check(workspace, &tracked));
    findings.extend(places::check(&tracked));
    findings.extend(reasons::check(&tracked));
    findings.extend(requirements::check::check(&tracked));
    findings.extend(sources::check(&tracked));
    for Finding { at, what } in &findings {
        println!("{at}: {what}");
    }
    println!("{}", sizes::note(&tracked));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{} findings; repeat it with\n\n    cargo xtask tidy\n",
            findings.len()
        ))
    }
}
