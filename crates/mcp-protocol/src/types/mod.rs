//! What is common to all areas: metadata, implementations, capabilities, cache hints.

pub mod client;
pub mod content;
pub mod form;
pub mod icon;
pub mod json;
pub mod prompts;
pub mod resources;
pub mod rules;
pub mod server;
pub mod skills;
pub mod tasks;
pub mod tools;

pub use client::*;
pub use content::*;
pub use form::{ContentProblem, Form, FormProblem};
pub use icon::*;
pub use json::*;
pub use prompts::*;
pub use resources::*;
pub use rules::{AskProblem, RootProblem, SamplingProblem, ToolProblem};
pub use server::*;
pub use skills::*;
pub use tasks::*;
pub use tools::*;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A JSON object.
pub type JsonObject = Map<String, Value>;

/// Names a program, for people and logs; never a basis for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Implementation {
    /// The name.
    pub name: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The version.
    pub version: String,
    /// What it does, in a sentence (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where to read about it (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
    /// Pictures of it (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
}

impl Implementation {
    /// A name and a version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Implementation {
            name: name.into(),
            version: version.into(),
            ..Implementation::default()
        }
    }
}

/// A list that may have been written out beforehand.
///
/// A rendered list is served as it stands; nothing is built per request.
#[derive(Clone, Debug)]
pub enum Items<T> {
    /// Values, serialized when sent.
    Values(Vec<T>),
    /// The text of a JSON array.
    Rendered(Arc<RawValue>),
}

impl<T: Serialize> Items<T> {
    /// Writes the list out, once.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn render(values: &[T]) -> Result<Self, serde_json::Error> {
        Ok(Items::Rendered(Arc::from(serde_json::value::to_raw_value(
            values,
        )?)))
    }
}

impl<T> Items<T> {
    /// The text, if the list was written out beforehand.
    #[must_use]
    pub fn rendered(&self) -> Option<&Arc<RawValue>> {
        match self {
            Items::Values(_) => None,
            Items::Rendered(text) => Some(text),
        }
    }
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(values: Vec<T>) -> Self {
        Items::Values(values)
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Items::Values(Vec::new())
    }
}

impl<T: Serialize> Serialize for Items<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Items::Values(values) => values.serialize(serializer),
            Items::Rendered(text) => text.serialize(serializer),
        }
    }
}

/// Which page of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where the last page ended; an empty string is a cursor like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Who may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Anyone; the answer does not depend on the caller.
    Public,
    /// Only the caller.
    Private,
}

/// How long an answer may be kept and by whom (2026-07-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheHint {
    /// Milliseconds from receipt; 0 is stale at once.
    pub ttl_ms: u64,
    /// By whom.
    pub scope: CacheScope,
}

impl CacheHint {
    /// Not to be kept: the default.
    pub const NONE: CacheHint = CacheHint {
        ttl_ms: 0,
        scope: CacheScope::Private,
    };

    /// May be kept by anyone.
    #[must_use]
    pub const fn public(ttl_ms: u64) -> Self {
        CacheHint {
            ttl_ms,
            scope: CacheScope::Public,
        }
    }

    /// May be kept by the caller.
    #[must_use]
    pub const fn private(ttl_ms: u64) -> Self {
        CacheHint {
            ttl_ms,
            scope: CacheScope::Private,
        }
    }
}

/// How grave a log message is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Ordinary.
    Info,
    /// Ordinary but notable.
    Notice,
    /// Looks wrong.
    Warning,
    /// Is wrong.
    Error,
    /// A part has failed.
    Critical,
    /// Act now.
    Alert,
    /// Unusable.
    Emergency,
}

/// What a result gives to the one who writes it out: its own `_meta`, kept apart.
pub trait Outcome: Serialize {
    /// Takes the `_meta` out, so that more can be put into it.
    fn take_meta(&mut self) -> Option<Meta> {
        None
    }

    /// The list in it that was written out beforehand, if there is one; it is sent without a copy.
    fn rendered(&self) -> Option<&Arc<RawValue>> {
        None
    }
}

/// An empty result.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Empty {}

impl Outcome for Empty {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rendered_list_is_the_list_byte_for_byte() {
        let schema =
            serde_json::json!({ "type": "object", "$defs": { "z": {}, "a": { "$anchor": "x" } } });
        let tools = vec![
            Tool::new("a", "b", &schema).unwrap(),
            Tool::new("c", "d", &schema).unwrap(),
        ];
        let rendered = ToolList::new(Items::render(&tools).unwrap());
        let values = ToolList::new(tools);
        assert_eq!(
            serde_json::to_string(&rendered).unwrap(),
            serde_json::to_string(&values).unwrap()
        );
    }

    #[test]
    fn a_schema_keeps_its_text() {
        let text =
            r#"{"name":"a","inputSchema":{"type":"object","z":1.50,"a":[1e2],"x-unknown":{}}}"#;
        let tool: Tool = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&tool).unwrap(), text);
    }

    #[test]
    fn an_empty_cursor_is_a_cursor() {
        let page: Page = serde_json::from_str(r#"{"cursor":""}"#).unwrap();
        assert_eq!(page.cursor.as_deref(), Some(""));
        let page: Page = serde_json::from_str(r#"{"cursor":null}"#).unwrap();
        assert_eq!(page.cursor, None);
    }
}
