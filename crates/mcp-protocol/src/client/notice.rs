//! What a server tells without being asked: how far a call is, what it logs, and what has changed.

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::jsonrpc::Id;
use crate::types::LogLevel;

/// How far a call is.
///
/// Specification: MCP 2025-11-25 and 2026-07-28, progress.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Progress {
    /// How far; greater each time.
    pub progress: f64,
    /// Where it ends, if the server knows.
    #[serde(default)]
    pub total: Option<f64>,
    /// The same for people (since 2025-03-26); the server's text, which may be anything.
    #[serde(default)]
    pub message: Option<String>,
}

/// A log message of a server; what it says may be anything.
///
/// Specification: MCP 2025-11-25 and 2026-07-28, logging.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LogMessage {
    /// How grave it is.
    pub level: LogLevel,
    /// Which part of the server says it.
    #[serde(default)]
    pub logger: Option<String>,
    /// What it says.
    #[serde(default)]
    pub data: Value,
}

/// Something that a client may have kept has changed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The lists of resources and of their templates.
    Resources,
    /// The resource at this address.
    Resource(String),
}

/// What a server tells by itself.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Notice {
    /// A log message.
    Log(LogMessage),
    /// Something has changed.
    Changed(Change),
}

/// A notification as it came.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) method: String,
    pub(super) params: Map<String, Value>,
}

impl Note {
    /// The change that it tells of, if it does.
    pub(super) fn change(&self) -> Option<Change> {
        match self.method.as_str() {
            "notifications/tools/list_changed" => Some(Change::Tools),
            "notifications/prompts/list_changed" => Some(Change::Prompts),
            "notifications/resources/list_changed" => Some(Change::Resources),
            "notifications/resources/updated" => {
                let uri = self.params.get("uri")?.as_str()?;
                Some(Change::Resource(uri.to_owned()))
            }
            _ => None,
        }
    }

    /// The log message that it is, if it is one.
    pub(super) fn log(self) -> Option<LogMessage> {
        let is_log = self.method == "notifications/message";
        is_log.then(|| serde_json::from_value(self.params.into()).ok())?
    }

    /// How far the request with this token is, if that is what it tells.
    // MCP-PROG-01: a token has the JSON type that it was sent with.
    pub(super) fn progress(&self, token: &Id) -> Option<Progress> {
        if self.method != "notifications/progress" {
            return None;
        }
        let named = Id::deserialize(self.params.get("progressToken")?).ok()?;
        let told = Progress::deserialize(&Value::Object(self.params.clone())).ok()?;
        (named == *token).then_some(told)
    }
}

/// The one who hears how far a call is.
#[derive(Clone, Copy)]
pub(super) struct Hearer<'a>(pub(super) &'a (dyn Fn(Progress) + Send + Sync));

impl fmt::Debug for Hearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hearer(..)")
    }
}

/// The one who hears everything else.
pub(super) struct Ears(Box<dyn Fn(Notice) + Send + Sync>);

impl Ears {
    pub(super) fn new(hear: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        Self(Box::new(hear))
    }

    pub(super) fn hear(&self, notice: Notice) {
        (self.0)(notice);
    }
}

impl fmt::Debug for Ears {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ears(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn note(method: &str, params: &Value) -> Note {
        Note {
            method: method.to_owned(),
            params: params.as_object().unwrap().clone(),
        }
    }

    #[test]
    fn a_token_keeps_its_type() {
        let told = |token: Value| {
            let params =
                json!({"progressToken": token, "progress": 1, "total": 2.5, "message": "m"});
            note("notifications/progress", &params).progress(&Id::Integer(7))
        };
        let progress = told(json!(7)).unwrap();
        assert_eq!((progress.progress, progress.total), (1.0, Some(2.5)));
        assert_eq!(progress.message.as_deref(), Some("m"));
        for other in [json!("7"), json!(8), json!(null), json!(7.5)] {
            assert_eq!(told(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_read_tells_nothing() {
        let seven = Id::Integer(7);
        for params in [
            json!({}),
            json!({"progressToken": 7}),
            json!({"progressToken": 7, "progress": "x"}),
        ] {
            assert_eq!(
                note("notifications/progress", &params).progress(&seven),
                None
            );
        }
        assert_eq!(
            note("notifications/resources/updated", &json!({"uri": 1})).change(),
            None
        );
        assert_eq!(note("notifications/invented", &json!({})).change(), None);
        assert_eq!(
            note("notifications/message", &json!({"level": "loud"})).log(),
            None
        );
        assert_eq!(
            note("notifications/invented", &json!({"level": "info"})).log(),
            None
        );
    }

    #[test]
    fn each_change_has_its_name() {
        for (method, change) in [
            ("notifications/tools/list_changed", Change::Tools),
            ("notifications/prompts/list_changed", Change::Prompts),
            ("notifications/resources/list_changed", Change::Resources),
            (
                "notifications/resources/updated",
                Change::Resource("a:1".to_owned()),
            ),
        ] {
            assert_eq!(note(method, &json!({"uri": "a:1"})).change(), Some(change));
        }
    }
}
