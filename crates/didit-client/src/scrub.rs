//! Takes what identifies people, machines and credentials out of a message.

/// The longest text that is looked at, in characters; the rest is cut off at a blank.
const MAX_READ: usize = 4096;

/// A stretch of text: still to be looked at, or settled by an earlier rule.
enum Piece {
    Open(Vec<char>),
    Settled(String),
}

/// What a rule found at a place: how many characters, and what to write for them (`None` keeps them).
struct Found {
    length: usize,
    instead: Option<&'static str>,
}

type Rule = fn(&[char], usize) -> Option<Found>;

/// In this order: a later rule never sees what an earlier one settled.
const RULES: &[Rule] = &[secret, uuid, address, path, email, jwt, long_token, phone];

/// The message without secrets, addresses, paths, emails, tokens and telephone numbers; UUIDs stay.
pub(crate) fn scrub(text: &str) -> String {
    let mut pieces = vec![Piece::Open(bounded(text))];
    for rule in RULES {
        pieces = pieces
            .into_iter()
            .flat_map(|piece| apply(*rule, piece))
            .collect();
    }
    pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Open(characters) => characters.into_iter().collect(),
            Piece::Settled(text) => text,
        })
        .collect()
}

/// Cuts at the bound, and then back to the last blank, so that no half of a secret is left over.
fn bounded(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = text.chars().take(MAX_READ).collect();
    if text.chars().nth(MAX_READ).is_some() {
        while characters.pop().is_some_and(|last| !last.is_whitespace()) {}
    }
    characters
}

fn apply(rule: Rule, piece: Piece) -> Vec<Piece> {
    let Piece::Open(characters) = piece else {
        return vec![piece];
    };
    let mut out = Vec::new();
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(character) = characters.get(at) {
        match rule(&characters, at) {
            Some(found) if found.length > 0 => {
                out.push(Piece::Open(std::mem::take(&mut open)));
                let kept = || characters.iter().skip(at).take(found.length).collect();
                out.push(Piece::Settled(
                    found.instead.map_or_else(kept, str::to_owned),
                ));
                at += found.length;
            }
            _ => {
                open.push(*character);
                at += 1;
            }
        }
    }
    out.push(Piece::Open(open));
    out
}

fn before(text: &[char], at: usize) -> Option<char> {
    at.checked_sub(1)
        .and_then(|previous| text.get(previous))
        .copied()
}

/// How many characters from here on the test accepts.
fn run(text: &[char], at: usize, accepts: fn(char) -> bool) -> usize {
    text.iter()
        .skip(at)
        .take_while(|character| accepts(**character))
        .count()
}

fn starts_with(text: &[char], at: usize, prefix: &str) -> bool {
    let mut here = text.iter().skip(at);
    prefix
        .chars()
        .all(|wanted| here.next().is_some_and(|c| c.eq_ignore_ascii_case(&wanted)))
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '-'
}

fn starts_a_word(text: &[char], at: usize) -> bool {
    !before(text, at).is_some_and(is_word)
}

fn secret(text: &[char], at: usize) -> Option<Found> {
    const PREFIXES: &[&str] = &["didit", "sk", "pk", "rk", "whsec", "key"];
    if before(text, at).is_some_and(|previous| previous.is_ascii_alphanumeric()) {
        return None;
    }
    for prefix in PREFIXES {
        let separator = at + prefix.len();
        if !starts_with(text, at, prefix) || !matches!(text.get(separator), Some('_' | '-')) {
            continue;
        }
        let tail = run(text, separator + 1, is_word);
        let length = prefix.len() + 1 + tail;
        if tail < 6 {
            continue;
        }
        let names_a_tool = *prefix == "didit"
            && text
                .iter()
                .skip(at)
                .take(length)
                .all(|c| c.is_ascii_lowercase() || *c == '_');
        return Some(Found {
            length,
            instead: (!names_a_tool).then_some("[secret]"),
        });
    }
    None
}

fn uuid(text: &[char], at: usize) -> Option<Found> {
    // RFC 9562 section 4: 8-4-4-4-12 hexadecimal digits.
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    if !starts_a_word(text, at) {
        return None;
    }
    let mut here = at;
    for (index, group) in GROUPS.into_iter().enumerate() {
        if index > 0 {
            if text.get(here) != Some(&'-') {
                return None;
            }
            here += 1;
        }
        if text
            .iter()
            .skip(here)
            .take(group)
            .filter(|c| c.is_ascii_hexdigit())
            .count()
            != group
        {
            return None;
        }
        here += group;
    }
    let ends = !text.get(here).copied().is_some_and(is_word);
    ends.then_some(Found {
        length: here - at,
        instead: None,
    })
}

fn address(text: &[char], at: usize) -> Option<Found> {
    if !starts_with(text, at, "http://") && !starts_with(text, at, "https://") {
        return None;
    }
    let length = run(text, at, |c| {
        !c.is_whitespace() && !matches!(c, '"' | '\'' | '<' | '>')
    });
    Some(Found {
        length,
        instead: Some("[address]"),
    })
}

fn path(text: &[char], at: usize) -> Option<Found> {
    let in_path = |c: char| !c.is_whitespace() && !matches!(c, '"' | '\'' | '<' | '>' | ',' | ';');
    if before(text, at).is_some_and(|c| is_word(c) || c == '/' || c == '.') {
        return None;
    }
    let drive = text.get(at).is_some_and(char::is_ascii_alphabetic)
        && text.get(at + 1) == Some(&':')
        && matches!(text.get(at + 2), Some('\\' | '/'));
    if drive || starts_with(text, at, "\\\\") {
        return Some(Found {
            length: run(text, at, in_path),
            instead: Some("[path]"),
        });
    }
    if text.get(at) != Some(&'/') {
        return None;
    }
    let length = run(text, at, in_path);
    let segments = text
        .iter()
        .skip(at)
        .take(length)
        .copied()
        .collect::<String>()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .count();
    (segments >= 2).then_some(Found {
        length,
        instead: Some("[path]"),
    })
}

fn email(text: &[char], at: usize) -> Option<Found> {
    let local = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    let domain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    if before(text, at).is_some_and(local) {
        return None;
    }
    let name = run(text, at, local);
    if name == 0 || text.get(at + name) != Some(&'@') {
        return None;
    }
    let mut host = run(text, at + name + 1, domain);
    // A stop at the end belongs to the sentence.
    while host > 0 && text.get(at + name + host) == Some(&'.') {
        host -= 1;
    }
    (host > 0).then_some(Found {
        length: name + 1 + host,
        instead: Some("[email]"),
    })
}

fn jwt(text: &[char], at: usize) -> Option<Found> {
    // RFC 7515 section 3.1: three base64url parts; a header object begins with `eyJ`.
    if !starts_a_word(text, at) || !text.iter().skip(at).take(3).eq(['e', 'y', 'J'].iter()) {
        return None;
    }
    let length = run(text, at, |c| is_word(c) || c == '.');
    let dots = text
        .iter()
        .skip(at)
        .take(length)
        .filter(|c| **c == '.')
        .count();
    (dots >= 1).then_some(Found {
        length,
        instead: Some("[token]"),
    })
}

fn long_token(text: &[char], at: usize) -> Option<Found> {
    if !starts_a_word(text, at) {
        return None;
    }
    let length = run(text, at, is_word);
    let has = |test: fn(&char) -> bool| text.iter().skip(at).take(length).any(test);
    let mixed = has(char::is_ascii_alphabetic) && has(char::is_ascii_digit);
    (length >= 24 && mixed).then_some(Found {
        length,
        instead: Some("[token]"),
    })
}

fn phone(text: &[char], at: usize) -> Option<Found> {
    let previous_is_text = before(text, at).is_some_and(|c| is_word(c) || c == '.' || c == '+');
    let first = text.get(at)?;
    if previous_is_text || !(first.is_ascii_digit() || matches!(first, '+' | '(')) {
        return None;
    }
    let mut length = run(text, at, |c| {
        c.is_ascii_digit() || matches!(c, '+' | '(' | ')' | ' ' | '-' | '.')
    });
    while length > 0 && !text.get(at + length - 1).is_some_and(char::is_ascii_digit) {
        length -= 1;
    }
    let found: String = text.iter().skip(at).take(length).collect();
    let digits = found.chars().filter(char::is_ascii_digit).count();
    let ends = !text
        .get(at + length)
        .is_some_and(char::is_ascii_alphanumeric);
    let phone_like = (9..=15).contains(&digits) && ends && !is_date(&found);
    phone_like.then_some(Found {
        length,
        instead: Some("[phone]"),
    })
}

/// A date, or a date with the hour after it, is no telephone number.
fn is_date(text: &str) -> bool {
    let mut groups = text.split('-');
    let sizes = [groups.next(), groups.next(), groups.next()].map(|group| {
        group.map_or(0, |digits| {
            digits.chars().take_while(char::is_ascii_digit).count()
        })
    });
    sizes == [4, 2, 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_has_its_text() {
        for (text, want) in [
            ("key sk_live_12345678 is bad", "key [secret] is bad"),
            ("whsec-abcdef", "[secret]"),
            ("sk_12345", "sk_12345"),
            (
                "call didit_session_list first",
                "call didit_session_list first",
            ),
            ("didit_Live_Key1234", "[secret]"),
            (
                "no 11111111-2222-3333-4444-555555555555 here",
                "no 11111111-2222-3333-4444-555555555555 here",
            ),
            ("see https://a.example/x?token=1 now", "see [address] now"),
            ("at HTTP://10.0.0.1/admin", "at [address]"),
            ("open /etc/passwd failed", "open [path] failed"),
            ("open C:\\Users\\ada\\x failed", "open [path] failed"),
            ("and/or is text, /one too", "and/or is text, /one too"),
            ("ada.l+1@mail.example is taken", "[email] is taken"),
            ("Taken by ada@mail.example.", "Taken by [email]."),
            ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.sig", "[token]"),
            ("abcdefghijkl1234567890abcd", "[token]"),
            (
                "abcdefghijklmnopqrstuvwxyzabcd",
                "abcdefghijklmnopqrstuvwxyzabcd",
            ),
            ("call +48 601 234 567 back", "call [phone] back"),
            (
                "between 2026-01-02 and 2026-11-20",
                "between 2026-01-02 and 2026-11-20",
            ),
            ("limit 50 of 1000", "limit 50 of 1000"),
            ("", ""),
        ] {
            assert_eq!(scrub(text), want, "{text}");
        }
    }

    #[test]
    fn what_is_beyond_the_bound_goes_with_its_whole_word() {
        let text = format!("{} sk_live_0123456789", "a ".repeat(MAX_READ / 2 - 5));
        let cut = scrub(&text);
        assert!(!cut.contains("sk_"), "{cut}");
        assert!(scrub(&"x".repeat(100_000)).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_address_survives(text in "[ -~]{0,200}") {
            let once = scrub(&text);
            proptest::prop_assert!(!once.contains("http://") && !once.contains("https://"));
        }
    }
}
