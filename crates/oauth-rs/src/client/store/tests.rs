//! What every store has to do, asked of each one that is here.

use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};

use super::*;
use crate::client::Client;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::uri::RedirectUri;

pub(in crate::client) const RS: &str = "https://rs.example/mcp";
pub(in crate::client) const AS: &str = "https://as.example";

pub(in crate::client) fn grant(resource: &str, issuer: &str, token: &str) -> StoredGrant {
    StoredGrant {
        resource: ResourceId::parse(resource).unwrap(),
        issuer: Issuer::parse(issuer).unwrap(),
        token_endpoint: format!("{issuer}/token"),
        revocation_endpoint: None,
        client: Client::public("c"),
        redirect_uri: RedirectUri::parse("http://127.0.0.1/cb").unwrap(),
        requested_scope: Some(ScopeSet::parse("a b").unwrap()),
        granted_scope: None,
        access_token: Secret::new(token),
        refresh_token: Some(Secret::new("r")),
        expires_at: Some(UnixSeconds(7)),
        dpop_jkt: None,
    }
}

/// Waits for a future of any kind on this thread.
pub(in crate::client) fn now_or_later<T>(future: impl Future<Output = T>) -> T {
    struct Told(mpsc::Sender<()>);
    impl Wake for Told {
        fn wake(self: Arc<Self>) {
            // Who is told twice has been told.
            self.0.send(()).ok();
        }
    }
    let (told, woken) = mpsc::channel();
    let waker = Waker::from(Arc::new(Told(told)));
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return done;
        }
        woken.recv().unwrap();
    }
}

/// The grant for [`RS`] and [`AS`], which is there.
#[cfg(feature = "file-store")]
pub(in crate::client) fn expecting(store: &dyn TokenStore) -> Kept {
    let (resource, issuer) = key();
    now_or_later(store.load(&resource, &issuer))
        .unwrap()
        .unwrap()
}

fn key() -> (ResourceId, Issuer) {
    (ResourceId::parse(RS).unwrap(), Issuer::parse(AS).unwrap())
}

/// What holds for every store; the one handed in is empty.
pub(in crate::client) fn contract(store: &dyn TokenStore) {
    let (resource, issuer) = key();
    let load = || now_or_later(store.load(&resource, &issuer)).unwrap();
    let find = |url: &str| now_or_later(store.find(url)).unwrap();
    let write = |read, token, standing| {
        now_or_later(store.write(read, &grant(RS, AS, token), standing)).unwrap()
    };
    assert!(load().is_none() && find(RS).is_none());

    // Only who has seen that nothing is there writes the first.
    assert_eq!(write(Some(Version(1)), "zero", Standing::Good), None);
    let first = write(None, "one", Standing::Good).unwrap();
    assert_eq!(write(None, "other", Standing::Good), None);
    assert_eq!(load().unwrap().version, first);

    // A lease is a write, and whoever read before it is too late.
    let lease = Standing::Renewing(Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(9),
    });
    let second = write(Some(first), "one", lease.clone()).unwrap();
    assert_ne!(first, second);
    assert_eq!(write(Some(first), "late", Standing::Good), None);
    let kept = load().unwrap();
    assert_eq!((kept.version, kept.standing), (second, lease));
    assert!(kept.grant.access_token.ct_eq("one"));

    let third = write(Some(second), "two", Standing::Ended).unwrap();
    let kept = find("https://rs.example/mcp/x").unwrap();
    assert_eq!((kept.version, kept.standing), (third, Standing::Ended));

    // What was removed gives its version to nobody.
    assert!(!now_or_later(store.remove(&resource, &issuer, second)).unwrap());
    assert!(now_or_later(store.remove(&resource, &issuer, third)).unwrap());
    assert!(!now_or_later(store.remove(&resource, &issuer, third)).unwrap());
    assert!(load().is_none());
    let again = write(None, "three", Standing::Good).unwrap();
    assert!(again > third);

    // Saving is for what is newest by itself.
    now_or_later(save(store, &grant(RS, AS, "four"))).unwrap();
    let kept = load().unwrap();
    assert!(kept.version > again && kept.grant.access_token.ct_eq("four"));

    // Issuers are kept apart; the one signed in to last is found, and taking a lease is no signing in.
    let other = grant(RS, "https://other.example", "five");
    now_or_later(save(store, &other)).unwrap();
    assert!(find(RS).unwrap().grant.access_token.ct_eq("five"));
    let lease = Standing::Renewing(Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(9),
    });
    let taken = write(Some(kept.version), "four", lease).unwrap();
    assert!(find(RS).unwrap().grant.access_token.ct_eq("five"));
    assert!(load().unwrap().grant.access_token.ct_eq("four"));

    // The oldest make room, and who is being renewed only when there is nobody else.
    write(Some(taken), "four", Standing::Good).unwrap();
    for number in 0..MAX_GRANTS {
        let grant = grant(&format!("https://rs{number}.example"), AS, "x");
        now_or_later(save(store, &grant)).unwrap();
    }
    assert!(find(RS).is_none());
    assert!(find("https://rs0.example").is_some());
}

#[test]
fn a_grant_that_is_being_renewed_makes_no_room() {
    let store = MemoryStore::new();
    for number in 0..MAX_GRANTS {
        let grant = grant(&format!("https://rs{number}.example"), AS, "x");
        now_or_later(save(&store, &grant)).unwrap();
    }
    let find = |url| now_or_later(store.find(url)).unwrap();
    let oldest = find("https://rs0.example").unwrap();
    let lease = Standing::Renewing(Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(9),
    });
    let taken = now_or_later(store.write(Some(oldest.version), &oldest.grant, lease)).unwrap();
    now_or_later(save(&store, &grant(RS, AS, "new"))).unwrap();
    assert_eq!(find("https://rs0.example").map(|kept| kept.version), taken);
    assert!(find("https://rs1.example").is_none() && find(RS).is_some());
}

#[test]
fn the_memory_store_keeps_the_contract() {
    contract(&MemoryStore::new());
}

#[test]
fn a_lease_holds_until_its_end_and_never_for_longer_than_any_may() {
    let lease = |until| Lease {
        holder: "me".to_owned(),
        until: UnixSeconds(until),
    };
    assert!(lease(11).holds(UnixSeconds(10)));
    assert!(!lease(10).holds(UnixSeconds(10)));
    assert!(lease(70).holds(UnixSeconds(10)));
    // The clock was set back by an hour since.
    assert!(!lease(71).holds(UnixSeconds(10)));
    assert!(!lease(3610).holds(UnixSeconds(10)));
}

#[test]
fn saving_is_given_up_where_others_are_always_faster() {
    /// Says of each write that somebody was first.
    struct Busy(MemoryStore);
    impl TokenStore for Busy {
        fn find<'a>(&'a self, url: &'a str) -> Storing<'a, Option<Kept>> {
            self.0.find(url)
        }
        fn load<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer) -> Storing<'a, Option<Kept>> {
            self.0.load(r, i)
        }
        fn write<'a>(
            &'a self,
            _: Option<Version>,
            _: &'a StoredGrant,
            _: Standing,
        ) -> Storing<'a, Option<Version>> {
            Box::pin(std::future::ready(Ok(None)))
        }
        fn remove<'a>(&'a self, r: &'a ResourceId, i: &'a Issuer, v: Version) -> Storing<'a, bool> {
            self.0.remove(r, i, v)
        }
    }
    let busy = Busy(MemoryStore::new());
    let refused = now_or_later(save(&busy, &grant(RS, AS, "one"))).unwrap_err();
    assert!(refused.to_string().contains("again and again"), "{refused}");
}
