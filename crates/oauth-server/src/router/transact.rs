//! The two steps of a transaction that touch the world: load and commit.

use crate::decision::{Decision, Found, Present};
use crate::record::Record;
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Outcome};

/// How often a decision is made again because somebody else was first.
///
/// After a conflict the record is no longer what it was, so the next decision is another one: a race of any size over one code or token ends in three.
pub(super) const ATTEMPTS: usize = 5;

impl Server {
    /// The moment of a decision.
    pub(super) fn present(&self) -> Present<'_> {
        Present {
            config: &self.config,
            now: self.seams.clock.now(),
            entropy: &*self.seams.entropy,
        }
    }
}

/// One record, of the kind that the key promises.
pub(super) async fn find<T: Clone>(
    server: &Server,
    key: &Key,
    as_kind: impl Fn(&Record) -> Option<&T>,
) -> Result<Option<Found<T>>, Refused> {
    let mut loaded = server
        .seams
        .store
        .load(std::slice::from_ref(key))
        .await
        .map_err(|_| Refused::Store)?;
    Found::read(key, loaded.pop().flatten(), as_kind)
}

/// Makes a decision true and tells of it; `None` if somebody else was first.
pub(super) async fn commit<T>(
    server: &Server,
    decision: Decision<T>,
) -> Option<Result<T, Refused>> {
    if !decision.writes.is_empty() {
        match server.seams.store.commit(decision.writes).await {
            Ok(Outcome::Committed) => {}
            Ok(Outcome::Conflict) => return None,
            Err(_) => return Some(Err(Refused::Store)),
        }
    }
    server.tell(&decision.events);
    Some(decision.outcome)
}
