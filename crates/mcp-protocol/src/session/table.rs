//! Sessions by id: bounded in number and in idle time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many sessions one [`Table::sweep`] looks at: more than one request opens, so that idle ones
/// go faster than others come, and few enough that no request notices.
const LOOKS: usize = 8;

/// Tells when a session was in use last, beyond what the table has seen: now, if it is in use.
type LastUse<T> = fn(&T, Instant) -> Option<Instant>;

/// Sessions, each with when it was last used. Time comes in through the arguments.
#[derive(Debug)]
pub struct Table<T> {
    entries: HashMap<Arc<str>, Entry<T>>,
    /// How many each owner has.
    owners: HashMap<Arc<str>, usize>,
    /// Who is to be looked at next, and when it was looked at last: an id for each entry.
    order: BTreeMap<u64, (Instant, Arc<str>)>,
    next: u64,
    limit: usize,
    limit_of_owner: usize,
    idle: Duration,
    last_use: LastUse<T>,
}

#[derive(Debug)]
struct Entry<T> {
    session: T,
    owner: Option<Arc<str>>,
    used: Instant,
    /// Where it is in the order.
    place: u64,
}

/// The table has as many sessions as it may have, and none of them is idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many sessions")]
pub struct Full;

impl<T> Table<T> {
    /// An empty table for at most this many, at most this many of one owner, each idle for at most
    /// this long.
    ///
    /// `last_use` tells of use that the table does not see, such as a stream that is open.
    #[must_use]
    pub fn new(limit: usize, limit_of_owner: usize, idle: Duration, last_use: LastUse<T>) -> Self {
        Table {
            entries: HashMap::new(),
            owners: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            limit,
            limit_of_owner: limit_of_owner.max(1),
            idle,
            last_use,
        }
    }

    /// Adds a session. When its owner has as many as one may have, the one that was not used for
    /// longest ends: anyone who may sign in could otherwise keep everyone else out. When the table is
    /// full, those that are idle for too long make room.
    ///
    /// Sessions of nobody in particular are bounded in all only.
    ///
    /// # Errors
    /// [`Full`].
    pub fn open(
        &mut self,
        id: String,
        owner: Option<Arc<str>>,
        session: T,
        now: Instant,
    ) -> Result<(), Full> {
        if let Some(owner) = &owner {
            self.make_room(owner, now);
        }
        if self.entries.len() >= self.limit {
            self.look(now, usize::MAX);
        }
        if self.entries.len() >= self.limit {
            return Err(Full);
        }
        let id: Arc<str> = id.into();
        self.close(&id);
        let place = self.line_up(Arc::clone(&id), now);
        if let Some(owner) = &owner {
            *self.owners.entry(Arc::clone(owner)).or_default() += 1;
        }
        let entry = Entry {
            session,
            owner,
            used: now,
            place,
        };
        self.entries.insert(id, entry);
        Ok(())
    }

    /// Ends some of the sessions that are idle for too long, so that each call of this is short and
    /// many calls end all of them.
    pub fn sweep(&mut self, now: Instant) {
        self.look(now, LOOKS);
    }

    /// Looks at those that nobody has looked at for longest; nobody else can be idle for too long.
    fn look(&mut self, now: Instant, looks: usize) {
        for _ in 0..looks {
            match self.order.first_entry() {
                Some(first) if now.saturating_duration_since(first.get().0) > self.idle => {
                    let (_, id) = first.remove();
                    if !self.end_if_idle(&id, now) {
                        let place = self.line_up(Arc::clone(&id), now);
                        if let Some(entry) = self.entries.get_mut(&id) {
                            entry.place = place;
                        }
                    }
                }
                _ => return,
            }
        }
    }

    fn line_up(&mut self, id: Arc<str>, now: Instant) -> u64 {
        let place = self.next;
        self.next = self.next.wrapping_add(1);
        self.order.insert(place, (now, id));
        place
    }

    /// Ends a session that is idle for too long, and tells whether it is gone.
    fn end_if_idle(&mut self, id: &str, now: Instant) -> bool {
        let Some(entry) = self.entries.get_mut(id) else {
            return true;
        };
        if now.saturating_duration_since(entry.used) > self.idle
            && let Some(used) = (self.last_use)(&entry.session, now)
        {
            entry.used = entry.used.max(used);
        }
        let is_idle = now.saturating_duration_since(entry.used) > self.idle;
        if is_idle {
            self.close(id);
        }
        is_idle
    }

    fn make_room(&mut self, owner: &str, now: Instant) {
        if self.owners.get(owner).copied().unwrap_or_default() < self.limit_of_owner {
            return;
        }
        let oldest = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.owner.as_deref() == Some(owner))
            .min_by_key(|(_, entry)| (self.last_use)(&entry.session, now).max(Some(entry.used)))
            .map(|(id, _)| Arc::clone(id));
        if let Some(id) = oldest {
            self.close(&id);
        }
    }

    /// Finds a session and counts this as use of it, if it belongs to whoever asks; one that was
    /// idle for too long is gone.
    pub fn touch(
        &mut self,
        id: &str,
        now: Instant,
        is_theirs: impl FnOnce(&T) -> bool,
    ) -> Option<&T> {
        if self.end_if_idle(id, now) {
            return None;
        }
        let entry = self.entries.get_mut(id)?;
        if !is_theirs(&entry.session) {
            return None;
        }
        entry.used = now;
        Some(&entry.session)
    }

    /// Ends a session.
    pub fn close(&mut self, id: &str) -> Option<T> {
        let entry = self.entries.remove(id)?;
        self.order.remove(&entry.place);
        if let Some(owner) = &entry.owner
            && let Some(count) = self.owners.get_mut(owner)
        {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(owner);
            }
        }
        Some(entry.session)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_while_it_is_used() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::new(2, 9, Duration::from_secs(60), |_, _| None);
        table.open("a".into(), None, 'a', start).unwrap();
        assert_eq!(table.touch("a", after(60), |_| true), Some(&'a'));
        assert_eq!(table.touch("a", after(120), |_| true), Some(&'a'));
        assert_eq!(table.touch("a", after(181), |_| true), None);
        assert_eq!(table.touch("a", after(181), |_| true), None);
        table.open("b".into(), None, 'b', start).unwrap();
        assert_eq!(table.close("b"), Some('b'));
        assert_eq!(table.touch("b", start, |_| true), None);
    }

    #[test]
    fn the_least_used_of_an_owner_makes_room_for_one_more() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let owner = |name: &str| Some(Arc::from(name));
        let mut table = Table::new(9, 3, Duration::from_secs(60), |_, _| None);
        for (second, (id, of)) in (0..).zip([("a", 'x'), ("b", 'y'), ("c", 'x'), ("d", 'x')]) {
            let of = owner(&of.to_string());
            table.open(id.into(), of, (), after(second)).unwrap();
        }
        table.touch("a", after(5), |()| true);
        table.open("e".into(), owner("x"), (), after(6)).unwrap();
        table.open("f".into(), owner("x"), (), after(7)).unwrap();
        let left: Vec<&str> = ["a", "b", "c", "d", "e", "f"]
            .into_iter()
            .filter(|id| table.touch(id, after(8), |()| true).is_some())
            .collect();
        assert_eq!(left, ["a", "b", "e", "f"]);
        for id in left {
            table.close(id);
        }
        assert!(table.owners.is_empty() && table.order.is_empty());
    }

    #[test]
    fn idle_sessions_make_room_and_busy_ones_do_not() {
        let start = Instant::now();
        let mut table = Table::new(2, 9, Duration::from_secs(60), |_, _| None);
        table.open("a".into(), None, 'a', start).unwrap();
        table
            .open("b".into(), None, 'b', start + Duration::from_secs(50))
            .unwrap();
        assert_eq!(
            table.open("c".into(), None, 'c', start + Duration::from_secs(60)),
            Err(Full)
        );
        assert_eq!(
            table.open("c".into(), None, 'c', start + Duration::from_secs(61)),
            Ok(())
        );
        assert_eq!(
            table.touch("a", start + Duration::from_secs(61), |_| true),
            None
        );
        assert_eq!(
            table.touch("b", start + Duration::from_secs(61), |_| true),
            Some(&'b')
        );
    }

    #[test]
    fn idle_sessions_are_swept_a_few_at_a_time() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::new(100, 9, Duration::from_secs(60), |_, _| None);
        for number in 0..20 {
            table.open(number.to_string(), None, number, start).unwrap();
        }
        table.touch("3", after(30), |_| true);
        table.sweep(after(60));
        assert_eq!(table.len(), 20, "none is idle for too long");
        table.sweep(after(61));
        assert_eq!(table.len(), 20 - LOOKS + 1, "one of them was used");
        table.sweep(after(61));
        table.sweep(after(61));
        assert_eq!(table.len(), 1);
        assert_eq!(table.touch("3", after(61), |_| true), Some(&3));
        table.sweep(after(122));
        assert!(table.is_empty() && table.order.is_empty());
    }

    #[test]
    fn what_is_in_use_is_not_idle() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        // `true` is in use, whatever the table has seen of it.
        let mut table = Table::new(2, 9, Duration::from_secs(60), |busy: &bool, now| {
            busy.then_some(now)
        });
        table.open("busy".into(), None, true, start).unwrap();
        table.open("idle".into(), None, false, start).unwrap();
        table.sweep(after(61));
        assert_eq!(table.len(), 1);
        assert_eq!(table.touch("busy", after(200), |_| true), Some(&true));
    }

    #[test]
    fn what_is_in_use_does_not_make_room_for_one_more() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let owner = || Some(Arc::from("x"));
        let mut table = Table::new(9, 2, Duration::from_secs(60), |busy: &bool, now| {
            busy.then_some(now)
        });
        table.open("busy".into(), owner(), true, start).unwrap();
        table.open("idle".into(), owner(), false, after(1)).unwrap();
        table.open("new".into(), owner(), false, after(2)).unwrap();
        assert_eq!(table.touch("idle", after(2), |_| true), None);
        assert_eq!(table.touch("busy", after(2), |_| true), Some(&true));
    }

    #[test]
    fn one_that_belongs_to_somebody_else_is_not_found_and_not_used() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut table = Table::new(2, 9, Duration::from_secs(60), |_, _| None);
        table.open("a".into(), None, 'a', start).unwrap();
        assert_eq!(table.touch("a", after(50), |_| false), None);
        assert_eq!(table.touch("a", after(61), |_| true), None);
    }

    #[test]
    fn sessions_that_come_and_go_leave_nothing_behind() {
        let start = Instant::now();
        let mut table = Table::new(2, 9, Duration::from_secs(60), |_, _| None);
        for _ in 0..100 {
            table.open("a".into(), None, 'a', start).unwrap();
            assert_eq!(table.close("a"), Some('a'));
        }
        assert!(table.is_empty() && table.order.is_empty());
    }
}
