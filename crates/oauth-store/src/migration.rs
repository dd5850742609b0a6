//! The schema, step by step: compiled in, numbered, and never changed once released.

use oauth_rs::hash::sha256_base64url;
use rusqlite::{Connection, TransactionBehavior};

use crate::open::OpenError;

/// Marks a database file as one of this crate: `oaut` in ASCII.
const APPLICATION_ID: i64 = 0x6f61_7574;

/// One step; its number is its place in the list, counted from one.
struct Migration {
    sql: &'static str,
}

const MIGRATIONS: &[Migration] = &[Migration {
    sql: include_str!("../migrations/0001.sql"),
}];

/// What is in a file that was just opened.
#[derive(Debug, PartialEq, Eq)]
enum Contents {
    Nothing,
    Ours { schema: usize },
}

/// Brings the schema up to date, after making sure that the file is ours and not from a newer program.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    loop {
        // Looked at again under the lock: another process may be doing the same.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = match contents(&transaction)? {
            Contents::Nothing => 0,
            Contents::Ours { schema } => schema,
        };
        unchanged(&transaction, done)?;
        let Some(next) = MIGRATIONS.get(done) else {
            return Ok(());
        };
        let number = i64::try_from(done).unwrap_or(i64::MAX).saturating_add(1);
        transaction.execute_batch(next.sql)?;
        transaction.execute(
            "INSERT INTO migration (number, checksum) VALUES (?1, ?2)",
            (number, sha256_base64url(next.sql.as_bytes())),
        )?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
}

/// Looks at a file without changing it.
pub(crate) fn inspect(connection: &Connection) -> Result<(), OpenError> {
    contents(connection).map(|_| ())
}

fn contents(connection: &Connection) -> Result<Contents, OpenError> {
    let number = |name: &str| -> rusqlite::Result<i64> {
        connection.pragma_query_value(None, name, |row| row.get(0))
    };
    let (application, schema) = (number("application_id")?, number("user_version")?);
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    match (application, schema, objects) {
        (0, 0, 0) => Ok(Contents::Nothing),
        (APPLICATION_ID, schema, _) => {
            let known = MIGRATIONS.len();
            match usize::try_from(schema) {
                Ok(schema) if (1..=known).contains(&schema) => Ok(Contents::Ours { schema }),
                Ok(0) | Err(_) => Err(OpenError::Foreign),
                Ok(found) => Err(OpenError::NewerSchema { found, known }),
            }
        }
        _ => Err(OpenError::Foreign),
    }
}

/// Every step that was made must be the step that is compiled in.
fn unchanged(connection: &Connection, done: usize) -> Result<(), OpenError> {
    if done == 0 {
        return Ok(());
    }
    let mut statement = connection.prepare("SELECT checksum FROM migration ORDER BY number")?;
    let made: Vec<String> = statement
        .query_map((), |row| row.get(0))?
        .take(done + 1)
        .collect::<Result<_, _>>()?;
    for (index, migration) in MIGRATIONS.iter().take(done).enumerate() {
        if made.get(index) != Some(&sha256_base64url(migration.sql.as_bytes())) {
            return Err(OpenError::ChangedMigration { number: index + 1 });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Released steps and their checksums. A line is added with a step and never changed.
    const RELEASED: &[&str] = &["bxW4oXFWAbP8_F9XJ-Xah9_EjYqUOS-9fyrKYKHGOl0"];

    #[test]
    fn released_steps_are_as_they_were() {
        let now: Vec<String> = MIGRATIONS
            .iter()
            .map(|step| sha256_base64url(step.sql.as_bytes()))
            .collect();
        assert_eq!(now, RELEASED);
    }

    #[test]
    fn an_empty_file_becomes_ours_and_stays_so() {
        let mut connection = Connection::open_in_memory().unwrap();
        assert_eq!(contents(&connection).unwrap(), Contents::Nothing);
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        let schema = MIGRATIONS.len();
        assert_eq!(contents(&connection).unwrap(), Contents::Ours { schema });
    }

    #[test]
    fn a_file_of_another_program_is_left_alone() {
        for sql in [
            "CREATE TABLE theirs (a)",
            "PRAGMA user_version = 1",
            "PRAGMA application_id = 1",
            "PRAGMA application_id = 1869641076",
            "PRAGMA application_id = 1869641076; PRAGMA user_version = -1",
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(sql).unwrap();
            assert!(
                matches!(migrate(&mut connection), Err(OpenError::Foreign)),
                "{sql}"
            );
        }
    }

    #[test]
    fn a_newer_schema_and_a_changed_step_are_told_apart() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection
            .execute_batch("UPDATE migration SET checksum = 'x' WHERE number = 1")
            .unwrap();
        let refused = migrate(&mut connection);
        assert!(matches!(
            refused,
            Err(OpenError::ChangedMigration { number: 1 })
        ));
        connection.execute_batch("DELETE FROM migration").unwrap();
        let refused = migrate(&mut connection);
        assert!(matches!(
            refused,
            Err(OpenError::ChangedMigration { number: 1 })
        ));
        connection
            .execute_batch("PRAGMA user_version = 1000")
            .unwrap();
        let refused = migrate(&mut connection);
        assert!(matches!(
            refused,
            Err(OpenError::NewerSchema { found: 1000, .. })
        ));
    }
}
