//! What the authorization server has revoked, for the guard in the same process.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use oauth_rs::time::UnixSeconds;

/// Grants and access tokens that count as revoked until the last access token of theirs has expired.
///
/// Bounded: when [`MAX_REMEMBERED`] are live, every access token that expires no later than the
/// last of them counts as revoked instead, and honest clients refresh. Forgetting would let a
/// revoked token live.
///
/// Does not outlive the process: after a restart a revoked access token is good again for what is
/// left of its short life. Its refresh token is not.
#[derive(Debug)]
pub(crate) struct Revocations(RwLock<State>);

#[derive(Debug)]
struct State {
    /// The id of a grant or a token, and when its last access token has expired.
    until: HashMap<String, UnixSeconds>,
    /// Every token that expires at or before this counts as revoked.
    floor: UnixSeconds,
}

/// Ids remembered at once: about 10 MB, and a hundred revocations a second for ten minutes.
const MAX_REMEMBERED: usize = 65_536;

impl Revocations {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(State {
            until: HashMap::new(),
            floor: UnixSeconds(0),
        }))
    }

    /// Remembers that the grant or token `id` was revoked; its access tokens have expired by `until`.
    pub(crate) fn revoke(&self, id: String, until: UnixSeconds, now: UnixSeconds) {
        let mut state = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if state.until.len() >= MAX_REMEMBERED {
            state.until.retain(|_, until| *until >= now);
        }
        if state.until.len() >= MAX_REMEMBERED {
            tracing::warn!("too many revocations at once: every access token has to be refreshed");
            let last = state.until.values().max().copied().unwrap_or(until);
            state.floor = state.floor.max(last);
            state.until.clear();
        }
        state.until.insert(id, until);
    }

    /// Whether a token that expires at `expires_at` is one of `ids`, or belongs to one of them.
    pub(crate) fn covers<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a str>,
        expires_at: UnixSeconds,
    ) -> bool {
        let state = self.0.read().unwrap_or_else(PoisonError::into_inner);
        expires_at <= state.floor || ids.into_iter().any(|id| state.until.contains_key(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds(1_000);
    const UNTIL: UnixSeconds = UnixSeconds(1_300);

    fn filled() -> Revocations {
        let revoked = Revocations::new();
        for n in 0..MAX_REMEMBERED {
            revoked.revoke(n.to_string(), UNTIL, NOW);
        }
        revoked
    }

    #[test]
    fn a_revoked_id_is_covered_and_others_are_not() {
        let revoked = Revocations::new();
        revoked.revoke("grant-1".to_owned(), UNTIL, NOW);
        assert!(revoked.covers(["token-1", "grant-1"], UNTIL));
        assert!(!revoked.covers(["token-2", "grant-2"], UNTIL));
    }

    #[test]
    fn at_the_bound_what_has_expired_goes_first() {
        let revoked = filled();
        let later = UnixSeconds(UNTIL.0 + 1);
        revoked.revoke("new".to_owned(), UnixSeconds(later.0 + 300), later);
        assert!(revoked.covers(["new"], UnixSeconds(later.0 + 300)));
        assert!(
            !revoked.covers(["never seen"], UNTIL),
            "nothing else is refused"
        );
    }

    #[test]
    fn over_the_bound_every_token_that_could_be_meant_is_refused() {
        let revoked = filled();
        revoked.revoke("one more".to_owned(), UNTIL, NOW);
        assert!(
            revoked.covers(["never seen"], UNTIL),
            "may be one that was forgotten"
        );
        assert!(
            !revoked.covers(["never seen"], UnixSeconds(UNTIL.0 + 1)),
            "issued later"
        );
        assert!(revoked.covers(["one more"], UNTIL));
    }
}
