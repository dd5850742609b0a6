//! The part of the page that goes by requirement.

use crate::requirements::results::{JudgedRow, Result};
use crate::requirements::table::{OpenKind, Test};

/// An area with its rows.
pub(crate) type Section<'a> = (&'a str, Vec<JudgedRow<'a>>);

/// The summary, and a table for each area.
pub(crate) fn render(sections: &[Section<'_>]) -> String {
    let mut page = String::from(HEAD);
    page.push_str("| area | requirements | tests passed | duty of the program around it | not applicable | not yet |\n");
    page.push_str("|---|---|---|---|---|---|\n");
    for (title, rows) in sections {
        page.push_str(&format!("| {title} | {}\n", numbers(rows.iter())));
    }
    let all = || sections.iter().flat_map(|(_, rows)| rows);
    page.push_str(&format!("| all | {}\n", numbers(all())));
    let musts = all().filter(|one| one.row.strength.is_must());
    page.push_str(&format!("| all that are a must | {}\n", numbers(musts)));
    for (title, rows) in sections {
        page.push_str(&format!("\n### {title}\n\n"));
        page.push_str("| label | strength | what holds | role | revisions | tests | result |\n");
        page.push_str("|---|---|---|---|---|---|---|\n");
        for one in rows {
            page.push_str(&line(one));
        }
    }
    page
}

const HEAD: &str = "\
## By requirement

Every requirement of the specification outside authorization, in our words, with the label that comments in the sources use.
The data is in `xtask/conformance/requirements/`.
*Passed* means that every test of the row was run for this page and passed: tests of ours by `cargo test`, scenarios of the official suite as below.
A test is named only if it fails when the requirement is broken.
What no test shows has its reason; a row with tests and an open part is counted in both columns.
Where the suite passes a client that does nothing, the row names a test of ours.

";

/// The counts of some rows, as cells.
fn numbers<'a>(rows: impl Iterator<Item = &'a JudgedRow<'a>>) -> String {
    let (mut all, mut passed, mut open) = (0, 0, [0; 3]);
    for one in rows {
        all += 1;
        passed += usize::from(one.result == Result::Passed);
        let kind = one.row.open.as_ref().map(|open| open.kind);
        let kinds = [OpenKind::Program, OpenKind::NotApplicable, OpenKind::NotYet];
        for (count, of) in open.iter_mut().zip(kinds) {
            *count += usize::from(kind == Some(of));
        }
    }
    let [program, not_applicable, not_yet] = open;
    format!("{all} | {passed} | {program} | {not_applicable} | {not_yet} |")
}

fn line(one: &JudgedRow<'_>) -> String {
    let row = one.row;
    let tests: Vec<String> = row.parsed_tests().map(|test| link(&test)).collect();
    let mut result: Vec<String> = Vec::new();
    match &one.result {
        Result::Passed => result.push("passed".to_owned()),
        Result::Failed(why) => result.push(format!("**failed**: {why}")),
        Result::Untested => {}
    }
    if let Some(open) = &row.open {
        result.push(format!("{}: {}", open.kind.word(), open.why));
    }
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |\n",
        row.label,
        row.strength.word(),
        escaped(&row.text),
        row.role.word(),
        row.revisions,
        tests.join(", "),
        escaped(&result.join("; "))
    )
}

/// A bar would end the cell.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn link(test: &Test<'_>) -> String {
    match test {
        Test::Rust { file, name } => format!("[{name}](../{file})"),
        Test::Suite { run, scenario } => format!("[{scenario}](#{run}) of {run}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirements::table::Area;

    #[test]
    fn a_row_says_who_must_do_what_and_what_shows_it() {
        let row = r#"{"label":"MCP-A-01","strength":"MUST NOT","role":"client","revisions":"all",
            "text":"Be a | b.","tests":["crates/p/src/a.rs::x","suite: r/s"],
            "open":{"kind":"not-yet","why":"over stdio"}}"#;
        let text = format!(r#"{{"title":"Things","rows":[{row},{row}]}}"#);
        let area: Area = serde_json::from_str(&text).unwrap();
        let judged = |result: Result| JudgedRow {
            row: &area.rows[0],
            result,
        };
        let failed = Result::Failed("x did not pass".to_owned());
        let page = render(&[("Things", vec![judged(Result::Passed), judged(failed)])]);
        let start = "| MCP-A-01 | MUST NOT | Be a \\| b. | client | all | [x](../crates/p/src/a.rs), [s](#r) of r |";
        for end in [
            "passed; not yet: over stdio |\n",
            "**failed**: x did not pass; not yet: over stdio |\n",
        ] {
            assert!(page.contains(&format!("{start} {end}")), "{page}");
        }
        assert!(page.contains("| Things | 2 | 1 | 0 | 0 | 2 |\n"), "{page}");
        assert!(page.contains("| all that are a must | 2 | 1 | 0 | 0 | 2 |\n"));
    }
}
