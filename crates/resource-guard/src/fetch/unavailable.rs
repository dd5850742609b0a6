//! The answer when somebody who has to be asked does not answer.

use std::time::Duration;

/// What decides about the token could not be had: the token is neither good nor bad.
///
/// It is answered with 503 and `Retry-After`, never with `invalid_token`: a client that throws a
/// good token away because of an outage makes the outage larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not available; asked again in {} s", retry_after_seconds(*retry_after))]
pub struct Unavailable {
    /// When it is worth another try.
    pub retry_after: Duration,
}

impl Unavailable {
    /// The value of `Retry-After`: whole seconds, rounded up, and at least one.
    ///
    /// Specification: RFC 9110 section 10.2.3.
    pub fn retry_after_seconds(&self) -> u64 {
        retry_after_seconds(self.retry_after)
    }
}

fn retry_after_seconds(wait: Duration) -> u64 {
    let rest = u64::from(wait.subsec_nanos() > 0);
    wait.as_secs().saturating_add(rest).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up() {
        for (millis, expected) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (29_500, 30)] {
            let retry_after = Duration::from_millis(millis);
            let unavailable = Unavailable { retry_after };
            assert_eq!(unavailable.retry_after_seconds(), expected, "{millis} ms");
        }
    }
}
