//! Points in time, and the clock as an argument.

use std::time::Duration;

/// Whole seconds since 1970-01-01T00:00:00Z, as JWT and OAuth count them.
///
/// Arithmetic saturates, so a hostile number cannot wrap around.
///
/// ```
/// use std::time::Duration;
/// use oauth_rs::time::UnixSeconds;
///
/// let noon = UnixSeconds(100);
/// assert_eq!(noon.after(Duration::from_secs(20)), UnixSeconds(120));
/// assert_eq!(noon.since(UnixSeconds(400)), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl UnixSeconds {
    /// This point plus a duration, fractions of a second cut off; the end of time at most.
    pub fn after(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_secs()))
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

/// Tells the time.
///
/// Implemented for closures; nothing in this crate reads a clock by itself.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> UnixSeconds;
}

impl<F> Clock for F
where
    F: Fn() -> UnixSeconds + Send + Sync,
{
    fn now(&self) -> UnixSeconds {
        self()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(
            UnixSeconds(u64::MAX).after(Duration::from_secs(1)),
            UnixSeconds(u64::MAX)
        );
        assert_eq!(UnixSeconds(1).since(UnixSeconds(2)), Duration::ZERO);
        assert_eq!(UnixSeconds(5).since(UnixSeconds(2)), Duration::from_secs(3));
    }

    #[test]
    fn a_closure_is_a_clock() {
        let clock = || UnixSeconds(7);
        assert_eq!(Clock::now(&clock), UnixSeconds(7));
    }
}
