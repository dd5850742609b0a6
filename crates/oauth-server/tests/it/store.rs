//! The memory store keeps the contract.

use std::sync::Arc;

use oauth_server::record::{Record, Session};
use oauth_server::store::{Key, Kind, MemoryStore, Store, StoreErrorKind, Write, contract};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_keeps_the_contract() {
    contract::check(|| async { Arc::new(MemoryStore::new()) as Arc<dyn Store> })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_full_store_refuses_until_it_is_swept() {
    let store = MemoryStore::with_capacity(1);
    let insert = |id: &str| Write::Insert {
        key: Key::new(Kind::Session, id),
        record: Record::Session(Session {
            person: "ada".into(),
            signed_in_at: oauth_rs::time::UnixSeconds(1),
            expires_at: oauth_rs::time::UnixSeconds(9),
        }),
    };
    let _committed = store.commit(vec![insert("a")]).await.unwrap();
    let full = store.commit(vec![insert("b")]).await.unwrap_err();
    assert_eq!(full.kind(), StoreErrorKind::Unavailable);
    assert_eq!(
        store
            .sweep(oauth_rs::time::UnixSeconds(9), 10)
            .await
            .unwrap(),
        1
    );
    assert!(store.commit(vec![insert("b")]).await.is_ok());
}
