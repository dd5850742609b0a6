//! The store: two kinds of threads behind bounded queues, and a way to wait for their end.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{fmt, thread};

use async_trait::async_trait;
use oauth_rs::time::UnixSeconds;
use oauth_server::store::{
    Key, Outcome, Store, StoreError, StoreErrorKind, Versioned, Write, check_keys, check_writes,
};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::open::{self, OpenError};
use crate::reader::{self, Load};
use crate::writer::{self, Job};

/// Jobs that may wait for the writer, and loads that may wait for each reader.
const QUEUE: usize = 1_024;
/// Threads that read.
const READERS: usize = 2;

/// Records in one SQLite file.
///
/// All waiting for the disk happens on threads of the store, none on the caller's.
/// A commit is answered once it is on the disk; what has queued up meanwhile shares the next one.
///
/// Does not check: what is in a record, or whether it has expired.
/// Does not bound: how long a disk may take; only the wait for another process that holds the lock ends, after five seconds.
pub struct SqliteStore {
    /// Nothing once the store was closed.
    queues: Mutex<Option<Queues>>,
    turn: AtomicUsize,
    /// Has a receiver on every thread whose connection is open.
    threads: watch::Sender<()>,
}

#[derive(Clone)]
struct Queues {
    writer: mpsc::Sender<Job>,
    readers: Vec<mpsc::Sender<Load>>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file, makes it if it is not there, and brings its schema up to date.
    ///
    /// A new file, and the two that SQLite keeps beside it, can be read by their owner only.
    /// The folder must exist.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: the file cannot be had, can be read by others, is not a database of this crate, is damaged, or was written by a newer version.
    /// A file that is refused is not changed.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let path = path.into();
        let (threads, alive) = watch::channel(());
        let (opened, ready) = oneshot::channel();
        let (writer, jobs) = mpsc::channel(QUEUE);
        let writer_alive = alive.clone();
        start("oauth-store-writer", move || match connections(&path) {
            Ok((connection, readers)) => {
                // If nobody waits for the store any more, neither does anybody hold its queue.
                drop(opened.send(Ok(readers)));
                writer::run(connection, jobs, writer_alive);
            }
            Err(error) => drop(opened.send(Err(error))),
        })?;
        let gone = || OpenError::Database("its thread ended".into());
        let connections = ready.await.map_err(|_| gone())??;
        let mut readers = Vec::with_capacity(connections.len());
        for connection in connections {
            let (reader, loads) = mpsc::channel(QUEUE);
            let alive = alive.clone();
            start("oauth-store-reader", move || {
                reader::run(connection, loads, alive)
            })?;
            readers.push(reader);
        }
        let queues = Mutex::new(Some(Queues { writer, readers }));
        Ok(Self {
            queues,
            turn: AtomicUsize::new(0),
            threads,
        })
    }

    /// Finishes what has queued up, closes the file, and waits until that is done.
    ///
    /// Whatever is asked of the store afterwards fails with [`StoreErrorKind::Unavailable`].
    /// Without this call the same happens, unwaited for, when the store is dropped; what was committed is safe in either case.
    pub async fn close(&self) {
        drop(
            self.queues
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.threads.closed().await;
    }

    fn queues(&self) -> Result<Queues, StoreError> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.clone().ok_or_else(unavailable)
    }

    /// Hands a load to the next reader, or to another if that one has too much to do.
    fn hand_out(&self, mut load: Load) -> Result<(), StoreError> {
        let readers = self.queues()?.readers;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        for offset in 0..readers.len() {
            let index = turn
                .wrapping_add(offset)
                .checked_rem(readers.len())
                .unwrap_or(0);
            let Some(reader) = readers.get(index) else {
                continue;
            };
            match reader.try_send(load) {
                Ok(()) => return Ok(()),
                Err(
                    mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back),
                ) => {
                    load = back;
                }
            }
        }
        Err(unavailable())
    }
}

/// The connection that writes and those that read, in that order: the first makes the file.
fn connections(path: &std::path::Path) -> Result<(Connection, Vec<Connection>), OpenError> {
    let writer = open::writer(path)?;
    let readers = (0..READERS)
        .map(|_| open::reader(path))
        .collect::<Result<_, _>>()?;
    Ok((writer, readers))
}

fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), OpenError> {
    // The thread ends when its queue does, and is waited for through the watch.
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
        .map_err(OpenError::Thread)
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

#[async_trait]
impl Store for SqliteStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        check_keys(keys)?;
        let (reply, answer) = oneshot::channel();
        self.hand_out(Load {
            keys: keys.to_vec(),
            reply,
        })?;
        answer.await.map_err(|_| unavailable())?
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<Outcome, StoreError> {
        check_writes(&writes)?;
        let (reply, answer) = oneshot::channel();
        // A full queue is refused rather than waited for: the caller can say 503 at once.
        self.queues()?
            .writer
            .try_send(Job::Commit { writes, reply })
            .map_err(|_| unavailable())?;
        answer.await.map_err(|_| unavailable())?
    }

    async fn sweep(&self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queues()?
            .writer
            .try_send(Job::Sweep { now, limit, reply })
            .map_err(|_| unavailable())?;
        answer.await.map_err(|_| unavailable())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_refuses_at_once() {
        let (writer, _jobs) = mpsc::channel(1);
        let (reader, _loads) = mpsc::channel(1);
        let (threads, _alive) = watch::channel(());
        let (reply, _answer) = oneshot::channel();
        writer
            .try_send(Job::Sweep {
                now: UnixSeconds(0),
                limit: 0,
                reply,
            })
            .unwrap();
        let (reply, _answer) = oneshot::channel();
        reader
            .try_send(Load {
                keys: Vec::new(),
                reply,
            })
            .unwrap();
        let queues = Mutex::new(Some(Queues {
            writer,
            readers: vec![reader],
        }));
        let store = SqliteStore {
            queues,
            turn: AtomicUsize::new(0),
            threads,
        };
        let kinds = [
            store.load(&[]).await.err(),
            store.commit(Vec::new()).await.err(),
            store.sweep(UnixSeconds(0), 1).await.err(),
        ]
        .map(|error| error.map(|error| error.kind()));
        assert_eq!(kinds, [Some(StoreErrorKind::Unavailable); 3]);
    }
}
