//! How long keys are used, and how often they are asked for.

use std::time::Duration;

/// The times of a [`KeyCache`](super::KeyCache), each with the reason for its default.
///
/// `Cache-Control` of the key endpoint is not read: how long a withdrawn key still verifies is the
/// resource's decision, and so is how often it asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyLimits {
    /// How long keys are used before newer ones are asked for, in the background.
    ///
    /// Five minutes: it bounds how long a withdrawn key still verifies, and costs 12 requests an
    /// hour.
    pub fresh_for: Duration,
    /// How long keys are used while newer ones cannot be had; after that nothing verifies.
    ///
    /// One hour: longer than most outages, and the most that whoever can block the key endpoint
    /// gains for a key that was withdrawn.
    pub usable_for: Duration,
    /// The least time between two fetches because of unknown key ids.
    ///
    /// Thirty seconds: anybody can invent key ids, and this is all that they get for it; a new key
    /// that was not published before its first use is found that much later at worst.
    pub cool_down: Duration,
    /// How long an id that a fetch did not find is known to be unknown.
    ///
    /// Five minutes, as long as keys are fresh: a client that comes back with an old token causes
    /// no fetch every time the cool-down is over.
    pub absent_for: Duration,
    /// How long to wait after a fetch that failed; doubled with each further one.
    pub retry_first: Duration,
    /// The most to wait after a fetch that failed.
    ///
    /// Thirty seconds: an endpoint that is back is noticed soon, and one that is overloaded is
    /// not asked more often than in good times.
    pub retry_most: Duration,
    /// How long one fetch may take, discovery included.
    ///
    /// Ten seconds: requests with an unknown key wait for it, and most clients wait for 30.
    pub fetch_time: Duration,
}

impl Default for KeyLimits {
    fn default() -> Self {
        Self {
            fresh_for: Duration::from_secs(5 * 60),
            usable_for: Duration::from_secs(60 * 60),
            cool_down: Duration::from_secs(30),
            absent_for: Duration::from_secs(5 * 60),
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_secs(30),
            fetch_time: Duration::from_secs(10),
        }
    }
}

impl KeyLimits {
    /// The same limits, within the bounds that configuration cannot cross.
    pub(super) fn bounded(self) -> Self {
        Self {
            usable_for: self.usable_for.min(MAX_USABLE),
            cool_down: self.cool_down.max(MIN_PAUSE),
            retry_first: self.retry_first.max(MIN_PAUSE),
            retry_most: self.retry_most.max(MIN_PAUSE),
            fresh_for: self.fresh_for.max(MIN_PAUSE),
            ..self
        }
    }

    /// The wait after so many failures in a row.
    pub(super) fn retry(&self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.retry_first
            .saturating_mul(doubled)
            .min(self.retry_most)
    }
}

/// A day: whoever keeps keys longer without an answer should hand in fixed ones and say so.
pub const MAX_USABLE: Duration = Duration::from_secs(24 * 60 * 60);

/// A second: less between two fetches is a flood when requests choose the key ids.
pub const MIN_PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_configuration_crosses_the_bounds() {
        assert_eq!(KeyLimits::default().bounded(), KeyLimits::default());
        let none = KeyLimits {
            fresh_for: Duration::ZERO,
            usable_for: Duration::MAX,
            cool_down: Duration::ZERO,
            retry_first: Duration::ZERO,
            retry_most: Duration::ZERO,
            ..KeyLimits::default()
        };
        let bounded = none.bounded();
        assert_eq!(bounded.usable_for, MAX_USABLE);
        for pause in [
            bounded.fresh_for,
            bounded.cool_down,
            bounded.retry(1),
            bounded.retry(9),
        ] {
            assert_eq!(pause, MIN_PAUSE);
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_ceiling() {
        let limits = KeyLimits::default();
        let waits: Vec<u64> = [1, 2, 3, 5, 6, 7, 40, u32::MAX]
            .map(|failures| limits.retry(failures).as_secs())
            .to_vec();
        assert_eq!(waits, [1, 2, 4, 16, 30, 30, 30, 30]);
    }
}
