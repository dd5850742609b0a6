//! `cargo xtask test`: every test there is, and one count of them.

use std::time::Duration;

use crate::node::{self, Prepared};
use crate::process::Step;
use crate::tally::Tally;
use crate::workspace::Workspace;
use crate::{Outcome, conformance, interop, stories};

/// A test run of the workspace that takes longer than this is stuck.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// The package outside the workspace that holds our tokens against those of `jsonwebtoken`.
pub(crate) const DIFFERENTIAL: &str = "crates/oauth-rs/differential/Cargo.toml";

/// Runs everything; nothing is left out because something before it failed.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    let mut tally = rust_tests()?;
    tally.add(differential(workspace)?);
    match node::prepare(workspace)? {
        Prepared::Ready(node) => {
            tally.add(stories::run(workspace, &node, None)?);
            tally.add(conformance::all(workspace, &node, true)?);
        }
        Prepared::NotHere(reason) => {
            for name in stories::NAMES {
                tally.not_run(format!("{name} story"), &reason);
            }
            tally.not_run("conformance", &reason);
            tally.add(interop::run(workspace, Err(&reason), None)?.tally);
        }
    }
    tally.close()
}

/// Runs the stories, or one of them.
pub(crate) fn run_stories(workspace: &Workspace, only: Option<&str>) -> Outcome {
    if let Some(name) = only.filter(|name| !stories::NAMES.contains(name)) {
        return Err(format!(
            "no story {name:?}; there are {}",
            stories::NAMES.join(", ")
        ));
    }
    match node::prepare(workspace)? {
        Prepared::Ready(node) => stories::run(workspace, &node, only)?.close(),
        Prepared::NotHere(reason) => Err(format!("not run: {reason}")),
    }
}

/// Builds a program that the stories or the conformance runs start, as a user would.
pub(crate) fn build(package: &str) -> Outcome {
    Step::cargo(&["build", "--locked", "--package", package]).run()
}

/// Unit, integration and documentation tests.
fn rust_tests() -> Outcome<Tally> {
    let mut tally = Tally::default();
    let everything = [
        "--workspace",
        "--all-features",
        "--locked",
        "--no-fail-fast",
    ];
    let has_nextest = Step::cargo(&["nextest", "--version"])
        .output()
        .is_ok_and(|(good, _)| good);
    if has_nextest {
        tally.add(counted(
            &Step::cargo(&["nextest", "run"]).args(&everything),
            nextest_count,
        )?);
        // nextest does not run these.
        tally.add(counted(
            &Step::cargo(&["test", "--doc"]).args(&everything),
            cargo_count,
        )?);
    } else {
        tally.add(counted(
            &Step::cargo(&["test"]).args(&everything),
            cargo_count,
        )?);
    }
    Ok(tally)
}

/// The tests that need another library for cryptography, which is not in our lock file.
fn differential(workspace: &Workspace) -> Outcome<Tally> {
    let step = || {
        Step::cargo(&["test", "--locked", "--manifest-path"])
            .arg(workspace.path(DIFFERENTIAL))
            .arg("--target-dir")
            .arg(workspace.scratch("differential"))
    };
    let build = step().args(&["--no-run", "--quiet"]);
    match build.output()? {
        (true, _) => counted(&step(), cargo_count),
        (false, text) if interop::no_network(&text) => {
            let mut tally = Tally::default();
            tally.not_run(
                "the tokens of jsonwebtoken",
                "cargo cannot reach its registry",
            );
            Ok(tally)
        }
        (false, text) => Err(format!("{}\n{text}", build.line())),
    }
}

/// What one closing line of a test runner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs a test runner and adds up its closing lines.
fn counted(step: &Step, read: fn(&str) -> Option<Count>) -> Outcome<Tally> {
    let mut total = Count {
        passed: 0,
        failed: 0,
        skipped: 0,
    };
    let mut lines = 0;
    let status = step.run_seen(LIMIT, |line| {
        if let Some(count) = read(line) {
            lines += 1;
            total.passed += count.passed;
            total.failed += count.failed;
            total.skipped += count.skipped;
        }
    })?;
    // Without a closing line nothing was run: it did not build.
    if lines == 0 || (!status.success() && total.failed == 0) {
        return Err(format!("{status}; repeat it with\n\n    {}\n", step.line()));
    }
    let mut tally = Tally::default();
    tally.pass(total.passed);
    for _ in 0..total.failed {
        tally.fail(format!("a test of `{}`, named above", step.line()));
    }
    for _ in 0..total.skipped {
        tally.not_run(
            format!("a test of `{}`", step.line()),
            "skipped by the test runner",
        );
    }
    Ok(tally)
}

/// `Summary [   1.2s] 10 tests run: 9 passed (1 slow), 1 failed, 0 skipped`.
fn nextest_count(line: &str) -> Option<Count> {
    let (_, counts) = line
        .trim_start()
        .strip_prefix("Summary [")?
        .split_once("run: ")?;
    let number = |word: &str| {
        let part = counts
            .split(", ")
            .find(|part| part.split(' ').nth(1) == Some(word));
        part.and_then(|part| part.split(' ').next()?.parse().ok())
            .unwrap_or(0)
    };
    // "timed out" and "exec failed" are failures by other names.
    let failed = number("failed") + number("timed") + number("exec");
    Some(Count {
        passed: number("passed"),
        failed,
        skipped: number("skipped"),
    })
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
fn cargo_count(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| {
        let part = counts
            .split("; ")
            .find(|part| part.split(' ').nth(1) == Some(word));
        part.and_then(|part| part.split(' ').next()?.parse().ok())
            .unwrap_or(0)
    };
    Some(Count {
        passed: number("passed"),
        failed: number("failed"),
        skipped: number("ignored") + number("filtered"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_of_nextest_is_read() {
        let good = "     Summary [   0.012s] 12 tests run: 12 passed, 3 skipped";
        assert_eq!(
            nextest_count(good),
            Some(Count {
                passed: 12,
                failed: 0,
                skipped: 3
            })
        );
        let bad = "     Summary [  61.2s] 9/10 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 0 skipped";
        assert_eq!(
            nextest_count(bad),
            Some(Count {
                passed: 6,
                failed: 3,
                skipped: 0
            })
        );
        assert_eq!(
            nextest_count("        PASS [   0.005s] xtask tests::a_summary"),
            None
        );
    }

    #[test]
    fn the_closing_line_of_cargo_test_is_read() {
        let good = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s";
        assert_eq!(
            cargo_count(good),
            Some(Count {
                passed: 3,
                failed: 0,
                skipped: 3
            })
        );
        let bad = "test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(
            cargo_count(bad),
            Some(Count {
                passed: 3,
                failed: 4,
                skipped: 0
            })
        );
        assert_eq!(cargo_count("running 3 tests"), None);
    }

    #[test]
    fn a_runner_that_says_no_count_has_failed() {
        let why = counted(&Step::cargo(&["--version"]), cargo_count).unwrap_err();
        assert!(why.contains("cargo --version"), "{why}");
    }
}
