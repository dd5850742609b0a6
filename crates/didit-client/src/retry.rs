//! Whether a call is sent again, and after how long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{ApiError, ErrorCode};

/// How often a call is sent when nothing else is chosen, the first time included.
pub const DEFAULT_ATTEMPTS: u32 = 3;

/// The most often a call is sent.
pub const MAX_ATTEMPTS: u32 = 10;

/// How long all attempts and the waits between them may take when nothing else is chosen.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(60);

/// The wait before the second attempt, before chance is added; it doubles with each attempt.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// The longest wait that is not asked for by the server.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// What is added to the wait that a server asks for, at most, so that not everybody comes back in the same moment.
const SPREAD: Duration = Duration::from_millis(500);

/// The rules by which a call is sent again.
///
/// - 429 says that nothing was done: every call is sent again, after the time that `Retry-After` asks for.
/// - 502, 503 and no answer at all leave open what was done: only what the row calls repeatable is sent again, reads among them.
/// - Every other answer is the answer.
///
/// A wait that does not fit into the budget is not begun: the error is given at once, with its `retry_after`.
#[derive(Clone)]
pub struct Retries {
    attempts: u32,
    budget: Duration,
    chance: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Retries {
    /// The default rules; `chance` gives a number that others cannot foresee each time.
    pub fn new(chance: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            attempts: DEFAULT_ATTEMPTS,
            budget: DEFAULT_BUDGET,
            chance: Arc::new(chance),
        }
    }

    /// Replaces the number of attempts, the first included; held to 1..=[`MAX_ATTEMPTS`].
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.clamp(1, MAX_ATTEMPTS);
        self
    }

    /// Replaces the time that all attempts and waits may take together.
    #[must_use]
    pub fn with_budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The time that all attempts and waits may take together.
    pub fn budget(&self) -> Duration {
        self.budget
    }

    /// How long to wait before attempt `sent + 1`; `None` gives the error to the caller.
    ///
    /// `repeatable` is whether sending twice does no more than sending once, `spent` the time since the first attempt began.
    pub fn wait(
        &self,
        error: &ApiError,
        repeatable: bool,
        sent: u32,
        spent: Duration,
    ) -> Option<Duration> {
        let again = match error.status() {
            // RFC 6585 section 4: the request was not served.
            Some(429) => true,
            Some(502 | 503) => repeatable,
            Some(_) => false,
            None => repeatable && error.code() == ErrorCode::NetworkError,
        };
        if !again || sent >= self.attempts {
            return None;
        }
        let wait = match error.retry_after() {
            Some(seconds) => Duration::from_secs(seconds).saturating_add(self.up_to(SPREAD)),
            None => self.backed_off(sent),
        };
        (spent.saturating_add(wait) < self.budget).then_some(wait)
    }

    /// Between half and the whole of a time that doubles with each attempt.
    fn backed_off(&self, sent: u32) -> Duration {
        let doublings = sent.saturating_sub(1).min(16);
        let whole = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
        let half = whole / 2;
        half + self.up_to(half)
    }

    fn up_to(&self, most: Duration) -> Duration {
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis((self.chance)() % millis.saturating_add(1))
    }
}

impl fmt::Debug for Retries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retries")
            .field("attempts", &self.attempts)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answered(status: u16, retry_after: Option<u64>) -> ApiError {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert("retry-after", HeaderValue::from(seconds));
        }
        ApiError::from_response(StatusCode::from_u16(status).unwrap(), &headers, b"{}")
    }

    fn unanswered() -> ApiError {
        ApiError::local(ErrorCode::NetworkError, "no answer")
    }

    fn rules(chance: u64) -> Retries {
        Retries::new(move || chance)
    }

    const START: Duration = Duration::ZERO;

    #[test]
    fn what_was_not_served_is_always_sent_again_and_what_is_open_only_if_repeatable() {
        for (error, when_repeatable, otherwise) in [
            (answered(429, None), true, true),
            (answered(502, None), true, false),
            (answered(503, None), true, false),
            (unanswered(), true, false),
            (answered(500, None), false, false),
            (answered(504, None), false, false),
            (answered(400, None), false, false),
            (answered(401, None), false, false),
            (answered(402, None), false, false),
            (answered(403, None), false, false),
            (answered(404, None), false, false),
            (answered(409, Some(1)), false, false),
            (answered(422, None), false, false),
            (answered(301, None), false, false),
            (ApiError::local(ErrorCode::BadRequest, "ours"), false, false),
        ] {
            let again = |repeatable| rules(0).wait(&error, repeatable, 1, START).is_some();
            assert_eq!(again(true), when_repeatable, "{error}");
            assert_eq!(again(false), otherwise, "{error}");
        }
    }

    #[test]
    fn waits_double_and_are_spread_over_their_upper_half() {
        let wait = |chance, sent| {
            rules(chance)
                .with_attempts(MAX_ATTEMPTS)
                .wait(&answered(503, None), true, sent, START)
                .unwrap()
                .as_millis()
        };
        assert_eq!(
            [1, 2, 3, 5, 9].map(|sent| wait(0, sent)),
            [250, 500, 1000, 4000, 4000]
        );
        assert_eq!(wait(250, 1), 500);
        assert_eq!(wait(251, 1), 250);
        assert_eq!(wait(4000, 9), 8000);
        for chance in [u64::MAX, 12345] {
            assert!((250..=500).contains(&wait(chance, 1)));
        }
    }

    #[test]
    fn a_server_is_left_alone_for_as_long_as_it_asks_and_not_beyond_the_budget() {
        for status in [429, 503] {
            let wait = |seconds, chance| {
                rules(chance).wait(&answered(status, Some(seconds)), true, 1, START)
            };
            assert_eq!(wait(7, 0), Some(Duration::from_secs(7)));
            assert_eq!(wait(7, 500), Some(Duration::from_millis(7500)));
            assert_eq!(wait(0, 0), Some(START));
            assert_eq!(wait(59, 0), Some(Duration::from_secs(59)));
            assert_eq!(wait(60, 0), None);
            assert_eq!(wait(u64::MAX, 500), None);
        }
    }

    #[test]
    fn attempts_and_budget_end() {
        let error = answered(429, Some(1));
        let wait = |sent, spent| rules(0).wait(&error, true, sent, Duration::from_secs(spent));
        assert!(wait(2, 0).is_some());
        assert_eq!(wait(3, 0), None);
        assert!(wait(1, 58).is_some());
        assert_eq!(wait(1, 59), None);
        let never = rules(0).with_attempts(0);
        assert_eq!(never.wait(&error, true, 1, START), None);
        let short = rules(0).with_budget(Duration::from_secs(1));
        assert_eq!(short.wait(&error, true, 1, START), None);
    }
}
