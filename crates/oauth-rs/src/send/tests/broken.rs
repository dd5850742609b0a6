//! Surroundings that do not do their part.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tower_layer::Layer as _;

use super::world::{Answer, REDIRECT, Resource, World, call, grant};
use crate::client::flow::StoredGrant;
use crate::client::store::{
    Kept, MemoryStore, Standing, StoreError, Storing, TokenStore, Version, save,
};
use crate::secret::Secret;
use crate::send::{Browser, CallFailed, Pending, SignInFailed, Visit, VisitWith, Waits};
use crate::uri::{Issuer, RedirectUri, ResourceId};

/// A person who does this in the browser.
fn person(visit: fn() -> Pending<'static, Secret>) -> Arc<dyn Browser> {
    Arc::new(move || -> Pending<'static, Box<dyn Visit>> {
        let redirect_uri = RedirectUri::parse(REDIRECT).unwrap();
        let visit = VisitWith::new(redirect_uri, move |_, _| visit());
        Box::pin(async move { Ok(Box::new(visit) as Box<dyn Visit>) })
    })
}

#[tokio::test(start_paused = true)]
async fn a_person_who_never_comes_back_is_not_waited_for() {
    let world = World::new();
    let mut seams = world.seams();
    seams.browser = Some(person(|| Box::pin(pending())));
    let service = world.layer_with(seams).layer(Resource(world.clone()));
    let before = Instant::now();
    let failed = call(&service).await.unwrap_err();
    assert!(
        matches!(failed, CallFailed::SignIn(SignInFailed::TimedOut(what)) if what.contains("person"))
    );
    assert_eq!(before.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_ours_is_not_taken_and_not_waited_for_without_end() {
    let world = World::new();
    let mut seams = world.seams();
    seams.browser = Some(person(|| {
        Box::pin(async { Ok(Secret::new("code=stolen&state=guessed")) })
    }));
    let service = world.layer_with(seams).layer(Resource(world.clone()));
    let failed = call(&service).await.unwrap_err();
    assert!(matches!(failed, CallFailed::SignIn(SignInFailed::Circles)));
    assert_eq!(world.count("token"), 0);
}

#[tokio::test]
async fn a_browser_that_fails_is_told_with_its_reason() {
    let world = World::new();
    let mut seams = world.seams();
    seams.browser = Some(person(|| Box::pin(async { Err("no display".into()) })));
    let service = world.layer_with(seams).layer(Resource(world.clone()));
    let failed = call(&service).await.unwrap_err();
    assert!(failed.to_string().contains("no display"), "{failed}");
}

#[tokio::test(start_paused = true)]
async fn a_token_endpoint_that_never_answers_is_tried_within_the_lease() {
    let world = World::with(grant("old", 900)).await;
    world.change(|b| b.answers.push_back(Answer::Never));
    let before = Instant::now();
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    // Two seconds less than the lease; then the same token once more.
    assert_eq!(before.elapsed().as_secs(), 6);
    assert_eq!(world.count("token for refresh-old"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_work_of_others_for_its_own_time_only() {
    let world = World::new();
    let mut seams = world.seams();
    seams.browser = Some(person(|| Box::pin(pending())));
    let waits = Waits {
        call: Duration::from_secs(5),
        ..Waits::default()
    };
    let layer = world.layer_with(seams).with_waits(waits);
    let service = layer.layer(Resource(world.clone()));
    let before = Instant::now();
    let failed = call(&service).await.unwrap_err();
    assert!(matches!(
        failed,
        CallFailed::SignIn(SignInFailed::TimedOut(_))
    ));
    assert_eq!(before.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn work_that_nobody_carries_on_is_told() {
    let world = World::with(grant("old", 900)).await;
    let mut seams = world.seams();
    seams.spawn = Arc::new(drop);
    let service = world.layer_with(seams).layer(Resource(world.clone()));
    for _ in 0..2 {
        let failed = call(&service).await.unwrap_err();
        assert!(matches!(
            failed,
            CallFailed::SignIn(SignInFailed::BrokenOff)
        ));
    }
}

/// A store that takes no tokens other than those it has.
struct ReadOnly(MemoryStore);

impl TokenStore for ReadOnly {
    fn find<'a>(&'a self, url: &'a str) -> Storing<'a, Option<Kept>> {
        self.0.find(url)
    }

    fn load<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer) -> Storing<'a, Option<Kept>> {
        self.0.load(r, i)
    }

    fn write<'a>(
        &'a self,
        read: Option<Version>,
        grant: &'a StoredGrant,
        standing: Standing,
    ) -> Storing<'a, Option<Version>> {
        if matches!(standing, Standing::Renewing(_)) {
            return self.0.write(read, grant, standing);
        }
        Box::pin(async { Err(StoreError::new("the disk is full")) })
    }

    fn remove<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer, v: Version) -> Storing<'a, bool> {
        self.0.remove(r, i, v)
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_the_store_cannot_take_are_used_and_told_of() {
    let mut world = World::new();
    world.store = Arc::new(ReadOnly(MemoryStore::new()));
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("browser"), 1);
    assert!(world.notices.lock().unwrap()[0].starts_with("NotSaved"));

    // The same for renewed ones.
    let store = MemoryStore::new();
    save(&store, &grant("old", 900)).await.unwrap();
    let mut world = World::new();
    world.store = Arc::new(ReadOnly(store));
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!((world.count("token"), world.count("browser")), (1, 0));
    assert_eq!(*world.notices.lock().unwrap(), ["RenewedNotSaved"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_is_not_waited_for() {
    struct Silent;
    impl TokenStore for Silent {
        fn find<'a>(&'a self, _: &'a str) -> Storing<'a, Option<Kept>> {
            Box::pin(pending())
        }
        fn load<'a>(&'a self, _: &'a ResourceId, _: &'a Issuer) -> Storing<'a, Option<Kept>> {
            Box::pin(pending())
        }
        fn write<'a>(
            &'a self,
            _: Option<Version>,
            _: &'a StoredGrant,
            _: Standing,
        ) -> Storing<'a, Option<Version>> {
            Box::pin(pending())
        }
        fn remove<'a>(&'a self, _: &'a ResourceId, _: &'a Issuer, _: Version) -> Storing<'a, bool> {
            Box::pin(pending())
        }
    }
    let mut world = World::new();
    world.store = Arc::new(Silent);
    let before = Instant::now();
    let failed = call(&world.service()).await.unwrap_err();
    assert!(
        matches!(failed, CallFailed::SignIn(SignInFailed::Store(_))),
        "{failed:?}"
    );
    assert_eq!(before.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_that_the_store_never_took_is_renewed_and_kept_as_soon_as_it_can_be() {
    let mut world = World::new();
    let store = Arc::new(Switched::default());
    world.store = store.clone();
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    world.change(|b| b.accepts = None);
    for (full, now) in [(true, 2_000), (true, 3_000), (false, 4_000), (false, 5_000)] {
        store
            .writable
            .store(!full, std::sync::atomic::Ordering::SeqCst);
        *world.now.lock().unwrap() = now;
        assert_eq!(call(&service).await.unwrap(), 200);
        assert_eq!(world.kept().await.is_some(), !full);
    }
    assert_eq!((world.count("browser"), world.count("token for r")), (1, 4));
    assert!(world.kept().await.unwrap().access_token.ct_eq("t5"));
}

/// A store that can be read, and written while it is said to be.
#[derive(Default)]
struct Switched {
    store: MemoryStore,
    writable: std::sync::atomic::AtomicBool,
}

impl TokenStore for Switched {
    fn find<'a>(&'a self, url: &'a str) -> Storing<'a, Option<Kept>> {
        self.store.find(url)
    }

    fn load<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer) -> Storing<'a, Option<Kept>> {
        self.store.load(r, i)
    }

    fn write<'a>(
        &'a self,
        read: Option<Version>,
        grant: &'a StoredGrant,
        standing: Standing,
    ) -> Storing<'a, Option<Version>> {
        if self.writable.load(std::sync::atomic::Ordering::SeqCst) {
            return self.store.write(read, grant, standing);
        }
        Box::pin(async { Err(StoreError::new("the disk is full")) })
    }

    fn remove<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer, v: Version) -> Storing<'a, bool> {
        self.store.remove(r, i, v)
    }
}
