//! What the suite says that it would run.

use crate::Outcome;

/// A scenario of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// Why it does not count for the revision; none when it does.
    pub(crate) unscored: Option<String>,
}

/// The server's part of `list --requirements`.
pub(crate) fn requirements(text: &str) -> Outcome<Vec<Listed>> {
    let mut listed = Vec::new();
    let mut in_servers = false;
    let mut category: Option<String> = None;
    for line in text.lines() {
        if !line.starts_with(' ') {
            in_servers = line.starts_with("Server scenarios");
            category = None;
        } else if let Some(name) = line.strip_prefix("  - ") {
            if in_servers {
                listed.push(Listed {
                    name: name.trim().to_owned(),
                    unscored: None,
                });
            }
        } else if let Some(entry) = line.strip_prefix("    - ") {
            // Here the role is behind the name: `    - tasks-lifecycle [server]`.
            if let Some(name) = entry.trim().strip_suffix(" [server]") {
                let why = category.clone().ok_or_else(|| unexpected(line))?;
                listed.push(Listed {
                    name: name.to_owned(),
                    unscored: Some(why),
                });
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

/// The whole of `list --authorization`.
pub(crate) fn authorization(text: &str) -> Outcome<Vec<Listed>> {
    let listed: Vec<Listed> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  - "))
        .filter_map(|entry| entry.split_whitespace().next())
        .map(|name| Listed {
            name: name.to_owned(),
            unscored: None,
        })
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

    #[test]
    fn the_scenarios_for_a_server_are_read_with_what_counts() {
        let one = |name: &str, unscored: Option<&str>| Listed {
            name: name.to_owned(),
            unscored: unscored.map(str::to_owned),
        };
        assert_eq!(
            requirements(LIST),
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
        assert!(requirements("Scenarios: none").is_err());
        assert!(authorization("").is_err());
    }
}
