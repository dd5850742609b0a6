//! What is known not to pass, and why: `xtask/conformance/expected.json`.

use serde::Deserialize;

use crate::Outcome;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    entries: Vec<Entry>,
}

/// One scenario that does not pass.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The name of the run.
    pub(crate) run: String,
    pub(crate) scenario: String,
    pub(crate) kind: Kind,
    pub(crate) reason: String,
}

/// Why a scenario does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// It asks for something that we deliberately do not have, or the suite itself skips it.
    NotApplicable,
    /// It is going to pass.
    NotYet,
    /// We do it differently on purpose.
    Differs,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not applicable",
            Self::NotYet => "not yet",
            Self::Differs => "differs",
        }
    }
}

/// Reads the list; an entry without a reason, or a second one for the same scenario, is refused.
pub(crate) fn parse(text: &str) -> Outcome<Vec<Entry>> {
    let list: List = serde_json::from_str(text)
        .map_err(|error| format!("the list of expected failures: {error}"))?;
    let mut seen = Vec::new();
    for entry in &list.entries {
        let name = (&entry.run, &entry.scenario);
        if entry.reason.trim().len() < 10 {
            return Err(format!("expected {name:?} has no reason"));
        }
        if seen.contains(&name) {
            return Err(format!("expected {name:?} is listed twice"));
        }
        seen.push(name);
    }
    Ok(list.entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(reason: &str) -> String {
        format!(r#"{{"run":"r","scenario":"s","kind":"not-yet","reason":"{reason}"}}"#)
    }

    fn list(entries: &[String]) -> Outcome<Vec<Entry>> {
        parse(&format!(r#"{{"entries":[{}]}}"#, entries.join(",")))
    }

    #[test]
    fn an_entry_has_a_reason_and_is_there_once() {
        let good = entry("tasks are not written yet");
        assert_eq!(
            list(std::slice::from_ref(&good)).map(|entries| entries.len()),
            Ok(1)
        );
        assert!(list(&[entry("")]).is_err());
        assert!(list(&[good.clone(), good]).is_err());
    }

    #[test]
    fn a_word_that_is_not_known_is_refused() {
        assert!(parse(r#"{"entries":[],"note":"x"}"#).is_err());
        let kind = r#"{"run":"r","scenario":"s","kind":"flaky","reason":"sometimes it fails"}"#;
        assert!(list(&[kind.to_owned()]).is_err());
    }
}
