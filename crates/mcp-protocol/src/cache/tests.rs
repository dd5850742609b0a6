//! The cache: what is found, for whom, for how long, and what pushes what out.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn server() -> Arc<str> {
    Arc::from("https://a.example/mcp")
}

fn tools() -> Key {
    Key::whole(&server(), "tools/list")
}

fn person(name: &str) -> Arc<str> {
    Arc::from(name)
}

fn page(text: &str) -> Pages {
    let page = serde_json::value::to_raw_value(text).unwrap();
    Arc::from(vec![page])
}

fn for_seconds(seconds: u64, scope: CacheScope) -> Freshness {
    Freshness {
        until: Duration::from_secs(seconds),
        scope,
    }
}

fn ticket(cache: &mut Cache, key: Key, principal: Option<&Arc<str>>) -> Ticket {
    match cache.look(key, principal, Duration::ZERO) {
        Looked::Absent(ticket) => ticket,
        Looked::Fresh(pages) => panic!("{pages:?}"),
    }
}

fn put(cache: &mut Cache, key: Key, principal: Option<&Arc<str>>, text: &str, fresh: Freshness) {
    let ticket = ticket(cache, key, principal);
    cache.keep(ticket, page(text), fresh, Duration::ZERO);
}

fn found(
    cache: &mut Cache,
    key: Key,
    principal: Option<&Arc<str>>,
    now: Duration,
) -> Option<String> {
    match cache.look(key, principal, now) {
        Looked::Fresh(pages) => Some(pages[0].get().trim_matches('"').to_owned()),
        Looked::Absent(_) => None,
    }
}

#[test]
fn mcp_cache_04_an_answer_is_fresh_for_its_time_and_not_longer() {
    let mut cache = Cache::default();
    put(
        &mut cache,
        tools(),
        None,
        "a",
        for_seconds(5, CacheScope::Public),
    );
    let just_before = SECOND * 5 - Duration::from_nanos(1);
    assert_eq!(
        found(&mut cache, tools(), None, just_before).as_deref(),
        Some("a")
    );
    assert_eq!(found(&mut cache, tools(), None, SECOND * 5), None);
    assert_eq!((cache.entries.len(), cache.bytes), (0, 0));
}

#[test]
fn mcp_cache_04_what_has_no_usable_time_is_stale_at_once() {
    for hints in [
        json!({}),
        json!({"ttlMs": 0, "cacheScope": "public"}),
        json!({"ttlMs": -5, "cacheScope": "public"}),
        json!({"ttlMs": null, "cacheScope": "public"}),
        json!({"ttlMs": "5000", "cacheScope": "public"}),
        json!({"ttlMs": 1.5, "cacheScope": "public"}),
        json!([]),
    ] {
        let raw = serde_json::value::to_raw_value(&hints).unwrap();
        assert_eq!(Freshness::of(&raw, SECOND).until, SECOND, "{hints}");
    }
    let endless = json!({"ttlMs": u64::MAX, "cacheScope": "public"});
    let raw = serde_json::value::to_raw_value(&endless).unwrap();
    let mut cache = Cache::default();
    put(&mut cache, tools(), None, "a", Freshness::of(&raw, SECOND));
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(found(&mut cache, tools(), None, day - SECOND).is_some());
    assert_eq!(found(&mut cache, tools(), None, day), None);
}

#[test]
fn mcp_cache_03_only_what_is_called_public_is() {
    for (scope, wanted) in [
        (json!("public"), CacheScope::Public),
        (json!("private"), CacheScope::Private),
        (json!("Public"), CacheScope::Private),
        (json!(1), CacheScope::Private),
        (json!(null), CacheScope::Private),
    ] {
        let hints = json!({"ttlMs": 1, "cacheScope": scope});
        let raw = serde_json::value::to_raw_value(&hints).unwrap();
        assert_eq!(Freshness::of(&raw, SECOND).scope, wanted, "{hints}");
    }
}

#[test]
fn mcp_cache_02_pages_together_are_as_short_and_as_private_as_one_of_them() {
    let public = for_seconds(9, CacheScope::Public);
    let private = for_seconds(5, CacheScope::Private);
    assert_eq!(public.and(private), private);
    assert_eq!(private.and(public), private);
    assert_eq!(public.and(public), public);
}

#[test]
fn mcp_cache_03_a_private_answer_is_its_principals_alone() {
    let (ann, ben) = (person("ann"), person("ben"));
    let mut cache = Cache::default();
    let private = for_seconds(5, CacheScope::Private);
    put(&mut cache, tools(), Some(&ann), "ann's", private);
    put(&mut cache, tools(), Some(&ben), "ben's", private);
    assert_eq!(
        found(&mut cache, tools(), Some(&ann), SECOND).as_deref(),
        Some("ann's")
    );
    assert_eq!(
        found(&mut cache, tools(), Some(&ben), SECOND).as_deref(),
        Some("ben's")
    );
    assert_eq!(found(&mut cache, tools(), None, SECOND), None);
    assert_eq!(found(&mut cache, tools(), Some(&person("")), SECOND), None);

    cache.forget_principal("ann");
    assert_eq!(found(&mut cache, tools(), Some(&ann), SECOND), None);
    assert!(found(&mut cache, tools(), Some(&ben), SECOND).is_some());
}

#[test]
fn mcp_cache_03_without_a_name_nothing_private_is_kept() {
    let mut cache = Cache::default();
    put(
        &mut cache,
        tools(),
        None,
        "a",
        for_seconds(5, CacheScope::Private),
    );
    assert!(cache.entries.is_empty());
}

#[test]
fn mcp_cache_03_a_public_answer_is_everybodys_until_it_is_private() {
    let (ann, ben) = (person("ann"), person("ben"));
    let mut cache = Cache::default();
    put(
        &mut cache,
        tools(),
        Some(&ann),
        "all",
        for_seconds(2, CacheScope::Public),
    );
    assert_eq!(
        found(&mut cache, tools(), Some(&ben), SECOND).as_deref(),
        Some("all")
    );
    assert_eq!(
        found(&mut cache, tools(), None, SECOND).as_deref(),
        Some("all")
    );

    let asked = Ticket {
        key: tools(),
        principal: Some(ann.clone()),
        changes: cache.changes,
    };
    cache.keep(
        asked,
        page("mine"),
        for_seconds(5, CacheScope::Private),
        SECOND,
    );
    assert_eq!(
        found(&mut cache, tools(), Some(&ann), SECOND).as_deref(),
        Some("mine")
    );
    assert_eq!(found(&mut cache, tools(), Some(&ben), SECOND), None);
}

#[test]
fn mcp_cache_03_another_server_method_or_address_is_another_answer() {
    let mut cache = Cache::default();
    let public = for_seconds(5, CacheScope::Public);
    let read = |uri: &str| Key::about(&server(), "resources/read", uri);
    put(&mut cache, tools(), None, "a", public);
    put(&mut cache, read("a:1"), None, "one", public);
    let elsewhere: Arc<str> = Arc::from("https://b.example/mcp");
    for other in [
        Key::whole(&elsewhere, "tools/list"),
        Key::whole(&server(), "prompts/list"),
        read("a:2"),
        Key::whole(&server(), "resources/read"),
    ] {
        assert_eq!(found(&mut cache, other, None, SECOND), None);
    }
    assert_eq!(
        found(&mut cache, read("a:1"), None, SECOND).as_deref(),
        Some("one")
    );
}

#[test]
fn mcp_cache_04_a_change_ends_what_it_is_about_and_nothing_else() {
    let uri = "a:1";
    let keys = || {
        [
            tools(),
            Key::whole(&server(), "prompts/list"),
            Key::whole(&server(), "resources/list"),
            Key::whole(&server(), "resources/templates/list"),
            Key::about(&server(), "resources/read", uri),
            Key::about(&server(), "resources/read", "a:2"),
            Key::whole(&Arc::from("https://b.example/mcp"), "tools/list"),
        ]
    };
    for (stale, ended) in [
        (Stale::Tools, vec![0]),
        (Stale::Prompts, vec![1]),
        (Stale::Resources, vec![2, 3]),
        (Stale::Resource(uri), vec![4]),
    ] {
        let mut cache = Cache::default();
        for key in keys() {
            put(
                &mut cache,
                key,
                None,
                "a",
                for_seconds(5, CacheScope::Public),
            );
        }
        cache.forget(&server(), stale);
        for (at, key) in keys().into_iter().enumerate() {
            let gone = found(&mut cache, key, None, SECOND).is_none();
            assert_eq!(gone, ended.contains(&at), "{stale:?} {at}");
        }
    }
}

#[test]
fn mcp_cache_04_an_answer_that_was_asked_for_before_a_change_is_not_kept() {
    let mut cache = Cache::default();
    let early = ticket(&mut cache, tools(), None);
    cache.forget(&server(), Stale::Tools);
    cache.keep(
        early,
        page("old"),
        for_seconds(5, CacheScope::Public),
        SECOND,
    );
    assert_eq!(found(&mut cache, tools(), None, SECOND), None);
}

#[test]
fn mcp_cache_03_an_answer_that_comes_after_its_principal_has_left_is_not_kept() {
    let ann = person("ann");
    let mut cache = Cache::default();
    let late = ticket(&mut cache, tools(), Some(&ann));
    cache.forget_principal("ann");
    let private = for_seconds(5, CacheScope::Private);
    cache.keep(late, page("ann's"), private, SECOND);
    assert_eq!(found(&mut cache, tools(), Some(&ann), SECOND), None);
}

#[test]
fn what_was_not_used_for_longest_goes_first() {
    let mut cache = Cache::new(CacheLimits {
        entries: 2,
        ..CacheLimits::default()
    });
    let key = |n: u32| Key::about(&server(), "resources/read", &n.to_string());
    let public = for_seconds(5, CacheScope::Public);
    put(&mut cache, key(1), None, "1", public);
    put(&mut cache, key(2), None, "2", public);
    assert!(found(&mut cache, key(1), None, SECOND).is_some());
    put(&mut cache, key(3), None, "3", public);
    assert!(found(&mut cache, key(1), None, SECOND).is_some());
    assert_eq!(found(&mut cache, key(2), None, SECOND), None);
    assert!(found(&mut cache, key(3), None, SECOND).is_some());
}

#[test]
fn an_answer_over_the_limit_is_not_kept_and_pushes_nothing_out() {
    let mut cache = Cache::new(CacheLimits {
        bytes: 10,
        ..CacheLimits::default()
    });
    let public = for_seconds(5, CacheScope::Public);
    put(&mut cache, tools(), None, "12345678", public);
    assert_eq!(cache.bytes, 10);
    put(
        &mut cache,
        Key::whole(&server(), "prompts/list"),
        None,
        "123456789",
        public,
    );
    assert!(found(&mut cache, tools(), None, SECOND).is_some());
    let mut none = Cache::new(CacheLimits {
        entries: 0,
        ..CacheLimits::default()
    });
    put(&mut none, tools(), None, "a", public);
    assert!(none.entries.is_empty());
}

proptest! {
    /// Whatever is put in, the bounds hold, and the count of bytes is that of what is there.
    #[test]
    fn the_bounds_hold(puts in prop::collection::vec((0_u8..12, 0_usize..12, any::<bool>(), 0_u8..3), 0..60)) {
        let limits = CacheLimits { entries: 5, bytes: 30, longest: SECOND };
        let mut cache = Cache::new(limits);
        for (what, length, public, who) in puts {
            let key = Key::about(&server(), "resources/read", &what.to_string());
            let principal = person(&who.to_string());
            let scope = if public { CacheScope::Public } else { CacheScope::Private };
            if let Looked::Absent(ticket) = cache.look(key, Some(&principal), Duration::ZERO) {
                cache.keep(ticket, page(&"x".repeat(length)), for_seconds(1, scope), Duration::ZERO);
            }
            if what == 11 {
                cache.forget(&server(), Stale::Resource("3"));
            }
            let bytes: usize = cache.entries.values().map(|entry| entry.bytes).sum();
            prop_assert_eq!(bytes, cache.bytes);
            prop_assert!(cache.entries.len() <= limits.entries && bytes <= limits.bytes);
        }
    }
}
