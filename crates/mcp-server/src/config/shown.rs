//! What `--check` prints: every setting, its value, and where that comes from; no secret.

use std::fmt::Write as _;

use super::field::FIELDS;
use super::source::{Layers, written};

/// The effective configuration, a line for each setting.
pub(crate) fn table(layers: &Layers) -> String {
    let mut text = String::new();
    for field in FIELDS {
        let key = written(field);
        // Writing to a `String` cannot fail.
        let _ = match layers.get(field.key) {
            Some(given) if field.is_secret => {
                writeln!(text, "{key} = (not shown)  # {}", given.source)
            }
            Some(given) => {
                let value = given.text.expose().trim();
                writeln!(text, "{key} = {value:?}  # {}", given.source)
            }
            None => writeln!(text, "{key} is not set"),
        };
    }
    text
}
