//! When the keys of one issuer are fetched: each rule, with a clock that is moved by hand.

use std::time::Duration;

use oauth_rs::jose::SigningKey;

use super::*;
use crate::fetch::send::SendFailed;

struct World {
    machine: Machine,
    now: Instant,
}

impl World {
    fn new() -> Self {
        Self {
            machine: Machine::new(KeyLimits::default()),
            now: Instant::now(),
        }
    }

    /// A machine that holds this key, fetched just now because a token needed it.
    fn holding(key: &SigningKey) -> Self {
        let mut world = Self::new();
        assert_eq!(world.asked(key.kid()), (Advice::Wait, Start(true)));
        world.brings(&[key]);
        world
    }

    fn passes(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    fn asked(&mut self, kid: &str) -> (Advice, Start) {
        self.machine.asked(Some(kid), self.now)
    }

    fn brings(&mut self, keys: &[&SigningKey]) {
        let keys = JwkSet::from_public(keys.iter().map(|key| key.public_jwk()));
        let text: String = keys.keys().iter().filter_map(|key| key.kid()).collect();
        let digest = kid_hash(&text);
        let fetched = Fetched { keys, digest };
        self.machine.fetched(Ok(fetched), self.now);
    }

    fn fails(&mut self) {
        let reason = SendFailed::Client("down".into());
        self.machine.fetched(Err(reason.into()), self.now);
    }

    fn has_keys(&self) -> bool {
        self.machine.keys(self.now).is_some()
    }
}

fn key() -> SigningKey {
    SigningKey::generate_es256().unwrap()
}

fn unavailable(seconds: u64) -> Advice {
    let retry_after = Duration::from_secs(seconds);
    Advice::Unavailable(Unavailable { retry_after })
}

const DECIDE: (Advice, Start) = (Advice::Decide, Start(false));
const JOIN: (Advice, Start) = (Advice::Wait, Start(false));
const FETCH: (Advice, Start) = (Advice::Wait, Start(true));

#[test]
fn nothing_is_fetched_before_a_token_needs_it() {
    let mut world = World::new();
    assert_eq!(world.machine.refresh(world.now), Start(false));
    assert_eq!(world.machine.look_again(world.now), None);
    assert_eq!(world.machine.asked(None, world.now), FETCH);
    assert_eq!(world.machine.asked(None, world.now), JOIN);
}

#[test]
fn a_known_id_and_no_id_cause_no_fetch() {
    let key = key();
    let mut world = World::holding(&key);
    assert_eq!(world.asked(key.kid()), DECIDE);
    assert_eq!(world.machine.asked(None, world.now), DECIDE);
    assert_eq!(world.machine.fetches(), 1);
}

#[test]
fn an_unknown_id_causes_one_fetch_in_a_cool_down() {
    let (old, new) = (key(), key());
    let mut world = World::holding(&old);
    assert_eq!(world.asked("x"), FETCH);
    assert_eq!(world.asked("y"), JOIN);
    world.brings(&[&old]);
    for second in 0..30 {
        assert_eq!(world.asked(&format!("z{second}")), DECIDE, "{second}");
        world.passes(1);
    }
    assert_eq!(world.asked(new.kid()), FETCH);
    world.brings(&[&old, &new]);
    assert_eq!(world.asked(new.kid()), DECIDE);
    assert_eq!(world.machine.fetches(), 3);
}

#[test]
fn an_id_that_was_not_found_is_not_asked_for_again_for_a_while() {
    let key = key();
    let mut world = World::holding(&key);
    assert_eq!(world.asked("x"), FETCH);
    assert_eq!(world.asked("y"), JOIN);
    world.brings(&[&key]);
    // The cool-down is over after 30 seconds, the memory after 300.
    for seconds in [31, 200, 68] {
        world.passes(seconds);
        assert_eq!((world.asked("x"), world.asked("y")), (DECIDE, DECIDE));
    }
    world.passes(1);
    assert_eq!(world.asked("x"), FETCH);
}

#[test]
fn keys_are_refreshed_by_age_and_nobody_waits() {
    let key = key();
    let mut world = World::holding(&key);
    let again = world.now + Duration::from_secs(300);
    assert_eq!(world.machine.look_again(world.now), Some(again));
    world.passes(299);
    assert_eq!(world.machine.refresh(world.now), Start(false));
    world.passes(1);
    assert_eq!(world.machine.refresh(world.now), Start(true));
    assert_eq!(world.machine.refresh(world.now), Start(false));
    assert_eq!(world.asked(key.kid()), DECIDE);
    world.brings(&[&key]);
    assert_eq!(world.machine.refresh(world.now), Start(false));
}

#[test]
fn old_keys_are_used_while_newer_ones_cannot_be_had_up_to_the_limit() {
    let key = key();
    let mut world = World::holding(&key);
    world.passes(300);
    let mut attempts = 0;
    for second in 300..3600 {
        assert!(world.has_keys(), "{second}");
        assert_eq!(world.asked(key.kid()), DECIDE, "{second}");
        if world.machine.refresh(world.now) == Start(true) {
            attempts += 1;
            world.fails();
        }
        world.passes(1);
    }
    // 1, 2, 4, 8, 16, and then every 30 seconds.
    assert_eq!(attempts, 114);
    assert!(!world.has_keys());
    assert!(matches!(world.asked(key.kid()).0, Advice::Unavailable(_)));
    world.passes(30);
    assert_eq!(world.asked(key.kid()), FETCH);
    world.brings(&[&key]);
    assert!(world.has_keys());
    assert_eq!(world.machine.last_failure(), None);
}

#[test]
fn without_keys_a_failure_is_unavailable_until_the_next_try() {
    let mut world = World::new();
    assert_eq!(world.asked("x"), FETCH);
    world.fails();
    assert_eq!(world.machine.settled(Some("x"), world.now), unavailable(1));
    assert_eq!(world.asked("x"), (unavailable(1), Start(false)));
    world.passes(1);
    assert_eq!(world.asked("x"), FETCH);
    world.fails();
    assert_eq!(world.asked("x"), (unavailable(2), Start(false)));
}

#[test]
fn an_unknown_id_after_a_failure_may_exist() {
    let key = key();
    let mut world = World::holding(&key);
    assert_eq!(world.asked("x"), FETCH);
    world.fails();
    assert_eq!(world.machine.settled(Some("x"), world.now), unavailable(30));
    // The failure may be repeated after a second, but not because of what strangers invent.
    world.passes(2);
    assert_eq!(world.asked("x"), (unavailable(28), Start(false)));
    assert_eq!(world.asked(key.kid()), DECIDE);
    world.passes(28);
    assert_eq!(world.asked("x"), FETCH);
    world.brings(&[&key]);
    assert_eq!(world.machine.settled(Some("x"), world.now), Advice::Decide);
}

#[test]
fn a_key_that_was_withdrawn_is_gone_with_the_next_set() {
    let (old, new) = (key(), key());
    let mut world = World::holding(&old);
    assert_eq!(world.asked(new.kid()), FETCH);
    world.brings(&[&new]);
    assert!(world.machine.knows(new.kid(), world.now));
    assert!(!world.machine.knows(old.kid(), world.now));
    assert_eq!(world.asked(old.kid()), DECIDE);
}

#[test]
fn an_unchanged_document_leaves_the_keys_as_they_are() {
    let key = key();
    let mut world = World::holding(&key);
    let before = Arc::clone(world.machine.keys(world.now).unwrap());
    world.passes(300);
    assert_eq!(world.machine.refresh(world.now), Start(true));
    world.brings(&[&key]);
    let after = Arc::clone(world.machine.keys(world.now).unwrap());
    assert!(Arc::ptr_eq(&before, &after));
    // They count as fresh again all the same.
    let again = world.now + Duration::from_secs(300);
    assert_eq!(world.machine.look_again(world.now), Some(again));
}

#[test]
fn a_storm_of_invented_ids_is_bounded_in_memory_and_in_fetches() {
    let key = key();
    let mut world = World::holding(&key);
    for n in 0..100_000_u64 {
        let (_, start) = world.asked(&format!("invented-{n}"));
        if start == Start(true) {
            // Half of the fetches end at once, half go on while more come.
            if world.machine.fetches().is_multiple_of(2) {
                world.brings(&[&key]);
            }
        } else if n % 500 == 0 && world.machine.fetching.is_some() {
            world.brings(&[&key]);
        }
        assert!(world.machine.fetching.as_ref().map_or(0, Vec::len) <= MAX_AWAITED);
        // A thousand in a second.
        world.now += Duration::from_millis(1);
    }
    // 100 seconds are four cool-downs, and there is the first fetch.
    assert_eq!(world.machine.fetches(), 5);
}
