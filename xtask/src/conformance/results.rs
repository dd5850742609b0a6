//! What the suite wrote: a folder for each scenario, with its checks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Outcome;
use crate::workspace::read;

/// The checks of one scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// Whether the program that is tested knows what to do for it; `conformance-client` says so when it does not.
    pub(crate) handled: bool,
    pub(crate) checks: Vec<Check>,
}

/// One check, as the suite writes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Check {
    pub(crate) id: String,
    /// Tells checks with one id apart; not always there.
    pub(crate) name: Option<String>,
    pub(crate) status: Status,
    pub(crate) error_message: Option<String>,
    #[serde(default)]
    pub(crate) spec_references: Vec<Reference>,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    Success,
    Failure,
    Warning,
    Skipped,
    Info,
}

/// Where the requirement is written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Reference {
    pub(crate) id: String,
    pub(crate) url: Option<String>,
}

impl Scenario {
    pub(crate) fn count(&self, status: Status) -> usize {
        self.checks
            .iter()
            .filter(|check| check.status == status)
            .count()
    }

    /// Whether the check of this name was skipped, and never made.
    pub(crate) fn skipped(&self, check: &str) -> bool {
        let mut named = self
            .checks
            .iter()
            .filter(|one| one.name.as_deref() == Some(check))
            .peekable();
        named.peek().is_some() && named.all(|one| one.status == Status::Skipped)
    }

    /// Where the requirements are written, each once.
    pub(crate) fn references(&self) -> BTreeSet<&Reference> {
        self.checks
            .iter()
            .flat_map(|check| &check.spec_references)
            .collect()
    }
}

/// Reads the results of the scenarios with these names; a folder of any other name is an error.
///
/// A name with a slash in it, such as `auth/iss-supported`, is a folder in a folder.
pub(crate) fn read_folder(folder: &Path, names: &[&str]) -> Outcome<Vec<Scenario>> {
    let mut scenarios = Vec::new();
    for (title, path) in folders(folder)? {
        if path.join(CHECKS).is_file() {
            scenarios.push(read_scenario(&title, &path, names)?);
            continue;
        }
        for (inner, path) in folders(&path)? {
            scenarios.push(read_scenario(&format!("{title}/{inner}"), &path, names)?);
        }
    }
    Ok(scenarios)
}

const CHECKS: &str = "checks.json";

/// What is in a folder, with its names.
fn folders(folder: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let title = entry.file_name().to_string_lossy().into_owned();
        found.push((title, entry.path()));
    }
    Ok(found)
}

fn read_scenario(title: &str, path: &Path, names: &[&str]) -> Outcome<Scenario> {
    let name = scenario_of(title, names)
        .ok_or_else(|| format!("{title} belongs to no scenario that the suite lists"))?;
    let file = path.join(CHECKS);
    let checks = serde_json::from_str(&read(&file)?)
        .map_err(|error| format!("{}: {error}", file.display()))?;
    // Only runs of a client have what it said.
    let said = read(&path.join("stderr.txt")).unwrap_or_default();
    Ok(Scenario {
        name: name.to_owned(),
        handled: !is_unknown(&said),
        checks,
    })
}

/// Whether the client said that it does not know the scenario: `no scenario "x" is known here`.
fn is_unknown(said: &str) -> bool {
    said.lines()
        .any(|line| line.starts_with("no scenario ") && line.ends_with(" is known here"))
}

/// The scenario in `server-tools-list-2026-11-21T03-59-07-526Z`: before it the role, after it the time.
fn scenario_of<'a>(title: &str, names: &[&'a str]) -> Option<&'a str> {
    const TIME: usize = "-2026-11-21T03-59-07-526Z".len();
    let rest = title.get(..title.len().checked_sub(TIME)?)?;
    // A scenario's own name may begin like a role, so the longer role comes first and the bare name last.
    ["authorization-server-", "server-", ""]
        .iter()
        .filter_map(|role| rest.strip_prefix(role))
        .find_map(|rest| names.iter().copied().find(|name| *name == rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_its_scenario() {
        let names = [
            "server-initialize",
            "initialize",
            "tools-list",
            "auth/authorization-server-migration",
        ];
        let of = |title: &str| scenario_of(&format!("{title}-2026-11-21T03-59-07-526Z"), &names);
        assert_eq!(of("server-tools-list"), Some("tools-list"));
        assert_eq!(of("tools-list"), Some("tools-list"));
        let inner = "auth/authorization-server-migration";
        assert_eq!(of(inner), Some(inner));
        assert_eq!(of("server-server-initialize"), Some("server-initialize"));
        assert_eq!(of("server-something-else"), None);
        assert_eq!(of("authorization-server-tools-list"), Some("tools-list"));
        assert_eq!(scenario_of("tools-list", &names), None);
    }

    #[test]
    fn a_client_says_that_it_does_not_know_a_scenario() {
        assert!(is_unknown("no scenario \"x\" is known here\n"));
        assert!(!is_unknown("the server forbids this\n"));
        assert!(!is_unknown(""));
    }

    #[test]
    fn checks_are_read_as_the_suite_writes_them() {
        let text = r#"[{"id":"ping","name":"Ping","description":"d","status":"FAILURE",
            "timestamp":"t","errorMessage":"no answer",
            "specReferences":[{"id":"MCP-Ping","url":"https://example.com/ping"}],"details":{"x":1}},
            {"id":"schema","status":"SUCCESS"}]"#;
        let scenario = Scenario {
            name: "ping".to_owned(),
            handled: true,
            checks: serde_json::from_str(text).unwrap(),
        };
        assert_eq!(scenario.count(Status::Failure), 1);
        assert_eq!(scenario.count(Status::Success), 1);
        assert_eq!(scenario.references().len(), 1);
        assert!(serde_json::from_str::<Vec<Check>>(r#"[{"id":"x","status":"FINE"}]"#).is_err());
    }
}
