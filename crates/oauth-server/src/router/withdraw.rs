//! Ending a grant from inside the process.

use super::transact::{ATTEMPTS, commit, find};
use crate::decision::Decision;
use crate::grant;
use crate::record::Grant;
use crate::refused::Refused;
use crate::server::Server;
use crate::store::{Key, Kind, StoreError, StoreErrorKind};

impl Server {
    /// Ends a grant, because the person who gave it or the operator says so: nothing is issued from it any more, and
    /// [`Event::GrantRevoked`](crate::event::Event::GrantRevoked) tells whoever accepts its access tokens.
    ///
    /// `false` if there is no such grant or it has ended before.
    ///
    /// Does not check: who asks.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it is not known that the grant has ended.
    pub async fn withdraw(&self, grant_id: &str) -> Result<bool, StoreError> {
        let key = Key::new(Kind::Grant, grant_id);
        for _ in 0..ATTEMPTS {
            let found = find(self, &key, Grant::from_record).await;
            let Some(found) = found.map_err(failed)? else {
                return Ok(false);
            };
            let present = self.present();
            if !found.record.is_live(present.now) {
                return Ok(false);
            }
            let decision = grant::end(Decision::of(true), &present, &found);
            if let Some(outcome) = commit(self, decision).await {
                return outcome.map_err(failed);
            }
        }
        Err(failed(Refused::Contended))
    }
}

fn failed(reason: Refused) -> StoreError {
    let kind = match reason {
        Refused::Damaged => StoreErrorKind::Corrupt,
        _ => StoreErrorKind::Unavailable,
    };
    StoreError::because(kind, reason)
}
