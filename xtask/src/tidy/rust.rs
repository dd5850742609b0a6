//! As much of Rust as the rules need: code without comments and texts, and the functions in it.

/// The same text with a blank for each character of a comment, a string or a character literal.
///
/// Lines stay where they are. Texts keep their quotes.
pub(super) fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (kept, dropped) = match hidden(rest, code.chars().next_back()) {
            Some(hidden) => hidden,
            None => (first.len_utf8(), first.len_utf8()),
        };
        let (shown, after) = rest.split_at(dropped);
        let (start, inside) = shown.split_at(kept);
        code.push_str(start);
        code.extend(inside.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
    }
    code
}

/// What starts here and is no code: how much of it is shown, and where it ends.
fn hidden(rest: &str, before: Option<char>) -> Option<(usize, usize)> {
    let to = |end: Option<usize>| end.unwrap_or(rest.len());
    if rest.starts_with("//") {
        return Some((0, to(rest.find('\n'))));
    }
    if rest.starts_with("/*") {
        return Some((0, to(rest.find("*/").map(|at| at + 2))));
    }
    if rest.starts_with('"') {
        return Some((1, to(closing(rest, '"'))));
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = rest
        .strip_prefix('r')
        .filter(|_| !in_word || before == Some('b'))
    {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let end = format!("\"{}", "#".repeat(hashes));
        let text = raw.get(hashes..).and_then(|text| text.strip_prefix('"'))?;
        let start = rest.len() - text.len();
        return Some((start, to(text.find(&end).map(|at| start + at + end.len()))));
    }
    if rest.starts_with('\'') {
        // `'a'` and `'\n'`, and not the lifetime `'a`.
        let mut after = rest.chars().skip(1);
        let (one, two) = (after.next()?, after.next()?);
        return (one == '\\' || two == '\'').then(|| (1, to(closing(rest, '\''))));
    }
    None
}

/// Where a literal that starts with this quote ends, behind the closing one.
fn closing(rest: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    let mut characters = rest.char_indices().skip(1);
    let (at, quote) = characters.find(|(_, c)| {
        let closes = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        closes
    })?;
    Some(at + quote.len_utf8())
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function<'a> {
    pub(super) name: &'a str,
    /// Whether it is marked as a test.
    pub(super) is_test: bool,
    pub(super) body: &'a str,
}

/// Every function of code from which comments and texts were taken.
pub(super) fn functions(code: &str) -> Vec<Function<'_>> {
    let mut found = Vec::new();
    for (at, word) in code.match_indices("fn ") {
        let (before, after) = code.split_at(at);
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let after = after.get(word.len()..).unwrap_or_default();
        let end = after.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, after) = after.split_at(end.unwrap_or(after.len()));
        if let Some(body) = body(after) {
            let is_test = is_test(before);
            found.push(Function {
                name,
                is_test,
                body,
            });
        }
    }
    found
}

/// What is between the brace behind a head and the one that closes it; a semicolon there means that
/// there is no body.
fn body(after: &str) -> Option<&str> {
    let mut brackets = 0_usize;
    let start = after.find(|c| {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        brackets == 0 && (c == '{' || c == ';')
    })?;
    let inside = after.get(start..)?.strip_prefix('{')?;
    let mut depth = 1_usize;
    let end = inside.find(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })?;
    inside.get(..end)
}

/// Whether the attributes right before a function mark it as a test.
fn is_test(before: &str) -> bool {
    let attributes = before.rsplit(['}', ';', '{']).next().unwrap_or_default();
    attributes.contains("#[test]") || attributes.contains("#[tokio::test")
}

/// Whether `word` occurs, and not as a part of a longer one.
pub(super) fn names(code: &str, word: &str) -> bool {
    let in_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).unwrap_or_default();
        let after = code.get(at + word.len()..).unwrap_or_default();
        !before.ends_with(in_word) && !after.starts_with(in_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_texts_are_blank_and_lines_stay() {
        for (text, expected) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b\n */ c", "a     \n    c"),
            (r#"f("a // b", x)"#, r#"f("       , x)"#),
            (r#"f("\"{", x)"#, r#"f("    , x)"#),
            (
                r##"r#"a" {"# + b"c" + br"d" + bar"##,
                r##"r#"       + b"   + br"   + bar"##,
            ),
            (
                r"'{' '\'' '\\' <'a>() &'a str",
                r"'   '    '    <'a>() &'a str",
            ),
            ("\"no end {", "\"        "),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
    }

    #[test]
    fn functions_have_a_name_a_body_and_perhaps_a_mark() {
        let text = "use a;\n#[test]\n#[cfg(unix)]\nfn one() { if x { y } }\n\nfn two(z: [u8; 3]) -> T where T: U { z }\n\
                    trait A { fn three(); }\n#[tokio::test(start_paused = true)]\nasync fn four() {}\nfn_five();\n";
        let found = functions(text);
        let function = |name, is_test, body| Function {
            name,
            is_test,
            body,
        };
        let expected = [
            function("one", true, " if x { y } "),
            function("two", false, " z "),
            function("four", true, ""),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_word_is_not_the_part_of_another() {
        assert!(names("f(A::B)", "A::B"));
        for other in ["A::Bc", "aA::B", "A::B_c", "A::C"] {
            assert!(!names(other, "A::B"), "{other}");
        }
    }
}
