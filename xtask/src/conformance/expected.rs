//! What is known not to pass, and why: `xtask/conformance/expected.json`.

use serde::Deserialize;

use crate::Outcome;

/// The list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    pub(crate) entries: Vec<Entry>,
    #[serde(default)]
    pub(crate) skips: Vec<Skip>,
}

/// One check that the suite skips, in a scenario that passes all the same.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skip {
    /// The name of the run.
    pub(crate) run: String,
    pub(crate) scenario: String,
    /// The name of the check.
    pub(crate) check: String,
    pub(crate) reason: String,
}

/// One scenario that does not pass, in one run or in several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The names of the runs in which it does not pass.
    pub(crate) runs: Vec<String>,
    pub(crate) scenario: String,
    pub(crate) kind: Kind,
    pub(crate) reason: String,
}

impl Entry {
    /// Whether it is about this run.
    pub(crate) fn is_of(&self, run: &str) -> bool {
        self.runs.iter().any(|one| one == run)
    }
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
pub(crate) fn parse(text: &str) -> Outcome<Expected> {
    let list: Expected = serde_json::from_str(text)
        .map_err(|error| format!("the list of expected failures: {error}"))?;
    let mut seen = Vec::new();
    for entry in &list.entries {
        let scenario = &entry.scenario;
        if entry.reason.trim().len() < 10 {
            return Err(format!("expected {scenario} has no reason"));
        }
        if entry.runs.is_empty() {
            return Err(format!("expected {scenario} is of no run"));
        }
        for run in &entry.runs {
            if seen.contains(&(run, scenario)) {
                return Err(format!("expected {run} {scenario} is listed twice"));
            }
            seen.push((run, scenario));
        }
    }
    for skip in &list.skips {
        if skip.reason.trim().len() < 10 {
            return Err(format!("the skip of {} has no reason", skip.check));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(reason: &str) -> String {
        format!(r#"{{"runs":["r"],"scenario":"s","kind":"not-yet","reason":"{reason}"}}"#)
    }

    fn list(entries: &[String]) -> Outcome<Expected> {
        parse(&format!(r#"{{"entries":[{}]}}"#, entries.join(",")))
    }

    #[test]
    fn an_entry_has_a_reason_and_is_there_once() {
        let good = entry("tasks are not written yet");
        assert_eq!(
            list(std::slice::from_ref(&good)).map(|list| list.entries.len()),
            Ok(1)
        );
        assert!(list(&[entry("")]).is_err());
        assert!(list(&[good.clone(), good.clone()]).is_err());
        assert!(list(&[good.replace(r#"["r"]"#, "[]")]).is_err());
        assert!(list(&[good.replace(r#"["r"]"#, r#"["a","a"]"#)]).is_err());
    }

    #[test]
    fn a_skip_has_a_reason() {
        let skip = |reason: &str| {
            parse(&format!(
                r#"{{"entries":[],"skips":[{{"run":"r","scenario":"s","check":"c","reason":"{reason}"}}]}}"#
            ))
        };
        let good = skip("the revision has no such message");
        assert_eq!(good.map(|list| list.skips.len()), Ok(1));
        assert!(skip("").is_err());
    }

    #[test]
    fn a_word_that_is_not_known_is_refused() {
        assert!(parse(r#"{"entries":[],"note":"x"}"#).is_err());
        let kind = r#"{"runs":["r"],"scenario":"s","kind":"flaky","reason":"sometimes it fails"}"#;
        assert!(list(&[kind.to_owned()]).is_err());
    }
}
