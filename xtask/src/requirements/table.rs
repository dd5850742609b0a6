//! The table: one file for each area, one row for each requirement.

use serde::Deserialize;

use crate::Outcome;
use crate::tidy::files::TextFile;

/// Where the files are, in the order of their names.
pub(crate) const FOLDER: &str = "xtask/conformance/requirements/";

/// One area: `02-json-rpc.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Area {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// One requirement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Its name in comments: `MCP-RPC-01`.
    pub(crate) label: String,
    pub(crate) strength: Strength,
    pub(crate) role: Role,
    /// `all`, a revision, `since` or `until` one, or one `to` another.
    pub(crate) revisions: String,
    /// The requirement in one sentence.
    pub(crate) text: String,
    /// Tests that would fail if the requirement were broken.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// What no test shows, and why.
    #[serde(default)]
    pub(crate) open: Option<Open>,
}

/// How strong the strongest part of it is, in the words of RFC 2119.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Strength {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "MUST NOT")]
    MustNot,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    #[serde(rename = "MAY")]
    May,
}

impl Strength {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
        }
    }

    pub(crate) fn is_must(self) -> bool {
        matches!(self, Self::Must | Self::MustNot)
    }
}

/// Whom it binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    Server,
    Client,
    Both,
    Intermediary,
}

impl Role {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
            Self::Intermediary => "intermediary",
        }
    }
}

/// What no test shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Open {
    pub(crate) kind: OpenKind,
    pub(crate) why: String,
}

/// Why no test shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OpenKind {
    /// It is a duty of the program around the library.
    Program,
    /// It is about something that is deliberately not here.
    NotApplicable,
    /// It is going to be there.
    NotYet,
}

impl OpenKind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Program => "duty of the program around it",
            Self::NotApplicable => "not applicable",
            Self::NotYet => "not yet",
        }
    }
}

/// A test as a row names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test<'a> {
    /// `crates/mcp-protocol/tests/it/modern.rs::headers_mirror_the_body`.
    Rust { file: &'a str, name: &'a str },
    /// `suite: server-2026-07-28/server-stateless`.
    Suite { run: &'a str, scenario: &'a str },
}

impl<'a> Test<'a> {
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("suite: ") {
            let (run, scenario) = rest.split_once('/')?;
            return Some(Self::Suite { run, scenario });
        }
        let (file, name) = text.split_once("::")?;
        let file_is_rust = file.strip_suffix(".rs").is_some();
        let name_is_one = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (file_is_rust && name_is_one && !name.is_empty()).then_some(Self::Rust { file, name })
    }
}

impl Row {
    /// The tests; one that cannot be read was found by [`check`](super::check).
    pub(crate) fn parsed_tests(&self) -> impl Iterator<Item = Test<'_>> {
        self.tests.iter().filter_map(|text| Test::parse(text))
    }
}

/// Reads every area, in the order of the file names.
pub(crate) fn read(files: &[TextFile]) -> Outcome<Vec<Area>> {
    let mut found: Vec<&TextFile> = files
        .iter()
        .filter(|file| file.path.starts_with(FOLDER) && file.path.ends_with(".json"))
        .collect();
    found.sort_by_key(|file| &file.path);
    if found.is_empty() {
        return Err(format!("{FOLDER} has no table of requirements"));
    }
    found
        .iter()
        .map(|file| {
            serde_json::from_str(&file.text).map_err(|error| format!("{}: {error}", file.path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    #[test]
    fn a_test_is_a_function_in_a_file_or_a_scenario_of_a_run() {
        assert_eq!(
            Test::parse("crates/a/tests/it/b.rs::c_d"),
            Some(Test::Rust {
                file: "crates/a/tests/it/b.rs",
                name: "c_d"
            })
        );
        assert_eq!(
            Test::parse("suite: r/auth/dpop"),
            Some(Test::Suite {
                run: "r",
                scenario: "auth/dpop"
            })
        );
        for text in ["", "x", "suite: r", "a.rs::", "a.txt::b", "a.rs::b::c"] {
            assert_eq!(Test::parse(text), None, "{text}");
        }
    }

    #[test]
    fn areas_come_in_the_order_of_their_files_and_unknown_words_are_refused() {
        let area = |name: &str, title: &str| {
            let path = format!("{FOLDER}{name}.json");
            file(&path, &format!(r#"{{"title":"{title}","rows":[]}}"#))
        };
        let areas = read(&[area("02-b", "B"), area("01-a", "A"), file("x.json", "{}")]).unwrap();
        let titles: Vec<&str> = areas.iter().map(|area| area.title.as_str()).collect();
        assert_eq!(titles, ["A", "B"]);
        assert!(read(&[]).is_err());
        let path = format!("{FOLDER}01.json");
        assert!(read(&[file(&path, r#"{"title":"A","rows":[],"note":1}"#)]).is_err());
    }
}
