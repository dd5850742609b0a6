//! Every order in which two or three renewals, a store and a server can meet.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::server::Kind;
use super::world::{Budget, World};

const NOTHING: Budget = Budget {
    losses: 0,
    crashes: 0,
    store_failures: 0,
    stops: 0,
    again: 0,
};

/// Goes through every state that can be reached, and says how many there are, or how one was reached that must not be.
fn explore(first: World) -> Result<usize, String> {
    let mut seen = HashSet::new();
    // Depth first, with what led there.
    let mut open = vec![(first, Vec::new())];
    while let Some((world, path)) = open.pop() {
        let mut hasher = DefaultHasher::new();
        world.fingerprint().hash(&mut hasher);
        if !seen.insert(hasher.finish()) {
            continue;
        }
        let events = world.events();
        if events.is_empty() {
            world
                .at_the_end()
                .map_err(|wrong| format!("{wrong}: {path:?}"))?;
        }
        for event in events {
            let mut next = world.clone();
            let mut path = path.clone();
            path.push(event);
            next.happen(event)
                .map_err(|wrong| format!("{wrong}: {path:?}"))?;
            open.push((next, path));
        }
    }
    Ok(seen.len())
}

/// Explores for every kind of server; the number is how many states there are at least.
fn holds(actors: u8, budget: Budget, at_least: usize) {
    for kind in [Kind::Overlap, Kind::Strict, Kind::Lenient, Kind::Fixed] {
        holds_at(kind, actors, budget, at_least);
    }
}

fn holds_at(kind: Kind, actors: u8, budget: Budget, at_least: usize) {
    let states = explore(World::new(kind, actors, budget))
        .unwrap_or_else(|wrong| panic!("{kind:?}, {actors} actors, {budget:?}: {wrong}"));
    assert!(states >= at_least, "{kind:?}: only {states} states");
}

#[test]
fn where_nothing_goes_wrong_there_is_one_refresh() {
    holds(2, NOTHING, 50);
    holds(3, NOTHING, 500);
    let budget = Budget {
        again: 2,
        ..NOTHING
    };
    holds(2, budget, 300);
}

#[test]
fn answers_and_requests_that_are_lost() {
    let budget = Budget {
        losses: 3,
        ..NOTHING
    };
    holds(2, budget, 1000);
    let budget = Budget {
        losses: 1,
        ..NOTHING
    };
    holds(3, budget, 1000);
}

#[test]
fn processes_that_die_at_any_point() {
    let budget = Budget {
        losses: 1,
        crashes: 2,
        ..NOTHING
    };
    holds(3, budget, 1000);
}

#[test]
fn a_store_that_fails_before_or_after_it_was_done() {
    let budget = Budget {
        losses: 1,
        crashes: 1,
        store_failures: 2,
        ..NOTHING
    };
    holds(2, budget, 1000);
    // Enough failures for tokens that the store cannot take, and a second renewal that begins with them.
    let budget = Budget {
        store_failures: 5,
        again: 1,
        ..NOTHING
    };
    holds(2, budget, 1000);
}

#[test]
fn processes_that_are_stopped_until_their_lease_has_ended() {
    let budget = Budget {
        stops: 2,
        again: 1,
        ..NOTHING
    };
    holds(2, budget, 1000);
    let budget = Budget {
        losses: 1,
        crashes: 1,
        stops: 1,
        ..NOTHING
    };
    holds(2, budget, 1000);
}

#[test]
fn one_of_three_that_is_stopped() {
    let budget = Budget {
        stops: 1,
        ..NOTHING
    };
    // The largest of all; what tells the other servers apart takes two.
    holds_at(Kind::Overlap, 3, budget, 50_000);
}

#[test]
fn the_exploration_notices_a_store_that_does_not_compare() {
    let mut world = World::new(Kind::Overlap, 2, NOTHING);
    world.broken_store = true;
    let wrong = explore(world).unwrap_err();
    assert!(wrong.contains("R0 was written over R1"), "{wrong}");
}
