//! The cases in which many use a store at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Barrier;

use super::{Case, commit, ensure, failed, insert, key, person, session, version};
use crate::store::{Outcome, Store, Write};

/// How often each race is run.
pub(super) const RACES: usize = 20;

/// How many writers take part in a race.
const RACERS: usize = 8;

/// How often two records are read while they are written.
const READS: usize = 200;

/// Two records that are always written together are never read apart.
pub(super) async fn loads(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("first", 9)).await?;
    insert(&*store, "b", session("first", 9)).await?;
    let read = Arc::new(AtomicBool::new(false));
    let writer = {
        let (store, read) = (Arc::clone(&store), Arc::clone(&read));
        tokio::spawn(async move {
            let mut turn = 0_u64;
            while !read.load(Ordering::Relaxed) {
                turn = turn.wrapping_add(1);
                let mut writes = Vec::new();
                for id in ["a", "b"] {
                    writes.push(Write::Replace {
                        key: key(id),
                        version: version(&*store, id).await?,
                        record: session(&turn.to_string(), 9),
                    });
                }
                ensure(
                    commit(&*store, writes).await? == Outcome::Committed,
                    "a writer without rivals met a conflict",
                )?;
                // On a runtime of one thread the reader has a turn as well.
                tokio::task::yield_now().await;
            }
            Ok::<(), String>(())
        })
    };
    let moments = reads(&*store).await;
    read.store(true, Ordering::Relaxed);
    writer.await.map_err(|error| error.to_string())??;
    moments
}

async fn reads(store: &dyn Store) -> Case {
    for _ in 0..READS {
        let both = store.load(&[key("a"), key("b")]).await.map_err(failed)?;
        let mut texts = Vec::new();
        for stored in both.iter().flatten() {
            texts.push(stored.record.encode().map_err(|error| error.to_string())?);
        }
        ensure(
            texts.len() == 2 && texts.first() == texts.last(),
            "two moments in one load",
        )?;
        tokio::task::yield_now().await;
    }
    Ok(())
}

pub(super) async fn replacements(store: Arc<dyn Store>) -> Case {
    insert(&*store, "a", session("nobody", 9)).await?;
    let version = version(&*store, "a").await?;
    let winners = race(&store, move |racer| Write::Replace {
        key: key("a"),
        version,
        record: session(&racer.to_string(), 9),
    })
    .await?;
    let [winner] = winners.as_slice() else {
        return Err(format!(
            "{} of {RACERS} racing replacements were committed",
            winners.len()
        ));
    };
    ensure(
        person(&*store, "a").await? == Some(winner.to_string()),
        "the loser's record stayed",
    )
}

pub(super) async fn insertions(store: Arc<dyn Store>) -> Case {
    let winners = race(&store, move |racer| Write::Insert {
        key: key("a"),
        record: session(&racer.to_string(), 9),
    })
    .await?;
    let [winner] = winners.as_slice() else {
        return Err(format!(
            "{} of {RACERS} racing insertions were committed",
            winners.len()
        ));
    };
    ensure(
        person(&*store, "a").await? == Some(winner.to_string()),
        "the loser's record stayed",
    )
}

async fn race(
    store: &Arc<dyn Store>,
    write: impl Fn(usize) -> Write,
) -> Result<Vec<usize>, String> {
    let start = Arc::new(Barrier::new(RACERS));
    let racers: Vec<_> = (0..RACERS)
        .map(|racer| {
            let (store, start, write) = (Arc::clone(store), Arc::clone(&start), write(racer));
            tokio::spawn(async move {
                start.wait().await;
                store.commit(vec![write]).await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for (racer, task) in racers.into_iter().enumerate() {
        let outcome = task
            .await
            .map_err(|error| error.to_string())?
            .map_err(failed)?;
        if outcome == Outcome::Committed {
            winners.push(racer);
        }
    }
    Ok(winners)
}
