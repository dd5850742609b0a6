//! What is wrong with a configuration: which setting, where it was said, and what to write instead.

use std::fmt;

use super::field::Field;
use super::source::Source;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    pub(crate) field: String,
    pub(crate) problem: String,
    pub(crate) source: Source,
    pub(crate) remedy: String,
}

impl ConfigError {
    pub(crate) fn new(field: &Field, problem: impl Into<String>, source: Source) -> Self {
        Self {
            field: field.key.to_owned(),
            problem: problem.into(),
            source,
            remedy: format!("write {}", field.takes),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            problem,
            source,
            remedy,
        } = self;
        write!(f, "{field} {problem} (from {source}): {remedy}")
    }
}

impl std::error::Error for ConfigError {}

/// Everything that is wrong, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors(pub(crate) Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration cannot be used:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}

/// A value as a message shows it: quoted, and cut to 100 characters.
///
/// An address with user information is not shown at all.
pub(crate) fn shown(text: &str) -> String {
    if text.contains('@') {
        return "what is there".to_owned();
    }
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}
