//! What a handler knows about a request, and what it can do while it answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::error::Error;
use super::exchange::Outgoing;
use super::options::Options;
use super::round::Round;
use super::session::{Session, lock};
use super::tasks::Tasks;
use crate::jsonrpc::{self, Id};
use crate::revision::{Era, Feature, Revision};
use crate::trace::Trace;
use crate::types::{
    Ask, ClientCapabilities, Elicitation, ElicitationResult, Form, Implementation, InputRequired,
    LogLevel, RootList, Sampling, SamplingResult,
};

/// One request: who asks, in which revision, and the ways to speak before the answer.
#[derive(Debug)]
pub struct Context {
    pub(super) revision: Revision,
    pub(super) extensions: Arc<Extensions>,
    pub(super) capabilities: ClientCapabilities,
    pub(super) client: Option<Implementation>,
    pub(super) progress_token: Option<Id>,
    pub(super) log_level: Option<LogLevel>,
    /// Whether the server has declared that it logs.
    pub(super) may_log: bool,
    pub(super) trace: Trace,
    pub(super) outbox: mpsc::Sender<Outgoing>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) cancelled: Option<watch::Receiver<bool>>,
    pub(super) round: Round,
    pub(super) progressed: Mutex<Progressed>,
    pub(super) principal: Option<String>,
    /// Only in a call that may become a task.
    pub(super) tasks: Option<Arc<Tasks>>,
}

impl Context {
    /// The revision that is spoken.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The extensions of the HTTP request; what a layer in front has put in, such as the principal.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What the client can do; empty in the older revisions without a session.
    #[must_use]
    pub fn capabilities(&self) -> &ClientCapabilities {
        &self.capabilities
    }

    /// What the client says it is; for people and logs, never for a decision.
    #[must_use]
    pub fn client(&self) -> Option<&Implementation> {
        self.client.as_ref()
    }

    /// Where the request belongs in somebody's trace, to be passed on with what is asked of others.
    ///
    /// MCP-META-06.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Reports progress, if the client asked for it. Either way the handler gets more time:
    /// see [`super::Options::handler_timeout`].
    ///
    /// MCP-PROG-01: progress only goes up; a report that does not is left out, and so is one that is
    /// no finite number.
    pub async fn progress(&self, progress: f64, total: Option<f64>, message: Option<&str>) {
        {
            let mut progressed = lock(&self.progressed);
            let last = progressed.last;
            if !progress.is_finite() || last.is_some_and(|last| progress <= last) {
                return;
            }
            progressed.last = Some(progress);
            progressed.at = Some(Instant::now());
        }
        let Some(token) = &self.progress_token else {
            return;
        };
        let mut params = json!({ "progressToken": token, "progress": progress });
        if let Some(members) = params.as_object_mut() {
            if let Some(total) = total.filter(|total| total.is_finite()) {
                members.insert("total".to_owned(), total.into());
            }
            if let Some(message) = message {
                members.insert("message".to_owned(), message.into());
            }
        }
        self.send(jsonrpc::notification_text(
            "notifications/progress",
            Some(params),
        ))
        .await;
    }

    /// Sends a log message, if the client wants messages of this level. Never put secrets in it.
    ///
    /// Deprecated since 2026-07-28, and legal until the first revision on or after 2027-07-28 at the earliest.
    ///
    /// MCP-LOG-01: since 2026-07-28 only for a request that names a level. MCP-LIFE-04: only by a
    /// server that declares `logging`.
    pub async fn log(&self, level: LogLevel, logger: Option<&str>, data: impl Serialize) {
        let wanted = match (self.revision.era(), &self.session) {
            (Era::Modern, _) => self.log_level,
            (Era::Legacy, Some(session)) => Some(session.log_level()),
            (Era::Legacy, None) => Some(LogLevel::Info),
        };
        if !self.may_log || wanted.is_none_or(|wanted| level < wanted) {
            return;
        }
        #[derive(Serialize)]
        struct Params<'a, D> {
            level: LogLevel,
            #[serde(skip_serializing_if = "Option::is_none")]
            logger: Option<&'a str>,
            data: D,
        }
        let params = Params {
            level,
            logger,
            data,
        };
        self.send(jsonrpc::notification_text(
            "notifications/message",
            Some(params),
        ))
        .await;
    }

    /// Asks the person; see [`Context::ask_all`] for what the key is and when this returns.
    ///
    /// # Errors
    /// As [`Context::ask_all`].
    pub async fn elicit(&self, key: &str, form: Elicitation) -> Result<ElicitationResult, Error> {
        self.ask(key, Ask::Elicit(form)).await
    }

    /// Says that what an address was opened for is done: the [`Elicitation::Url`] with this id.
    ///
    /// Only 2025-11-25 has this; elsewhere it does nothing.
    ///
    /// Specification: MCP 2025-11-25, elicitation, completion notifications.
    pub async fn elicitation_complete(&self, elicitation_id: &str) {
        if self.revision.era() == Era::Legacy && self.revision.has(Feature::UrlElicitation) {
            self.send(jsonrpc::notification_text(
                "notifications/elicitation/complete",
                Some(json!({ "elicitationId": elicitation_id })),
            ))
            .await;
        }
    }

    /// Asks the client's model; see [`Context::ask_all`].
    ///
    /// # Errors
    /// As [`Context::ask_all`].
    pub async fn sample(&self, key: &str, sampling: Sampling) -> Result<SamplingResult, Error> {
        self.ask(key, Ask::Sample(sampling)).await
    }

    /// Asks for the roots; see [`Context::ask_all`].
    ///
    /// # Errors
    /// As [`Context::ask_all`].
    pub async fn roots(&self, key: &str) -> Result<RootList, Error> {
        self.ask(key, Ask::Roots).await
    }

    /// Asks one thing and reads the answer; see [`Context::ask_all`].
    ///
    /// # Errors
    /// As [`Context::ask_all`]; -32602 when the answer has the wrong shape.
    pub async fn ask<T: DeserializeOwned>(&self, key: &str, ask: Ask) -> Result<T, Error> {
        self.ask_all([(key, ask)], None).await?.read(key)
    }

    /// Asks several things at once.
    ///
    /// In a session of the older revisions the questions go to the client while the handler waits.
    /// Since 2026-07-28 this returns an error at first: pass it on with `?`, and the shell makes it
    /// an interim result; the client calls again with the answers, the handler runs again from the
    /// start, and this time the answers are here. So whatever a handler does before it asks must be
    /// harmless to do twice. Answers of earlier rounds are carried along by the shell.
    ///
    /// `state` is given back by the client ([`Context::request_state`]); hostile then, unless
    /// `Options::seal` is set. It is at most 256 KiB together with the answers that are carried. In
    /// the older revisions it is not needed and not sent.
    ///
    /// # Errors
    /// -32021 when the client has not declared what is asked of it (-32600 in older revisions);
    /// -32600 when the revision has no such question ([`Ask::is_of`]);
    /// -32603 when it may not be asked ([`Ask::check`]); -32602 when what was filled in does not fit;
    /// -32600 in the older revisions without a session; the client's own error; the interim result.
    pub async fn ask_all<K: Into<String>>(
        &self,
        asks: impl IntoIterator<Item = (K, Ask)>,
        state: Option<String>,
    ) -> Result<Answers, Error> {
        let asks: BTreeMap<String, Ask> = asks
            .into_iter()
            .map(|(key, ask)| (key.into(), ask))
            .collect();
        for ask in asks.values() {
            if !ask.is_of(self.revision) {
                return Err(not_possible(&format!("{} cannot ask this", self.revision)));
            }
            if let Some(required) = ask.missing(&self.capabilities) {
                return Err(match self.revision.era() {
                    Era::Modern => Error::missing_capability(required),
                    Era::Legacy => not_possible("the client has not declared what this needs"),
                });
            }
            may_be_asked(ask)?;
        }
        let forms: Vec<(String, Form)> = asks
            .iter()
            .filter_map(|(key, ask)| Some((key.clone(), ask.form()?)))
            .collect();
        let answers = match self.revision.era() {
            Era::Modern => self.round.answer(asks, state).map(Answers),
            Era::Legacy => self.ask_in_session(asks).await.map(Answers),
        }?;
        for (key, form) in forms {
            answers.fits(&key, &form)?;
        }
        Ok(answers)
    }

    /// What an earlier round of this call gave to the client as state.
    ///
    /// With `Options::seal` (feature `seal`) this is what a handler of this server gave to the same
    /// principal in an earlier round of the same call, not longer ago than the lifetime: it can be
    /// trusted. It may come more than once, and from a round before the last.
    ///
    /// Without, anyone can send anything here: check it before it decides anything.
    #[must_use]
    pub fn request_state(&self) -> Option<&str> {
        self.round.state()
    }

    /// Closes the connection while the work goes on; the client comes back after the given time and
    /// gets what it has missed (2025-11-25, in a session). Elsewhere this does nothing.
    ///
    /// For work that takes so long that a connection is a waste. What is sent meanwhile is kept as
    /// far as [`super::SessionLimits::replay_bytes`] goes.
    ///
    /// Specification: MCP-LHTTP-09.
    pub async fn hang_up(&self, come_back_after: Duration) {
        if self.session.is_some() && self.revision.has(Feature::StreamPriming) {
            drop(self.outbox.send(Outgoing::HangUp(come_back_after)).await);
        }
    }

    /// Waits until the client cancels; for ever if it does not.
    ///
    /// Since 2026-07-28 a client cancels by closing the connection, and the handler is dropped. In
    /// a session the shell stops waiting for the handler in the same moment; this is for work that
    /// the handler has started elsewhere.
    pub async fn cancelled(&self) {
        match self.cancelled.clone() {
            Some(mut cancelled) => {
                if cancelled.wait_for(|cancelled| *cancelled).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            None => std::future::pending().await,
        }
    }

    async fn ask_in_session(
        &self,
        asks: BTreeMap<String, Ask>,
    ) -> Result<BTreeMap<String, Value>, Error> {
        let session = self
            .session
            .as_ref()
            .ok_or_else(|| not_possible("the client cannot be asked without a session"))?;
        let mut answers = BTreeMap::new();
        for (key, ask) in asks {
            let params = ask.params_in(self.revision, fresh_elicitation);
            let answer = session.ask(ask.method(), params, &self.outbox).await?;
            lock(&self.progressed).at = Some(Instant::now());
            answers.insert(key, answer);
        }
        Ok(answers)
    }

    /// Waits until the handler has taken longer than it may.
    ///
    /// MCP-RPC-12: progress extends the time, but not beyond the longest.
    pub(super) async fn overdue(&self, options: &Options) {
        let start = Instant::now();
        loop {
            let at = lock(&self.progressed).at.unwrap_or(start);
            let quiet = at.saturating_duration_since(start);
            let time = options
                .max_handler_time
                .min(quiet.saturating_add(options.handler_timeout));
            let passed = start.elapsed();
            if passed >= time {
                return;
            }
            tokio::time::sleep(time.saturating_sub(passed)).await;
        }
    }

    async fn send(&self, text: String) {
        // A client that is gone needs no message; the shell has noticed by itself.
        drop(self.outbox.send(Outgoing::Message(text)).await);
    }
}

/// How far a handler has come.
#[derive(Debug, Default)]
pub(super) struct Progressed {
    last: Option<f64>,
    /// When it reported progress last, or had an answer of the client.
    at: Option<Instant>,
}

/// MCP-ELI-02, MCP-SAMP-02: a handler that asks what may not be asked is told what is wrong.
pub(super) fn may_be_asked(ask: &Ask) -> Result<(), Error> {
    ask.check()
        .map_err(|problem| Error::internal(format!("this cannot be asked: {problem}")))
}

/// An id for a question that needs one: unique in this process, and so in its session, which is where it is used.
fn fresh_elicitation() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("elicitation-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn not_possible(message: &str) -> Error {
    jsonrpc::RpcError::new(crate::violation::code::INVALID_REQUEST, message).into()
}

/// What the client answered, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers(pub(super) BTreeMap<String, Value>);

impl Answers {
    /// MCP-ELI-06: what was filled in fits the form.
    fn fits(&self, key: &str, form: &Form) -> Result<(), Error> {
        let answer: ElicitationResult = self.read(key)?;
        answer.check(form).map_err(|problem| {
            Error::invalid_params(format!("the answer to {key:?} does not fit: {problem}"))
        })
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// -32602 when it is not there or has the wrong shape.
    pub fn read<T: DeserializeOwned>(&self, key: &str) -> Result<T, Error> {
        let answer = self.0.get(key).cloned().unwrap_or(Value::Null);
        serde_json::from_value(answer).map_err(|_| {
            Error::invalid_params(format!("the answer to {key:?} has the wrong shape"))
        })
    }
}

/// Makes the interim result.
pub(super) fn ask_again(requests: BTreeMap<String, Ask>, state: Option<String>) -> Error {
    Error::input_required(InputRequired {
        requests,
        state,
        meta: None,
    })
}
