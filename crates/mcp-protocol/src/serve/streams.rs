//! Long streams that are open: bounded in all and for each principal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::session::lock;

/// The streams of a service that have no end of their own.
#[derive(Debug)]
pub(super) struct Streams {
    max: usize,
    max_per_principal: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of: HashMap<String, usize>,
}

impl Streams {
    pub(super) fn new(max: usize, max_per_principal: usize) -> Arc<Self> {
        Arc::new(Streams {
            max,
            max_per_principal,
            open: Mutex::default(),
        })
    }

    /// How many are open.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.open).all
    }

    /// Room for one more, if there is any; streams of nobody in particular are bounded in all only.
    pub(super) fn enter(self: &Arc<Self>, principal: Option<&str>) -> Option<Room> {
        let mut open = lock(&self.open);
        let theirs = principal.map_or(0, |who| open.of.get(who).copied().unwrap_or_default());
        if open.all >= self.max || theirs >= self.max_per_principal {
            return None;
        }
        open.all += 1;
        if let Some(who) = principal {
            open.of.insert(who.to_owned(), theirs + 1);
        }
        Some(Room {
            streams: Arc::clone(self),
            principal: principal.map(str::to_owned),
        })
    }
}

/// The room of one stream; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Room {
    streams: Arc<Streams>,
    principal: Option<String>,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut open = lock(&self.streams.open);
        open.all = open.all.saturating_sub(1);
        let Some(who) = self.principal.take() else {
            return;
        };
        match open.of.get_mut(&who) {
            Some(theirs) if *theirs > 1 => *theirs -= 1,
            _ => drop(open.of.remove(&who)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_principal_has_a_share_and_what_is_free_again_leaves_nothing_behind() {
        let streams = Streams::new(3, 2);
        let eve: Vec<Room> = (0..2)
            .map(|_| streams.enter(Some("eve")).unwrap())
            .collect();
        assert!(streams.enter(Some("eve")).is_none(), "her share is used");
        let ada = streams.enter(Some("ada")).unwrap();
        for who in [Some("bob"), None] {
            assert!(streams.enter(who).is_none(), "all are used: {who:?}");
        }
        drop(ada);
        let nobody = streams.enter(None).unwrap();
        drop((eve, nobody));
        let open = lock(&streams.open);
        assert_eq!((open.all, open.of.len()), (0, 0));
    }

    #[test]
    fn nobody_in_particular_has_no_share() {
        let streams = Streams::new(3, 1);
        let rooms: Vec<Option<Room>> = (0..4).map(|_| streams.enter(None)).collect();
        assert_eq!(rooms.iter().flatten().count(), 3);
    }
}
