//! `WWW-Authenticate`, read and written (RFC 9110 section 11, RFC 6750 section 3, RFC 9728 section 5.1, RFC 9470 section 3).

mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, header};
use thiserror::Error;

pub(crate) use self::reader::is_token;
use self::reader::{Reader, is_space};
use crate::error_code::ErrorCode;
use crate::scope::ScopeSet;

/// The longest header value that is read, which is the longest that common servers send.
pub const MAX_CHALLENGE_BYTES: usize = 8 * 1024;
/// The most challenges in one header value, and in all of a response together; there are not that many schemes.
pub const MAX_CHALLENGES: usize = 16;
/// The most parameters in one challenge; all that are registered together are a dozen.
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
    /// (control characters, anything outside ASCII) become `?`, so that no value breaks the header;
    /// so do quotes and backslashes in the parameters of which RFC 6750 says that they hold none.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        let name = token_of(name);
        // RFC 6750 section 3: %x20-21 / %x23-5B / %x5D-7E in these four.
        let bare = ["scope", "error", "error_description", "error_uri"]
            .into_iter()
            .any(|own| own.eq_ignore_ascii_case(&name));
        let fits = |c: char| matches!(c, ' '..='~') && !(bare && matches!(c, '"' | '\\'));
        let value = value
            .chars()
            .map(|c| if fits(c) { c } else { '?' })
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

    /// The error, if it is one of the table.
    pub fn error(&self) -> Option<ErrorCode> {
        ErrorCode::parse(self.get("error")?)
    }

    /// The scope that access needs; none if it is left out, empty, or not a scope.
    pub fn scope(&self) -> Option<ScopeSet> {
        let scope = ScopeSet::parse(self.get("scope")?).ok()?;
        (!scope.is_empty()).then_some(scope)
    }

    /// RFC 9728: where the metadata of the resource is, as the server says; anybody may say anything.
    pub fn resource_metadata(&self) -> Option<&str> {
        self.get("resource_metadata")
    }

    /// RFC 9470: the authentication contexts that would do, the best first.
    pub fn acr_values(&self) -> impl Iterator<Item = &str> {
        let values = self.get("acr_values").unwrap_or_default();
        values.split(' ').filter(|value| !value.is_empty())
    }

    /// RFC 9470: how long ago the person may have signed in; none if that is no whole number of seconds.
    pub fn max_age(&self) -> Option<Duration> {
        let digits = self.get("max_age")?;
        let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let seconds = all.then(|| digits.parse().ok())??;
        Some(Duration::from_secs(seconds))
    }

    /// RFC 9449: the algorithms of proofs that the server takes.
    pub fn algs(&self) -> impl Iterator<Item = &str> {
        let values = self.get("algs").unwrap_or_default();
        values.split(' ').filter(|value| !value.is_empty())
    }

    /// Reads every challenge of a response, over all its lines.
    ///
    /// A line that cannot be read is left out, so that it does not hide the others, and what comes
    /// after [`MAX_CHALLENGES`] is not read.
    ///
    /// ```
    /// use oauth_rs::challenge::Challenge;
    ///
    /// let mut headers = http::HeaderMap::new();
    /// headers.append("www-authenticate", "Negotiate, Basic realm=\"x\"".parse()?);
    /// headers.append("www-authenticate", "\"nonsense".parse()?);
    /// headers.append("www-authenticate", "Bearer scope=\"read write\"".parse()?);
    /// let all = Challenge::all_of(&headers);
    /// assert_eq!(all.len(), 3);
    /// assert_eq!(all[2].scope().map(|scope| scope.len()), Some(2));
    /// # Ok::<(), http::header::InvalidHeaderValue>(())
    /// ```
    pub fn all_of(headers: &HeaderMap) -> Vec<Self> {
        headers
            .get_all(header::WWW_AUTHENTICATE)
            .iter()
            // RFC 9110 section 5.5: what is outside ASCII is opaque, and no reason to lose the rest.
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .filter_map(|line| Self::parse_all(&line).ok())
            .flatten()
            .take(MAX_CHALLENGES)
            .collect()
    }

    /// Reads every challenge of one header value.
    ///
    /// An unquoted value may hold any visible character but a comma and a quote, since servers leave
    /// the quotes off addresses.
    /// For the lines of a response there is [`Challenge::all_of`].
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
        // RFC 9110 section 11.3: a challenge has a value of its own or parameters, never both.
        if self.token68.is_some() {
            return Err(InvalidChallenge::NoScheme);
        }
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

fn token_of(text: &str) -> String {
    text.bytes()
        .filter(|b| is_token(*b))
        .map(char::from)
        .collect()
}
