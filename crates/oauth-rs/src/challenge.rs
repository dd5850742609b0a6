//! `WWW-Authenticate`, read and written (RFC 9110 section 11, RFC 6750 section 3, RFC 9728 section 5.1).

use std::fmt;

use thiserror::Error;

/// The longest header value that is read.
pub const MAX_CHALLENGE_BYTES: usize = 8 * 1024;
/// The most challenges in one header value.
pub const MAX_CHALLENGES: usize = 16;
/// The most parameters in one challenge.
pub const MAX_CHALLENGE_PARAMS: usize = 32;

/// Why a header value is not a list of challenges.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidChallenge {
    /// Longer than [`MAX_CHALLENGE_BYTES`], or more challenges or parameters than are read.
    #[error("challenge is too long")]
    TooLong,
    /// A scheme or a parameter name was expected at this byte.
    #[error("expected a name at byte {0}")]
    Name(usize),
    /// A quoted string does not end, or holds a control character.
    #[error("quoted string starting at byte {0} is malformed")]
    Quoted(usize),
    /// Something other than a comma follows a parameter.
    #[error("expected a comma at byte {0}")]
    Comma(usize),
    /// A parameter without a scheme before it.
    #[error("parameter without a scheme")]
    NoScheme,
    /// A parameter came twice in one challenge.
    #[error("parameter {0:?} occurs twice in one challenge")]
    Duplicate(String),
}

/// One challenge: a scheme and its parameters.
///
/// ```
/// use oauth_rs::challenge::Challenge;
///
/// let challenge = Challenge::new("Bearer").param("error", "invalid_token").param("realm", "a \"b\"");
/// assert_eq!(challenge.to_string(), r#"Bearer error="invalid_token", realm="a \"b\"""#);
///
/// let read = Challenge::parse_all(r#"Basic realm="x, y", Bearer scope=read"#)?;
/// assert_eq!(read[1].get("scope"), Some("read"));
/// assert!(Challenge::parse_all(r#"Bearer realm="never ends"#).is_err());
/// # Ok::<(), oauth_rs::challenge::InvalidChallenge>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    scheme: String,
    token68: Option<String>,
    params: Vec<(String, String)>,
}

impl Challenge {
    /// Starts a challenge; characters that a scheme cannot have are left out.
    pub fn new(scheme: &str) -> Self {
        Self {
            scheme: token_of(scheme),
            token68: None,
            params: Vec::new(),
        }
    }

    /// Adds a parameter; setting one twice keeps the later value.
    ///
    /// Characters that a name cannot have are left out, and those that a header value cannot have
    /// (control characters, anything outside ASCII) become `?`, so that no value breaks the header.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        let name = token_of(name);
        let value = value
            .chars()
            .map(|c| if matches!(c, ' '..='~') { c } else { '?' })
            .collect::<String>();
        match self
            .params
            .iter_mut()
            .find(|(own, _)| own.eq_ignore_ascii_case(&name))
        {
            Some(own) => own.1 = value,
            None if name.is_empty() => {}
            None => self.params.push((name, value)),
        }
        self
    }

    /// The scheme as written; compare it with [`Challenge::is_scheme`].
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether the scheme is this one, without regard to case.
    pub fn is_scheme(&self, scheme: &str) -> bool {
        // RFC 9110 section 11.1: the scheme is case-insensitive.
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter, unquoted; the name is compared without regard to case.
    pub fn get(&self, name: &str) -> Option<&str> {
        // RFC 9110 section 11.2: parameter names are matched case-insensitively.
        self.params
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The parameters in order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &str)> {
        self.params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a scheme that has one instead of parameters.
    pub fn token68(&self) -> Option<&str> {
        self.token68.as_deref()
    }

    /// Reads every challenge of one header value.
    ///
    /// An unquoted value may hold any visible character but a comma and a quote, since servers leave
    /// the quotes off addresses.
    /// For several header lines, call it for each.
    ///
    /// # Errors
    /// The value is longer than is read, or does not follow the grammar.
    pub fn parse_all(header_value: &str) -> Result<Vec<Self>, InvalidChallenge> {
        if header_value.len() > MAX_CHALLENGE_BYTES {
            return Err(InvalidChallenge::TooLong);
        }
        let mut reader = Reader {
            bytes: header_value.as_bytes(),
            at: 0,
        };
        let mut challenges: Vec<Self> = Vec::new();
        loop {
            reader.skip(|b| is_space(b) || b == b',');
            if reader.peek().is_none() {
                return Ok(challenges);
            }
            let name = reader.token()?;
            if reader.takes_equals() {
                let value = reader.value()?;
                let current = challenges.last_mut().ok_or(InvalidChallenge::NoScheme)?;
                current.take(name, value)?;
                reader.expect_comma()?;
            } else {
                if challenges.len() >= MAX_CHALLENGES {
                    return Err(InvalidChallenge::TooLong);
                }
                let token68 = reader.token68();
                challenges.push(Self {
                    scheme: name,
                    token68,
                    params: Vec::new(),
                });
            }
        }
    }

    fn take(&mut self, name: String, value: String) -> Result<(), InvalidChallenge> {
        if self.params.len() >= MAX_CHALLENGE_PARAMS {
            return Err(InvalidChallenge::TooLong);
        }
        // RFC 9110 section 11.2: each parameter name MUST only occur once per challenge.
        if self.get(&name).is_some() {
            return Err(InvalidChallenge::Duplicate(name.chars().take(64).collect()));
        }
        self.params.push((name, value));
        Ok(())
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        if let Some(token68) = &self.token68 {
            write!(f, " {token68}")?;
        }
        for (index, (name, value)) in self.params.iter().enumerate() {
            // RFC 9110 section 5.6.4: a quote and a backslash are escaped in a quoted string.
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            write!(
                f,
                "{} {name}=\"{escaped}\"",
                if index == 0 { "" } else { "," }
            )?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Takes bytes while they are wanted; they are ASCII or whole characters, so text again.
    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let start = self.at;
        self.skip(wanted);
        let taken = self.bytes.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(taken).into_owned()
    }

    fn token(&mut self) -> Result<String, InvalidChallenge> {
        let start = self.at;
        let token = self.take(is_token);
        if token.is_empty() {
            Err(InvalidChallenge::Name(start))
        } else {
            Ok(token)
        }
    }

    /// An equals sign, with the white space that RFC 9110 section 11.2 tolerates around it.
    fn takes_equals(&mut self) -> bool {
        let start = self.at;
        self.skip(is_space);
        if self.peek() == Some(b'=') {
            self.at += 1;
            self.skip(is_space);
            return true;
        }
        self.at = start;
        false
    }

    fn value(&mut self) -> Result<String, InvalidChallenge> {
        if self.peek() == Some(b'"') {
            return self.quoted();
        }
        Ok(self.take(|b| b.is_ascii_graphic() && b != b',' && b != b'"'))
    }

    fn quoted(&mut self) -> Result<String, InvalidChallenge> {
        let start = self.at;
        self.at += 1;
        let mut out = Vec::new();
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => {
                    return String::from_utf8(out).map_err(|_| InvalidChallenge::Quoted(start));
                }
                b'\\' => {
                    // RFC 9110 section 5.6.4: a control character cannot be escaped either.
                    let escaped = self
                        .peek()
                        .filter(|byte| !byte.is_ascii_control() || *byte == b'\t')
                        .ok_or(InvalidChallenge::Quoted(start))?;
                    self.at += 1;
                    out.push(escaped);
                }
                byte if byte.is_ascii_control() && byte != b'\t' => {
                    return Err(InvalidChallenge::Quoted(start));
                }
                byte => out.push(byte),
            }
        }
        Err(InvalidChallenge::Quoted(start))
    }

    fn expect_comma(&mut self) -> Result<(), InvalidChallenge> {
        self.skip(is_space);
        match self.peek() {
            None | Some(b',') => Ok(()),
            Some(_) => Err(InvalidChallenge::Comma(self.at)),
        }
    }

    /// What follows a scheme, if it is one word up to the next comma rather than a parameter.
    fn token68(&mut self) -> Option<String> {
        let start = self.at;
        self.skip(is_space);
        let mut word = self.take(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        word.push_str(&self.take(|b| b == b'='));
        self.skip(is_space);
        if !word.is_empty() && matches!(self.peek(), None | Some(b',')) {
            return Some(word);
        }
        self.at = start;
        None
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

// RFC 9110 section 5.6.2: the characters of a token.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn token_of(text: &str) -> String {
    text.bytes()
        .filter(|b| is_token(*b))
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> Vec<Challenge> {
        Challenge::parse_all(value).unwrap()
    }

    #[test]
    fn the_challenge_of_a_protected_resource() {
        let value = "Bearer resource_metadata=\"https://rs.example/.well-known/oauth-protected-resource/mcp\", scope=\"a b\"";
        let all = read(value);
        assert_eq!(all.len(), 1);
        assert!(all[0].is_scheme("bearer"));
        assert_eq!(all[0].get("Scope"), Some("a b"));
        assert_eq!(all[0].get("error"), None);
        assert_eq!(all[0].to_string(), value);
    }

    #[test]
    fn several_schemes_in_one_line() {
        let all = read(
            "Negotiate, Basic YWJj==, Newauth realm=\"apps, \\\"x\\\"\", type=1,title=\"t\" , DPoP algs=\"ES256\"",
        );
        let schemes: Vec<&str> = all.iter().map(Challenge::scheme).collect();
        assert_eq!(schemes, ["Negotiate", "Basic", "Newauth", "DPoP"]);
        assert_eq!(all[1].token68(), Some("YWJj=="));
        assert_eq!(all[2].get("realm"), Some("apps, \"x\""));
        assert_eq!(all[2].params().count(), 3);
        assert_eq!(all[3].get("algs"), Some("ES256"));
    }

    #[test]
    fn tolerates_what_servers_send() {
        let all = read("Bearer resource_metadata=https://rs.example/x?y=1 , scope = read,,");
        assert_eq!(
            all[0].get("resource_metadata"),
            Some("https://rs.example/x?y=1")
        );
        assert_eq!(all[0].get("scope"), Some("read"));
        assert_eq!(read("Bearer")[0].params().count(), 0);
        assert_eq!(read(""), []);
        assert_eq!(read(" , "), []);
    }

    #[test]
    fn each_refusal() {
        let cases = [
            ("realm=\"x\"", InvalidChallenge::NoScheme),
            ("Bearer realm=\"x", InvalidChallenge::Quoted(13)),
            ("Bearer realm=\"x\\", InvalidChallenge::Quoted(13)),
            ("Bearer realm=\"x\r\ny\"", InvalidChallenge::Quoted(13)),
            ("Bearer realm=\"x\\\ny\"", InvalidChallenge::Quoted(13)),
            (
                "Bearer realm=\"x\" scope=\"y\"",
                InvalidChallenge::Comma(17),
            ),
            (
                "Bearer realm=\"x\", REALM=\"y\"",
                InvalidChallenge::Duplicate("REALM".into()),
            ),
            ("\"Bearer\"", InvalidChallenge::Name(0)),
            ("Bearer, (x)", InvalidChallenge::Name(8)),
        ];
        for (value, reason) in cases {
            assert_eq!(Challenge::parse_all(value), Err(reason), "{value:?}");
        }
        let long = format!("Bearer realm=\"{}\"", "a".repeat(MAX_CHALLENGE_BYTES));
        assert_eq!(Challenge::parse_all(&long), Err(InvalidChallenge::TooLong));
        let schemes = vec!["A"; MAX_CHALLENGES + 1].join(",");
        assert_eq!(
            Challenge::parse_all(&schemes),
            Err(InvalidChallenge::TooLong)
        );
        let params: Vec<String> = (0..=MAX_CHALLENGE_PARAMS)
            .map(|n| format!("p{n}=1"))
            .collect();
        let value = format!("A {}", params.join(","));
        assert_eq!(Challenge::parse_all(&value), Err(InvalidChallenge::TooLong));
    }

    #[test]
    fn a_value_cannot_break_the_header() {
        let challenge = Challenge::new("Bea rer").param("re alm", "a\r\nSet-Cookie: x\u{e9}");
        assert_eq!(challenge.to_string(), "Bearer realm=\"a??Set-Cookie: x?\"");
        assert!(http::HeaderValue::from_str(&challenge.to_string()).is_ok());
        let twice = Challenge::new("A")
            .param("x", "1")
            .param("X", "2")
            .param("", "3");
        assert_eq!(twice.to_string(), "A x=\"2\"");
    }

    proptest! {
        #[test]
        fn parse_after_print(
            scheme in "[A-Za-z]{1,8}",
            values in proptest::collection::vec("[ -~]{0,20}", 1..10),
        ) {
            let challenge = values.iter().enumerate().fold(Challenge::new(&scheme), |c, (n, v)| {
                c.param(&format!("p{n}"), v)
            });
            let line = format!("{challenge}, Basic, {challenge}");
            let all = Challenge::parse_all(&line).unwrap();
            prop_assert_eq!(all.len(), 3);
            prop_assert_eq!(&all[0], &challenge);
            prop_assert_eq!(&all[2], &challenge);
        }

        #[test]
        fn never_panics(value in "[ -~\u{e9}\t]{0,80}") {
            let parsed = Challenge::parse_all(&value);
            if let Ok(all) = parsed {
                prop_assert!(all.iter().all(|c| !c.scheme().is_empty()));
            }
        }
    }
}
