//! Sessions by id: bounded in number and in idle time.

use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Sessions, each with when it was last used. Time comes in through the arguments.
#[derive(Debug)]
pub struct Table<T> {
    entries: HashMap<String, (T, Instant)>,
    limit: usize,
    idle: Duration,
}

/// The table has as many sessions as it may have, and none of them is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sessions")]
pub struct Full;

impl<T> Table<T> {
    /// An empty table for at most this many, each idle for at most this long.
    #[must_use]
    pub fn new(limit: usize, idle: Duration) -> Self {
        Table {
            entries: HashMap::new(),
            limit,
            idle,
        }
    }

    /// Adds a session; when the table is full, those that are idle for too long make room.
    ///
    /// # Errors
    /// [`Full`].
    pub fn open(&mut self, id: String, session: T, now: Instant) -> Result<(), Full> {
        if self.entries.len() >= self.limit {
            let idle = self.idle;
            self.entries
                .retain(|_, (_, used)| now.saturating_duration_since(*used) <= idle);
        }
        if self.entries.len() >= self.limit {
            return Err(Full);
        }
        self.entries.insert(id, (session, now));
        Ok(())
    }

    /// Ends sessions of a kind, those that were not used for longest first, until one more of it
    /// stays within the limit.
    pub fn make_room(&mut self, limit: usize, kind: impl Fn(&T) -> bool) {
        let mut of_kind: Vec<(Instant, String)> = self
            .entries
            .iter()
            .filter(|(_, (session, _))| kind(session))
            .map(|(id, (_, used))| (*used, id.clone()))
            .collect();
        let Some(surplus) = (of_kind.len() + 1).checked_sub(limit.max(1)) else {
            return;
        };
        of_kind.sort();
        for (_, id) in of_kind.into_iter().take(surplus) {
            self.entries.remove(&id);
        }
    }

    /// Finds a session and counts this as use of it; one that was idle for too long is gone.
    pub fn touch(&mut self, id: &str, now: Instant) -> Option<&T> {
        let (_, used) = self.entries.get(id)?;
        if now.saturating_duration_since(*used) > self.idle {
            self.entries.remove(id);
            return None;
        }
        self.entries.get_mut(id).map(|(session, used)| {
            *used = now;
            &*session
        })
    }

    /// Ends a session.
    pub fn close(&mut self, id: &str) -> Option<T> {
        self.entries.remove(id).map(|(session, _)| session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_while_it_is_used() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::new(2, Duration::from_secs(60));
        table.open("a".into(), 'a', start).unwrap();
        assert_eq!(table.touch("a", after(60)), Some(&'a'));
        assert_eq!(table.touch("a", after(120)), Some(&'a'));
        assert_eq!(table.touch("a", after(181)), None);
        assert_eq!(table.touch("a", after(181)), None);
        table.open("b".into(), 'b', start).unwrap();
        assert_eq!(table.close("b"), Some('b'));
        assert_eq!(table.touch("b", start), None);
    }

    #[test]
    fn the_least_used_of_a_kind_make_room() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::new(9, Duration::from_secs(60));
        for (second, (id, kind)) in (0..).zip([("a", 'x'), ("b", 'y'), ("c", 'x'), ("d", 'x')]) {
            table.open(id.into(), kind, after(second)).unwrap();
        }
        table.touch("a", after(5));
        table.make_room(4, |kind| *kind == 'x');
        assert!(table.touch("c", after(2)).is_some());
        table.make_room(2, |kind| *kind == 'x');
        let left: Vec<&str> = ["a", "b", "c", "d"]
            .into_iter()
            .filter(|id| table.touch(id, after(6)).is_some())
            .collect();
        assert_eq!(left, ["a", "b"]);
    }

    #[test]
    fn idle_sessions_make_room_and_busy_ones_do_not() {
        let start = Instant::now();
        let mut table = Table::new(2, Duration::from_secs(60));
        table.open("a".into(), 'a', start).unwrap();
        table
            .open("b".into(), 'b', start + Duration::from_secs(50))
            .unwrap();
        assert_eq!(
            table.open("c".into(), 'c', start + Duration::from_secs(60)),
            Err(Full)
        );
        assert_eq!(
            table.open("c".into(), 'c', start + Duration::from_secs(61)),
            Ok(())
        );
        assert_eq!(table.touch("a", start + Duration::from_secs(61)), None);
        assert_eq!(
            table.touch("b", start + Duration::from_secs(61)),
            Some(&'b')
        );
    }
}
