//! Who may read the file, and which files are not touched.

use std::fs;

use oauth_server::store::{Outcome, Store};
use oauth_store::{OpenError, SqliteStore};
use rusqlite::Connection;

use crate::folder::{Folder, insert};

#[cfg(unix)]
#[tokio::test]
async fn all_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(
        store.commit(vec![insert("a")]).await.unwrap(),
        Outcome::Committed
    );
    let mut files = 0;
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert_eq!(files, 3);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    for mode in [0o644, 0o660, 0o604] {
        fs::write(folder.file(), b"").unwrap();
        fs::set_permissions(folder.file(), fs::Permissions::from_mode(mode)).unwrap();
        let error = SqliteStore::open(folder.file()).await.unwrap_err();
        assert!(
            matches!(error, OpenError::Exposed { mode: found } if found == mode),
            "{error:?}"
        );
        let told =
            format!("the database file can be read by others (mode {mode:o}); set its mode to 600");
        assert_eq!(error.to_string(), told);
    }
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error() {
    let folder = Folder::new();
    let error = SqliteStore::open(folder.path().join("none").join("x.sqlite"))
        .await
        .unwrap_err();
    assert!(matches!(error, OpenError::File(_)), "{error:?}");
    let error = SqliteStore::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, OpenError::File(_)), "{error:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_both_numbers() {
    let folder = Folder::new();
    SqliteStore::open(folder.file())
        .await
        .unwrap()
        .close()
        .await;
    Connection::open(folder.file())
        .unwrap()
        .execute_batch("PRAGMA user_version = 7")
        .unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::NewerSchema { found: 7, known: 1 }),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "the database has schema 7, but this program knows only schemas up to 1; use the newer program"
    );
}

#[tokio::test]
async fn a_changed_migration_is_refused() {
    let folder = Folder::new();
    SqliteStore::open(folder.file())
        .await
        .unwrap()
        .close()
        .await;
    let sql = "UPDATE migration SET checksum = 'other'";
    Connection::open(folder.file())
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::ChangedMigration { number: 1 }),
        "{error:?}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    Connection::open(folder.file())
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o600)).unwrap();
    let before = fs::read(folder.file()).unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign), "{error:?}");
    assert_eq!(fs::read(folder.file()).unwrap(), before);
}

#[tokio::test]
async fn the_settings_that_keep_commits_safe_are_on() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let other = Connection::open(folder.file()).unwrap();
    let mode: String = other
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    store.close().await;
}
