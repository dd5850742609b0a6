//! The thread that writes: it takes what has queued up and commits it as one group.

use oauth_rs::time::UnixSeconds;
use oauth_server::store::{Outcome, StoreError, StoreErrorKind, Write};
use rusqlite::{Connection, Statement};
use tokio::sync::{mpsc, oneshot, watch};

use crate::format::{FORMAT, columns, version_column};
use crate::open::store_error;

/// Jobs that share one commit at most.
const MOST_IN_A_GROUP: usize = 64;
/// Records that one sweep removes at most, so that it never keeps writers waiting for long.
const MOST_SWEPT: usize = 1_000;

/// Something to be written, and who wants to know how it went.
#[derive(Debug)]
pub(crate) enum Job {
    Commit {
        writes: Vec<Write>,
        reply: oneshot::Sender<Result<Outcome, StoreError>>,
    },
    Sweep {
        now: UnixSeconds,
        limit: usize,
        reply: oneshot::Sender<Result<usize, StoreError>>,
    },
}

/// A job that was done, but is not on the disk yet.
enum Done {
    Commit(
        Result<Outcome, StoreError>,
        oneshot::Sender<Result<Outcome, StoreError>>,
    ),
    Sweep(
        Result<usize, StoreError>,
        oneshot::Sender<Result<usize, StoreError>>,
    ),
}

impl Done {
    /// Tells how it went. Somebody who went away meanwhile does not want to know.
    fn tell(self) {
        match self {
            Self::Commit(outcome, reply) => drop(reply.send(outcome)),
            Self::Sweep(count, reply) => drop(reply.send(count)),
        }
    }

    /// Tells that nothing of the group is known to be written.
    fn tell_failure(self, failure: &Failure) {
        match self {
            Self::Commit(_, reply) => drop(reply.send(Err(failure.error()))),
            Self::Sweep(_, reply) => drop(reply.send(Err(failure.error()))),
        }
    }
}

/// A failure that many are told about.
struct Failure {
    kind: StoreErrorKind,
    text: String,
}

impl Failure {
    fn new(error: rusqlite::Error) -> Self {
        let text = error.to_string();
        Self {
            kind: store_error(error).kind(),
            text,
        }
    }

    fn error(&self) -> StoreError {
        StoreError::because(self.kind, self.text.clone())
    }
}

/// Works until nobody can ask any more, what has queued up included.
pub(crate) fn run(
    connection: Connection,
    mut queue: mpsc::Receiver<Job>,
    alive: watch::Receiver<()>,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MOST_IN_A_GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        write_group(&connection, group);
    }
    drop(connection);
    drop(alive);
}

/// Does all jobs in one transaction and answers only once it is on the disk.
fn write_group(connection: &Connection, group: Vec<Job>) {
    let mut done = Vec::with_capacity(group.len());
    let written = in_transaction(connection, group, &mut done);
    match written {
        Ok(()) => done.into_iter().for_each(Done::tell),
        Err(failure) => {
            if !connection.is_autocommit() {
                // If even this fails, the next group finds the transaction open and tries again.
                connection.execute_batch("ROLLBACK").unwrap_or_default();
            }
            done.into_iter().for_each(|job| job.tell_failure(&failure));
        }
    }
}

/// Does the jobs one after the other; those that come after the transaction was lost are not done.
fn in_transaction(
    connection: &Connection,
    group: Vec<Job>,
    done: &mut Vec<Done>,
) -> Result<(), Failure> {
    let mut state = begin(connection).map_err(Failure::new);
    for job in group {
        let usable = state.is_ok();
        done.push(match job {
            Job::Commit { writes, reply } => {
                let outcome = if usable {
                    commit(connection, &writes)
                } else {
                    Err(skipped())
                };
                Done::Commit(outcome, reply)
            }
            Job::Sweep { now, limit, reply } => {
                let count = if usable {
                    sweep(connection, now, limit)
                } else {
                    Err(skipped())
                };
                Done::Sweep(count, reply)
            }
        });
        if usable && connection.is_autocommit() {
            // SQLite rolls everything back by itself when, for example, the disk is full.
            state = Err(Failure {
                kind: StoreErrorKind::Unavailable,
                text: "the database rolled the whole group back".to_owned(),
            });
        }
    }
    state?;
    connection.execute_batch("COMMIT").map_err(Failure::new)
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    connection.execute_batch("BEGIN IMMEDIATE")
}

fn skipped() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

/// Makes all writes or none: what was made before a conflict is undone.
fn commit(connection: &Connection, writes: &[Write]) -> Result<Outcome, StoreError> {
    connection
        .execute_batch("SAVEPOINT one")
        .map_err(store_error)?;
    let made = all(connection, writes);
    let kept = matches!(made, Ok(true));
    let end = if kept {
        "RELEASE one"
    } else {
        "ROLLBACK TO one; RELEASE one"
    };
    let ended = connection.execute_batch(end).map_err(store_error);
    let made = made?;
    ended?;
    Ok(if made {
        Outcome::Committed
    } else {
        Outcome::Conflict
    })
}

/// Whether every record was as its write expected.
fn all(connection: &Connection, writes: &[Write]) -> Result<bool, StoreError> {
    for write in writes {
        if !one(connection, write)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// One write, which names the state it replaces: no row changed means that the state was another.
fn one(connection: &Connection, write: &Write) -> Result<bool, StoreError> {
    let (kind, id) = (write.key().kind(), write.key().id());
    let changed = match write {
        Write::Insert { record, .. } => {
            let columns = columns(kind, id, record)?;
            prepare(
                connection,
                "INSERT INTO record (kind, id, version, expires_at, format, body) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?
            .execute((
                kind.as_str(),
                id,
                next_version(connection)?,
                columns.expires_at,
                FORMAT,
                columns.body,
            ))
        }
        Write::Replace {
            record, version, ..
        } => {
            let columns = columns(kind, id, record)?;
            prepare(
                connection,
                "UPDATE record SET version = ?4, expires_at = ?5, format = ?6, body = ?7 \
                 WHERE kind = ?1 AND id = ?2 AND version = ?3",
            )?
            .execute((
                kind.as_str(),
                id,
                version_column(*version),
                next_version(connection)?,
                columns.expires_at,
                FORMAT,
                columns.body,
            ))
        }
        Write::Delete { version, .. } => prepare(
            connection,
            "DELETE FROM record WHERE kind = ?1 AND id = ?2 AND version = ?3",
        )?
        .execute((kind.as_str(), id, version_column(*version))),
        Write::Unchanged { version, .. } => prepare(
            connection,
            "SELECT EXISTS (SELECT 1 FROM record WHERE kind = ?1 AND id = ?2 AND version = ?3)",
        )?
        .query_row((kind.as_str(), id, version_column(*version)), |row| {
            row.get::<_, bool>(0).map(usize::from)
        }),
    };
    Ok(changed.map_err(store_error)? == 1)
}

/// A version that was never given out; one that a rolled back group took is not known to anybody.
fn next_version(connection: &Connection) -> Result<i64, StoreError> {
    prepare(
        connection,
        "UPDATE last_version SET value = value + 1 WHERE only = 1 RETURNING value",
    )?
    .query_row((), |row| row.get(0))
    .map_err(store_error)
}

fn sweep(connection: &Connection, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
    let now = i64::try_from(now.0).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit.min(MOST_SWEPT)).unwrap_or(0);
    prepare(
        connection,
        "DELETE FROM record WHERE (kind, id) IN (SELECT kind, id FROM record \
         WHERE expires_at IS NOT NULL AND expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    )?
    .execute((now, limit))
    .map_err(store_error)
}

fn prepare<'c>(connection: &'c Connection, sql: &str) -> Result<Statement<'c>, StoreError> {
    connection.prepare(sql).map_err(store_error)
}

#[cfg(test)]
mod tests {
    use oauth_server::record::{Record, Session};
    use oauth_server::store::{Key, Kind};

    use super::*;

    fn insert(id: &str) -> Write {
        let record = Record::Session(Session {
            person: id.to_owned(),
            signed_in_at: UnixSeconds(1),
            expires_at: UnixSeconds(9),
        });
        Write::Insert {
            key: Key::new(Kind::Session, id),
            record,
        }
    }

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::migration::migrate(&mut connection).unwrap();
        connection
    }

    fn group(connection: &Connection, writes: Vec<Vec<Write>>) -> Vec<Result<Outcome, StoreError>> {
        let (jobs, replies): (Vec<Job>, Vec<_>) = writes
            .into_iter()
            .map(|writes| {
                let (reply, answer) = oneshot::channel();
                (Job::Commit { writes, reply }, answer)
            })
            .unzip();
        write_group(connection, jobs);
        replies
            .into_iter()
            .map(|reply| reply.blocking_recv().unwrap())
            .collect()
    }

    fn count(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM record", (), |row| row.get(0))
            .unwrap()
    }

    #[test]
    fn a_conflict_in_a_group_undoes_only_its_own_writes() {
        let connection = database();
        let answers = group(
            &connection,
            vec![
                vec![insert("a")],
                vec![insert("b"), insert("a")],
                vec![insert("c")],
            ],
        );
        let outcomes: Vec<Outcome> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(
            outcomes,
            [Outcome::Committed, Outcome::Conflict, Outcome::Committed]
        );
        assert_eq!(count(&connection), 2);
        assert!(connection.is_autocommit());
    }

    #[test]
    fn a_mistake_in_a_group_is_told_to_its_maker_only() {
        let connection = database();
        let misfiled = match insert("b") {
            Write::Insert { record, .. } => Write::Insert {
                key: Key::new(Kind::Code, "b"),
                record,
            },
            other => other,
        };
        let answers = group(
            &connection,
            vec![
                vec![insert("a")],
                vec![insert("x"), misfiled],
                vec![insert("c")],
            ],
        );
        let kinds: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.err().map(|error| error.kind()))
            .collect();
        assert_eq!(kinds, [None, Some(StoreErrorKind::Misuse), None]);
        assert_eq!(count(&connection), 2);
    }

    #[test]
    fn when_the_commit_fails_everybody_is_told_and_the_next_group_works() {
        let connection = database();
        connection
            .execute_batch(
                "PRAGMA foreign_keys = ON;
                 CREATE TABLE parent (id INTEGER PRIMARY KEY);
                 CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
                 CREATE TRIGGER spoil AFTER INSERT ON record WHEN new.id = 'b'
                 BEGIN INSERT INTO child VALUES (1); END;",
            )
            .unwrap();
        let answers = group(&connection, vec![vec![insert("a")], vec![insert("b")]]);
        for answer in answers {
            assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
        }
        assert_eq!(count(&connection), 0);
        let answers = group(&connection, vec![vec![insert("a")]]);
        assert!(matches!(answers.as_slice(), [Ok(Outcome::Committed)]));
    }

    #[test]
    fn when_the_transaction_ends_by_itself_the_whole_group_is_told() {
        let connection = database();
        connection
            .execute_batch(
                "CREATE TRIGGER spoil BEFORE INSERT ON record WHEN new.id = 'b'
                 BEGIN SELECT RAISE(ROLLBACK, 'as a full disk does'); END;",
            )
            .unwrap();
        let answers = group(
            &connection,
            vec![vec![insert("a")], vec![insert("b")], vec![insert("c")]],
        );
        for answer in answers {
            assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
        }
        assert_eq!(count(&connection), 0);
        let answers = group(&connection, vec![vec![insert("c")]]);
        assert!(matches!(answers.as_slice(), [Ok(Outcome::Committed)]));
    }

    #[test]
    fn a_transaction_left_open_is_ended_before_the_next() {
        let connection = database();
        connection
            .execute_batch("BEGIN; DELETE FROM last_version")
            .unwrap();
        let answers = group(&connection, vec![vec![insert("a")]]);
        assert!(matches!(answers.as_slice(), [Ok(Outcome::Committed)]));
    }
}
