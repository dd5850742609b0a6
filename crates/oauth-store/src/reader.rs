//! The threads that read: each answers one request at a time from one moment of the database.

use oauth_server::store::{Key, StoreError, Versioned};
use rusqlite::{Connection, OptionalExtension, Statement};
use tokio::sync::{mpsc, oneshot, watch};

use crate::format::{Row, versioned};
use crate::open::store_error;

pub(crate) type Loaded = Result<Vec<Option<Versioned>>, StoreError>;

/// Keys that somebody wants the records of.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) keys: Vec<Key>,
    pub(crate) reply: oneshot::Sender<Loaded>,
}

/// Answers until nobody can ask any more. `alive` tells that the connection is still open.
pub(crate) fn run(
    connection: Connection,
    mut queue: mpsc::Receiver<Load>,
    alive: watch::Receiver<()>,
) {
    while let Some(load) = queue.blocking_recv() {
        if load.reply.is_closed() {
            continue;
        }
        let answer = answer(&connection, &load.keys);
        // Somebody who went away meanwhile does not want the answer.
        drop(load.reply.send(answer));
    }
    drop(connection);
    drop(alive);
}

/// All records at one moment: a transaction sees the state at its first read to its end.
fn answer(connection: &Connection, keys: &[Key]) -> Loaded {
    let transaction = connection.unchecked_transaction().map_err(store_error)?;
    let mut statement = transaction
        .prepare("SELECT version, format, body FROM record WHERE kind = ?1 AND id = ?2")
        .map_err(store_error)?;
    keys.iter().map(|key| one(&mut statement, key)).collect()
}

fn one(statement: &mut Statement<'_>, key: &Key) -> Result<Option<Versioned>, StoreError> {
    let row = statement
        .query_row((key.kind().as_str(), key.id()), |row| {
            Ok(Row {
                version: row.get(0)?,
                format: row.get(1)?,
                body: row.get(2)?,
            })
        })
        .optional()
        .map_err(store_error)?;
    row.map(|row| versioned(key.kind(), &row)).transpose()
}
