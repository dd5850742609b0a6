//! Text of other people on the person's terminal: nothing in it may steer the terminal or look like something else.

/// One line, without what would steer a terminal.
pub(crate) fn line(text: &str) -> String {
    text.chars().filter(|c| !steers(*c)).collect()
}

/// Text without what would steer a terminal; lines stay lines.
pub(crate) fn lines(text: &str) -> String {
    let keeps = |c: &char| !steers(*c) || matches!(c, '\n' | '\t');
    text.chars().filter(keeps).collect()
}

/// JSON that says the same and steers no terminal.
///
/// Such a character below U+0020 can only stand between the tokens, and any other only in a string.
pub(crate) fn json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => safe.push(c),
            '\0'..'\u{20}' => {}
            // RFC 8259 section 7: any character may be escaped.
            c if steers(c) => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => safe.push(c),
        }
    }
    safe
}

/// Whether a character does something to the text around it instead of being shown.
fn steers(c: char) -> bool {
    c.is_control()
        // Unicode standard annex 9: these turn the direction of what follows, so that it reads otherwise.
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        // Some terminals begin a new line here.
        || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [char; 10] = [
        '\0', '\u{7}', '\u{8}', '\r', '\u{1b}', '\u{7f}', '\u{9b}', '\u{202e}', '\u{2066}',
        '\u{2028}',
    ];

    #[test]
    fn what_steers_is_left_out_and_the_rest_stays() {
        for c in HOSTILE {
            assert_eq!(line(&format!("a{c}b")), "ab", "{c:?}");
            assert_eq!(lines(&format!("a{c}\n\tb")), "a\n\tb", "{c:?}");
        }
        assert_eq!(line("a\nb"), "ab");
        let plain = "\u{e9}\u{4e16} \u{1f600} \"quoted\"";
        assert_eq!(line(plain), plain);
        assert_eq!(json(plain), plain);
    }

    #[test]
    fn json_says_the_same() {
        for c in HOSTILE {
            let value = serde_json::json!({ "a": format!("x{c}\u{e9}y") });
            let safe = json(&value.to_string());
            assert!(!safe.chars().any(steers), "{safe:?}");
            let read: serde_json::Value = serde_json::from_str(&safe).unwrap();
            assert_eq!(read, value, "{c:?}");
        }
        assert_eq!(json("{\r\n\t\"a\": 1}"), "{\n\t\"a\": 1}");
    }
}
