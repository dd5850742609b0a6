//! How many strangers may register within a minute.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use oauth_rs::time::UnixSeconds;

use crate::refused::Refused;

const WINDOW: Duration = Duration::from_secs(60);

/// Registrations within the present minute, of everybody together.
#[derive(Debug, Default)]
pub(crate) struct Budget(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    since: Option<UnixSeconds>,
    spent: u32,
}

impl Budget {
    /// Counts one more, unless there were `most` within this minute.
    pub(super) fn spend(&self, now: UnixSeconds, most: u32) -> Result<(), Refused> {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back begins a new minute too; otherwise it would close registration for as long.
        let same = window
            .since
            .is_some_and(|since| since <= now && now.since(since) < WINDOW);
        if !same {
            *window = Window {
                since: Some(now),
                spent: 0,
            };
        }
        if window.spent >= most {
            return Err(Refused::RegistrationsTooMany);
        }
        window.spent = window.spent.saturating_add(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use oauth_rs::time::UnixSeconds;

    use super::Budget;
    use crate::refused::Refused;

    #[test]
    fn so_many_in_a_minute_and_no_more() {
        let budget = Budget::default();
        let spend = |at: u64| budget.spend(UnixSeconds(at), 2);
        assert_eq!(spend(1000), Ok(()));
        assert_eq!(spend(1059), Ok(()));
        assert_eq!(spend(1059), Err(Refused::RegistrationsTooMany));
        assert_eq!(spend(1060), Ok(()));
        assert_eq!(spend(1061), Ok(()));
        assert_eq!(spend(1061), Err(Refused::RegistrationsTooMany));
        assert_eq!(spend(500), Ok(()), "a clock that was set back closed it");
        assert_eq!(
            Budget::default().spend(UnixSeconds(0), 0),
            Err(Refused::RegistrationsTooMany)
        );
    }
}
