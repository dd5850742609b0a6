//! Every reason of the guard for refusing a request is asserted by a test that sees it happen.

use std::collections::BTreeSet;

use super::rust::{Function, code, functions, names};
use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// Where the reasons are.
const LIST: &str = "crates/resource-guard/src/reason.rs";

/// The tests that use the guard as its users do. A unit test can make a reason out of nothing.
const TESTS: &str = "crates/resource-guard/tests/it/";

/// Checks each variant of the list.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    let list = files.iter().find(|file| file.path == LIST);
    let Some(reasons) = list.and_then(|list| variants(&list.text, "Reason")) else {
        return vec![Finding::new(LIST, "has no `pub enum Reason`")];
    };
    let tests = files.iter().filter(|file| file.path.starts_with(TESTS));
    let tests: Vec<String> = tests.map(|file| code(&file.text)).collect();
    reasons
        .into_iter()
        .map(|reason| format!("Reason::{reason}"))
        .filter(|reason| !tests.iter().any(|code| asserts(code, reason)))
        .map(|reason| Finding::new(LIST, format!("no test in {TESTS} asserts {reason}")))
        .collect()
}

/// The names of the variants of an enumeration.
fn variants(text: &str, name: &str) -> Option<Vec<String>> {
    let code = code(text);
    let (_, after) = code.split_once(&format!("pub enum {name} {{"))?;
    let (mut depth, mut at_start) = (0_usize, true);
    let mut found = Vec::new();
    let mut word = String::new();
    for c in after.chars() {
        if depth == 0 && at_start && (c.is_alphanumeric() || c == '_') {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
            at_start = false;
        }
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' if depth == 0 => break,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => at_start = true,
            _ => {}
        }
    }
    Some(found)
}

/// Whether a test asserts something and names this reason, itself or in functions that it calls.
fn asserts(code: &str, reason: &str) -> bool {
    let functions = functions(code);
    let tests = functions.iter().filter(|function| function.is_test);
    tests.map(|test| reached(test, &functions)).any(|bodies| {
        bodies.iter().any(|body| has_assertion(body))
            && bodies.iter().any(|body| names(body, reason))
    })
}

/// The body of a test, and those of the functions of its file that it calls.
fn reached<'a>(test: &Function<'a>, functions: &[Function<'a>]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    let mut bodies = Vec::new();
    let mut next = vec![test.body];
    while let Some(body) = next.pop() {
        bodies.push(body);
        for function in functions.iter().filter(|function| !function.is_test) {
            if names(body, function.name) && seen.insert(function.name) {
                next.push(function.body);
            }
        }
    }
    bodies
}

/// Whether something is demanded to be so; that something is not so says nothing of what it is.
fn has_assertion(body: &str) -> bool {
    names(body, "assert!") || names(body, "assert_eq!")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    const REASONS: &str = "/// Why.\n#[non_exhaustive]\npub enum Reason {\n    /// A, or `B {`.\n    #[error(\"a {x}\")]\n    \
                           Alpha,\n    Beta { reason: Other, n: [u8; 2] },\n    BetaToo(Gamma),\n}\n\npub enum Other { Delta }\n";

    /// What is found where these are the tests.
    fn found(tests: &str) -> Vec<String> {
        let place = format!("{TESTS}a.rs");
        let files = [file(LIST, REASONS), file(&place, tests)];
        check(&files).into_iter().map(|one| one.what).collect()
    }

    /// Whether the test file shows the first reason.
    fn shows_alpha(tests: &str) -> bool {
        !found(tests).iter().any(|what| what.ends_with("::Alpha"))
    }

    #[test]
    fn the_variants_are_read() {
        let names = variants(REASONS, "Reason").unwrap();
        assert_eq!(names, ["Alpha", "Beta", "BetaToo"]);
        assert_eq!(variants(REASONS, "Gone"), None);
        assert_eq!(check(&[])[0].what, "has no `pub enum Reason`");
    }

    #[test]
    fn a_reason_that_no_test_asserts_is_found() {
        let tests = "#[test]\nfn a() { assert_eq!(x, Reason::Alpha); assert!(matches!(y, Reason::BetaToo(_))); }\n";
        let missing = format!("no test in {TESTS} asserts Reason::Beta");
        assert_eq!(found(tests), [missing]);
        assert_eq!(found("").len(), 3);
    }

    #[test]
    fn a_table_and_a_helper_count_where_a_test_asserts_them() {
        for tests in [
            "#[test]\nfn a() { for (x, y) in [(1, Reason::Alpha)] { assert_eq!(why(x), y); } }",
            "fn alpha() -> Reason { Reason::Alpha }\n#[tokio::test]\nasync fn a() { assert_eq!(x, alpha()); }",
            "fn b(x: &X, y: Reason) { assert_eq!(x.why(), y); }\n#[test]\nfn a() { b(&x, Reason::Alpha); }",
            "fn b() -> Reason { Reason::Alpha }\nfn c() -> Reason { b() }\n#[test]\nfn a() { assert_eq!(x, c()); }",
        ] {
            assert!(shows_alpha(tests), "{tests}");
        }
    }

    #[test]
    fn to_be_mentioned_is_not_enough() {
        for tests in [
            "// assert_eq!(x, Reason::Alpha)\n",
            "#[test]\nfn a() { /* Reason::Alpha */ assert!(x); }",
            "#[test]\nfn a() { assert_eq!(x, \"Reason::Alpha\"); }",
            "#[test]\nfn a() { assert_eq!(x, Reason::AlphaToo); }",
            "#[test]\nfn a() { assert_eq!(x, Reason::Beta); }\nfn nobody_calls() -> Reason { Reason::Alpha }",
            "#[test]\nfn a() { let x = Reason::Alpha; }",
            "#[test]\nfn a() { assert_ne!(x, Reason::Alpha); }",
            "fn no_test() { assert_eq!(x, Reason::Alpha); }",
        ] {
            assert!(!shows_alpha(tests), "{tests}");
        }
        let elsewhere = "#[test]\nfn a() { assert_eq!(x, Reason::Alpha); }";
        let elsewhere = file("crates/resource-guard/src/challenge/tests.rs", elsewhere);
        assert_eq!(check(&[file(LIST, REASONS), elsewhere]).len(), 3);
    }
}
