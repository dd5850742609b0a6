//! Every reason has a refusal test and a line in the page about them.

const REASONS: &str = include_str!("../../src/reason.rs");
const PAGE: &str = include_str!("../../../../docs/how-to/debug-a-401.md");
const TESTS: [&str; 8] = [
    include_str!("attacks.rs"),
    include_str!("certificates.rs"),
    include_str!("dpop.rs"),
    include_str!("introspection.rs"),
    include_str!("issuers.rs"),
    include_str!("layer.rs"),
    include_str!("refusals.rs"),
    include_str!("scopes.rs"),
];

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

/// Whether the word occurs, and not only as the beginning of a longer one.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = text.get(at + word.len()..).unwrap_or_default();
        !after.starts_with(|c: char| c.is_ascii_alphanumeric())
    })
}

#[test]
fn every_reason_has_a_refusal_test() {
    for reason in reasons() {
        let word = format!("Reason::{reason}");
        assert!(TESTS.iter().any(|text| names(text, &word)), "{reason}");
    }
}

#[test]
fn every_reason_is_on_the_page() {
    for reason in reasons() {
        assert!(PAGE.contains(&format!("| `{reason}` |")), "{reason}");
    }
}
