//! Every reason has a line in the page about them; that each has a test, `cargo xtask tidy` checks.

const REASONS: &str = include_str!("../../src/reason.rs");
const PAGE: &str = include_str!("../../../../docs/how-to/debug-a-401.md");
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
