//! When the keys of one issuer are fetched, and which are used: time and answers in, advice out.

use std::sync::Arc;
use std::time::Instant;

use oauth_rs::jose::JwkSet;

use super::absent::{Absent, KidHash, kid_hash};
use super::fetch::{Fetched, KeyFetchFailed};
use super::limits::KeyLimits;
use crate::fetch::unavailable::Unavailable;

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Machine {
    limits: KeyLimits,
    held: Option<Held>,
    /// A fetch is under way; the ids that somebody waits for.
    fetching: Option<Vec<KidHash>>,
    /// When the next fetch because of an unknown id may start.
    unknown_from: Option<Instant>,
    /// When the next fetch after a failure may start, and how many failures there were in a row.
    retry: Option<(Instant, u32)>,
    absent: Absent,
    last_failure: Option<KeyFetchFailed>,
    fetches: u64,
}

#[derive(Debug)]
struct Held {
    keys: Arc<JwkSet>,
    digest: [u8; 32],
    fetched: Instant,
}

/// What to do with a token whose key is not among the known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// What is known is all there is to know for now.
    Decide,
    /// A fetch is under way that may bring the key.
    Wait,
    /// Whether there is such a key cannot be known for now.
    Unavailable(Unavailable),
}

/// Whether the one who asked has to start a fetch. It was counted as started already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) struct Start(pub(super) bool);

/// The ids that are noted while a fetch is under way; others are simply asked for again later.
const MAX_AWAITED: usize = 64;

impl Machine {
    pub(super) fn new(limits: KeyLimits) -> Self {
        Self {
            limits: limits.bounded(),
            held: None,
            fetching: None,
            unknown_from: None,
            retry: None,
            absent: Absent::default(),
            last_failure: None,
            fetches: 0,
        }
    }

    /// The keys that may be used now.
    // Old keys are used while newer ones cannot be had, up to a limit.
    pub(super) fn keys(&self, now: Instant) -> Option<&Arc<JwkSet>> {
        let held = self.held.as_ref()?;
        (now.saturating_duration_since(held.fetched) < self.limits.usable_for).then_some(&held.keys)
    }

    /// Whether newer keys should be fetched because of the age of those there are.
    pub(super) fn refresh(&mut self, now: Instant) -> Start {
        let due = self.held.as_ref().is_some_and(|held| {
            now.saturating_duration_since(held.fetched) >= self.limits.fresh_for
        });
        if due && self.may_start(now) {
            return self.start();
        }
        Start(false)
    }

    /// When [`keys`](Self::keys) or [`refresh`](Self::refresh) will say something else by
    /// themselves, at the earliest; none while there are no keys.
    pub(super) fn look_again(&self, now: Instant) -> Option<Instant> {
        self.keys(now)?;
        let held = self.held.as_ref()?;
        let unusable = held.fetched.checked_add(self.limits.usable_for)?;
        if self.fetching.is_some() {
            return Some(unusable);
        }
        let stale = held.fetched.checked_add(self.limits.fresh_for)?;
        let refresh = self.retry.map_or(stale, |(from, _)| stale.max(from));
        Some(refresh.min(unusable))
    }

    /// What to do with a token that names this key id, or none.
    ///
    /// 1. Without any key, a fetch is started or waited for, or there was just one that failed.
    /// 2. A token without an id causes no fetch, nor does an id that is known.
    /// 3. An id that was not found recently is not asked for again.
    /// 4. A fetch that is under way is waited for.
    /// 5. Otherwise one is started if the cool-down is over. If not, the id is unknown, unless
    ///    the last fetch failed: then nobody can tell.
    pub(super) fn asked(&mut self, kid: Option<&str>, now: Instant) -> (Advice, Start) {
        let Some(keys) = self.keys(now) else {
            if self.fetching.is_some() {
                return (Advice::Wait, Start(false));
            }
            if self.may_start(now) {
                return (Advice::Wait, self.start());
            }
            return (Advice::Unavailable(self.unavailable(now)), Start(false));
        };
        let Some(kid) = kid.filter(|kid| !keys.has_kid(kid)) else {
            return (Advice::Decide, Start(false));
        };
        let hash = kid_hash(kid);
        if self.absent.contains(&hash, now) {
            return (Advice::Decide, Start(false));
        }
        if let Some(awaited) = &mut self.fetching {
            note(awaited, hash);
            return (Advice::Wait, Start(false));
        }
        let cooling = self.unknown_from.is_some_and(|from| now < from);
        if cooling || !self.may_start(now) {
            return (self.settled(Some(kid), now), Start(false));
        }
        self.unknown_from = now.checked_add(self.limits.cool_down);
        let start = self.start();
        if let Some(awaited) = &mut self.fetching {
            note(awaited, hash);
        }
        (Advice::Wait, start)
    }

    /// What to do where no fetch is waited for: decide, if the last one succeeded.
    pub(super) fn settled(&self, kid: Option<&str>, now: Instant) -> Advice {
        let known = match (self.keys(now), kid) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(keys), Some(kid)) => keys.has_kid(kid) || self.retry.is_none(),
        };
        if known {
            Advice::Decide
        } else {
            Advice::Unavailable(self.unavailable(now))
        }
    }

    /// The end of a fetch.
    pub(super) fn fetched(&mut self, outcome: Result<Fetched, KeyFetchFailed>, now: Instant) {
        let awaited = self.fetching.take().unwrap_or_default();
        match outcome {
            Ok(fetched) => {
                self.retry = None;
                self.last_failure = None;
                self.hold(fetched, now);
                self.note_absent(&awaited, now);
            }
            Err(reason) => {
                let failures = self
                    .retry
                    .map_or(1, |(_, failures)| failures.saturating_add(1));
                let from = now.checked_add(self.limits.retry(failures)).unwrap_or(now);
                self.retry = Some((from, failures));
                self.last_failure = Some(reason);
            }
        }
    }

    /// Keys of an unchanged document stay the ones they are.
    fn hold(&mut self, fetched: Fetched, now: Instant) {
        match &mut self.held {
            Some(held) if held.digest == fetched.digest => held.fetched = now,
            held => {
                *held = Some(Held {
                    keys: Arc::new(fetched.keys),
                    digest: fetched.digest,
                    fetched: now,
                });
            }
        }
    }

    fn note_absent(&mut self, awaited: &[KidHash], now: Instant) {
        let Some(held) = &self.held else { return };
        let found: Vec<KidHash> = held
            .keys
            .keys()
            .iter()
            .filter_map(|key| key.kid().map(kid_hash))
            .collect();
        for kid in awaited.iter().filter(|kid| !found.contains(kid)) {
            self.absent.insert(*kid, now, self.limits.absent_for);
        }
    }

    fn may_start(&self, now: Instant) -> bool {
        self.fetching.is_none() && self.retry.is_none_or(|(from, _)| now >= from)
    }

    fn start(&mut self) -> Start {
        self.fetching = Some(Vec::new());
        self.fetches = self.fetches.saturating_add(1);
        Start(true)
    }

    fn unavailable(&self, now: Instant) -> Unavailable {
        let retry = self.retry.map_or(now, |(from, _)| from);
        let unknown = self.unknown_from.unwrap_or(now);
        let from = match self.keys(now) {
            Some(_) => retry.max(unknown),
            None => retry,
        };
        Unavailable {
            retry_after: from.saturating_duration_since(now),
        }
    }

    /// Whether there is a key with this id.
    pub(super) fn knows(&self, kid: &str, now: Instant) -> bool {
        self.keys(now).is_some_and(|keys| keys.has_kid(kid))
    }

    /// Whether the fetch that was the n-th to start is over.
    pub(super) fn has_ended(&self, fetch: u64) -> bool {
        self.fetching.is_none() || self.fetches != fetch
    }

    /// How many fetches were started.
    pub(super) fn fetches(&self) -> u64 {
        self.fetches
    }

    /// Why the last fetch failed, if it did.
    pub(super) fn last_failure(&self) -> Option<&KeyFetchFailed> {
        self.last_failure.as_ref()
    }
}

fn note(awaited: &mut Vec<KidHash>, kid: KidHash) {
    if awaited.len() < MAX_AWAITED && !awaited.contains(&kid) {
        awaited.push(kid);
    }
}

#[cfg(test)]
mod tests;
