//! Following a tool call that goes on as a task (2026-07-28, the tasks extension).

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tower_service::Service;

use super::error::{BadAnswer, ClientError, TransportError};
use super::outgoing::{Outgoing, Params};
use super::patience::{Patience, Pulse, within};
use super::{AnswerBody, Called, Client};
use crate::extension::Extension;
use crate::jsonrpc::RpcError;
use crate::types::{Task, TaskStatus};

const GET: &str = "tasks/get";

/// How often a task is looked at where the server does not say; and never more often than the shortest, never less often than
/// the longest, so that neither a zero nor a year makes a difference.
const USUAL_POLL: Duration = Duration::from_secs(1);
const SHORTEST_POLL: Duration = Duration::from_millis(100);
const LONGEST_POLL: Duration = Duration::from_secs(60);

/// The one who hears how far a task is.
#[derive(Clone, Copy)]
pub(super) struct Watcher<'a>(pub(super) &'a (dyn Fn(&Task) + Send + Sync));

impl fmt::Debug for Watcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher(..)")
    }
}

/// What belongs to the status of a task.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default)]
    input_requests: Map<String, Value>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcError>,
}

/// The task that a tool call has become, if it has.
pub(super) fn started(result: &RawValue) -> Result<Option<Task>, ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        #[serde(default)]
        result_type: Option<String>,
    }
    let wrong = |error: serde_json::Error| BadAnswer::result("tools/call", &error);
    let kind: Kind = serde_json::from_str(result.get()).map_err(wrong)?;
    match kind.result_type.as_deref() {
        Some("task") => Ok(Some(serde_json::from_str(result.get()).map_err(wrong)?)),
        _ => Ok(None),
    }
}

/// How long to wait before a task is looked at again.
// MCP-TASK-11.
fn poll_interval(task: &Task) -> Duration {
    let wanted = task.poll_interval_ms.map(Duration::from_millis);
    wanted
        .unwrap_or(USUAL_POLL)
        .clamp(SHORTEST_POLL, LONGEST_POLL)
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// The same client that lets tool calls go on as tasks: it declares the extension, and a call that becomes a task is looked
    /// at until it is done. It needs a [`Pause`](super::Pause) for that.
    ///
    /// What a task asks goes to the [`Host`](super::Host), each question once. A task is stopped
    /// (`tasks/cancel`) when its time is over ([`Limits::max_task_time`](super::Limits::max_task_time)) or when
    /// what it asks cannot be answered. Dropping the future of the call does not stop it: the task goes on, for the time that
    /// it is kept, and [`follow_task`](Self::follow_task) finds it again.
    ///
    /// Specification: MCP extension `io.modelcontextprotocol/tasks`.
    #[must_use]
    pub fn following_tasks(mut self) -> Self {
        self.follows_tasks = true;
        self.with_extension(Extension::tasks())
    }

    /// Goes on with a task of before, whose id the program has kept.
    ///
    /// # Errors
    ///
    /// [`ClientError::Rpc`] when the server does not know it, or when the task failed;
    /// [`ClientError::TaskCancelled`]; [`ClientError::StillWorking`] without a way to wait; otherwise as any request.
    pub async fn follow_task(&self, task_id: &str) -> Result<Called, ClientError> {
        let (task, details) = self.look_at(task_id).await?;
        let raw = self.follow_up(task, Some(details), None).await?;
        Called::read(raw)
    }

    /// Stops a task. That it has been said does not mean that it has stopped already, and one that is done stays done.
    ///
    /// # Errors
    ///
    /// As any request.
    // MCP-TASK-11: never by `notifications/cancelled`.
    pub async fn cancel_task(&self, task_id: &str) -> Result<(), ClientError> {
        let outgoing = Outgoing::new("tasks/cancel", Params::task(task_id, None));
        self.request(&outgoing).await.map(drop)
    }

    /// What comes of a task, in the time that there is for one.
    pub(super) async fn followed(
        &self,
        task: Task,
        watcher: Option<Watcher<'_>>,
    ) -> Result<Box<RawValue>, ClientError> {
        self.follow_up(task, None, watcher).await
    }

    async fn follow_up(
        &self,
        task: Task,
        details: Option<Details>,
        watcher: Option<Watcher<'_>>,
    ) -> Result<Box<RawValue>, ClientError> {
        let id = task.task_id.clone();
        let time = self.limits.max_task_time;
        let patience = Patience {
            quiet: time,
            at_most: time,
        };
        let work = self.polled(task, details, watcher);
        let outcome = within(self.pause.as_ref(), patience, &Pulse::default(), work).await;
        let is_given_up = matches!(
            &outcome,
            Err(ClientError::TimedOut(_)
                | ClientError::Unanswered(_)
                | ClientError::Answer(BadAnswer::TooManyQuestions(_)))
        );
        if is_given_up {
            // Nobody waits for it; a server that cannot be told ends it when its time is over.
            drop(self.cancel_task(&id).await);
        }
        outcome
    }

    async fn polled(
        &self,
        mut task: Task,
        mut details: Option<Details>,
        watcher: Option<Watcher<'_>>,
    ) -> Result<Box<RawValue>, ClientError> {
        let mut answered = BTreeSet::new();
        loop {
            if let Some(watcher) = watcher {
                (watcher.0)(&task);
            }
            if let Some(details) = details.take() {
                match task.status {
                    TaskStatus::Completed => {
                        return details.result.ok_or_else(|| nothing_in(GET, "result"));
                    }
                    TaskStatus::Failed => {
                        let error = details.error.ok_or_else(|| nothing_in(GET, "error"))?;
                        return Err(ClientError::Rpc {
                            status: StatusCode::OK,
                            error,
                        });
                    }
                    TaskStatus::Cancelled => return Err(ClientError::TaskCancelled),
                    TaskStatus::InputRequired => {
                        let questions = details.input_requests;
                        self.answer_task(&task.task_id, questions, &mut answered)
                            .await?;
                    }
                    TaskStatus::Working => {}
                }
            }
            let Some(pause) = &self.pause else {
                return Err(ClientError::StillWorking(Box::new(task)));
            };
            // A task that is born done is looked at once, for its result.
            if !task.status.is_terminal() {
                pause.pause(poll_interval(&task)).await;
            }
            let (seen, seen_details) = self.look_at(&task.task_id).await?;
            (task, details) = (seen, Some(seen_details));
        }
    }

    async fn look_at(&self, task_id: &str) -> Result<(Task, Details), ClientError> {
        let outgoing = Outgoing::new(GET, Params::task(task_id, None));
        let raw = self.request(&outgoing).await?;
        let wrong = |error: serde_json::Error| BadAnswer::result(GET, &error);
        let task: Task = serde_json::from_str(raw.get()).map_err(wrong)?;
        // What another task says is not about this one.
        if task.task_id != task_id {
            return Err(nothing_in(GET, "task of this id"));
        }
        Ok((task, serde_json::from_str(raw.get()).map_err(wrong)?))
    }

    /// Has what is new among the questions answered.
    // MCP-TASK-11: a key is unique in the life of a task, so one that comes again is the same question.
    async fn answer_task(
        &self,
        task_id: &str,
        mut questions: Map<String, Value>,
        answered: &mut BTreeSet<String>,
    ) -> Result<(), ClientError> {
        questions.retain(|key, _| !answered.contains(key));
        if questions.is_empty() {
            return Ok(());
        }
        let limit = self.limits.max_questions;
        if questions.len() > limit.saturating_sub(answered.len()) {
            return Err(BadAnswer::TooManyQuestions(limit).into());
        }
        answered.extend(questions.keys().cloned());
        let answers = self.answers_to(questions).await?;
        let outgoing = Outgoing::new("tasks/update", Params::task(task_id, Some(answers)));
        self.request(&outgoing).await.map(drop)
    }
}

fn nothing_in(method: &'static str, what: &str) -> ClientError {
    let why = format!("no {what}");
    BadAnswer::Result { method, why }.into()
}
