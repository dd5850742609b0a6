//! From text to a value of its type; the reason if that is not possible.

use oauth_rs::secret::Secret;
use oauth_rs::uri::check_endpoint;

use super::error::{ConfigError, shown};
use super::field::{FIELDS, Field};
use super::source::Layers;

/// Reads settings from their texts, and collects what is wrong.
pub(crate) struct Reader<'a> {
    layers: &'a Layers,
    pub(crate) errors: Vec<ConfigError>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(layers: &'a Layers) -> Self {
        let errors = layers.errors.clone();
        Self { layers, errors }
    }

    /// The setting as its type; none if nothing is said, or if it was wrong, which is then told.
    pub(crate) fn get<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let given = self.layers.get(key)?;
        match read(given.text.expose().trim()) {
            Ok(value) => Some(value),
            Err(problem) => {
                let source = given.source.clone();
                self.refuse(key, |field| ConfigError::new(field, problem, source));
                None
            }
        }
    }

    /// The text of a setting.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        self.get(key, |text| Ok(text.to_owned()))
    }

    /// A secret.
    pub(crate) fn secret(&mut self, key: &str) -> Option<Secret> {
        self.get(key, |text| Ok(Secret::new(text)))
    }

    /// Says that a setting is missing, unless it was given and is wrong.
    pub(crate) fn missing(&mut self, key: &str, why: &str) {
        if self.layers.get(key).is_none() {
            let why = format!("is missing: {why}");
            self.refuse(key, |field| {
                ConfigError::new(field, why, super::source::Source::Default)
            });
        }
    }

    fn refuse(&mut self, key: &str, error: impl FnOnce(&Field) -> ConfigError) {
        // A test walks the keys, so there is always one.
        if let Some(field) = FIELDS.iter().find(|field| field.key == key) {
            self.errors.push(error(field));
        }
    }
}

/// An address that credentials may be sent to.
pub(crate) fn address(text: &str) -> Result<String, String> {
    check_endpoint(text).map_err(|reason| format!("{} cannot be used: {reason}", shown(text)))?;
    Ok(text.to_owned())
}

pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(format!("{} is neither true nor false", shown(text))),
    }
}

/// A whole number within bounds.
pub(crate) fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number: u64 = text
        .parse()
        .map_err(|_| format!("{} is not a whole number", shown(text)))?;
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{number} is not between {least} and {most}"))
    }
}

/// Bytes: a number, or one with `b`, `kb` or `mb`, as the original takes it.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let lower = text.to_ascii_lowercase();
    let (digits, unit) = match lower.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), "b"),
    };
    let unit: u64 = match unit.trim() {
        "b" => 1,
        "kb" => 1024,
        "mb" => 1024 * 1024,
        _ => return Err(format!("{} is not a size", shown(text))),
    };
    let bytes = digits
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(unit));
    let bytes = bytes.ok_or_else(|| format!("{} is not a size", shown(text)))?;
    match usize::try_from(bytes) {
        // Less than one tool call, and more than every tool's files together.
        Ok(bytes) if (1024..=64 * 1024 * 1024).contains(&bytes) => Ok(bytes),
        _ => Err(format!("{} is not between 1kb and 64mb", shown(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units_and_bounds() {
        for (text, bytes) in [
            ("1024", 1024),
            ("1kb", 1024),
            ("25mb", 25 * 1024 * 1024),
            ("25 MB", 25 * 1024 * 1024),
            ("2048b", 2048),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "mb",
            "1.5mb",
            "25gb",
            "-1",
            "1023",
            "65mb",
            "99999999999999999999mb",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_in_a_message_is_short_and_has_no_user_information() {
        assert!(switch(&"x".repeat(5000)).unwrap_err().len() < 200);
        let why = address("https://user:secret@a.example/").unwrap_err();
        assert!(!why.contains("secret"), "{why}");
    }
}
