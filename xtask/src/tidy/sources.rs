//! Rules about Rust source that are about words, not about types.

use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// The only files that may name the crypto library.
const CRYPTO: [&str; 9] = [
    "crates/didit-client/src/crypto.rs",
    "crates/didit-tools/src/skill.rs",
    "crates/mcp-protocol/src/seal/crypto.rs",
    "crates/oauth-rs/src/jose/crypto.rs",
    "crates/didit-sandbox/src/signing.rs",
    "crates/oauth-rs/src/hash.rs",
    "crates/mcp-server/src/system.rs",
    "examples/conformance-client/src/scenario/skills.rs",
    "examples/conformance-server/src/fixture/skills.rs",
];

/// File names that say nothing of what is in them.
const VAGUE: [&str; 6] = [
    "utils.rs",
    "util.rs",
    "helpers.rs",
    "helper.rs",
    "common.rs",
    "misc.rs",
];

/// Checks every Rust file.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    let rules = [
        opens_with_a_sentence,
        crypto_stays_put,
        no_ignored_test,
        no_sleeping_test,
        a_name,
    ];
    files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(|file| rules.iter().flat_map(move |rule| rule(file)))
        .collect()
}

/// Every file says in its first line what it is about; a crate may say it with its README.
fn opens_with_a_sentence(file: &TextFile) -> Vec<Finding> {
    let first = file.text.lines().next().unwrap_or_default();
    let readme = file.name() == "lib.rs" && first.starts_with("#![doc = include_str!(");
    if readme
        || first
            .strip_prefix("//! ")
            .is_some_and(|sentence| !sentence.trim().is_empty())
    {
        Vec::new()
    } else {
        vec![Finding::new(
            format!("{}:1", file.path),
            "does not open with `//!` and a sentence",
        )]
    }
}

/// Cryptography is behind a few functions, so that it can be replaced and reviewed there.
fn crypto_stays_put(file: &TextFile) -> Vec<Finding> {
    // This program depends on no such library; it only speaks of it. A test may need a signature
    // that the libraries refuse to make.
    let is_test = file.path.contains("/tests/") || file.path.starts_with("xtask/");
    if is_test || CRYPTO.contains(&file.path.as_str()) {
        return Vec::new();
    }
    lines(file)
        .filter(|line| names_ring(line.code))
        .map(|line| line.finding("names the crypto library outside the files that may"))
        .collect()
}

/// Whether this code names the crate `ring`: not a longer word, and not the module of rustls.
fn names_ring(code: &str) -> bool {
    code.match_indices("ring::").any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let inside = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        !inside && !before.ends_with("crypto::")
    }) || code.trim() == "use ring;"
}

/// A test that is not run is a test that is not there.
fn no_ignored_test(file: &TextFile) -> Vec<Finding> {
    let (attribute, fence) = (concat!("#[", "ignore"), concat!("```", "ignore"));
    (1..)
        .zip(file.text.lines())
        .filter(|(_, line)| line.trim_start().starts_with(attribute) || line.contains(fence))
        .map(|(number, _)| Finding::new(format!("{}:{number}", file.path), "an ignored test"))
        .collect()
}

/// Tests move the clock instead of waiting for it; under a paused clock sleeping is moving it.
fn no_sleeping_test(file: &TextFile) -> Vec<Finding> {
    let paused = file.text.contains("start_paused") || file.text.contains("time::pause()");
    let all_tests = file.path.contains("/tests/") || file.name() == "tests.rs";
    let mut in_tests = all_tests;
    let mut findings = Vec::new();
    for line in lines(file) {
        in_tests |= line.code.trim() == "#[cfg(test)]";
        let thread = line.code.contains(concat!("thread::", "sleep("));
        let waits = line.code.contains(concat!("sleep", "(")) && !paused;
        if in_tests && (thread || waits) {
            findings.push(line.finding("a test that sleeps"));
        }
    }
    findings
}

fn a_name(file: &TextFile) -> Vec<Finding> {
    if VAGUE.contains(&file.name()) {
        vec![Finding::new(
            &file.path,
            "is named for nothing; name it for its subject",
        )]
    } else {
        Vec::new()
    }
}

/// A line of code, without its comment.
struct Line<'a> {
    file: &'a TextFile,
    number: usize,
    code: &'a str,
}

impl Line<'_> {
    fn finding(&self, what: &str) -> Finding {
        Finding::new(format!("{}:{}", self.file.path, self.number), what)
    }
}

fn lines(file: &TextFile) -> impl Iterator<Item = Line<'_>> {
    (1..)
        .zip(file.text.lines())
        .filter(|(_, text)| !text.trim_start().starts_with("//"))
        .map(|(number, text)| Line {
            file,
            number,
            code: text.split_once(" // ").map_or(text, |(code, _)| code),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)])
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_file_without_its_sentence_is_found() {
        assert!(found("a/src/x.rs", "//! What it is.\n").is_empty());
        assert!(found("a/src/lib.rs", "#![doc = include_str!(\"../README.md\")]\n").is_empty());
        for text in [
            "",
            "//!\n",
            "use std::fmt;\n",
            "// What it is.\n",
            "\n//! Late.\n",
        ] {
            assert_eq!(found("a/src/x.rs", text).len(), 1, "{text:?}");
        }
        let not_the_crate = found("a/src/x.rs", "#![doc = include_str!(\"../README.md\")]\n");
        assert_eq!(not_the_crate.len(), 1);
    }

    #[test]
    fn the_crypto_library_elsewhere_is_found() {
        let text = "//! X.\nuse ring::hmac;\n";
        for allowed in CRYPTO {
            assert!(found(allowed, text).is_empty(), "{allowed}");
        }
        assert!(found("crates/a/tests/it/forged.rs", text).is_empty());
        assert_eq!(found("crates/oauth-rs/src/jose/jwt.rs", text).len(), 1);
        assert_eq!(
            found("a/src/x.rs", "//! X.\nlet x = ::ring::digest::SHA256;\n").len(),
            1
        );
        for fine in [
            "use std::cmp::Ordering::Less;",
            "use std::string::String;",
            "rustls::crypto::ring::default_provider()",
            "// ring::hmac does this",
            "let x = 1; // as ring::hmac",
        ] {
            assert!(
                found("a/src/x.rs", &format!("//! X.\n{fine}\n")).is_empty(),
                "{fine}"
            );
        }
    }

    #[test]
    fn an_ignored_test_is_found() {
        let attribute = concat!("#[", "ignore = \"slow\"]");
        assert_eq!(
            found("a/src/x.rs", &format!("//! X.\n    {attribute}\n")),
            ["an ignored test"]
        );
        let fence = concat!("/// ```", "ignore");
        assert_eq!(
            found("a/src/x.rs", &format!("//! X.\n{fence}\n")),
            ["an ignored test"]
        );
    }

    #[test]
    fn a_sleeping_test_is_found() {
        let sleep = concat!("tokio::time::", "sleep", "(second).await;");
        let thread = concat!("std::thread::", "sleep", "(second);");
        let inside = |line: &str| format!("//! X.\n{line}\n");
        assert_eq!(
            found("a/tests/it/x.rs", &inside(sleep)),
            ["a test that sleeps"]
        );
        assert_eq!(
            found("a/tests/it/x.rs", &inside(thread)),
            ["a test that sleeps"]
        );
        let unit = format!("//! X.\n#[cfg(test)]\nmod tests {{\n{sleep}\n}}\n");
        assert_eq!(found("a/src/x.rs", &unit), ["a test that sleeps"]);
        // The program itself may wait, and so may a test whose clock is paused.
        assert!(found("a/src/x.rs", &inside(sleep)).is_empty());
        let paused = format!("//! X.\n#[tokio::test(start_paused = true)]\n{sleep}\n");
        assert!(found("a/tests/it/x.rs", &paused).is_empty());
    }

    #[test]
    fn a_vague_name_is_found() {
        assert_eq!(found("a/src/utils.rs", "//! X.\n").len(), 1);
        assert!(found("a/src/callback.rs", "//! X.\n").is_empty());
    }
}
