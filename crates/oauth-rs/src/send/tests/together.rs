//! Many calls at once, and calls that are dropped.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::world::{Answer, Resource, World, call, grant};
use crate::send::{CallFailed, SignedIn};

async fn all(world: &World, calls: usize) -> Vec<u16> {
    let service = world.service();
    let mut running = JoinSet::new();
    for _ in 0..calls {
        let service = service.clone();
        running.spawn(async move { call(&service).await.unwrap() });
    }
    running.join_all().await
}

#[tokio::test]
async fn two_hundred_calls_on_an_expired_token_cause_one_refresh() {
    let world = World::with(grant("old", 900)).await;
    assert_eq!(all(&world, 200).await, [200; 200]);
    assert_eq!(world.count("token"), 1);
    assert_eq!((world.count("call"), world.count("browser")), (200, 0));
}

#[tokio::test]
async fn two_hundred_calls_that_are_refused_cause_one_refresh() {
    let world = World::with(grant("old", 2_000)).await;
    assert_eq!(all(&world, 200).await, [200; 200]);
    assert_eq!((world.count("token"), world.count("browser")), (1, 0));
}

#[tokio::test]
async fn two_hundred_calls_without_a_token_lead_one_person_to_the_browser_once() {
    let world = World::new();
    assert_eq!(all(&world, 200).await, [200; 200]);
    assert_eq!((world.count("token"), world.count("browser")), (1, 1));
    assert_eq!(world.count("https://as.example/register"), 1);
}

#[tokio::test]
async fn calls_with_a_good_token_do_not_wait_for_somebody_who_asks_for_more() {
    let mut world = World::with(grant("t1", 2_000)).await;
    let held_back = Arc::new(Notify::new());
    world.held_back = Some(Arc::clone(&held_back));
    let service = world.service();
    world.change(|b| b.lacks = Some("more"));
    let asking = {
        let service = service.clone();
        tokio::spawn(async move { call(&service).await })
    };
    while world.count("token for c") == 0 {
        tokio::task::yield_now().await;
    }
    world.change(|b| b.lacks = None);
    assert_eq!(call(&service).await.unwrap(), 200);
    assert!(!asking.is_finished());
    held_back.notify_one();
    assert_eq!(asking.await.unwrap().unwrap(), 200);
}

#[tokio::test]
async fn a_call_that_is_dropped_takes_the_refresh_from_nobody() {
    for others in [0, 3] {
        let mut world = World::with(grant("old", 900)).await;
        let held_back = Arc::new(Notify::new());
        world.held_back = Some(Arc::clone(&held_back));
        let service = world.service();
        let begin = || {
            let service = service.clone();
            tokio::spawn(async move { call(&service).await })
        };
        let first = begin();
        while world.count("token") == 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..others).map(|_| begin()).collect();
        tokio::task::yield_now().await;
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        held_back.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap().unwrap(), 200);
        }
        // The answer is stored, whether or not anybody is there to use it.
        while !world.kept().await.unwrap().access_token.ct_eq("t1") {
            tokio::task::yield_now().await;
        }
        assert_eq!(call(&service).await.unwrap(), 200);
        assert_eq!(world.count("token"), 1);
    }
}

/// A call that asks for more while others are under way: the person is in the browser, and the token endpoint waits.
async fn stepping_up(world: &mut World) -> (SignedIn<Resource>, Arc<Notify>, JoinHandle<Asked>) {
    let held_back = Arc::new(Notify::new());
    world.held_back = Some(Arc::clone(&held_back));
    let service = world.service();
    world.change(|b| b.lacks = Some("more"));
    let asking = {
        let service = service.clone();
        tokio::spawn(async move { call(&service).await })
    };
    while world.count("token for c") == 0 {
        tokio::task::yield_now().await;
    }
    (service, held_back, asking)
}

type Asked = Result<u16, CallFailed>;

#[tokio::test]
async fn a_sign_in_that_fails_fails_no_call_that_wanted_a_renewal() {
    let mut world = World::with(grant("t1", 2_000)).await;
    let (service, held_back, asking) = stepping_up(&mut world).await;
    world.change(|b| {
        b.lacks = None;
        b.answers.push_back(Answer::InvalidGrant);
    });
    *world.now.lock().unwrap() = 2_000;
    let waiting = tokio::spawn(async move { call(&service).await });
    tokio::task::yield_now().await;
    held_back.notify_one();
    asking.await.unwrap().unwrap_err();
    held_back.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
    assert_eq!((world.count("browser"), world.count("token for r")), (1, 1));
}

#[tokio::test]
async fn who_waits_for_somebody_who_asked_for_something_else_asks_then() {
    let mut world = World::with(grant("t1", 2_000)).await;
    let (service, held_back, asking) = stepping_up(&mut world).await;
    world.change(|b| b.lacks = Some("other"));
    let waiting = tokio::spawn(async move { call(&service).await });
    while world.count("call") < 2 {
        tokio::task::yield_now().await;
    }
    world.change(|b| b.accepts = None);
    held_back.notify_one();
    while world.count("token for c") < 2 {
        assert!(!waiting.is_finished(), "{:?}", waiting.await);
        tokio::task::yield_now().await;
    }
    world.change(|b| b.lacks = None);
    held_back.notify_one();
    assert_eq!(waiting.await.unwrap().unwrap(), 200);
    asking.await.unwrap().unwrap();
    assert_eq!(world.count("browser known a more other"), 1);
    assert_eq!(world.count("browser"), 2);
}
