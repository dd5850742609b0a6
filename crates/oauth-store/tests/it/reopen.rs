//! What was committed is there the next time, and closing waits for what has queued up.

use oauth_rs::time::UnixSeconds;
use oauth_server::store::{Outcome, Store, StoreErrorKind, Write};
use oauth_store::SqliteStore;

use crate::folder::{Folder, insert, key, person, session};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_and_versions_survive() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(
        store.commit(vec![insert("a"), insert("b")]).await.unwrap(),
        Outcome::Committed
    );
    let before = store
        .load(&[key("a")])
        .await
        .unwrap()
        .pop()
        .unwrap()
        .unwrap()
        .version;
    store.close().await;

    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(person(&store, "a").await.as_deref(), Some("a"));
    let after = store
        .load(&[key("a")])
        .await
        .unwrap()
        .pop()
        .unwrap()
        .unwrap()
        .version;
    assert_eq!(after, before);
    // A version of the first life is not given out again in the second.
    assert_eq!(
        store
            .commit(vec![Write::Delete {
                key: key("a"),
                version: before
            }])
            .await
            .unwrap(),
        Outcome::Committed
    );
    assert_eq!(
        store.commit(vec![insert("a")]).await.unwrap(),
        Outcome::Committed
    );
    let write = Write::Replace {
        key: key("a"),
        version: before,
        record: session("eve", 9),
    };
    assert_eq!(store.commit(vec![write]).await.unwrap(), Outcome::Conflict);
}

#[tokio::test]
async fn a_store_that_was_only_dropped_lost_nothing() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(
        store.commit(vec![insert("a")]).await.unwrap(),
        Outcome::Committed
    );
    drop(store);
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(person(&store, "a").await.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_closed_store_is_unavailable_and_leaves_one_file() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(
        store.commit(vec![insert("a")]).await.unwrap(),
        Outcome::Committed
    );
    store.close().await;
    store.close().await;
    for error in [
        store.load(&[key("a")]).await.unwrap_err(),
        store.commit(vec![insert("b")]).await.unwrap_err(),
        store.sweep(UnixSeconds(9), 1).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    }
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["records.sqlite"]);
}
