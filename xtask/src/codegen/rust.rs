//! Names and literals of generated Rust, and its layout.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Outcome;

/// The words that may not be a name.
const RESERVED: [&str; 8] = ["as", "impl", "in", "match", "mod", "move", "type", "use"];

/// A string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// A slice of string literals.
pub(crate) fn literals<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| literal(text.as_ref())).collect();
    format!("&[{}]", texts.join(", "))
}

/// `UpperCamelCase` of a name or of a word on the wire; a minus sign in front is said at the end.
pub(crate) fn camel(name: &str) -> String {
    let (name, suffix) = match name.strip_prefix('-') {
        Some(rest) => (rest, "Descending"),
        None => (name, ""),
    };
    let mut out = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let shouted = word.chars().all(|c| !c.is_ascii_lowercase());
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.extend(letters.map(|c| if shouted { c.to_ascii_lowercase() } else { c }));
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) {
        out.insert(0, 'N');
    }
    out + suffix
}

/// `SCREAMING_CASE` of a name.
pub(crate) fn screaming(name: &str) -> String {
    name.to_ascii_uppercase()
}

/// A name of a field or an argument of a function.
pub(crate) fn ident(name: &str) -> String {
    if RESERVED.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// Whether a text may be a name of Rust as it stands.
pub(crate) fn is_snake(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// A documentation comment, one sentence a line.
pub(crate) fn comment(text: &str) -> String {
    let mut out = String::new();
    for sentence in text.trim().split_inclusive(". ") {
        out.push_str("/// ");
        out.push_str(&documented(sentence.trim_end()));
        out.push('\n');
    }
    out
}

/// Text that the documentation shows as it is.
fn documented(text: &str) -> String {
    text.replace('[', "\\[").replace('<', "\\<")
}

/// The code laid out as the workspace does it.
pub(crate) fn formatted(root: &Path, code: &str) -> Outcome<String> {
    let unusable = |error: std::io::Error| format!("rustfmt: {error}");
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(unusable)?;
    let written = match child.stdin.take() {
        Some(mut input) => input.write_all(code.as_bytes()),
        None => Ok(()),
    };
    let output = child.wait_with_output().map_err(unusable)?;
    written.map_err(unusable)?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("rustfmt refuses generated code: {why}"));
    }
    String::from_utf8(output.stdout).map_err(|error| format!("rustfmt: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names() {
        for (word, name) in [
            ("callback_method", "CallbackMethod"),
            ("In Review", "InReview"),
            ("SINGLE_CHOICE", "SingleChoice"),
            ("pt-BR", "PtBr"),
            ("zh-CN", "ZhCn"),
            ("v1", "V1"),
            ("1", "N1"),
            ("-risk_score", "RiskScoreDescending"),
            ("P", "P"),
            ("SAR_FILED", "SarFiled"),
        ] {
            assert_eq!(camel(word), name);
        }
        assert!(is_snake("a_1") && !is_snake("A") && !is_snake("1a") && !is_snake("a-b"));
        assert_eq!(ident("type"), "r#type");
        assert_eq!(ident("kind"), "kind");
    }

    #[test]
    fn comments_have_one_sentence_a_line() {
        assert_eq!(
            comment("One thing. Another, e.g [a]."),
            "/// One thing.\n/// Another, e.g \\[a].\n"
        );
    }

    #[test]
    fn code_is_laid_out_and_what_is_no_code_is_refused() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        assert_eq!(formatted(root, "fn  a( ){ }").unwrap(), "fn a() {}\n");
        assert!(
            formatted(root, "fn (")
                .unwrap_err()
                .contains("rustfmt refuses")
        );
    }
}
