//! All tasks of a service: who may see one, what answers it, and the work that goes on behind it.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;

use super::dispatch::in_era;
use super::error::{Error, Reason};
use crate::jsonrpc::RpcError;
use crate::revision::Era;
use crate::tasks::{End, Now, Table, Terms, UnknownTask, UpdateRefused};
use crate::types::{Ask, DetailedTask, Empty, Task, TaskAddress, TaskUpdate, ToolResult};

/// Fills the given bytes with randomness that nobody can guess.
type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Tells the time, as people have it.
type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How many tasks there may be, how long each, and how large their results.
#[derive(Clone)]
pub struct TaskLimits {
    /// How many at once, running or kept. Default: 1024.
    pub max_tasks: usize,
    /// How many of them one principal may have. Default: 64.
    pub max_per_principal: usize,
    /// How long a task is kept from its creation on, if its terms do not say; work that is still
    /// going on then is stopped. Default: 1 hour.
    pub ttl: Duration,
    /// The longest time that its terms may say. Default: 24 hours.
    pub max_ttl: Duration,
    /// How long a client should wait between two looks, if its terms do not say. Default: 1 second.
    pub poll_interval: Duration,
    /// The longest result or error, in bytes of its JSON; a longer one is a failed task. Default:
    /// 1 MiB.
    pub max_result_bytes: usize,
    clock: Clock,
    entropy: Entropy,
}

impl TaskLimits {
    /// The defaults, with a clock for what clients are told, and a source of randomness for the ids.
    ///
    /// How long a task is kept does not depend on this clock.
    ///
    /// # Security
    /// The source must be cryptographic: who can guess an id can see a task that was started by
    /// nobody in particular.
    pub fn new(
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        entropy: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        TaskLimits {
            max_tasks: 1024,
            max_per_principal: 64,
            ttl: Duration::from_secs(60 * 60),
            max_ttl: Duration::from_secs(24 * 60 * 60),
            poll_interval: Duration::from_secs(1),
            max_result_bytes: 1024 * 1024,
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
        }
    }
}

impl fmt::Debug for TaskLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLimits")
            .field("max_tasks", &self.max_tasks)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

/// All tasks of a service.
pub(super) struct Tasks {
    limits: TaskLimits,
    table: Mutex<Table<Live>>,
}

/// What the work of a task listens to.
struct Live {
    /// True when the work has to stop.
    stop: watch::Sender<bool>,
    /// Marked when answers have come.
    answered: watch::Sender<()>,
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.limits.fmt(f)
    }
}

impl Tasks {
    pub(super) fn new(limits: TaskLimits) -> Self {
        let table = Mutex::new(Table::new(limits.max_tasks, limits.max_per_principal));
        Tasks { limits, table }
    }

    fn now(&self) -> Now {
        Now {
            wall: (self.limits.clock)(),
            instant: Instant::now().into_std(),
        }
    }

    pub(super) fn get(
        &self,
        address: &TaskAddress,
        owner: Option<&str>,
    ) -> Result<DetailedTask, Error> {
        let now = self.now();
        self.lock()
            .get(&address.task_id, owner, now)
            .map_err(unknown)
    }

    pub(super) fn update(&self, update: TaskUpdate, owner: Option<&str>) -> Result<Empty, Error> {
        let now = self.now();
        let mut table = self.lock();
        match table.update(&update.task_id, owner, update.input_responses, now) {
            Ok(live) => {
                live.answered.send_replace(());
                Ok(Empty {})
            }
            Err(UpdateRefused::Unknown(error)) => Err(unknown(error)),
            Err(UpdateRefused::WrongShape(error)) => Err(Error::invalid_params(error.to_string())),
        }
    }

    pub(super) fn cancel(
        &self,
        address: &TaskAddress,
        owner: Option<&str>,
    ) -> Result<Empty, Error> {
        let now = self.now();
        let mut table = self.lock();
        let live = table
            .cancel(&address.task_id, owner, now)
            .map_err(unknown)?;
        live.stop.send_replace(true);
        Ok(Empty {})
    }

    /// Creates a task and puts its work in motion.
    ///
    /// MCP-TASK-04: the task is in the table before anyone hears of it.
    pub(super) fn start<F>(
        self: &Arc<Self>,
        owner: Option<String>,
        ttl: Option<Duration>,
        poll_interval: Option<Duration>,
        work: impl FnOnce(Running) -> F,
    ) -> Result<Task, Error>
    where
        F: Future<Output = Result<ToolResult, Error>> + Send + 'static,
    {
        let terms = Terms {
            ttl: ttl.unwrap_or(self.limits.ttl).min(self.limits.max_ttl),
            poll_interval: poll_interval.unwrap_or(self.limits.poll_interval),
        };
        // MCP-TASK-09: 192 bits in base64url.
        let mut bytes = [0_u8; 24];
        (self.limits.entropy)(&mut bytes);
        let id = URL_SAFE_NO_PAD.encode(bytes);
        let (stop, stopped) = watch::channel(false);
        let (answered, answers) = watch::channel(());
        let now = self.now();
        let task = self
            .lock()
            .create(id.clone(), owner, terms, Live { stop, answered }, now)
            .map_err(|error| Error::internal(error.to_string()))?
            .task(&id);
        let running = Running {
            tasks: Arc::clone(self),
            id: id.clone(),
            answers,
        };
        let mut unborn = Unborn {
            tasks: self,
            id: Some(&id),
        };
        let work = Aborted(tokio::spawn(work(running)));
        unborn.id = None;
        drop(unborn);
        drop(tokio::spawn(
            Arc::clone(self).watch(id, terms.ttl, work, stopped),
        ));
        Ok(task)
    }

    /// Waits for the end of the work, and ends it when it is stopped or its time is over.
    async fn watch(
        self: Arc<Self>,
        id: String,
        ttl: Duration,
        mut work: Aborted,
        mut stopped: watch::Receiver<bool>,
    ) {
        let mut time_is_over = pin!(tokio::time::sleep(ttl));
        let came = tokio::select! {
            came = &mut work.0 => Some(came),
            // It has been cancelled, or is not in the table any more.
            _ = stopped.wait_for(|stopped| *stopped) => None,
            () = &mut time_is_over => None,
        };
        // What still goes on is stopped here.
        drop(work);
        if let Some(came) = came {
            let end = self.end_of(came);
            let now = self.now();
            if let Some(record) = self.lock().record(&id) {
                record.finish(end, now);
            }
        }
        // What it came to is kept as long as was said, unless the service ends before.
        let tasks = Arc::downgrade(&self);
        drop(self);
        if !time_is_over.is_elapsed() {
            time_is_over.await;
        }
        if let Some(tasks) = tasks.upgrade() {
            let expired = tasks.lock().remove(&id);
            drop(expired);
        }
    }

    fn end_of(&self, came: Result<Result<ToolResult, Error>, JoinError>) -> End {
        let fault = |message: &str| End::Failed(RpcError::internal(message));
        match came {
            // MCP-TASK-05: a tool that ran and failed has completed.
            Ok(Ok(result)) => match to_raw_value(&result) {
                Ok(text) if text.get().len() <= self.limits.max_result_bytes => {
                    End::Completed(text)
                }
                Ok(_) => fault("the result is too long"),
                Err(_) => fault("the result could not be written"),
            },
            Ok(Err(error)) => match error.0 {
                Reason::Rpc(error) => match to_raw_value(&error) {
                    Ok(text) if text.get().len() <= self.limits.max_result_bytes => {
                        End::Failed(in_era(*error, Era::Modern))
                    }
                    Ok(_) => fault("the error is too long"),
                    Err(_) => fault("the error could not be written"),
                },
                Reason::Input(_) => fault("a task asks by its own context"),
                Reason::Task(_) => fault("a task cannot become another"),
                Reason::Extended(_) => fault("a task ends as its tool does"),
                Reason::Http(instead) => End::Failed(instead.error()),
                Reason::Cancelled => End::Cancelled,
            },
            Err(_) => fault("the work broke off"),
        }
    }

    /// A panic while the lock was held leaves nothing half done here.
    fn lock(&self) -> MutexGuard<'_, Table<Live>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// MCP-TASK-07: -32602 for a task that is not there for this caller.
fn unknown(error: UnknownTask) -> Error {
    Error::invalid_params(error.to_string())
}

/// A task that has no work yet. It is taken out again when what makes the work panics: nobody has
/// heard of it, and nothing would ever end it.
struct Unborn<'a> {
    tasks: &'a Tasks,
    id: Option<&'a str>,
}

impl Drop for Unborn<'_> {
    fn drop(&mut self) {
        let taken = self.id.and_then(|id| self.tasks.lock().remove(id));
        drop(taken);
    }
}

/// Work that ends when nobody waits for it.
struct Aborted(JoinHandle<Result<ToolResult, Error>>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The side of a task that its work has.
pub(super) struct Running {
    tasks: Arc<Tasks>,
    id: String,
    answers: watch::Receiver<()>,
}

impl Running {
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn say(&self, message: &str) {
        let now = self.tasks.now();
        if let Some(record) = self.tasks.lock().record(&self.id) {
            record.say(message, now);
        }
    }

    /// Asks the client, and waits until everything is answered.
    pub(super) async fn ask(&self, questions: Vec<(String, Ask)>) -> Result<Vec<Value>, Error> {
        let mut answers = self.answers.clone();
        let keys = {
            let now = self.tasks.now();
            let mut table = self.tasks.lock();
            let record = table.record(&self.id).ok_or_else(Error::cancelled)?;
            record
                .ask(questions, now)
                .map_err(|error| Error::internal(error.to_string()))?
        };
        let _standing = Standing {
            running: self,
            keys: &keys,
        };
        loop {
            answers.mark_unchanged();
            let taken = self
                .tasks
                .lock()
                .record(&self.id)
                .ok_or_else(Error::cancelled)?
                .take_answers(&keys);
            if let Some(taken) = taken {
                return Ok(taken);
            }
            if answers.changed().await.is_err() {
                return Err(Error::cancelled());
            }
        }
    }
}

/// Questions that are taken back when nobody waits for their answers any more.
struct Standing<'a> {
    running: &'a Running,
    keys: &'a [String],
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        let tasks = &self.running.tasks;
        let now = tasks.now();
        if let Some(record) = tasks.lock().record(&self.running.id) {
            record.withdraw(self.keys, now);
        }
    }
}

#[cfg(test)]
impl Tasks {
    /// How many there are, running or kept.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }
}
