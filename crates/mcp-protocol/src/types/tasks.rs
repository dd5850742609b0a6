//! The tasks extension: work that goes on after the answer to the call that started it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Ask, Outcome};
use crate::jsonrpc::RpcError;

/// The name of the extension, as client and server declare it (2026-07-28).
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// How far a task is; the last three are for ever.
///
/// Specification: MCP-TASK-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// At work.
    Working,
    /// Waits for answers of the client.
    InputRequired,
    /// Done; also when the tool ran and failed.
    Completed,
    /// Broken off by a fault of the protocol or the server.
    Failed,
    /// Stopped on request.
    Cancelled,
}

impl TaskStatus {
    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        match self {
            TaskStatus::Completed | TaskStatus::Failed | TaskStatus::Cancelled => true,
            TaskStatus::Working | TaskStatus::InputRequired => false,
        }
    }
}

/// A task as it answers the call that started it, with `resultType` "task".
///
/// Specification: MCP-TASK-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The id, which nobody can guess.
    pub task_id: String,
    /// How far it is.
    pub status: TaskStatus,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it was started, in ISO 8601.
    pub created_at: String,
    /// When it last changed, in ISO 8601.
    pub last_updated_at: String,
    /// How long it is kept from its creation on; `null` is for ever.
    pub ttl_ms: Option<u64>,
    /// How long to wait before asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval_ms: Option<u64>,
}

impl Outcome for Task {}

/// A task with what belongs to its status: the answer to `tasks/get`.
///
/// Specification: MCP-TASK-05.
#[derive(Clone, Debug, Serialize)]
pub struct DetailedTask {
    /// The task.
    #[serde(flatten)]
    pub task: Task,
    /// Every question without an answer; only when input is required.
    #[serde(rename = "inputRequests", skip_serializing_if = "BTreeMap::is_empty")]
    pub input_requests: BTreeMap<String, Ask>,
    /// What the call would have been answered with; only when completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// What went wrong; only when failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<RpcError>,
}

impl Outcome for DetailedTask {}

/// The parameters of `tasks/get` and `tasks/cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskAddress {
    /// Which task.
    pub task_id: String,
}

/// The parameters of `tasks/update`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdate {
    /// Which task.
    pub task_id: String,
    /// Answers by the keys of the questions; some of them are enough.
    pub input_responses: BTreeMap<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task(status: TaskStatus) -> Task {
        Task {
            task_id: "t".into(),
            status,
            status_message: None,
            created_at: "2026-07-28T00:00:00.000Z".into(),
            last_updated_at: "2026-07-28T00:00:01.000Z".into(),
            ttl_ms: Some(1000),
            poll_interval_ms: Some(500),
        }
    }

    #[test]
    fn a_task_is_flat_and_has_the_names_of_the_extension() {
        assert_eq!(
            serde_json::to_value(task(TaskStatus::InputRequired)).unwrap(),
            json!({
                "taskId": "t",
                "status": "input_required",
                "createdAt": "2026-07-28T00:00:00.000Z",
                "lastUpdatedAt": "2026-07-28T00:00:01.000Z",
                "ttlMs": 1000,
                "pollIntervalMs": 500,
            })
        );
        let for_ever = Task {
            ttl_ms: None,
            poll_interval_ms: None,
            ..task(TaskStatus::Working)
        };
        let written = serde_json::to_value(&for_ever).unwrap();
        assert_eq!(written["ttlMs"], Value::Null);
        assert_eq!(written.get("pollIntervalMs"), None);
        assert_eq!(serde_json::from_value::<Task>(written).unwrap(), for_ever);
    }

    #[test]
    fn details_are_beside_the_task_and_a_result_keeps_its_text() {
        let text = r#"{"content":[],"structuredContent":1.50}"#;
        let detailed = DetailedTask {
            task: task(TaskStatus::Completed),
            input_requests: BTreeMap::new(),
            result: Some(RawValue::from_string(text.into()).unwrap()),
            error: None,
        };
        let written = serde_json::to_string(&detailed).unwrap();
        assert!(
            written.ends_with(&format!(r#","result":{text}}}"#)),
            "{written}"
        );
        assert!(written.starts_with(r#"{"taskId":"t","status":"completed""#));
    }

    #[test]
    fn three_statuses_are_for_ever() {
        use TaskStatus::{Cancelled, Completed, Failed, InputRequired, Working};
        let terminal =
            [Working, InputRequired, Completed, Failed, Cancelled].map(TaskStatus::is_terminal);
        assert_eq!(terminal, [false, false, true, true, true]);
    }
}
