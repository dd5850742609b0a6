//! How many exchanges run at once, in total and for one host.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Target;

/// The exchanges under way.
///
/// It knows as many hosts as there are exchanges, and so never more than the limit in total.
pub(crate) struct InFlight {
    total: usize,
    per_host: usize,
    running: Arc<Mutex<Running>>,
}

#[derive(Default)]
struct Running {
    total: usize,
    hosts: HashMap<String, usize>,
}

impl InFlight {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            total: limits.in_flight,
            per_host: limits.in_flight_per_host,
            running: Arc::default(),
        }
    }

    /// Counts one exchange more, or refuses it: nothing waits here.
    pub(crate) fn enter(&self, target: &Target) -> Result<Place, EgressError> {
        let host = target.host.identity();
        let mut running = lock(&self.running);
        if running.total >= self.total {
            let limit = self.total;
            return Err(EgressError::TooManyInFlight { limit });
        }
        let count = running.hosts.get(&host).copied().unwrap_or_default();
        if count >= self.per_host {
            return Err(EgressError::TooManyForHost {
                host: target.text.clone(),
                limit: self.per_host,
            });
        }
        running.total += 1;
        running.hosts.insert(host.clone(), count + 1);
        drop(running);
        Ok(Place {
            host,
            running: Arc::clone(&self.running),
        })
    }
}

/// The place of one exchange, free again when this is dropped.
pub(crate) struct Place {
    host: String,
    running: Arc<Mutex<Running>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut running = lock(&self.running);
        running.total = running.total.saturating_sub(1);
        if let Some(count) = running.hosts.get_mut(&self.host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.hosts.remove(&self.host);
            }
        }
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.host).finish()
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    // Two numbers are right at every moment, also where somebody panicked beside them.
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    fn target(host: &str) -> Target {
        let uri = format!("https://{host}/").parse().unwrap();
        Policy::strict().target(&uri).unwrap()
    }

    fn in_flight(total: usize, per_host: usize) -> InFlight {
        InFlight::new(&Limits {
            in_flight: total,
            in_flight_per_host: per_host,
            ..Limits::default()
        })
    }

    #[test]
    fn one_host_has_fewer_places_than_all_hosts_together() {
        let places = in_flight(3, 2);
        let first = places.enter(&target("a.example")).unwrap();
        let _second = places.enter(&target("a.example")).unwrap();
        let refused = places.enter(&target("a.example")).unwrap_err();
        assert!(
            matches!(refused, EgressError::TooManyForHost { ref host, limit: 2 } if host == "a.example"),
            "{refused:?}"
        );
        let _third = places.enter(&target("b.example")).unwrap();
        for host in ["a.example", "c.example"] {
            let refused = places.enter(&target(host)).unwrap_err();
            assert!(
                matches!(refused, EgressError::TooManyInFlight { limit: 3 }),
                "{refused:?}"
            );
        }
        drop(first);
        let _again = places.enter(&target("a.example")).unwrap();
    }

    #[test]
    fn one_host_in_several_spellings_is_one_host() {
        for (first, second) in [
            ("a.example", "A.Example"),
            ("a.example", "a.example."),
            ("a.example", "a.example:443"),
            ("[2606:4700::1]", "[2606:4700:0::0001]"),
        ] {
            let places = in_flight(2, 1);
            let _first = places.enter(&target(first)).unwrap();
            let refused = places.enter(&target(second)).unwrap_err();
            assert!(
                matches!(refused, EgressError::TooManyForHost { .. }),
                "{second}: {refused:?}"
            );
        }
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let places = in_flight(2, 2);
        for n in 0..10 {
            drop(places.enter(&target(&format!("h{n}.example"))).unwrap());
        }
        let running = lock(&places.running);
        assert_eq!((running.total, running.hosts.len()), (0, 0));
    }

    #[test]
    fn zero_refuses_everything() {
        assert!(in_flight(0, 1).enter(&target("a.example")).is_err());
        assert!(in_flight(1, 0).enter(&target("a.example")).is_err());
    }
}
