//! Every reason has a line in the page about them; that each has a test, `cargo xtask tidy` checks.

const REASONS: &str = include_str!("../../src/reason.rs");
const PAGE: &str = include_str!("../../../../docs/how-to/debug-a-401.md");
const ANSWERS: &str = include_str!("../../src/challenge/tests/answers.txt");

/// The names of the variants, as the source has them.
fn reasons() -> Vec<&'static str> {
    let (_, after) = REASONS.split_once("pub enum Reason {").unwrap();
    let (body, _) = after.split_once("\n}").unwrap();
    let names: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()))
        .map(|line| line.trim_end_matches([',', '{', ' ']))
        .collect();
    assert!(names.len() > 30, "{names:?}");
    names
}

#[test]
fn every_reason_is_on_the_page() {
    for reason in reasons() {
        assert!(PAGE.contains(&format!("| `{reason}` |")), "{reason}");
    }
}

/// The status, the error code and the log line of each row are those of the snapshot of all answers.
#[test]
fn the_page_says_of_each_reason_what_is_answered_and_logged() {
    for reason in reasons() {
        let row = PAGE
            .lines()
            .find(|line| line.starts_with(&format!("| `{reason}` |")));
        let cells: Vec<&str> = row.unwrap().split(" | ").collect();
        let (answer, log) = (cells[1], cells[2]);
        let snapshot = ANSWERS.split("\n\n").map(str::trim_start);
        let start = format!("{reason}: ");
        let snapshot = snapshot.filter_map(|text| text.strip_prefix(&start)).next();
        let (line, rest) = snapshot.unwrap().split_once('\n').unwrap();

        assert_eq!(answer.get(..3), rest.get(..3), "{row:?}");
        let code = answer.split('`').nth(1).unwrap_or_default();
        let named = match code {
            // What the client is told to come back with, or nothing at all.
            "error" | "Retry-After" => !rest.contains("www-authenticate: Bearer error="),
            code => rest.contains(&format!("\"error\":\"{code}\"")),
        };
        assert!(named, "{row:?}\n{rest}");

        // Of a log line that quotes something, the words in front of it.
        let words = log.split('`').nth(1).unwrap_or(line);
        let is_fixed = |word: &&str| {
            !word.contains(['"', '\u{2026}']) && !word.starts_with(|c: char| c.is_ascii_digit())
        };
        let words: Vec<&str> = words.split(' ').take_while(is_fixed).collect();
        let shown = words.join(" ");
        assert!(
            line.starts_with(shown.trim_end_matches(' ')),
            "{row:?}\n{line}"
        );
    }
}
