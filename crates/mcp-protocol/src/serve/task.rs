//! A tool call that goes on as a task: how a handler starts one, and what its work can do.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Extensions;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::context::{Answers, Context, may_be_asked};
use super::error::{Error, Reason};
use super::tasks::Running;
use crate::revision::Era;
use crate::types::{
    Ask, ClientCapabilities, Elicitation, ElicitationResult, RootList, Sampling, SamplingResult,
    TASKS_EXTENSION, ToolResult,
};

/// On which terms a tool call goes on as a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskTerms {
    required: bool,
    ttl: Option<Duration>,
    poll_interval: Option<Duration>,
}

impl TaskTerms {
    /// For a client that cannot follow tasks, the work is done while it waits.
    #[must_use]
    pub const fn optional() -> Self {
        TaskTerms {
            required: false,
            ttl: None,
            poll_interval: None,
        }
    }

    /// A client that cannot follow tasks is refused (-32021).
    #[must_use]
    pub const fn required() -> Self {
        TaskTerms {
            required: true,
            ..TaskTerms::optional()
        }
    }

    /// How long the task is kept from now on, whatever becomes of it; at most what
    /// [`super::TaskLimits`] says.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// How long the client should wait between two looks.
    #[must_use]
    pub const fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }
}

impl Context {
    /// Whether this call may go on as a task: it is a tool call of 2026-07-28 that declares the
    /// extension, and [`super::Options::tasks`] are there.
    #[must_use]
    pub fn may_be_task(&self) -> bool {
        self.tasks.is_some()
    }

    /// Lets this tool call go on as a task, or does the work now for a client that cannot follow one.
    ///
    /// When it becomes a task this returns an error at once: pass it on with `?`, and the shell
    /// answers with the task. The work goes on by itself, until it is done, cancelled, or past its
    /// time. It can ask the client; but what can be asked beforehand is better asked by this context
    /// (MCP-TASK-08).
    ///
    /// When it is done now, a question of the work is a question of this call, so since 2026-07-28
    /// the work may run again from its start when the answers have come.
    ///
    /// # Errors
    /// - what stands for the task;
    /// - -32021 when the terms require a task and the client cannot follow one (in the older
    ///   revisions -32600);
    /// - -32603 when there are too many tasks, or when the terms require one and the client could
    ///   follow it, but there are no [`super::Options::tasks`] or this is no tool call;
    /// - what the work returns, if it was done now.
    pub async fn task<W, F>(&self, terms: TaskTerms, work: W) -> Result<ToolResult, Error>
    where
        W: FnOnce(TaskContext) -> F,
        F: Future<Output = Result<ToolResult, Error>> + Send + 'static,
    {
        let context = |via| TaskContext {
            via,
            extensions: Arc::clone(&self.extensions),
            capabilities: self.capabilities.clone(),
        };
        match &self.tasks {
            Some(tasks) => {
                let task = tasks.start(
                    self.principal.clone(),
                    terms.ttl,
                    terms.poll_interval,
                    |running| work(context(Via::Task(running))),
                )?;
                Err(Error::task(task))
            }
            // MCP-ERR-01: what the client has declared is not missing.
            None if terms.required
                && self.revision.era() == Era::Modern
                && self.capabilities.extension(TASKS_EXTENSION) =>
            {
                Err(Error::internal("this call cannot go on as a task"))
            }
            // MCP-TASK-02: the error names the extension.
            None if terms.required => Err(Error::missing_capability(
                json!({ "extensions": { TASKS_EXTENSION: {} } }),
            )),
            None => {
                let (sender, questions) = mpsc::channel(1);
                self.attend(work(context(Via::Call(sender))), questions)
                    .await
            }
        }
    }

    /// Does the work here, and asks its questions as those of this call.
    async fn attend(
        &self,
        work: impl Future<Output = Result<ToolResult, Error>>,
        mut questions: mpsc::Receiver<Question>,
    ) -> Result<ToolResult, Error> {
        let mut work = pin!(work);
        loop {
            let question = tokio::select! {
                biased;
                result = &mut work => return result,
                Some(question) = questions.recv() => question,
            };
            let asking = self.ask_all(question.asks, None);
            let answers = tokio::select! {
                result = &mut work => return result,
                answers = asking => answers,
            };
            // A refusal is the work's to judge, as in a task; anything else ends the call.
            let answers = match answers {
                Err(Error(Reason::Rpc(refused))) => Err(Error(Reason::Rpc(refused))),
                answers => Ok(answers?),
            };
            // The work may have stopped to wait for it.
            drop(question.answer.send(answers));
        }
    }
}

/// A question of work that is done while the client waits.
struct Question {
    asks: BTreeMap<String, Ask>,
    answer: oneshot::Sender<Result<Answers, Error>>,
}

/// The way to the client.
enum Via {
    Task(Running),
    Call(mpsc::Sender<Question>),
}

/// What the work of a task knows, and what it can do.
pub struct TaskContext {
    via: Via,
    extensions: Arc<Extensions>,
    capabilities: ClientCapabilities,
}

impl fmt::Debug for TaskContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id stays out: who knows it may be able to see the task.
        f.debug_struct("TaskContext")
            .field("is_task", &matches!(self.via, Via::Task(_)))
            .finish_non_exhaustive()
    }
}

impl TaskContext {
    /// The id of the task; none when the work is done while the client waits.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.via {
            Via::Task(running) => Some(running.id()),
            Via::Call(_) => None,
        }
    }

    /// The extensions of the HTTP request that started the work, with the principal of then.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What the client can do, as the call that started the work said.
    #[must_use]
    pub fn capabilities(&self) -> &ClientCapabilities {
        &self.capabilities
    }

    /// Says in words how far the work is; a client sees it at its next look.
    ///
    /// At most [`crate::tasks::record::MAX_MESSAGE`] characters. Outside of a task nobody sees it.
    pub fn status(&self, message: &str) {
        if let Via::Task(running) = &self.via {
            running.say(message);
        }
    }

    /// Asks the person; see [`TaskContext::ask_all`].
    ///
    /// # Errors
    /// As [`TaskContext::ask_all`].
    pub async fn elicit(&self, key: &str, form: Elicitation) -> Result<ElicitationResult, Error> {
        self.ask(key, Ask::Elicit(form)).await
    }

    /// Asks the client's model; see [`TaskContext::ask_all`].
    ///
    /// # Errors
    /// As [`TaskContext::ask_all`].
    pub async fn sample(&self, key: &str, sampling: Sampling) -> Result<SamplingResult, Error> {
        self.ask(key, Ask::Sample(sampling)).await
    }

    /// Asks for the roots; see [`TaskContext::ask_all`].
    ///
    /// # Errors
    /// As [`TaskContext::ask_all`].
    pub async fn roots(&self, key: &str) -> Result<RootList, Error> {
        self.ask(key, Ask::Roots).await
    }

    /// Asks one question; see [`TaskContext::ask_all`].
    ///
    /// # Errors
    /// As [`TaskContext::ask_all`], and -32602 when the answer has the wrong shape.
    pub async fn ask<T: DeserializeOwned>(&self, key: &str, ask: Ask) -> Result<T, Error> {
        self.ask_all([(key, ask)]).await?.read(key)
    }

    /// Asks several questions at once and waits for all answers, as long as the task is kept.
    ///
    /// The task is `input_required` until then. A key that the task has used before gets a number,
    /// because on the wire each is used once; the answers have the keys that are given here.
    ///
    /// # Errors
    /// - -32021 when the client has not declared what a question needs;
    /// - -32603 when it may not be asked ([`Ask::check`]), and after [`crate::tasks::record::MAX_QUESTIONS`] questions;
    /// - when the call is over; the work is about to be stopped then.
    pub async fn ask_all<K: Into<String>>(
        &self,
        asks: impl IntoIterator<Item = (K, Ask)>,
    ) -> Result<Answers, Error> {
        let asks: BTreeMap<String, Ask> = asks
            .into_iter()
            .map(|(key, ask)| (key.into(), ask))
            .collect();
        match &self.via {
            Via::Task(running) => {
                // MCP-MRTR-03: never ask for what was not declared.
                for ask in asks.values() {
                    if let Some(required) = ask.missing(&self.capabilities) {
                        return Err(Error::missing_capability(required));
                    }
                    may_be_asked(ask)?;
                }
                let keys: Vec<String> = asks.keys().cloned().collect();
                let answers: Vec<Value> = running.ask(asks.into_iter().collect()).await?;
                Ok(Answers(keys.into_iter().zip(answers).collect()))
            }
            Via::Call(questions) => {
                let (answer, answers) = oneshot::channel();
                questions
                    .send(Question { asks, answer })
                    .await
                    .map_err(|_| Error::cancelled())?;
                answers.await.map_err(|_| Error::cancelled())?
            }
        }
    }
}
