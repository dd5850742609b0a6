//! The tests that any store must pass, as functions that its own test suite calls.
//!
//! ```
//! # use std::sync::Arc;
//! # use oauth_server::store::{contract, MemoryStore, Store};
//! # let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
//! # runtime.block_on(async {
//! contract::check(|| async { Arc::new(MemoryStore::new()) as Arc<dyn Store> }).await.unwrap();
//! # });
//! ```

mod race;

use std::sync::Arc;

use oauth_rs::time::UnixSeconds;

use super::{Key, Kind, MAX_BATCH, Outcome, Store, StoreError, StoreErrorKind, Version, Write};
use crate::record::{Client, Record, RevokedToken, Session};

/// How a store breaks the contract.
#[derive(Debug, thiserror::Error)]
#[error("the store contract is broken in {case:?}: {what}")]
pub struct Violation {
    case: &'static str,
    what: String,
}

/// Runs every case, each on an empty store of its own.
///
/// Run it on a runtime with several threads, or the races are none.
///
/// # Errors
///
/// The first [`Violation`], naming the case.
pub async fn check<F, R>(empty: F) -> Result<(), Violation>
where
    F: Fn() -> R,
    R: Future<Output = Arc<dyn Store>>,
{
    named(
        "what is inserted is loaded",
        inserted_is_loaded(empty().await).await,
    )?;
    named(
        "an insertion over a record conflicts",
        insert_twice(empty().await).await,
    )?;
    named(
        "a replacement of an old version conflicts",
        stale_replace(empty().await).await,
    )?;
    named(
        "a deletion of an old version conflicts",
        stale_delete(empty().await).await,
    )?;
    named(
        "a conflict writes nothing",
        all_or_nothing(empty().await).await,
    )?;
    named(
        "a write loses to a revocation",
        loses_to_revocation(empty().await).await,
    )?;
    named(
        "a version never comes again",
        no_version_twice(empty().await).await,
    )?;
    named(
        "what is gone stays gone",
        gone_stays_gone(empty().await).await,
    )?;
    named(
        "kinds do not share names",
        kinds_are_apart(empty().await).await,
    )?;
    named(
        "names are compared exactly",
        names_are_exact(empty().await).await,
    )?;
    named(
        "batches are bounded",
        batches_are_bounded(empty().await).await,
    )?;
    named("what has expired is swept", sweeping(empty().await).await)?;
    named("a load sees one moment", race::loads(empty().await).await)?;
    for _ in 0..race::RACES {
        named(
            "of racing replacements one wins",
            race::replacements(empty().await).await,
        )?;
        named(
            "of racing insertions one wins",
            race::insertions(empty().await).await,
        )?;
    }
    Ok(())
}

type Case = Result<(), String>;

fn named(case: &'static str, result: Case) -> Result<(), Violation> {
    result.map_err(|what| Violation { case, what })
}

fn ensure(holds: bool, what: &str) -> Case {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn failed(error: StoreError) -> String {
    format!("{error}: {error:?}")
}

fn session(person: &str, expires_at: u64) -> Record {
    Record::Session(Session {
        person: person.to_owned(),
        signed_in_at: UnixSeconds(1),
        expires_at: UnixSeconds(expires_at),
    })
}

fn key(id: &str) -> Key {
    Key::new(Kind::Session, id)
}

async fn commit(store: &dyn Store, writes: Vec<Write>) -> Result<Outcome, String> {
    store.commit(writes).await.map_err(failed)
}

async fn insert(store: &dyn Store, id: &str, record: Record) -> Case {
    let outcome = commit(
        store,
        vec![Write::Insert {
            key: key(id),
            record,
        }],
    )
    .await?;
    ensure(
        outcome == Outcome::Committed,
        "a first insertion conflicted",
    )
}

async fn read(store: &dyn Store, key: &Key) -> Result<Option<(Version, String)>, String> {
    let mut loaded = store
        .load(std::slice::from_ref(key))
        .await
        .map_err(failed)?;
    ensure(
        loaded.len() == 1,
        "one key was asked for and not one answer came",
    )?;
    let Some(Some(stored)) = loaded.pop() else {
        return Ok(None);
    };
    let Record::Session(session) = stored.record else {
        return Err("a session came back as something else".to_owned());
    };
    Ok(Some((stored.version, session.person)))
}

async fn version(store: &dyn Store, id: &str) -> Result<Version, String> {
    read(store, &key(id))
        .await?
        .map(|(version, _)| version)
        .ok_or_else(|| "a committed record is missing".to_owned())
}

async fn person(store: &dyn Store, id: &str) -> Result<Option<String>, String> {
    Ok(read(store, &key(id)).await?.map(|(_, person)| person))
}

async fn inserted_is_loaded(store: Arc<dyn Store>) -> Case {
    let record = session("ada", 9);
    insert(&*store, "a", record.clone()).await?;
    insert(&*store, "b", session("bob", 9)).await?;
    let loaded = store
        .load(&[key("b"), key("none"), key("a")])
        .await
        .map_err(failed)?;
    let [Some(b), None, Some(a)] = loaded.as_slice() else {
        return Err("answers do not come in the order of the keys".to_owned());
    };
    let text = |record: &Record| record.encode().map_err(|error| error.to_string());
    ensure(
        text(&a.record)? == text(&record)?,
        "a record came back changed",
    )?;
    ensure(
        a.record.kind() == Kind::Session,
        "a record came back as another kind",
    )?;
    ensure(
        a.version != b.version || text(&a.record)? != text(&b.record)?,
        "records were mixed up",
    )
}

async fn insert_twice(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let write = Write::Insert {
        key: key("a"),
        record: session("bob", 9),
    };
    let outcome = commit(&*store, vec![write]).await?;
    ensure(
        outcome == Outcome::Conflict,
        "a second insertion was committed",
    )?;
    ensure(
        person(&*store, "a").await?.as_deref() == Some("ada"),
        "the first record was lost",
    )
}

async fn stale_replace(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let old = version(&*store, "a").await?;
    let replace = |person: &str| Write::Replace {
        key: key("a"),
        version: old,
        record: session(person, 9),
    };
    let first = commit(&*store, vec![replace("bob")]).await?;
    ensure(
        first == Outcome::Committed,
        "a replacement of the current version conflicted",
    )?;
    let second = commit(&*store, vec![replace("eve")]).await?;
    ensure(
        second == Outcome::Conflict,
        "a replacement of an old version was committed",
    )?;
    ensure(
        person(&*store, "a").await?.as_deref() == Some("bob"),
        "the wrong record stayed",
    )
}

async fn stale_delete(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let old = version(&*store, "a").await?;
    let replace = Write::Replace {
        key: key("a"),
        version: old,
        record: session("bob", 9),
    };
    let _replaced = commit(&*store, vec![replace]).await?;
    let outcome = commit(
        &*store,
        vec![Write::Delete {
            key: key("a"),
            version: old,
        }],
    )
    .await?;
    ensure(
        outcome == Outcome::Conflict,
        "a deletion of an old version was committed",
    )?;
    let current = version(&*store, "a").await?;
    let outcome = commit(
        &*store,
        vec![Write::Delete {
            key: key("a"),
            version: current,
        }],
    )
    .await?;
    ensure(
        outcome == Outcome::Committed,
        "a deletion of the current version conflicted",
    )?;
    ensure(
        person(&*store, "a").await?.is_none(),
        "a deleted record is still there",
    )
}

async fn all_or_nothing(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    insert(&*store, "b", session("bob", 9)).await?;
    let at = version(&*store, "a").await?;
    let writes = vec![
        Write::Replace {
            key: key("a"),
            version: at,
            record: session("eve", 9),
        },
        Write::Insert {
            key: key("new"),
            record: session("eve", 9),
        },
        Write::Insert {
            key: key("b"),
            record: session("eve", 9),
        },
    ];
    let outcome = commit(&*store, writes).await?;
    ensure(
        outcome == Outcome::Conflict,
        "a batch with a conflict was committed",
    )?;
    ensure(
        person(&*store, "a").await?.as_deref() == Some("ada"),
        "a replacement was made",
    )?;
    ensure(
        person(&*store, "new").await?.is_none(),
        "an insertion was made",
    )
}

async fn loses_to_revocation(store: Arc<dyn Store>) -> Case {
    insert(&*store, "grant", session("ada", 9)).await?;
    let seen = version(&*store, "grant").await?;
    let revoke = Write::Replace {
        key: key("grant"),
        version: seen,
        record: session("ada", 8),
    };
    let _revoked = commit(&*store, vec![revoke]).await?;
    let writes = vec![
        Write::Unchanged {
            key: key("grant"),
            version: seen,
        },
        Write::Insert {
            key: key("token"),
            record: session("ada", 9),
        },
    ];
    let outcome = commit(&*store, writes).await?;
    ensure(
        outcome == Outcome::Conflict,
        "a token was written after the revocation",
    )?;
    ensure(
        person(&*store, "token").await?.is_none(),
        "the token is there",
    )?;
    let missing = Write::Unchanged {
        key: key("none"),
        version: seen,
    };
    let outcome = commit(&*store, vec![missing]).await?;
    ensure(
        outcome == Outcome::Conflict,
        "a missing record counted as unchanged",
    )?;
    let now = version(&*store, "grant").await?;
    let writes = vec![
        Write::Unchanged {
            key: key("grant"),
            version: now,
        },
        Write::Insert {
            key: key("token"),
            record: session("ada", 9),
        },
    ];
    let outcome = commit(&*store, writes).await?;
    ensure(
        outcome == Outcome::Committed,
        "an unchanged record conflicted",
    )?;
    ensure(
        version(&*store, "grant").await? == now,
        "looking at a record changed its version",
    )
}

async fn no_version_twice(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let first = version(&*store, "a").await?;
    let _deleted = commit(
        &*store,
        vec![Write::Delete {
            key: key("a"),
            version: first,
        }],
    )
    .await?;
    insert(&*store, "a", session("bob", 9)).await?;
    let write = Write::Replace {
        key: key("a"),
        version: first,
        record: session("eve", 9),
    };
    let outcome = commit(&*store, vec![write]).await?;
    ensure(
        outcome == Outcome::Conflict,
        "the version of a deleted record was accepted again",
    )
}

async fn gone_stays_gone(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let last = version(&*store, "a").await?;
    let delete = || Write::Delete {
        key: key("a"),
        version: last,
    };
    let _deleted = commit(&*store, vec![delete()]).await?;
    let replace = Write::Replace {
        key: key("a"),
        version: last,
        record: session("eve", 9),
    };
    ensure(
        commit(&*store, vec![replace]).await? == Outcome::Conflict,
        "a replacement brought a deleted record back",
    )?;
    ensure(
        commit(&*store, vec![delete()]).await? == Outcome::Conflict,
        "a record was deleted twice",
    )?;
    ensure(
        person(&*store, "a").await?.is_none(),
        "a deleted record is there again",
    )
}

async fn kinds_are_apart(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 9)).await?;
    let other = Key::new(Kind::RevokedToken, "a");
    let record = RevokedToken {
        grant_id: None,
        expires_at: UnixSeconds(9),
    };
    let write = Write::Insert {
        key: other.clone(),
        record: record.into(),
    };
    let outcome = commit(&*store, vec![write]).await?;
    ensure(
        outcome == Outcome::Committed,
        "a record of one kind was in the way of another",
    )?;
    let loaded = store.load(&[other]).await.map_err(failed)?;
    let kind = loaded
        .first()
        .and_then(Option::as_ref)
        .map(|stored| stored.record.kind());
    ensure(kind == Some(Kind::RevokedToken), "another kind came back")
}

async fn names_are_exact(store: Arc<dyn Store>) -> Case {
    insert(&*store, "Name", session("ada", 9)).await?;
    for other in ["name", "NAME", "Name ", "Nam_", "N%", ""] {
        ensure(
            person(&*store, other).await?.is_none(),
            "a name that differs was found",
        )?;
    }
    insert(&*store, "name", session("bob", 9)).await?;
    ensure(
        person(&*store, "Name").await?.as_deref() == Some("ada"),
        "names were folded",
    )
}

async fn batches_are_bounded(store: Arc<dyn Store>) -> Case {
    let keys: Vec<Key> = (0..=MAX_BATCH).map(|n| key(&n.to_string())).collect();
    let loaded = store.load(&keys).await;
    let refused = |kind: Option<StoreErrorKind>| kind == Some(StoreErrorKind::Misuse);
    ensure(
        refused(loaded.err().map(|error| error.kind())),
        "too many keys were loaded",
    )?;
    let writes = keys
        .iter()
        .map(|key| Write::Insert {
            key: key.clone(),
            record: session("ada", 9),
        })
        .collect();
    let committed = store.commit(writes).await;
    ensure(
        refused(committed.err().map(|error| error.kind())),
        "too many writes were made",
    )?;
    let write = || Write::Insert {
        key: key("a"),
        record: session("ada", 9),
    };
    let committed = store.commit(vec![write(), write()]).await;
    ensure(
        refused(committed.err().map(|error| error.kind())),
        "one record was written twice",
    )?;
    ensure(
        person(&*store, "a").await?.is_none(),
        "a refused batch was written",
    )
}

async fn sweeping(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("ada", 10)).await?;
    insert(&*store, "b", session("bob", 10)).await?;
    insert(&*store, "c", session("cid", 11)).await?;
    let staying = Key::new(Kind::Client, "d");
    let client = Client {
        client_id: "d".to_owned(),
        name: None,
        redirect_uris: Vec::new(),
        grant_types: Vec::new(),
        dpop_bound: false,
        registered_at: UnixSeconds(1),
        expires_at: None,
    };
    let write = Write::Insert {
        key: staying.clone(),
        record: client.into(),
    };
    let _inserted = commit(&*store, vec![write]).await?;
    let swept = |now: u64, limit: usize| {
        let store = &store;
        async move { store.sweep(UnixSeconds(now), limit).await.map_err(failed) }
    };
    ensure(swept(9, 10).await? == 0, "a live record was swept")?;
    ensure(
        person(&*store, "a").await?.is_some(),
        "a live record is gone",
    )?;
    ensure(
        swept(10, 1).await? == 1,
        "the limit of a sweep was not kept",
    )?;
    ensure(swept(10, 10).await? == 1, "an expired record was not swept")?;
    ensure(
        person(&*store, "a").await?.is_none(),
        "an expired record is still there",
    )?;
    ensure(
        person(&*store, "c").await?.is_some(),
        "a live record is gone",
    )?;
    let loaded = store.load(&[staying]).await.map_err(failed)?;
    ensure(
        matches!(loaded.as_slice(), [Some(_)]),
        "a record that does not expire was swept",
    )
}
