//! One task: what was asked and answered, how it ended, and what of it goes on the wire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Now, iso8601};
use crate::jsonrpc::RpcError;
use crate::types::{Ask, DetailedTask, Task, TaskStatus};

/// How many questions one task may ask in its life; each leaves its key behind.
pub const MAX_QUESTIONS: usize = 256;

/// The longest message about the status, in characters.
pub const MAX_MESSAGE: usize = 1024;

/// How long a task is kept, and how often to ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long it is kept from its creation on, whatever becomes of it.
    pub ttl: Duration,
    /// How long a client should wait before it asks again.
    pub poll_interval: Duration,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub enum End {
    /// With a result; a tool that ran and failed has one too.
    Completed(Box<RawValue>),
    /// With a fault.
    Failed(RpcError),
    /// On request.
    Cancelled,
}

/// A task has asked as many questions as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a task may ask {MAX_QUESTIONS} questions")]
pub struct TooManyQuestions;

/// An answer does not fit its question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to {key:?} has the wrong shape")]
pub struct WrongShape {
    /// The key of the question.
    pub key: String,
}

/// One task, without its id and without the work.
#[derive(Clone, Debug)]
pub struct Record {
    owner: Option<String>,
    terms: Terms,
    created: SystemTime,
    updated: SystemTime,
    expires: Option<Instant>,
    message: Option<String>,
    asked: BTreeMap<String, Ask>,
    answers: BTreeMap<String, Value>,
    used: BTreeSet<String>,
    end: Option<End>,
}

impl Record {
    /// A task that starts now.
    #[must_use]
    pub fn new(owner: Option<String>, terms: Terms, now: Now) -> Self {
        Record {
            owner,
            terms,
            created: now.wall,
            updated: now.wall,
            // What is beyond every clock never comes.
            expires: now.instant.checked_add(terms.ttl),
            message: None,
            asked: BTreeMap::new(),
            answers: BTreeMap::new(),
            used: BTreeSet::new(),
            end: None,
        }
    }

    /// Who started it, if anyone in particular.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// Whether it has been kept as long as was said. Never earlier.
    #[must_use]
    pub fn is_expired(&self, now: Now) -> bool {
        self.expires.is_some_and(|expires| now.instant >= expires)
    }

    /// How far it is.
    ///
    /// MCP-TASK-12: working and input required alternate until an end, and an end is for ever.
    #[must_use]
    pub fn status(&self) -> TaskStatus {
        match &self.end {
            Some(End::Completed(_)) => TaskStatus::Completed,
            Some(End::Failed(_)) => TaskStatus::Failed,
            Some(End::Cancelled) => TaskStatus::Cancelled,
            None if self.asked.is_empty() => TaskStatus::Working,
            None => TaskStatus::InputRequired,
        }
    }

    /// Says in words how far it is; after its end this is ignored.
    pub fn say(&mut self, message: &str, now: Now) {
        if self.end.is_none() {
            self.message = Some(message.chars().take(MAX_MESSAGE).collect());
            self.updated = now.wall;
        }
    }

    /// Asks the client, and gives the keys under which the questions stand, in their order.
    ///
    /// After the end nothing is asked, and the keys lead nowhere.
    ///
    /// # Errors
    /// [`TooManyQuestions`]; then none of them is asked.
    pub fn ask(
        &mut self,
        questions: Vec<(String, Ask)>,
        now: Now,
    ) -> Result<Vec<String>, TooManyQuestions> {
        if self.used.len().saturating_add(questions.len()) > MAX_QUESTIONS {
            return Err(TooManyQuestions);
        }
        let mut keys = Vec::with_capacity(questions.len());
        for (wish, ask) in questions {
            // MCP-TASK-06: a key is never used twice in the life of a task.
            let key = self.free_key(wish);
            self.used.insert(key.clone());
            if self.end.is_none() {
                self.asked.insert(key.clone(), ask);
            }
            keys.push(key);
        }
        if self.end.is_none() && !keys.is_empty() {
            self.updated = now.wall;
        }
        Ok(keys)
    }

    fn free_key(&self, wish: String) -> String {
        if !self.used.contains(&wish) {
            return wish;
        }
        (2..)
            .map(|number: usize| format!("{wish}.{number}"))
            .find(|key| !self.used.contains(key))
            .unwrap_or(wish)
    }

    /// Takes answers of the client. Those to nothing that stands are ignored, and so are all after
    /// the end.
    ///
    /// # Errors
    /// [`WrongShape`] when one of them does not fit its question; then none is taken.
    pub fn answer(&mut self, answers: BTreeMap<String, Value>, now: Now) -> Result<(), WrongShape> {
        // MCP-MRTR-07: a malformed answer is an error, and the question still stands.
        for (key, answer) in &answers {
            if self.asked.get(key).is_some_and(|ask| !ask.fits(answer)) {
                return Err(WrongShape { key: key.clone() });
            }
        }
        for (key, answer) in answers {
            // MCP-TASK-06: keys that are unknown or used are ignored; some answers are enough.
            if self.asked.remove(&key).is_some() {
                self.answers.insert(key, answer);
                self.updated = now.wall;
            }
        }
        Ok(())
    }

    /// The answers to all of these keys, once they are all there; each is given once.
    pub fn take_answers(&mut self, keys: &[String]) -> Option<Vec<Value>> {
        if !keys.iter().all(|key| self.answers.contains_key(key)) {
            return None;
        }
        keys.iter().map(|key| self.answers.remove(key)).collect()
    }

    /// Takes questions back that nobody waits for any more.
    pub fn withdraw(&mut self, keys: &[String], now: Now) {
        for key in keys {
            self.answers.remove(key);
            if self.asked.remove(key).is_some() {
                self.updated = now.wall;
            }
        }
    }

    /// Ends it, and tells whether this was the end: a task ends once.
    pub fn finish(&mut self, end: End, now: Now) -> bool {
        if self.end.is_some() {
            return false;
        }
        self.end = Some(end);
        self.updated = now.wall;
        self.asked.clear();
        self.answers.clear();
        self.used.clear();
        true
    }

    /// The task as it answers the call that started it.
    #[must_use]
    pub fn task(&self, id: &str) -> Task {
        let milliseconds = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Task {
            task_id: id.to_owned(),
            status: self.status(),
            status_message: self.message.clone(),
            created_at: iso8601(self.created),
            last_updated_at: iso8601(self.updated),
            // MCP-TASK-03: whole milliseconds, and at least one of them.
            ttl_ms: self.expires.map(|_| milliseconds(self.terms.ttl).max(1)),
            poll_interval_ms: Some(milliseconds(self.terms.poll_interval).max(1)),
        }
    }

    /// The task with what belongs to its status.
    ///
    /// MCP-TASK-05: questions, result or error, and nothing of the other statuses.
    #[must_use]
    pub fn detailed(&self, id: &str) -> DetailedTask {
        let (result, error) = match &self.end {
            Some(End::Completed(result)) => (Some(result.clone()), None),
            Some(End::Failed(error)) => (None, Some(error.clone())),
            Some(End::Cancelled) | None => (None, None),
        };
        DetailedTask {
            task: self.task(id),
            input_requests: self.asked.clone(),
            result,
            error,
        }
    }
}

#[cfg(test)]
mod tests;
