//! Records to columns and back.

use oauth_server::record::Record;
use oauth_server::store::{Kind, StoreError, StoreErrorKind, Version, Versioned};

/// How bodies are written today: the JSON of `Record::encode`.
pub(crate) const FORMAT: i64 = 1;

/// Bytes of a body at most; the largest record, a client with many addresses, stays far below.
pub(crate) const MOST_BODY_BYTES: usize = 256 * 1024;
/// Bytes of an identifier at most; a client that is named by its document's address is the longest.
pub(crate) const MOST_ID_BYTES: usize = 4 * 1024;

/// The columns of a record that is about to be written.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) expires_at: Option<i64>,
    pub(crate) body: Vec<u8>,
}

/// The columns of a record that was read.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) version: i64,
    pub(crate) format: i64,
    pub(crate) body: Vec<u8>,
}

/// Writes a record down; one that is filed under another kind's name or is too long is the caller's mistake.
pub(crate) fn columns(kind: Kind, id: &str, record: &Record) -> Result<Columns, StoreError> {
    if record.kind() != kind || id.len() > MOST_ID_BYTES {
        return Err(StoreError::new(StoreErrorKind::Misuse));
    }
    let body = record
        .encode()
        .map_err(|error| StoreError::because(StoreErrorKind::Misuse, error))?;
    if body.len() > MOST_BODY_BYTES {
        return Err(StoreError::new(StoreErrorKind::Misuse));
    }
    // A time beyond the range of the column is as good as never.
    let expires_at = record
        .expires_at()
        .map(|end| i64::try_from(end.0).unwrap_or(i64::MAX));
    Ok(Columns { expires_at, body })
}

/// Reads a record; anything that is not exactly what was written is damage.
pub(crate) fn versioned(kind: Kind, row: &Row) -> Result<Versioned, StoreError> {
    let damaged = || StoreError::new(StoreErrorKind::Corrupt);
    if row.format != FORMAT || row.body.len() > MOST_BODY_BYTES {
        return Err(damaged());
    }
    let version = Version(u64::try_from(row.version).map_err(|_| damaged())?);
    let record = Record::decode(&row.body)
        .map_err(|error| StoreError::because(StoreErrorKind::Corrupt, error))?;
    if record.kind() == kind {
        Ok(Versioned { version, record })
    } else {
        Err(damaged())
    }
}

/// The column for a version; one that was never given out matches nothing.
pub(crate) fn version_column(version: Version) -> i64 {
    i64::try_from(version.0).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use oauth_rs::time::UnixSeconds;
    use oauth_server::record::Session;

    use super::*;

    fn session(person: String, expires_at: u64) -> Record {
        Record::Session(Session {
            person,
            signed_in_at: UnixSeconds(1),
            expires_at: UnixSeconds(expires_at),
        })
    }

    fn row(record: &Record) -> Row {
        let columns = columns(record.kind(), "a", record).unwrap();
        Row {
            version: 7,
            format: FORMAT,
            body: columns.body,
        }
    }

    fn kind_of(result: Result<Versioned, StoreError>) -> Option<StoreErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn a_record_survives_the_round_trip() {
        let record = session("ada".to_owned(), 9);
        let read = versioned(Kind::Session, &row(&record)).unwrap();
        assert_eq!(read.version, Version(7));
        assert_eq!(read.record.encode().unwrap(), record.encode().unwrap());
        assert_eq!(
            columns(Kind::Session, "a", &record).unwrap().expires_at,
            Some(9)
        );
    }

    #[test]
    fn a_time_beyond_the_column_is_the_last_there_is() {
        let record = session("ada".to_owned(), u64::MAX);
        assert_eq!(
            columns(Kind::Session, "a", &record).unwrap().expires_at,
            Some(i64::MAX)
        );
    }

    #[test]
    fn what_was_not_written_so_is_damage() {
        let good = || row(&session("ada".to_owned(), 9));
        assert_eq!(kind_of(versioned(Kind::Session, &good())), None);
        for (kind, row) in [
            (
                Kind::Session,
                Row {
                    format: FORMAT + 1,
                    ..good()
                },
            ),
            (
                Kind::Session,
                Row {
                    version: -1,
                    ..good()
                },
            ),
            (
                Kind::Session,
                Row {
                    body: b"{".to_vec(),
                    ..good()
                },
            ),
            (
                Kind::Session,
                Row {
                    body: vec![b' '; MOST_BODY_BYTES + 1],
                    ..good()
                },
            ),
            (Kind::Code, good()),
        ] {
            assert_eq!(
                kind_of(versioned(kind, &row)),
                Some(StoreErrorKind::Corrupt),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn what_is_too_long_or_misfiled_is_not_written() {
        let good = session("ada".to_owned(), 9);
        let long = session("a".repeat(MOST_BODY_BYTES), 9);
        let refused = |kind, id: &str, record: &Record| {
            columns(kind, id, record).err().map(|error| error.kind())
        };
        assert_eq!(refused(Kind::Session, "a", &good), None);
        assert_eq!(
            refused(Kind::Session, "a", &long),
            Some(StoreErrorKind::Misuse)
        );
        assert_eq!(
            refused(Kind::Code, "a", &good),
            Some(StoreErrorKind::Misuse)
        );
        let id = "a".repeat(MOST_ID_BYTES + 1);
        assert_eq!(
            refused(Kind::Session, &id, &good),
            Some(StoreErrorKind::Misuse)
        );
    }

    #[test]
    fn a_version_that_was_never_given_out_matches_no_row() {
        assert_eq!(version_column(Version(7)), 7);
        assert_eq!(version_column(Version(u64::MAX)), -1);
    }
}
