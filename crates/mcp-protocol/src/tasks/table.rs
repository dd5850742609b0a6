//! Tasks by id: bounded in number, for each owner and in all, each kept as long as was said.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::Now;
use super::record::{End, Record, Terms, WrongShape};
use crate::types::DetailedTask;

/// Tasks, each with what the shell needs for it.
#[derive(Debug)]
pub struct Table<T> {
    entries: HashMap<String, (Record, T)>,
    limit: usize,
    limit_of_owner: usize,
}

/// There are as many tasks as there may be, and none of them is past its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many tasks")]
pub struct TooManyTasks;

/// No such task, or it belongs to somebody else, or its time is over: not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown task")]
pub struct UnknownTask;

/// Why answers were not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpdateRefused {
    /// There is no such task for this caller.
    #[error(transparent)]
    Unknown(#[from] UnknownTask),
    /// An answer does not fit its question.
    #[error(transparent)]
    WrongShape(#[from] WrongShape),
}

impl<T> Table<T> {
    /// An empty table for at most this many tasks, and at most this many of one owner.
    #[must_use]
    pub fn new(limit: usize, limit_of_owner: usize) -> Self {
        Table {
            entries: HashMap::new(),
            limit,
            limit_of_owner,
        }
    }

    /// Adds a task under an id that the caller has made and that nobody can guess.
    ///
    /// Tasks of nobody in particular are bounded in all only.
    ///
    /// # Errors
    /// [`TooManyTasks`]. Tasks that are kept are never pushed out: that would be before their time.
    pub fn create(
        &mut self,
        id: String,
        owner: Option<String>,
        terms: Terms,
        value: T,
        now: Now,
    ) -> Result<&Record, TooManyTasks> {
        self.entries
            .retain(|_, (record, _)| !record.is_expired(now));
        let of_owner = self
            .entries
            .values()
            .filter(|(record, _)| owner.is_some() && record.owner() == owner.as_deref())
            .count();
        if self.entries.len() >= self.limit || of_owner >= self.limit_of_owner {
            return Err(TooManyTasks);
        }
        let (record, _) = self
            .entries
            .entry(id)
            .insert_entry((Record::new(owner, terms, now), value))
            .into_mut();
        Ok(record)
    }

    /// The task for the one who started it.
    ///
    /// # Errors
    /// [`UnknownTask`].
    pub fn get(
        &mut self,
        id: &str,
        owner: Option<&str>,
        now: Now,
    ) -> Result<DetailedTask, UnknownTask> {
        let (record, _) = self.owned(id, owner, now)?;
        Ok(record.detailed(id))
    }

    /// Takes answers for a task, and gives what the shell keeps with it, to wake the work.
    ///
    /// # Errors
    /// [`UpdateRefused`].
    pub fn update(
        &mut self,
        id: &str,
        owner: Option<&str>,
        answers: BTreeMap<String, Value>,
        now: Now,
    ) -> Result<&T, UpdateRefused> {
        let (record, value) = self.owned(id, owner, now)?;
        record.answer(answers, now)?;
        Ok(value)
    }

    /// Cancels a task, and gives what the shell keeps with it, to stop the work.
    ///
    /// MCP-TASK-06: one that has ended stays as it is, and that is no error.
    ///
    /// # Errors
    /// [`UnknownTask`].
    pub fn cancel(&mut self, id: &str, owner: Option<&str>, now: Now) -> Result<&T, UnknownTask> {
        let (record, value) = self.owned(id, owner, now)?;
        record.finish(End::Cancelled, now);
        Ok(value)
    }

    /// The record of a task, for the work that belongs to it.
    pub fn record(&mut self, id: &str) -> Option<&mut Record> {
        self.entries.get_mut(id).map(|(record, _)| record)
    }

    /// Takes a task out, whatever its status.
    pub fn remove(&mut self, id: &str) -> Option<T> {
        self.entries.remove(id).map(|(_, value)| value)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// MCP-TASK-09: a task is there for the one who started it and for nobody else.
    fn owned(
        &mut self,
        id: &str,
        owner: Option<&str>,
        now: Now,
    ) -> Result<&mut (Record, T), UnknownTask> {
        self.entries
            .get_mut(id)
            .filter(|(record, _)| record.owner() == owner && !record.is_expired(now))
            .ok_or(UnknownTask)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use serde_json::json;

    use super::*;
    use crate::types::{Ask, TaskStatus};

    const TERMS: Terms = Terms {
        ttl: Duration::from_secs(60),
        poll_interval: Duration::from_secs(1),
    };

    fn clock() -> impl Fn(u64) -> Now {
        let start = Instant::now();
        move |seconds| Now {
            wall: UNIX_EPOCH + Duration::from_secs(seconds),
            instant: start + Duration::from_secs(seconds),
        }
    }

    fn create(
        table: &mut Table<char>,
        id: &str,
        owner: Option<&str>,
        now: Now,
    ) -> Result<(), TooManyTasks> {
        let value = id.chars().next().unwrap();
        table
            .create(id.into(), owner.map(str::to_owned), TERMS, value, now)
            .map(|_| ())
    }

    fn status(table: &mut Table<char>, id: &str, now: Now) -> Option<TaskStatus> {
        table
            .get(id, Some("ada"), now)
            .ok()
            .map(|task| task.task.status)
    }

    #[test]
    fn a_task_is_there_for_its_owner_only() {
        let at = clock();
        let mut table = Table::new(8, 8);
        create(&mut table, "a", Some("ada"), at(0)).unwrap();
        create(&mut table, "b", None, at(0)).unwrap();
        assert_eq!(status(&mut table, "a", at(1)), Some(TaskStatus::Working));
        for (id, owner) in [
            ("a", Some("eve")),
            ("a", None),
            ("b", Some("ada")),
            ("c", Some("ada")),
        ] {
            assert_eq!(table.get(id, owner, at(1)).unwrap_err(), UnknownTask);
            assert_eq!(table.cancel(id, owner, at(1)).unwrap_err(), UnknownTask);
            assert_eq!(
                table.update(id, owner, BTreeMap::new(), at(1)).unwrap_err(),
                UpdateRefused::Unknown(UnknownTask)
            );
        }
        assert!(table.get("b", None, at(1)).is_ok());
    }

    #[test]
    fn tasks_are_bounded_for_each_owner_and_in_all() {
        let at = clock();
        let mut table = Table::new(4, 2);
        for id in ["a", "b"] {
            create(&mut table, id, Some("ada"), at(0)).unwrap();
        }
        assert_eq!(
            create(&mut table, "c", Some("ada"), at(0)),
            Err(TooManyTasks)
        );
        for id in ["d", "e"] {
            create(&mut table, id, None, at(30)).unwrap();
        }
        assert_eq!(
            create(&mut table, "f", Some("eve"), at(59)),
            Err(TooManyTasks)
        );
        // An end makes no room: results are kept as long as was said.
        table.cancel("a", Some("ada"), at(59)).unwrap();
        assert_eq!(create(&mut table, "f", None, at(59)), Err(TooManyTasks));
        create(&mut table, "f", Some("ada"), at(60)).unwrap();
        assert_eq!(table.len(), 3);
    }

    #[test]
    fn a_task_is_gone_after_its_time() {
        let at = clock();
        let mut table = Table::new(8, 8);
        create(&mut table, "a", Some("ada"), at(0)).unwrap();
        table.cancel("a", Some("ada"), at(1)).unwrap();
        assert_eq!(status(&mut table, "a", at(59)), Some(TaskStatus::Cancelled));
        assert_eq!(status(&mut table, "a", at(60)), None);
        assert!(table.cancel("a", Some("ada"), at(60)).is_err());
        assert_eq!(table.remove("a"), Some('a'));
        assert!(table.is_empty());
    }

    #[test]
    fn answers_and_cancellation_give_what_the_shell_keeps() {
        let at = clock();
        let mut table = Table::new(8, 8);
        create(&mut table, "a", Some("ada"), at(0)).unwrap();
        let record = table.record("a").unwrap();
        let keys = record.ask(vec![("k".into(), Ask::Roots)], at(1)).unwrap();
        let answers = |value: Value| serde_json::from_value(value).unwrap();
        assert_eq!(
            table.update("a", Some("ada"), answers(json!({ "k": 5 })), at(2)),
            Err(UpdateRefused::WrongShape(WrongShape { key: "k".into() }))
        );
        let right = answers(json!({ "k": { "roots": [] } }));
        assert_eq!(table.update("a", Some("ada"), right, at(2)), Ok(&'a'));
        assert!(table.record("a").unwrap().take_answers(&keys).is_some());
        assert_eq!(table.cancel("a", Some("ada"), at(3)), Ok(&'a'));
        assert_eq!(table.cancel("a", Some("ada"), at(3)), Ok(&'a'), "again");
        assert!(table.record("b").is_none());
    }
}
