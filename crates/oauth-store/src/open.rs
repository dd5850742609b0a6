//! Opening the file: who may read it, which settings it runs with, what is refused.

use std::error::Error;
use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use oauth_server::store::{StoreError, StoreErrorKind};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::migration;

/// How long a statement waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file could not be made or looked at.
    #[error("the database file cannot be opened")]
    File(#[source] io::Error),
    /// Others than its owner may read or write the file.
    #[error("the database file can be read by others (mode {mode:o}); set its mode to 600")]
    Exposed {
        /// The permission bits of the file.
        mode: u32,
    },
    /// The file was written by a newer version of this program.
    #[error(
        "the database has schema {found}, but this program knows only schemas up to {known}; use the newer program"
    )]
    NewerSchema {
        /// The schema of the file.
        found: usize,
        /// The newest schema that this program knows.
        known: usize,
    },
    /// A step of the schema was made with another text than the one compiled in.
    #[error("migration {number} of the database is not the one that this program was built with")]
    ChangedMigration {
        /// Which step.
        number: usize,
    },
    /// The file is a database of another program.
    #[error("the file is a database, but not one of this program")]
    Foreign,
    /// The file is damaged, or not a database at all.
    #[error("the file is damaged or is not a database")]
    Damaged(#[source] Box<dyn Error + Send + Sync>),
    /// The database would not do what opening needs: it is locked, full, or on a file system without shared memory.
    #[error("the database cannot be used")]
    Database(#[source] Box<dyn Error + Send + Sync>),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] io::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            Self::Damaged(error.into())
        } else {
            Self::Database(error.into())
        }
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// What a failure of SQLite means to the caller of the store. Its text holds no values.
pub(crate) fn store_error(error: rusqlite::Error) -> StoreError {
    let kind = match &error {
        // A column of another type than the schema says was not written by us.
        rusqlite::Error::InvalidColumnType(..) | rusqlite::Error::IntegralValueOutOfRange(..) => {
            StoreErrorKind::Corrupt
        }
        error if is_damage(error) => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::because(kind, error)
}

/// Opens the connection that writes: makes the file, checks it, brings its schema up to date.
pub(crate) fn writer(path: &Path) -> Result<Connection, OpenError> {
    private_file(path)?;
    let mut connection = connect(path)?;
    // Looked at before anything is changed, so that a file of another program stays as it is.
    migration::inspect(&connection)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::Database(
            format!("its journal mode stays {mode}").into(),
        ));
    }
    // A commit that was lost could bring a used code or an old refresh token back to life.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    migration::migrate(&mut connection)?;
    Ok(connection)
}

/// Opens a connection that only reads; the file is there and up to date.
pub(crate) fn reader(path: &Path) -> Result<Connection, OpenError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    // Each connection stays on one thread. A path that looks like an address is still a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Makes the file readable for its owner only, or makes sure that it is; SQLite gives its side files the same mode.
#[cfg(unix)]
fn private_file(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(OpenError::File)?;
    let mode = file
        .metadata()
        .map_err(OpenError::File)?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(OpenError::Exposed { mode })
    }
}

/// Makes the file; who may read it is what its folder says.
#[cfg(not(unix))]
fn private_file(path: &Path) -> Result<(), OpenError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path);
    file.map(drop).map_err(OpenError::File)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_damage_is_called_damage() {
        let failure =
            |code: i32| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        for (code, kind) in [
            (rusqlite::ffi::SQLITE_CORRUPT, StoreErrorKind::Corrupt),
            (rusqlite::ffi::SQLITE_NOTADB, StoreErrorKind::Corrupt),
            (rusqlite::ffi::SQLITE_BUSY, StoreErrorKind::Unavailable),
            (rusqlite::ffi::SQLITE_FULL, StoreErrorKind::Unavailable),
            (rusqlite::ffi::SQLITE_IOERR, StoreErrorKind::Unavailable),
        ] {
            assert_eq!(store_error(failure(code)).kind(), kind, "{code}");
            let damaged = matches!(OpenError::from(failure(code)), OpenError::Damaged(_));
            assert_eq!(damaged, kind == StoreErrorKind::Corrupt, "{code}");
        }
    }

    #[test]
    fn the_writer_waits_for_the_disk_and_a_reader_cannot_write() {
        let name = format!("oauth-store-open-{}.sqlite", std::process::id());
        let path = std::env::temp_dir().join(name);
        let connection = writer(&path).unwrap();
        let number = |name: &str| -> i64 {
            connection
                .pragma_query_value(None, name, |row| row.get(0))
                .unwrap()
        };
        // FULL is 2.
        assert_eq!((number("synchronous"), number("trusted_schema")), (2, 0));
        assert_eq!(number("busy_timeout"), 5_000);
        let refused = reader(&path).unwrap().execute_batch("DELETE FROM record");
        assert_eq!(
            refused.unwrap_err().sqlite_error_code(),
            Some(ErrorCode::ReadOnly)
        );
        drop(connection);
        std::fs::remove_file(&path).unwrap();
    }
}
