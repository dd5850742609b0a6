//! Damage is an error, never a panic and never a record.

use std::fs;

use oauth_server::store::{Outcome, Store, StoreErrorKind};
use oauth_store::{OpenError, SqliteStore};
use rusqlite::Connection;

use crate::folder::{Folder, insert, key, person};

/// A file with some records in it, closed.
async fn filled() -> Folder {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    for number in 0..300 {
        let outcome = store
            .commit(vec![insert(&format!("s{number}"))])
            .await
            .unwrap();
        assert_eq!(outcome, Outcome::Committed);
    }
    store.close().await;
    folder
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let folder = filled().await;
    fs::write(folder.file(), vec![0x5a; 8_192]).unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(matches!(error, OpenError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_cut_short_is_an_error_at_the_latest_when_it_is_read() {
    let folder = filled().await;
    let whole = fs::read(folder.file()).unwrap();
    for length in [100, 4_096, 8_192, whole.len() / 2] {
        fs::write(folder.file(), whole.get(..length).unwrap()).unwrap();
        match SqliteStore::open(folder.file()).await {
            Err(error) => assert!(
                matches!(error, OpenError::Damaged(_)),
                "{length}: {error:?}"
            ),
            Ok(store) => assert_eq!(
                first_error(&store).await,
                Some(StoreErrorKind::Corrupt),
                "{length}"
            ),
        }
    }
}

#[tokio::test]
async fn pages_of_rubbish_are_an_error_at_the_latest_when_they_are_read() {
    let folder = filled().await;
    let whole = fs::read(folder.file()).unwrap();
    let page = 4_096;
    assert!(whole.len() > 6 * page);
    let mut rubbish = whole.clone();
    for byte in rubbish.iter_mut().skip(page) {
        *byte = 0xa5;
    }
    fs::write(folder.file(), rubbish).unwrap();
    match SqliteStore::open(folder.file()).await {
        Err(error) => assert!(matches!(error, OpenError::Damaged(_)), "{error:?}"),
        Ok(store) => assert_eq!(first_error(&store).await, Some(StoreErrorKind::Corrupt)),
    }
}

/// The kind of the first failure in reading all records.
async fn first_error(store: &SqliteStore) -> Option<StoreErrorKind> {
    for number in 0..300 {
        if let Err(error) = store.load(&[key(&format!("s{number}"))]).await {
            return Some(error.kind());
        }
    }
    None
}

#[tokio::test]
async fn a_damaged_record_is_told_and_the_others_still_come() {
    for sql in [
        "UPDATE record SET body = x'00' WHERE id = 's7'",
        "UPDATE record SET format = 2 WHERE id = 's7'",
        "UPDATE record SET version = -1 WHERE id = 's7'",
        "UPDATE record SET kind = 'code' WHERE id = 's7'",
    ] {
        let folder = filled().await;
        Connection::open(folder.file())
            .unwrap()
            .execute_batch(sql)
            .unwrap();
        let store = SqliteStore::open(folder.file()).await.unwrap();
        let wanted = if sql.contains("'code'") {
            oauth_server::store::Key::new(oauth_server::store::Kind::Code, "s7")
        } else {
            key("s7")
        };
        let error = store.load(&[wanted]).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{sql}");
        assert_eq!(person(&store, "s8").await.as_deref(), Some("s8"));
        store.close().await;
    }
}
