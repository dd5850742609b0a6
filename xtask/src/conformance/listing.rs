//! What the suite says that it would run.

use crate::Outcome;

/// A scenario of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// Whether the suite counts it for a revision.
    pub(crate) scored: bool,
    /// Why it does not, where the suite says so.
    pub(crate) mark: Option<String>,
}

impl Listed {
    fn scored(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            scored: true,
            mark: None,
        }
    }

    fn unscored(name: &str, mark: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            scored: false,
            mark: mark.map(str::to_owned),
        }
    }
}

/// Which side of the suite's list is meant: what is tested is a server, or a client.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    Server,
    Client,
}

impl Role {
    /// The heading above the scenarios that count, and the mark behind those that do not.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Server => ("Server scenarios", " [server]"),
            Self::Client => ("Client scenarios", " [client]"),
        }
    }
}

/// The part of `list --requirements` for one role.
pub(crate) fn requirements(text: &str, role: Role) -> Outcome<Vec<Listed>> {
    let (heading, mark) = role.words();
    let mut listed = Vec::new();
    let mut in_role = false;
    let mut category: Option<String> = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            in_role = line.starts_with(heading);
            category = None;
        } else if let Some(name) = line.strip_prefix("  - ") {
            if in_role {
                listed.push(Listed::scored(name.trim()));
            }
        } else if let Some(entry) = line.strip_prefix("    - ") {
            // Here the role is behind the name: `    - tasks-lifecycle [server]`.
            if let Some(name) = entry.trim().strip_suffix(mark) {
                let why = category.as_deref().ok_or_else(|| unexpected(line))?;
                listed.push(Listed::unscored(name, Some(why)));
            }
        } else if let Some((name, _)) = line.trim().split_once(" (") {
            category = Some(name.to_owned());
        }
    }
    if listed.is_empty() {
        Err(unexpected(text))
    } else {
        Ok(listed)
    }
}

/// The whole of `list --server` or `list --client`, for one revision or for all: `  - auth/dpop [extension]`.
///
/// Nothing of it counts: there is a set of requirements for the two newest revisions only.
pub(crate) fn whole(text: &str) -> Outcome<Vec<Listed>> {
    let listed: Vec<Listed> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - "))
        .map(|entry| {
            let (name, marks) = entry.trim().split_once(" [").unwrap_or((entry, ""));
            let extension = marks.strip_suffix(']').filter(|mark| *mark == "extension");
            Listed::unscored(name, extension)
        })
        .collect();
    if listed.is_empty() {
        Err(unexpected(text))
    } else {
        Ok(listed)
    }
}

/// The whole of `list --authorization`.
pub(crate) fn authorization(text: &str) -> Outcome<Vec<Listed>> {
    let listed: Vec<Listed> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - "))
        .filter_map(|entry| entry.split_whitespace().next())
        .map(Listed::scored)
        .collect();
    if listed.is_empty() {
        Err(unexpected(text))
    } else {
        Ok(listed)
    }
}

fn unexpected(text: &str) -> String {
    format!("the suite's list of scenarios is not as expected: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
Required for 2026-07-28 (69 scenarios, frozen; run at the 2026-07-28 wire):

Server scenarios (test against a server):
  - server-stateless
  - tools-list

Client scenarios (test against a client):
  - tools_call

Run and reported, but never scored:
  extension (2):
    - auth/dpop [client]
    - tasks-lifecycle [server]
  pending (1):
    - json-schema-2020-12 [server]
";

    fn one(name: &str, unscored: Option<&str>) -> Listed {
        match unscored {
            Some(mark) => Listed::unscored(name, Some(mark)),
            None => Listed::scored(name),
        }
    }

    #[test]
    fn the_scenarios_for_a_client_are_those_and_no_others() {
        assert_eq!(
            requirements(LIST, Role::Client),
            Ok(vec![
                one("tools_call", None),
                one("auth/dpop", Some("extension")),
            ])
        );
    }

    #[test]
    fn the_whole_list_counts_for_nothing_and_keeps_the_mark_of_extensions() {
        let list = "\
Client scenarios (test against a client):
  - initialize [2025-06-18,2025-11-25]
  - auth/dpop [extension]
";
        assert_eq!(
            whole(list),
            Ok(vec![
                Listed::unscored("initialize", None),
                one("auth/dpop", Some("extension")),
            ])
        );
    }

    #[test]
    fn the_scenarios_for_a_server_are_read_with_what_counts() {
        assert_eq!(
            requirements(LIST, Role::Server),
            Ok(vec![
                one("server-stateless", None),
                one("tools-list", None),
                one("tasks-lifecycle", Some("extension")),
                one("json-schema-2020-12", Some("pending")),
            ])
        );
    }

    #[test]
    fn a_list_of_another_form_is_an_error_and_not_an_empty_list() {
        assert!(requirements("Scenarios: none", Role::Server).is_err());
        assert!(authorization("").is_err());
        assert!(whole("Scenarios: none").is_err());
    }
}
