//! Runs the tests that the table names, and says how each came out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::Outcome;
use crate::conformance::judge::{Judged, Verdict};
use crate::process::Step;
use crate::requirements::check::rows;
use crate::requirements::table::{Area, Row, Test};
use crate::tally::Tally;

/// The tests of one package take longer than this only when they are stuck.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Whether each test of each package passed, by the name that the test program prints.
pub(crate) type Results = BTreeMap<String, BTreeMap<String, bool>>;

/// Runs the tests of every package that the table names.
pub(crate) fn run(areas: &[Area]) -> Outcome<Results> {
    let packages: BTreeSet<&str> = rows(areas)
        .flat_map(Row::parsed_tests)
        .filter_map(|test| match test {
            Test::Rust { file, .. } => place(file).map(|(package, _)| package),
            Test::Suite { .. } => None,
        })
        .collect();
    let mut results = Results::new();
    for package in packages {
        results.insert(package.to_owned(), run_package(package)?);
    }
    Ok(results)
}

fn run_package(package: &str) -> Outcome<BTreeMap<String, bool>> {
    let step = Step::cargo(&["test", "--locked", "--all-features", "--no-fail-fast"]).args(&[
        "--tests",
        "--package",
        package,
    ]);
    let mut found = BTreeMap::new();
    let status = step.run_seen(LIMIT, |line| {
        if let Some((name, passed)) = read_line(line) {
            // Two test programs may have a test of one name: both must pass.
            let both = found.get(name).copied().unwrap_or(true) && passed;
            found.insert(name.to_owned(), both);
        }
    })?;
    if found.is_empty() || (!status.success() && found.values().all(|passed| *passed)) {
        return Err(format!("{status}; repeat it with\n\n    {}\n", step.line()));
    }
    Ok(found)
}

/// `test modern::headers_mirror_the_body ... ok`; an ignored test has not passed.
fn read_line(line: &str) -> Option<(&str, bool)> {
    let (name, said) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.split(" - ").next().unwrap_or(name);
    Some((name, said == "ok"))
}

/// The package of a source file, and the path of its module in the test program.
fn place(file: &str) -> Option<(&str, String)> {
    let (_, rest) = file.split_once('/')?;
    let (package, rest) = rest.split_once('/')?;
    let (kind, rest) = rest.strip_suffix(".rs")?.split_once('/')?;
    let mut parts: Vec<&str> = rest.split('/').collect();
    // In `tests/`, the first part names the program.
    if kind == "tests" && !parts.is_empty() {
        parts.remove(0);
    }
    if parts
        .last()
        .is_some_and(|last| ["lib", "main", "mod"].contains(last))
    {
        parts.pop();
    }
    Some((package, parts.join("::")))
}

/// How a test came out; none when it was not run.
fn outcome(test: &Test<'_>, results: &Results, judged: &[Judged]) -> Option<bool> {
    match test {
        Test::Suite { run, scenario } => judged
            .iter()
            .find(|one| one.run == *run && one.scenario == *scenario)
            .map(|one| one.verdict == Verdict::Passed),
        Test::Rust { file, name } => {
            let (package, module) = place(file)?;
            let of_module = |path: &str| match path.rsplit_once("::") {
                None => module.is_empty() && path == *name,
                Some((above, last)) => {
                    // In the module of the file, or in a module that the file has in it.
                    let inside = above == module
                        || module.is_empty()
                        || above
                            .strip_prefix(module.as_str())
                            .is_some_and(|rest| rest.starts_with("::"));
                    last == *name && inside
                }
            };
            results
                .get(package)?
                .iter()
                .filter(|(path, _)| of_module(path))
                .map(|(_, passed)| *passed)
                .reduce(|a, b| a && b)
        }
    }
}

/// How a requirement came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Result {
    /// Every test that it names was run and passed.
    Passed,
    /// One was not run, or did not pass.
    Failed(String),
    /// It names none.
    Untested,
}

/// One row with its result.
#[derive(Debug)]
pub(crate) struct JudgedRow<'a> {
    pub(crate) row: &'a Row,
    pub(crate) result: Result,
}

/// Judges every row of an area.
pub(crate) fn judge<'a>(
    area: &'a Area,
    results: &Results,
    judged: &[Judged],
    tally: &mut Tally,
) -> Vec<JudgedRow<'a>> {
    area.rows
        .iter()
        .map(|row| {
            let bad = row.tests.iter().find_map(|text| {
                let outcome = Test::parse(text).and_then(|test| outcome(&test, results, judged));
                match outcome {
                    Some(true) => None,
                    Some(false) => Some(format!("{text} did not pass")),
                    None => Some(format!("{text} was not run")),
                }
            });
            let result = match bad {
                Some(why) => {
                    tally.fail(format!("{}: {why}", row.label));
                    Result::Failed(why)
                }
                None if row.tests.is_empty() => Result::Untested,
                None => {
                    tally.pass(1);
                    Result::Passed
                }
            };
            JudgedRow { row, result }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_package_and_module() {
        for (file, package, module) in [
            ("crates/a/tests/it/b.rs", "a", "b"),
            ("crates/a/tests/it/b/c.rs", "a", "b::c"),
            ("crates/a/tests/it/main.rs", "a", ""),
            ("crates/a/tests/b.rs", "a", ""),
            ("crates/a/src/lib.rs", "a", ""),
            ("crates/a/src/b/mod.rs", "a", "b"),
            ("crates/a/src/b/tests.rs", "a", "b::tests"),
            ("examples/e/src/main.rs", "e", ""),
        ] {
            assert_eq!(place(file), Some((package, module.to_owned())), "{file}");
        }
        assert_eq!(place("b.rs"), None);
    }

    #[test]
    fn the_lines_of_a_test_program_are_read() {
        assert_eq!(read_line("test a::b ... ok"), Some(("a::b", true)));
        assert_eq!(read_line("test a::b ... FAILED"), Some(("a::b", false)));
        assert_eq!(read_line("test a::b ... ignored"), Some(("a::b", false)));
        let panics = read_line("test a::b - should panic ... ok");
        assert_eq!(panics, Some(("a::b", true)));
        assert_eq!(read_line("test result: ok. 3 passed; 0 failed"), None);
    }

    fn results() -> Results {
        let tests = [
            ("modern::x", true),
            ("sse::tests::x", true),
            ("sse::tests::y", false),
            ("x", true),
        ];
        let tests = tests.map(|(name, passed)| (name.to_owned(), passed));
        Results::from([("p".to_owned(), BTreeMap::from(tests))])
    }

    #[test]
    fn a_test_is_found_in_the_module_of_its_file() {
        let of = |text: &str| outcome(&Test::parse(text).unwrap(), &results(), &[]);
        assert_eq!(of("crates/p/tests/it/modern.rs::x"), Some(true));
        assert_eq!(of("crates/p/src/sse.rs::x"), Some(true));
        assert_eq!(of("crates/p/src/sse.rs::y"), Some(false));
        for gone in [
            "crates/p/tests/it/modern.rs::y",
            "crates/p/src/ss.rs::x",
            "crates/q/src/sse.rs::x",
            "suite: r/s",
        ] {
            assert_eq!(of(gone), None, "{gone}");
        }
    }

    #[test]
    fn a_row_passes_when_each_of_its_tests_does() {
        let area = |tests: &str| -> Area {
            let row = format!(
                r#"{{"label":"MCP-A-01","strength":"MUST","role":"both","revisions":"all","text":"x","tests":[{tests}]}}"#
            );
            serde_json::from_str(&format!(r#"{{"title":"A","rows":[{row}]}}"#)).unwrap()
        };
        let result = |tests: &str| {
            let (area, mut tally) = (area(tests), Tally::default());
            let result = judge(&area, &results(), &[], &mut tally).remove(0).result;
            (result, tally.passed, tally.failures.len())
        };
        let (x, y) = (r#""crates/p/src/sse.rs::x""#, r#""crates/p/src/sse.rs::y""#);
        assert_eq!(result(x), (Result::Passed, 1, 0));
        assert_eq!(result(""), (Result::Untested, 0, 0));
        let (failed, passed, failures) = result(&format!("{x},{y}"));
        assert!(matches!(failed, Result::Failed(_)));
        assert_eq!((passed, failures), (0, 1));
    }
}
