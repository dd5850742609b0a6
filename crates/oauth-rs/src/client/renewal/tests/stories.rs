//! One renewal at a time, and what each answer leads to.

use std::time::Duration;

use super::server::issued;
use crate::client::exchange::ExchangeFailed;
use crate::client::flow::StoredGrant;
use crate::client::renewal::{
    DEFAULT_LEASE, MAX_TRIES, MIN_LEASE, Renewal, RenewalFailed, RenewalStep,
};
use crate::client::store::tests::{AS, RS, grant, now_or_later};
use crate::client::store::{
    Kept, Lease, MAX_LEASE, MemoryStore, Standing, StoreError, TokenStore as _, save,
};
use crate::client::token::TokenResponse;
use crate::error_code::ErrorCode;
use crate::time::UnixSeconds;

const NOW: UnixSeconds = UnixSeconds(1_000);

fn used() -> StoredGrant {
    let mut used = grant(RS, AS, "T0");
    used.expires_at = Some(UnixSeconds(900));
    used
}

fn renewal() -> Renewal {
    Renewal::new(&used(), DEFAULT_LEASE, &|dest: &mut [u8]| dest.fill(1))
}

fn store_with(grant: &StoredGrant) -> MemoryStore {
    let store = MemoryStore::new();
    now_or_later(save(&store, grant)).unwrap();
    store
}

fn kept(store: &MemoryStore) -> Option<Kept> {
    now_or_later(store.find(RS)).unwrap()
}

/// Runs to the end, without waiting; says how often the token was sent.
fn run(
    renewal: &mut Renewal,
    store: &MemoryStore,
    answers: &mut dyn FnMut() -> Result<TokenResponse, ExchangeFailed>,
) -> (RenewalStep, usize) {
    let (resource, issuer) = (used().resource, used().issuer);
    let mut sent = 0;
    loop {
        match renewal.next_step(NOW) {
            RenewalStep::Load => {
                renewal.handle_loaded(now_or_later(store.load(&resource, &issuer)), NOW);
            }
            RenewalStep::Write {
                read,
                grant,
                standing,
            } => {
                renewal.handle_written(now_or_later(store.write(Some(read), &grant, standing)));
            }
            RenewalStep::Remove { read } => {
                renewal.handle_removed(now_or_later(store.remove(&resource, &issuer, read)));
            }
            RenewalStep::Exchange { at_most, .. } => {
                assert_eq!(at_most, Duration::from_secs(6));
                sent += 1;
                renewal.handle_answer(answers(), NOW);
            }
            RenewalStep::Wait(_) => renewal.handle_waited(),
            end => return (end, sent),
        }
    }
}

fn refused(code: ErrorCode) -> ExchangeFailed {
    ExchangeFailed::Refused {
        code: Some(code),
        name: code.as_str().to_owned(),
        description: None,
    }
}

#[test]
fn new_tokens_are_stored_and_nothing_else_of_the_grant_changes() {
    let store = store_with(&used());
    let (end, sent) = run(&mut renewal(), &store, &mut || Ok(issued(1, 1)));
    let RenewalStep::Done {
        grant,
        unsaved: None,
    } = end
    else {
        panic!("{end:?}")
    };
    assert_eq!(sent, 1);
    assert!(grant.access_token.ct_eq("T1"));
    assert_eq!(grant.expires_at, Some(UnixSeconds(4_600)));
    let kept = kept(&store).unwrap();
    assert_eq!(kept.standing, Standing::Good);
    assert!(kept.grant.access_token.ct_eq("T1"));
    assert!(kept.grant.refresh_token.unwrap().ct_eq("R1"));
    assert_eq!(kept.grant.requested_scope, used().requested_scope);
}

#[test]
fn a_refusal_for_good_ends_the_grant_and_an_unknown_client_goes_with_it() {
    for code in [
        ErrorCode::InvalidGrant,
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidScope,
        ErrorCode::InvalidTarget,
        ErrorCode::UnsupportedGrantType,
    ] {
        let store = store_with(&used());
        let (end, sent) = run(&mut renewal(), &store, &mut || Err(refused(code)));
        assert!(matches!(end, RenewalStep::Ended), "{code:?} {end:?}");
        assert_eq!(sent, 1);
        let kept = kept(&store).unwrap();
        assert_eq!(kept.standing, Standing::Ended);
        assert_eq!(kept.grant.client.client_id, "c");
        // Whoever comes next does not ask the server again.
        let (end, sent) = run(&mut renewal(), &store, &mut || Ok(issued(1, 1)));
        assert!(matches!(end, RenewalStep::Ended) && sent == 0);
    }
    for code in [ErrorCode::InvalidClient, ErrorCode::UnauthorizedClient] {
        let store = store_with(&used());
        let (end, _) = run(&mut renewal(), &store, &mut || Err(refused(code)));
        assert!(matches!(end, RenewalStep::Ended), "{code:?} {end:?}");
        assert!(kept(&store).is_none());
    }
}

#[test]
fn an_answer_that_says_nothing_of_the_token_is_asked_for_again_and_then_given_up() {
    let status = |code| ExchangeFailed::Status(http::StatusCode::from_u16(code).unwrap());
    for reason in [
        status(503),
        status(404),
        ExchangeFailed::Malformed("token response"),
        refused(ErrorCode::ServerError),
    ] {
        let store = store_with(&used());
        let (end, sent) = run(&mut renewal(), &store, &mut || Err(reason.clone()));
        assert!(
            matches!(&end, RenewalStep::Failed(RenewalFailed::Exchange(why)) if *why == reason),
            "{end:?}"
        );
        assert_eq!(sent, usize::from(MAX_TRIES));
        // The grant is as good as before, and nobody has to wait for the lease to end.
        let kept = kept(&store).unwrap();
        assert_eq!(kept.standing, Standing::Good);
        assert!(kept.grant.access_token.ct_eq("T0"));
        // The second try helps where the first answer was lost.
        let mut first = Some(reason);
        let (end, sent) = run(&mut renewal(), &store, &mut || {
            first.take().map_or_else(|| Ok(issued(1, 1)), Err)
        });
        assert!(matches!(end, RenewalStep::Done { .. }) && sent == 2);
    }
}

#[test]
fn the_second_try_comes_at_once_and_later_ones_do_not() {
    let store = store_with(&used());
    let mut renewal = renewal();
    let read = kept(&store).unwrap();
    renewal.handle_loaded(Ok(Some(read.clone())), NOW);
    assert!(matches!(
        renewal.next_step(NOW),
        RenewalStep::Load | RenewalStep::Write { .. }
    ));
    let mut waits = Vec::new();
    loop {
        match renewal.next_step(NOW) {
            RenewalStep::Write { .. } => renewal.handle_written(Ok(Some(read.version))),
            RenewalStep::Exchange { .. } => {
                renewal.handle_lost(&"x".repeat(1000), NOW);
            }
            RenewalStep::Wait(time) => {
                waits.push(time.as_millis());
                renewal.handle_waited();
            }
            RenewalStep::Failed(RenewalFailed::Unreachable(why)) => {
                assert_eq!(why.len(), 300);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(waits, [0, 500, 1000]);
}

#[test]
fn who_is_renewing_for_too_long_is_not_waited_for() {
    let mut renewal = renewal();
    let lease = |until| Kept {
        version: crate::client::store::Version(1),
        grant: used(),
        standing: Standing::Renewing(Lease {
            holder: "other".to_owned(),
            until: UnixSeconds(until),
        }),
    };
    assert!(matches!(renewal.next_step(NOW), RenewalStep::Load));
    // Each time another process has the lease anew.
    for second in 0..32 {
        let now = UnixSeconds(NOW.0 + second);
        renewal.handle_loaded(Ok(Some(lease(now.0 + 8))), now);
        assert!(matches!(renewal.next_step(now), RenewalStep::Wait(_)));
        renewal.handle_waited();
    }
    let late = UnixSeconds(NOW.0 + 32);
    renewal.handle_loaded(Ok(Some(lease(late.0 + 8))), late);
    assert!(matches!(
        renewal.next_step(late),
        RenewalStep::Failed(RenewalFailed::Busy)
    ));

    // Where the clock stands still, the number of looks is the bound.
    let mut renewal = self::renewal();
    let mut looks = 0;
    while matches!(renewal.next_step(NOW), RenewalStep::Load) {
        looks += 1;
        renewal.handle_loaded(Ok(Some(lease(NOW.0 + 8))), NOW);
        if matches!(renewal.next_step(NOW), RenewalStep::Wait(_)) {
            renewal.handle_waited();
        }
    }
    assert_eq!(looks, 2000);
}

#[test]
fn what_nobody_asked_for_is_refused_and_an_end_stays() {
    let mut early = renewal();
    early.handle_waited();
    assert!(matches!(
        early.next_step(NOW),
        RenewalStep::Failed(RenewalFailed::Unexpected)
    ));
    let mut early = renewal();
    early.handle_answer(Ok(issued(1, 1)), NOW);
    assert!(matches!(
        early.next_step(NOW),
        RenewalStep::Failed(RenewalFailed::Unexpected)
    ));
    let mut gone = renewal();
    gone.handle_loaded(Ok(None), NOW);
    gone.handle_lost("late", NOW);
    gone.handle_written(Err(StoreError::new("late")));
    gone.handle_removed(Ok(true));
    assert!(matches!(gone.next_step(NOW), RenewalStep::Ended));
}

#[test]
fn a_lease_has_bounds() {
    for (asked, at_most) in [
        (Duration::ZERO, MIN_LEASE - Duration::from_secs(2)),
        (Duration::MAX, MAX_LEASE - Duration::from_secs(2)),
    ] {
        let mut renewal = Renewal::new(&used(), asked, &|dest: &mut [u8]| dest.fill(1));
        let store = store_with(&used());
        assert!(matches!(renewal.next_step(NOW), RenewalStep::Load));
        renewal.handle_loaded(Ok(kept(&store)), NOW);
        let RenewalStep::Write { read, .. } = renewal.next_step(NOW) else {
            panic!("no lease")
        };
        renewal.handle_written(Ok(Some(read)));
        let step = renewal.next_step(NOW);
        assert!(
            matches!(step, RenewalStep::Exchange { at_most: time, .. } if time == at_most),
            "{step:?}"
        );
    }
}

/// Takes the lease and says when it ends.
fn taken(renewal: &mut Renewal, now: UnixSeconds) -> UnixSeconds {
    let RenewalStep::Write {
        read,
        standing: Standing::Renewing(lease),
        ..
    } = renewal.next_step(now)
    else {
        panic!("no lease is taken")
    };
    renewal.handle_written(Ok(Some(read)));
    lease.until
}

fn looked(now: UnixSeconds) -> Renewal {
    let mut renewal = renewal();
    assert!(matches!(renewal.next_step(now), RenewalStep::Load));
    renewal.handle_loaded(Ok(kept(&store_with(&used()))), now);
    renewal
}

#[test]
fn an_answer_is_never_waited_for_until_others_may_send_the_token() {
    for later in 0..8 {
        let mut renewal = looked(NOW);
        let until = taken(&mut renewal, NOW);
        // The store took this long to write the lease, or it is another try.
        let now = UnixSeconds(NOW.0 + later);
        match renewal.next_step(now) {
            // A clock that says `now` may be one second from the next one; one more is for writing the answer down.
            RenewalStep::Exchange { at_most, .. } => {
                let waited = UnixSeconds(now.0 + 2).after(at_most);
                assert!(
                    waited <= until && !at_most.is_zero(),
                    "{later}: {at_most:?}"
                );
                assert!(later < 6);
            }
            RenewalStep::Write { .. } => assert!(later >= 6),
            other => panic!("{other:?}"),
        }
    }
    // Others do not respect a lease that the clock, set back, puts far ahead.
    let mut renewal = looked(NOW);
    taken(&mut renewal, NOW);
    let back = UnixSeconds(NOW.0 - 100);
    assert!(matches!(renewal.next_step(back), RenewalStep::Write { .. }));
}

#[test]
fn a_store_slower_than_a_lease_is_given_up() {
    let mut renewal = looked(NOW);
    let mut now = NOW;
    for writes in 0.. {
        assert!(writes < 10, "it goes on for ever");
        match renewal.next_step(now) {
            RenewalStep::Write { read, .. } => {
                now = now.after(DEFAULT_LEASE);
                renewal.handle_written(Ok(Some(read)));
            }
            RenewalStep::Failed(RenewalFailed::Busy) => break,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_server_that_gives_the_same_access_token_is_asked_once() {
    let store = store_with(&used());
    let (end, sent) = run(&mut renewal(), &store, &mut || Ok(issued(0, 1)));
    let RenewalStep::Done { grant, .. } = end else {
        panic!("{end:?} after {sent}")
    };
    assert_eq!(sent, 1);
    assert!(grant.access_token.ct_eq("T0"));
    assert_eq!(grant.expires_at, Some(UnixSeconds(4_600)));
    assert!(
        kept(&store)
            .unwrap()
            .grant
            .refresh_token
            .unwrap()
            .ct_eq("R1")
    );
}
