//! Each row of a table whose last column is of tests links to tests that show it, and they are there.

use super::rust::{code, functions};
use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// The pages whose tables have a last column with tests.
const PAGES: [&str; 3] = [
    "docs/security/attacks-on-a-resource.md",
    "docs/security/faults-not-copied.md",
    "docs/seed-systems.md",
];

/// Checks every row of every page.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    PAGES
        .iter()
        .flat_map(|path| match files.iter().find(|file| file.path == *path) {
            Some(page) => check_page(page, files),
            None => vec![Finding::new(*path, "is not there")],
        })
        .collect()
}

fn check_page(page: &TextFile, files: &[TextFile]) -> Vec<Finding> {
    let rows = (1..).zip(page.text.lines()).filter(|(_, line)| {
        // Below the head and its rule.
        line.starts_with("| ") && !line.ends_with("| test |")
    });
    let mut findings = Vec::new();
    let mut rows_seen = 0;
    for (number, row) in rows {
        rows_seen += 1;
        for what in check_row(row, &page.path, files) {
            findings.push(Finding::new(format!("{}:{number}", page.path), what));
        }
    }
    if rows_seen == 0 {
        findings.push(Finding::new(&page.path, "has no table of tests"));
    }
    findings
}

fn check_row(row: &str, page: &str, files: &[TextFile]) -> Vec<String> {
    let cells = row.trim_end().trim_end_matches('|');
    let tests = cells.rsplit('|').next().unwrap_or_default();
    let links = links(tests);
    if links.is_empty() {
        return vec!["links to no test".to_owned()];
    }
    let wrong = links.into_iter().filter_map(|(name, to)| {
        let path = resolved(page, to);
        let Some(file) = files.iter().find(|file| file.path == path) else {
            return Some(format!("{to} is not there"));
        };
        let code = code(&file.text);
        let there = functions(&code)
            .iter()
            .any(|function| function.is_test && function.name == name);
        (!there).then(|| format!("{path} has no test {name}"))
    });
    wrong.collect()
}

/// Each link whose text is code: `` [`name`](to) ``.
fn links(text: &str) -> Vec<(&str, &str)> {
    let parts = text.split("[`").skip(1);
    parts
        .filter_map(|part| {
            let (name, rest) = part.split_once("`](")?;
            let (to, _) = rest.split_once(')')?;
            Some((name, to))
        })
        .collect()
}

/// The path of a link, from the root of the repository.
fn resolved(page: &str, to: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in to.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    const TESTS: &str = "crates/a/tests/it/attacks.rs";

    fn found(rows: &str) -> Vec<String> {
        let page = format!("# Attacks\n\n| what is sent | test |\n|---|---|\n{rows}\n");
        let tests = "#[test]\nfn one() {}\n\nfn helper() {}\n// fn two() {}\n";
        let files = [file(PAGES[0], &page), file(TESTS, tests)];
        check_page(&files[0], &files)
            .into_iter()
            .map(|one| one.what)
            .collect()
    }

    #[test]
    fn a_row_with_a_test_that_exists_is_good() {
        let row = "| a token in the query | [`one`](../../crates/a/tests/it/attacks.rs) |";
        assert!(found(row).is_empty(), "{:?}", found(row));
        assert_eq!(found(""), ["has no table of tests"]);
        let missing: Vec<Finding> = check(&[]);
        assert_eq!(missing.len(), PAGES.len());
        assert!(missing.iter().all(|one| one.what == "is not there"));
    }

    #[test]
    fn each_thing_that_is_wrong_is_found() {
        let to = "../../crates/a/tests/it/attacks.rs";
        for (cell, expected) in [
            ("`one`".to_owned(), "links to no test"),
            (String::new(), "links to no test"),
            (format!("[`two`]({to})"), "has no test two"),
            (format!("[`helper`]({to})"), "has no test helper"),
            (format!("[`one`]({to}), [`gone`]({to})"), "has no test gone"),
            ("[`one`](attacks.rs)".to_owned(), "is not there"),
        ] {
            let found = found(&format!("| [`one`]({to}) | {cell} |"));
            assert_eq!(found.len(), 1, "{cell}: {found:?}");
            assert!(found[0].contains(expected), "{cell}: {found:?}");
        }
    }
}
