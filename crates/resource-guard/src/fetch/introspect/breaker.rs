//! Whether somebody who failed again and again is asked once more: time and outcomes in, leave out.

use std::time::{Duration, Instant};

use crate::fetch::unavailable::Unavailable;

/// When to stop asking, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// How many failures in a row open the breaker.
    ///
    /// Five: one lost connection is no outage, and five requests that wait for the time limit are
    /// enough to see one.
    pub failures: u32,
    /// How long nobody is asked after that; doubled with each probe that fails.
    ///
    /// One second: most restarts are over by then.
    pub open_first: Duration,
    /// The most time that nobody is asked.
    ///
    /// Thirty seconds: it is the longest that callers are turned away after the endpoint is back.
    pub open_most: Duration,
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self {
            failures: 5,
            open_first: Duration::from_secs(1),
            open_most: Duration::from_secs(30),
        }
    }
}

/// A circuit breaker.
///
/// 1. Closed: everybody may ask. So many failures in a row open it; a success starts the count anew.
/// 2. Open: nobody may ask, until its time is over.
/// 3. Half open: one may ask, the probe. Its success closes the breaker, its failure opens it for
///    twice as long. A probe whose end nobody reports counts as lost after the time of an opening.
#[derive(Debug)]
pub(super) struct Breaker {
    limits: BreakerLimits,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Instant, openings: u32 },
    HalfOpen { lost_at: Instant, openings: u32 },
}

impl Breaker {
    pub(super) fn new(limits: BreakerLimits) -> Self {
        Self {
            limits,
            state: State::Closed { failures: 0 },
        }
    }

    /// Whether somebody may ask now; whoever gets leave reports [`succeeded`](Self::succeeded) or
    /// [`failed`](Self::failed).
    pub(super) fn enter(&mut self, now: Instant) -> Result<(), Unavailable> {
        let (until, openings) = match self.state {
            State::Closed { .. } => return Ok(()),
            State::Open { until, openings } => (until, openings),
            State::HalfOpen { lost_at, openings } => (lost_at, openings),
        };
        let retry_after = until.saturating_duration_since(now);
        if retry_after > Duration::ZERO {
            return Err(Unavailable { retry_after });
        }
        let lost_at = later(now, self.limits.open_most);
        self.state = State::HalfOpen { lost_at, openings };
        Ok(())
    }

    pub(super) fn succeeded(&mut self) {
        self.state = State::Closed { failures: 0 };
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.state = match self.state {
            State::Closed { failures } => {
                let failures = failures.saturating_add(1);
                if failures < self.limits.failures {
                    State::Closed { failures }
                } else {
                    self.opened(now, 1)
                }
            }
            State::HalfOpen { openings, .. } => self.opened(now, openings.saturating_add(1)),
            // Somebody who asked before it opened; that it failed is known.
            open @ State::Open { .. } => open,
        };
    }

    fn opened(&self, now: Instant, openings: u32) -> State {
        let doubled = 2_u32.saturating_pow(openings.saturating_sub(1));
        let time = self.limits.open_first.saturating_mul(doubled);
        State::Open {
            until: later(now, time.min(self.limits.open_most)),
            openings,
        }
    }

    /// When the next one may ask.
    pub(super) fn retry_after(&self, now: Instant) -> Duration {
        match self.state {
            State::Closed { .. } => Duration::ZERO,
            State::Open { until, .. } => until.saturating_duration_since(now),
            State::HalfOpen { lost_at, .. } => lost_at.saturating_duration_since(now),
        }
    }
}

fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(seconds: u64) -> Result<(), Unavailable> {
        let retry_after = Duration::from_secs(seconds);
        Err(Unavailable { retry_after })
    }

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn failing(start: Instant) -> Breaker {
        let mut breaker = Breaker::new(BreakerLimits::default());
        for _ in 0..5 {
            assert_eq!(breaker.enter(start), Ok(()));
            breaker.failed(start);
        }
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_starts_the_count_anew() {
        let (start, mut breaker) = (Instant::now(), Breaker::new(BreakerLimits::default()));
        for _ in 0..4 {
            breaker.failed(start);
        }
        breaker.succeeded();
        for _ in 0..4 {
            breaker.failed(start);
            assert_eq!(breaker.enter(start), Ok(()));
        }
        breaker.failed(start);
        assert_eq!(breaker.enter(start), open(1));
    }

    #[test]
    fn one_probe_gets_through_and_closes_it() {
        let start = Instant::now();
        let mut breaker = failing(start);
        assert_eq!(breaker.enter(start + second(1)), Ok(()));
        assert_eq!(breaker.enter(start + second(1)), open(30));
        breaker.succeeded();
        for _ in 0..10 {
            assert_eq!(breaker.enter(start + second(1)), Ok(()));
        }
    }

    #[test]
    fn a_probe_that_fails_opens_it_for_twice_as_long_up_to_the_ceiling() {
        let mut now = Instant::now();
        let mut breaker = failing(now);
        for expected in [1, 2, 4, 8, 16, 30, 30] {
            assert_eq!(breaker.enter(now), open(expected));
            assert_eq!(breaker.retry_after(now), second(expected));
            now += second(expected);
            assert_eq!(breaker.enter(now), Ok(()));
            breaker.failed(now);
        }
    }

    #[test]
    fn a_probe_that_is_lost_does_not_keep_it_open_forever() {
        let start = Instant::now();
        let mut breaker = failing(start);
        assert_eq!(breaker.enter(start + second(1)), Ok(()));
        assert_eq!(breaker.enter(start + second(30)), open(1));
        assert_eq!(breaker.enter(start + second(31)), Ok(()));
        assert_eq!(breaker.enter(start + second(31)), open(30));
    }

    #[test]
    fn failures_of_those_who_asked_before_it_opened_do_not_count_again() {
        let start = Instant::now();
        let mut breaker = failing(start);
        breaker.failed(start + second(1));
        assert_eq!(breaker.enter(start + second(1)), Ok(()));
    }
}
