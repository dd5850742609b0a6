//! Whether the table is whole, and names what is there.

use std::collections::BTreeSet;

use crate::conformance::RUNS;
use crate::requirements::table::{self, Area, FOLDER, Row, Test};
use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// The revisions that a row can be about.
const REVISIONS: [&str; 5] = [
    "2024-11-05",
    "2025-03-26",
    "2025-06-18",
    "2025-11-25",
    "2026-07-28",
];

/// The sources whose comments may name a requirement only if it is in the table.
const CITING: &str = "crates/mcp-protocol/";

/// Checks the table against itself and against the sources.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    let areas = match table::read(files) {
        Ok(areas) => areas,
        Err(why) => return vec![Finding::new(FOLDER, why)],
    };
    let mut findings = Vec::new();
    let mut labels = BTreeSet::new();
    for row in rows(&areas) {
        let mut found = |what: String| findings.push(Finding::new(&row.label, what));
        if labels_in(&row.label).collect::<Vec<_>>() != [row.label.as_str()] {
            found("a label is MCP, an area and two digits".to_owned());
        }
        if !labels.insert(row.label.as_str()) {
            found("is there twice".to_owned());
        }
        check_words(row).into_iter().for_each(&mut found);
        for test in &row.tests {
            if let Some(what) = check_test(test, files) {
                found(format!("{test}: {what}"));
            }
        }
    }
    for file in files.iter().filter(|file| file.path.starts_with(CITING)) {
        let unknown: BTreeSet<&str> = labels_in(&file.text)
            .filter(|label| !labels.contains(label))
            .collect();
        for label in unknown {
            let what = format!("names {label}, which is not in {FOLDER}");
            findings.push(Finding::new(&file.path, what));
        }
    }
    findings
}

/// All rows of all areas.
pub(crate) fn rows(areas: &[Area]) -> impl Iterator<Item = &Row> {
    areas.iter().flat_map(|area| &area.rows)
}

fn check_words(row: &Row) -> Vec<String> {
    let mut wrong = Vec::new();
    if row.text.len() < 10 || !row.text.ends_with('.') {
        wrong.push("needs a sentence that says what is required".to_owned());
    }
    if !is_range(&row.revisions) {
        wrong.push(format!("{:?} is no range of revisions", row.revisions));
    }
    if row.tests.is_empty() && row.open.is_none() {
        wrong.push("has neither a test nor a reason".to_owned());
    }
    if row.open.as_ref().is_some_and(|open| open.why.len() < 10) {
        wrong.push("what is open needs its reason".to_owned());
    }
    let once: BTreeSet<&String> = row.tests.iter().collect();
    if once.len() < row.tests.len() {
        wrong.push("names a test twice".to_owned());
    }
    wrong
}

/// `all`, `2025-03-26`, `since 2025-06-18`, `until 2025-11-25`, `2025-03-26 to 2025-11-25`.
fn is_range(text: &str) -> bool {
    let one = |text: &str| REVISIONS.contains(&text);
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        ["all"] => true,
        [revision] | ["since" | "until", revision] => one(revision),
        [from, "to", until] => one(from) && one(until) && from < until,
        _ => false,
    }
}

/// What is wrong with a test that a row names, if anything is.
fn check_test(text: &str, files: &[TextFile]) -> Option<&'static str> {
    match Test::parse(text) {
        None => Some("is neither a function in a file nor a scenario of a run"),
        Some(Test::Suite { run, .. }) => {
            let known = RUNS.iter().any(|one| one.name == run);
            (!known).then_some("there is no such run")
        }
        Some(Test::Rust { file, name }) => match files.iter().find(|one| one.path == file) {
            None => Some("there is no such file"),
            Some(file) if has_test(&file.text, name) => None,
            Some(_) => Some("there is no such test in this file"),
        },
    }
}

/// Whether a function of this name is marked as a test.
fn has_test(text: &str, name: &str) -> bool {
    let head = format!("fn {name}(");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let is_head = line
            .strip_prefix("async ")
            .unwrap_or(line)
            .starts_with(&head);
        is_head
            && lines
                .iter()
                .take(at)
                .rev()
                .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
                .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
    })
}

/// Every label in a text: `MCP-`, capital letters, `-`, two digits.
fn labels_in(text: &str) -> impl Iterator<Item = &str> {
    const START: &str = "MCP-";
    text.match_indices(START).filter_map(|(at, _)| {
        let rest = text.get(at + START.len()..)?;
        let area = rest.bytes().take_while(u8::is_ascii_uppercase).count();
        let number = rest.get(area..)?.strip_prefix('-')?;
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let whole = area > 0 && digits == 2;
        whole
            .then(|| text.get(at..at + START.len() + area + 1 + digits))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    const TESTS: &str = "crates/mcp-protocol/tests/it/a.rs";

    fn row(change: &str, to: &str) -> String {
        let good = r#"{"label":"MCP-RPC-01","strength":"MUST","role":"both","revisions":"all",
            "text":"Ids are not null.","tests":["crates/mcp-protocol/tests/it/a.rs::ids"]}"#;
        assert!(change.is_empty() || good.contains(change), "{change}");
        good.replace(change, to)
    }

    fn findings(rows: &[String], source: &str) -> Vec<String> {
        let area = format!(r#"{{"title":"A","rows":[{}]}}"#, rows.join(","));
        let files = [
            file(&format!("{FOLDER}01.json"), &area),
            file(TESTS, "#[test]\nfn ids() {}\n\nfn helper() {}\n"),
            file("crates/mcp-protocol/src/a.rs", source),
        ];
        check(&files).into_iter().map(|one| one.what).collect()
    }

    fn one(change: &str, to: &str) -> String {
        let mut found = findings(&[row(change, to)], "");
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[test]
    fn a_whole_row_is_good() {
        let rows = [row("", ""), row("RPC-01", "RPC-02")];
        assert_eq!(findings(&rows, "// MCP-RPC-02: x"), Vec::<String>::new());
    }

    #[test]
    fn each_thing_that_is_wrong_is_found() {
        assert!(one("MCP-RPC-01", "RPC-1").contains("a label is"));
        assert!(one("Ids are not null.", "Ids.").contains("sentence"));
        assert!(one(r#""all""#, r#""2025""#).contains("range"));
        let tests = r#"["crates/mcp-protocol/tests/it/a.rs::ids"]"#;
        assert!(one(tests, "[]").contains("neither a test nor a reason"));
        let open = r#"[],"open":{"kind":"program","why":"x"}"#;
        assert!(one(tests, open).contains("needs its reason"));
        let twice = r#"["suite: server-all/ping","suite: server-all/ping"]"#;
        assert!(one(tests, twice).contains("twice"));
        assert!(one("::ids", "::helper").contains("no such test"));
        assert!(one("::ids", "::gone").contains("no such test"));
        assert!(one("it/a.rs", "it/b.rs").contains("no such file"));
        assert!(one("::ids", "").contains("neither a function"));
        assert!(one(tests, r#"["suite: nowhere/ping"]"#).contains("no such run"));
        let twice = findings(&[row("", ""), row("", "")], "");
        assert_eq!(twice, ["is there twice"]);
    }

    #[test]
    fn a_comment_names_what_is_in_the_table() {
        let found = findings(&[row("", "")], "// MCP-RPC-99, MCP-RPC-99 and MCP-RPC-01");
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("MCP-RPC-99"));
    }

    #[test]
    fn labels_are_told_from_what_only_looks_like_one() {
        let text = "MCP-RPC-01 MCP-Protocol-Version MCP-AUTH-RS-01 MCP-A-1 MCP-B-123 (MCP-C-12)";
        assert_eq!(
            labels_in(text).collect::<Vec<_>>(),
            ["MCP-RPC-01", "MCP-C-12"]
        );
    }

    #[test]
    fn a_test_is_marked_as_one() {
        for good in [
            "#[test]\nfn a() {",
            "  #[tokio::test(start_paused = true)]\n  async fn a() {",
            "#[test]\n// Why.\n#[cfg(unix)]\nfn a(x in 0..1) {",
        ] {
            assert!(has_test(good, "a"), "{good}");
        }
        for bad in ["fn a() {", "#[test]\nfn ab() {", "#[test]\n\nfn a() {"] {
            assert!(!has_test(bad, "a"), "{bad}");
        }
    }

    #[test]
    fn ranges_of_revisions() {
        for good in [
            "all",
            "2025-03-26",
            "since 2025-06-18",
            "until 2025-11-25",
            "2025-03-26 to 2025-11-25",
        ] {
            assert!(is_range(good), "{good}");
        }
        for bad in ["", "since", "2025-11-25 to 2025-03-26", "after 2025-03-26"] {
            assert!(!is_range(bad), "{bad}");
        }
    }
}
