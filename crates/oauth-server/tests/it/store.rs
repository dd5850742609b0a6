//! The memory store keeps the contract.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use oauth_rs::time::UnixSeconds;
use oauth_server::record::{Record, Session};
use oauth_server::store::{
    Key, Kind, MemoryStore, Outcome, Store, StoreError, StoreErrorKind, Versioned, Write, contract,
};

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
            signed_in_at: UnixSeconds(1),
            expires_at: UnixSeconds(9),
        }),
    };
    let _committed = store.commit(vec![insert("a")]).await.unwrap();
    let full = store.commit(vec![insert("b")]).await.unwrap_err();
    assert_eq!(full.kind(), StoreErrorKind::Unavailable);
    assert_eq!(store.sweep(UnixSeconds(9), 10).await.unwrap(), 1);
    assert!(store.commit(vec![insert("b")]).await.is_ok());
}

/// One way to get a store wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    BringsBack,
    DeletesTwice,
    LoadsApart,
    SweepsAll,
    IgnoresUnchanged,
}

/// A store with a fault, and how many commits it has made.
struct Faulty(MemoryStore, Fault, AtomicUsize);

#[async_trait]
impl Store for Faulty {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, StoreError> {
        if !matches!(self.1, Fault::LoadsApart) || keys.len() > 16 {
            return self.0.load(keys).await;
        }
        let mut loaded = Vec::new();
        let before = self.2.load(Ordering::SeqCst);
        for key in keys {
            loaded.extend(self.0.load(std::slice::from_ref(key)).await?);
            // Whoever loads several meets a commit in between, if anybody commits at all.
            for _ in 0..100_000 {
                if keys.len() == 1 || self.2.load(Ordering::SeqCst) > before {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(loaded)
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<Outcome, StoreError> {
        let mut made = Vec::new();
        for write in writes {
            let key = std::slice::from_ref(write.key());
            let missing = matches!(self.0.load(key).await?.as_slice(), [None]);
            made.push(match (self.1, write) {
                (Fault::BringsBack, Write::Replace { key, record, .. }) if missing => {
                    Write::Insert { key, record }
                }
                (Fault::DeletesTwice, Write::Delete { .. }) if missing => continue,
                (Fault::IgnoresUnchanged, Write::Unchanged { .. }) => continue,
                (_, write) => write,
            });
        }
        let outcome = self.0.commit(made).await;
        self.2.fetch_add(1, Ordering::SeqCst);
        outcome
    }

    async fn sweep(&self, now: UnixSeconds, limit: usize) -> Result<usize, StoreError> {
        let key = Key::new(Kind::Client, "d");
        let found = self
            .0
            .load(std::slice::from_ref(&key))
            .await?
            .pop()
            .flatten();
        if let (Fault::SweepsAll, Some(Versioned { version, .. })) = (self.1, found) {
            let _swept = self.0.commit(vec![Write::Delete { key, version }]).await?;
        }
        self.0.sweep(now, limit).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_contract_finds_each_fault() {
    for (fault, case) in [
        (Fault::BringsBack, "what is gone stays gone"),
        (Fault::DeletesTwice, "what is gone stays gone"),
        (Fault::LoadsApart, "a load sees one moment"),
        (Fault::SweepsAll, "what has expired is swept"),
        (Fault::IgnoresUnchanged, "a write loses to a revocation"),
    ] {
        let faulty = move || async move {
            Arc::new(Faulty(MemoryStore::new(), fault, AtomicUsize::new(0))) as Arc<dyn Store>
        };
        let found = contract::check(faulty).await.unwrap_err().to_string();
        assert!(found.contains(case), "{fault:?}: {found}");
    }
}
