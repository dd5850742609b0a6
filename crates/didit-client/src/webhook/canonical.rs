//! The form in which a JSON text is signed by `X-Signature-V2`.
//!
//! Keys sorted by code point at every level, separators `,` and `:`, characters outside ASCII as they are, `/` not escaped,
//! a floating-point number that is whole written as an integer, arrays in order, empty objects kept.

use std::collections::BTreeMap;

/// The deepest level; the deepest event known has nine.
const MAX_DEPTH: usize = 64;

/// Beyond it not every whole number is a floating-point number, and its digits are not agreed on.
const MAX_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Below it some writers use an exponent and others do not.
const MIN_FRACTION: f64 = 0.0001;

/// Why a text has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotCanonical {
    /// It is not JSON.
    #[error("it is not JSON")]
    Json,
    /// It has more than 64 levels.
    #[error("it is nested deeper than 64 levels")]
    Depth,
    /// An object has a name twice, so that two readers may see two things.
    #[error("an object has the same name twice")]
    SameName,
    /// It has a number that writers write differently: a fraction below 0.0001, or a floating-point number above 2^53.
    #[error("it has a number whose digits are not agreed on")]
    Number,
}

/// The canonical form.
///
/// # Errors
/// [`NotCanonical`] with the first rule that the text breaks.
pub fn canonical(text: &str) -> Result<String, NotCanonical> {
    let mut reader = Reader { rest: text };
    let tree = reader.value(0)?;
    reader.blanks();
    if !reader.rest.is_empty() {
        return Err(NotCanonical::Json);
    }
    let mut out = String::with_capacity(text.len());
    tree.write(&mut out)?;
    Ok(out)
}

/// A value; numbers and words keep their letters, since reading a number could change it.
enum Tree<'a> {
    Object(BTreeMap<String, Tree<'a>>),
    Array(Vec<Tree<'a>>),
    Text(String),
    Word(&'a str),
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    // RFC 8259 section 2: these four are the blanks.
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, mark: char) -> bool {
        self.blanks();
        match self.rest.strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Result<Tree<'a>, NotCanonical> {
        if depth > MAX_DEPTH {
            return Err(NotCanonical::Depth);
        }
        if self.take('{') {
            return self.object(depth);
        }
        if self.take('[') {
            return self.array(depth);
        }
        if self.rest.starts_with('"') {
            return self.text().map(Tree::Text);
        }
        let end = self
            .rest
            .find([',', ']', '}', ' ', '\t', '\n', '\r'])
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).ok_or(NotCanonical::Json)?;
        self.rest = rest;
        Ok(Tree::Word(word))
    }

    fn object(&mut self, depth: usize) -> Result<Tree<'a>, NotCanonical> {
        let mut fields = BTreeMap::new();
        if self.take('}') {
            return Ok(Tree::Object(fields));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            if !self.take(':') {
                return Err(NotCanonical::Json);
            }
            let value = self.value(depth + 1)?;
            if fields.insert(name, value).is_some() {
                return Err(NotCanonical::SameName);
            }
            if self.take('}') {
                return Ok(Tree::Object(fields));
            }
            if !self.take(',') {
                return Err(NotCanonical::Json);
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Tree<'a>, NotCanonical> {
        let mut rows = Vec::new();
        if self.take(']') {
            return Ok(Tree::Array(rows));
        }
        loop {
            rows.push(self.value(depth + 1)?);
            if self.take(']') {
                return Ok(Tree::Array(rows));
            }
            if !self.take(',') {
                return Err(NotCanonical::Json);
            }
        }
    }

    /// A text with its quotes; what the escapes mean is left to the JSON library.
    fn text(&mut self) -> Result<String, NotCanonical> {
        let mut bytes = self.rest.bytes().enumerate();
        if bytes.next().map(|(_, first)| first) != Some(b'"') {
            return Err(NotCanonical::Json);
        }
        let mut escaped = false;
        let end = bytes.find_map(|(at, byte)| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends.then_some(at + 1)
        });
        let end = end.ok_or(NotCanonical::Json)?;
        let (text, rest) = self.rest.split_at_checked(end).ok_or(NotCanonical::Json)?;
        self.rest = rest;
        serde_json::from_str(text).map_err(|_| NotCanonical::Json)
    }
}

impl Tree<'_> {
    fn write(&self, out: &mut String) -> Result<(), NotCanonical> {
        match self {
            Self::Object(fields) => {
                out.push('{');
                for (at, (name, value)) in fields.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    out.push_str(&quoted(name)?);
                    out.push(':');
                    value.write(out)?;
                }
                out.push('}');
            }
            Self::Array(rows) => {
                out.push('[');
                for (at, row) in rows.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    row.write(out)?;
                }
                out.push(']');
            }
            Self::Text(text) => out.push_str(&quoted(text)?),
            Self::Word(word @ ("null" | "true" | "false")) => out.push_str(word),
            Self::Word(digits) => out.push_str(&number(digits)?),
        }
        Ok(())
    }
}

fn quoted(text: &str) -> Result<String, NotCanonical> {
    serde_json::to_string(text).map_err(|_| NotCanonical::Json)
}

fn number(digits: &str) -> Result<String, NotCanonical> {
    // Reading it this way checks its grammar; the value comes from the digits, correctly rounded.
    serde_json::from_str::<serde_json::Number>(digits).map_err(|_| NotCanonical::Json)?;
    if digits == "-0" {
        return Ok("0".to_owned());
    }
    if !digits.contains(['.', 'e', 'E']) {
        return Ok(digits.to_owned());
    }
    let value: f64 = digits.parse().map_err(|_| NotCanonical::Json)?;
    if value == 0.0 {
        return Ok("0".to_owned());
    }
    if value.fract() == 0.0 && value.abs() <= MAX_WHOLE {
        return Ok(format!("{value:.0}"));
    }
    if value.fract() == 0.0 || value.abs() < MIN_FRACTION {
        return Err(NotCanonical::Number);
    }
    Ok(value.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn each_rule_has_its_text() {
        for (text, form) in [
            (r#" { "b" : 1 , "a" : [ 2, 1 ] } "#, r#"{"a":[2,1],"b":1}"#),
            (r#"{"a":{"d":1,"c":{}}}"#, r#"{"a":{"c":{},"d":1}}"#),
            (r#"{"B":1,"a":2,"_":3}"#, r#"{"B":1,"_":3,"a":2}"#),
            // By code point, where UTF-16 order would put the second before the first.
            (
                "{\"\u{1f600}\":1,\"\u{ff5e}\":2}",
                "{\"\u{ff5e}\":2,\"\u{1f600}\":1}",
            ),
            (r#""u\u017cytkownik""#, "\"użytkownik\""),
            (
                r#""\u002f\/\"\\\n\u0001\u007f""#,
                "\"//\\\"\\\\\\n\\u0001\u{7f}\"",
            ),
            (r#"["a\\", "b"]"#, r#"["a\\","b"]"#),
            ("98.0", "98"),
            ("-98.00", "-98"),
            ("1e3", "1000"),
            ("1.5E2", "150"),
            ("-0", "0"),
            ("-0.0", "0"),
            ("0.5", "0.5"),
            ("0.50", "0.5"),
            ("0.0001", "0.0001"),
            ("0.1234567890123456", "0.1234567890123456"),
            ("4503599627370495.5", "4503599627370495.5"),
            ("18446744073709551616", "18446744073709551616"),
            ("[]", "[]"),
            ("[null,true,false]", "[null,true,false]"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(form), "{text}");
        }
    }

    #[test]
    fn what_has_no_form_says_why() {
        let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
        for (text, why) in [
            ("", NotCanonical::Json),
            ("{", NotCanonical::Json),
            ("{\"a\"}", NotCanonical::Json),
            ("{\"a\":1,}", NotCanonical::Json),
            ("[1 2]", NotCanonical::Json),
            ("[1]x", NotCanonical::Json),
            ("\"a", NotCanonical::Json),
            ("\"\\ud800\"", NotCanonical::Json),
            ("tru", NotCanonical::Json),
            ("01", NotCanonical::Json),
            ("+1", NotCanonical::Json),
            ("NaN", NotCanonical::Json),
            ("{\"a\":1,\"\\u0061\":2}", NotCanonical::SameName),
            ("1e-5", NotCanonical::Number),
            ("0.00009", NotCanonical::Number),
            ("1e17", NotCanonical::Number),
            ("1e400", NotCanonical::Json),
            (&deep, NotCanonical::Depth),
        ] {
            assert_eq!(canonical(text), Err(why), "{text}");
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_form_means_the_same_and_is_its_own_form(value in json()) {
            let form = canonical(&serde_json::to_string_pretty(&value).unwrap()).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&form).unwrap(), &value);
            prop_assert_eq!(&canonical(&form).unwrap(), &form);
            prop_assert_eq!(canonical(&value.to_string()).unwrap(), form);
        }

        #[test]
        fn a_fraction_keeps_its_value(value in prop_oneof![-1e9..1e9_f64, 0.0001..1.0_f64]) {
            let form = canonical(&format!("{value:?}")).unwrap();
            prop_assert_eq!(form.parse::<f64>().unwrap(), value);
            prop_assert!(!form.contains('e') && !form.ends_with(".0"));
        }

        #[test]
        fn whatever_is_written_nothing_breaks(text in "[\\[\\]{}\",:0-9.eE\\\\ a-z-]{0,60}") {
            if let Ok(form) = canonical(&text) {
                prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text} became {form}");
            }
        }
    }
}
