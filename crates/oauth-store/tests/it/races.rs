//! Two redemptions of one code, and many writers at once.

use std::sync::Arc;

use oauth_server::store::{Outcome, Store, StoreErrorKind, Version, Write};
use oauth_store::SqliteStore;
use tokio::sync::Barrier;

use crate::folder::{Folder, insert, key, person, session};

/// Spends a record that was read at a version and puts in what it buys.
fn redeem(version: Version, buys: &str) -> Vec<Write> {
    vec![
        Write::Replace {
            key: key("code"),
            version,
            record: session("spent", 9),
        },
        Write::Insert {
            key: key(buys),
            record: session(buys, 9),
        },
    ]
}

/// Races two redemptions, each through its own store, and gives how many were committed.
async fn race(stores: [Arc<SqliteStore>; 2]) -> usize {
    let start = Arc::new(Barrier::new(2));
    let racers = stores
        .into_iter()
        .zip(["token-0", "token-1"])
        .map(|(store, buys)| {
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                // Both have read the code before either spends it.
                let version = store
                    .load(&[key("code")])
                    .await
                    .unwrap()
                    .pop()
                    .unwrap()
                    .unwrap()
                    .version;
                start.wait().await;
                store.commit(redeem(version, buys)).await.unwrap()
            })
        });
    let mut committed = 0;
    for racer in racers.collect::<Vec<_>>() {
        committed += usize::from(racer.await.unwrap() == Outcome::Committed);
    }
    committed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_redeemed_once() {
    for _ in 0..10 {
        let folder = Folder::new();
        let store = Arc::new(SqliteStore::open(folder.file()).await.unwrap());
        assert_eq!(
            store.commit(vec![insert("code")]).await.unwrap(),
            Outcome::Committed
        );
        assert_eq!(race([Arc::clone(&store), Arc::clone(&store)]).await, 1);
        let bought = [
            person(&*store, "token-0").await,
            person(&*store, "token-1").await,
        ];
        assert_eq!(bought.iter().flatten().count(), 1);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_code_is_redeemed_once_through_two_stores_on_one_file() {
    for _ in 0..10 {
        let folder = Folder::new();
        let first = Arc::new(SqliteStore::open(folder.file()).await.unwrap());
        let second = Arc::new(SqliteStore::open(folder.file()).await.unwrap());
        assert_eq!(
            first.commit(vec![insert("code")]).await.unwrap(),
            Outcome::Committed
        );
        assert_eq!(race([Arc::clone(&first), Arc::clone(&second)]).await, 1);
        let bought = [
            person(&*first, "token-0").await,
            person(&*second, "token-1").await,
        ];
        assert_eq!(bought.iter().flatten().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_are_all_answered_and_all_there() {
    let folder = Folder::new();
    let store = Arc::new(SqliteStore::open(folder.file()).await.unwrap());
    let tasks: Vec<_> = (0..500)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.commit(vec![insert(&format!("s{number}"))]).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap().unwrap(), Outcome::Committed);
    }
    for number in 0..500 {
        let id = format!("s{number}");
        assert_eq!(person(&*store, &id).await, Some(id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_sees_one_moment() {
    let folder = Folder::new();
    let store = Arc::new(SqliteStore::open(folder.file()).await.unwrap());
    let same = |id: &str| Write::Insert {
        key: key(id),
        record: session("first", 9),
    };
    assert_eq!(
        store.commit(vec![same("a"), same("b")]).await.unwrap(),
        Outcome::Committed
    );
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for turn in 0..200 {
                let loaded = store.load(&[key("a"), key("b")]).await.unwrap();
                let writes =
                    loaded
                        .into_iter()
                        .zip(["a", "b"])
                        .map(|(stored, id)| Write::Replace {
                            key: key(id),
                            version: stored.unwrap().version,
                            record: session(&turn.to_string(), 9),
                        });
                assert_eq!(
                    store.commit(writes.collect()).await.unwrap(),
                    Outcome::Committed
                );
            }
        })
    };
    while !writer.is_finished() {
        let both = store.load(&[key("a"), key("b")]).await.unwrap();
        let texts: Vec<_> = both
            .iter()
            .flatten()
            .map(|stored| stored.record.encode().unwrap())
            .collect();
        assert_eq!(texts.first(), texts.last(), "two moments in one load");
    }
    writer.await.unwrap();
}

#[tokio::test]
async fn an_oversized_record_is_refused_and_nothing_of_its_batch_stays() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let huge = Write::Insert {
        key: key("b"),
        record: session(&"x".repeat(300_000), 9),
    };
    let error = store.commit(vec![insert("a"), huge]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misuse);
    assert_eq!(person(&store, "a").await, None);
}
