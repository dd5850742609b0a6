//! The answers that are kept, by the hash of the token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use oauth_rs::introspection::Introspection;
use oauth_rs::time::UnixSeconds;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::limits::IntrospectionLimits;
use crate::answer::IssuerAnswer;

/// A token is known by its SHA-256 only: no memory of ours holds what opens doors elsewhere.
pub(super) type TokenHash = [u8; 32];

/// What an issuer said, how long it was to read, and for how long the issuer lets it be kept.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) said: Arc<IssuerAnswer>,
    pub(super) bytes: usize,
    pub(super) at_most: Option<Duration>,
}

/// A bounded cache; whether an answer still counts is decided when it is read.
pub(super) struct Answers {
    cache: Cache<TokenHash, Kept, Bytes>,
    active_for: Duration,
    inactive_for: Duration,
}

#[derive(Clone)]
struct Kept {
    answer: Answer,
    until: Instant,
}

#[derive(Clone)]
struct Bytes;

impl Weighter<TokenHash, Kept> for Bytes {
    fn weight(&self, _: &TokenHash, kept: &Kept) -> u64 {
        u64::try_from(kept.answer.bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(OVERHEAD)
    }
}

/// What an entry takes besides its text: hash, pointers, and the members of the answer.
const OVERHEAD: u64 = 512;

impl Answers {
    pub(super) fn new(limits: &IntrospectionLimits) -> Self {
        Self {
            cache: Cache::with_weighter(limits.entries, limits.bytes, Bytes),
            active_for: limits.active_for,
            inactive_for: limits.inactive_for,
        }
    }

    pub(super) fn get(&self, token: &TokenHash, now: Instant) -> Option<Arc<IssuerAnswer>> {
        let kept = self.cache.get(token)?;
        (now < kept.until).then_some(kept.answer.said)
    }

    /// Keeps an answer for its time, not longer than the issuer lets it, and an active one not beyond
    /// the token's own.
    pub(super) fn keep(&self, token: TokenHash, answer: Answer, now: Instant, today: UnixSeconds) {
        let time = match answer.said.said() {
            Introspection::Inactive => self.inactive_for,
            Introspection::Active(token) => token
                .exp
                .map_or(self.active_for, |exp| self.active_for.min(exp.since(today))),
        };
        let time = answer.at_most.map_or(time, |most| time.min(most));
        if let Some(until) = now.checked_add(time).filter(|until| *until > now) {
            self.cache.insert(token, Kept { answer, until });
        }
    }

    pub(super) fn forget(&self, token: &TokenHash) {
        self.cache.remove(token);
    }

    pub(super) fn clear(&self) {
        self.cache.clear();
    }

    pub(super) fn bytes(&self) -> u64 {
        self.cache.weight()
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::introspection::ActiveToken;

    use super::*;

    const TODAY: UnixSeconds = UnixSeconds(1000);

    fn active(exp: Option<u64>, bytes: usize) -> Answer {
        let token = ActiveToken {
            exp: exp.map(UnixSeconds),
            ..ActiveToken::default()
        };
        Answer {
            said: Arc::new(Introspection::Active(Box::new(token)).into()),
            bytes,
            at_most: None,
        }
    }

    /// For how many seconds an answer is used.
    fn kept_for(answer: Answer) -> u64 {
        let (answers, now) = (
            Answers::new(&IntrospectionLimits::default()),
            Instant::now(),
        );
        answers.keep([0; 32], answer, now, TODAY);
        let used = |second: &u64| {
            let then = now + Duration::from_secs(*second);
            answers.get(&[0; 32], then).is_some()
        };
        (0..).take_while(used).count().try_into().unwrap()
    }

    #[test]
    fn answers_are_kept_for_seconds_and_never_beyond_the_token() {
        assert_eq!(kept_for(active(None, 1)), 10);
        assert_eq!(kept_for(active(Some(1100), 1)), 10);
        assert_eq!(kept_for(active(Some(1003), 1)), 3);
        assert_eq!(kept_for(active(Some(1000), 1)), 0);
        assert_eq!(kept_for(active(Some(1), 1)), 0);
    }

    #[test]
    fn an_inactive_token_is_kept_shorter() {
        assert_eq!(kept_for(inactive(None)), 2);
    }

    #[test]
    fn no_answer_is_kept_for_longer_than_its_issuer_lets_it() {
        let for_at_most = |seconds| Some(Duration::from_secs(seconds));
        for (most, active_for, inactive_for) in [(0, 0, 0), (1, 1, 1), (7, 7, 2), (3600, 10, 2)] {
            let answer = Answer {
                at_most: for_at_most(most),
                ..active(None, 1)
            };
            assert_eq!(kept_for(answer), active_for, "{most}");
            assert_eq!(
                kept_for(inactive(for_at_most(most))),
                inactive_for,
                "{most}"
            );
        }
    }

    fn inactive(at_most: Option<Duration>) -> Answer {
        Answer {
            said: Arc::new(Introspection::Inactive.into()),
            bytes: 1,
            at_most,
        }
    }

    #[test]
    fn bytes_are_bounded_however_many_answers_there_are() {
        let limits = IntrospectionLimits::default();
        let answers = Answers::new(&limits);
        let now = Instant::now();
        for n in 0..20_000_u32 {
            let mut token = [0; 32];
            token[..4].copy_from_slice(&n.to_be_bytes());
            answers.keep(token, active(None, 64 * 1024), now, TODAY);
            assert!(answers.bytes() <= limits.bytes);
        }
        assert!(answers.bytes() > limits.bytes / 2);
    }

    #[test]
    fn an_answer_can_be_forgotten() {
        let (answers, now) = (
            Answers::new(&IntrospectionLimits::default()),
            Instant::now(),
        );
        answers.keep([1; 32], active(None, 1), now, TODAY);
        answers.keep([2; 32], active(None, 1), now, TODAY);
        answers.forget(&[1; 32]);
        assert!(answers.get(&[1; 32], now).is_none());
        assert!(answers.get(&[2; 32], now).is_some());
        answers.clear();
        assert!(answers.get(&[2; 32], now).is_none());
    }
}
