//! How long answers are kept, how many, and how often an issuer is asked.

use std::time::Duration;

use super::breaker::BreakerLimits;

/// The limits of an [`Introspector`](super::Introspector), each with the reason for its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntrospectionLimits {
    /// How long an answer is used that calls a token active; never beyond the token's `exp`, and
    /// never more than [`MAX_ACTIVE`].
    ///
    /// Ten seconds: it is how long a revoked token still works, and spares a busy client all but
    /// one question in that time.
    pub active_for: Duration,
    /// How long an answer is used that calls a token inactive; never longer than the other.
    ///
    /// Two seconds: a token that was issued a moment ago may not have reached every node that
    /// answers.
    pub inactive_for: Duration,
    /// How many answers are kept.
    ///
    /// Ten thousand: more clients within ten seconds than one process serves.
    pub entries: usize,
    /// How many bytes the kept answers may have, as they were received.
    ///
    /// Eight MiB: ten thousand of a usual 800 bytes; an answer may have 64 KiB.
    pub bytes: u64,
    /// How many tokens may be asked about at the same time; more are turned away.
    ///
    /// Sixty-four: what an issuer that answers in 50 ms needs for 1280 new tokens in a second.
    pub in_flight: usize,
    /// How long one question may take.
    ///
    /// Five seconds: the request that carries the token waits for it.
    pub ask_time: Duration,
    /// When to stop asking an issuer that does not answer.
    pub breaker: BreakerLimits,
}

/// A minute: whoever keeps the word of an issuer for longer has no use for asking it.
pub const MAX_ACTIVE: Duration = Duration::from_secs(60);

impl Default for IntrospectionLimits {
    fn default() -> Self {
        Self {
            active_for: Duration::from_secs(10),
            inactive_for: Duration::from_secs(2),
            entries: 10_000,
            bytes: 8 * 1024 * 1024,
            in_flight: 64,
            ask_time: Duration::from_secs(5),
            breaker: BreakerLimits::default(),
        }
    }
}

impl IntrospectionLimits {
    /// The same limits, within the bounds that configuration cannot cross.
    pub(super) fn bounded(self) -> Self {
        let active_for = self.active_for.min(MAX_ACTIVE);
        Self {
            active_for,
            inactive_for: self.inactive_for.min(active_for),
            in_flight: self.in_flight.max(1),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_configuration_crosses_the_bounds() {
        let limits = IntrospectionLimits::default();
        assert_eq!(limits.bounded(), limits);
        let long = IntrospectionLimits {
            active_for: Duration::MAX,
            inactive_for: Duration::MAX,
            in_flight: 0,
            ..limits
        };
        assert_eq!(long.bounded().active_for, MAX_ACTIVE);
        assert_eq!(long.bounded().inactive_for, MAX_ACTIVE);
        assert_eq!(long.bounded().in_flight, 1);
    }
}
