//! The record of what came in, which keeps no credential.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::harness::World;

#[test]
fn a_request_is_remembered_as_it_was_sent() {
    let world = World::new();
    let app = world.app(0, 0);
    world.sandbox.forget_requests();
    let body = json!({ "name": "New", "list_type": "custom", "entry_type": "email" });
    world.call("adam", "POST", &format!("{app}/lists/"), body.clone());
    world.get(
        "rita",
        &format!("{app}/vendor-users/a%2Fb/?search=a%20b&limit=2"),
    );
    let seen = world.sandbox.requests();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (seen[0].method.as_str(), &seen[0].path),
        ("POST", &format!("{app}/lists/"))
    );
    assert_eq!(seen[0].json(), Some(body));
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[0].header("authorization"), Some("Bearer (adam)"));
    assert_eq!(seen[1].path, format!("{app}/vendor-users/a%2Fb/"));
    let query = [("search", "a b"), ("limit", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(seen[1].query, query);
    assert_eq!((seen[1].json(), seen[1].body_bytes), (None, 0));
}

#[test]
fn no_credential_is_kept_whether_it_is_known_or_not() {
    let world = World::new();
    let good = world.sandbox.credential("olivia").unwrap();
    let sent = [
        ("authorization", format!("Bearer {good}"), "Bearer (olivia)"),
        (
            "authorization",
            "Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln".to_owned(),
            "Bearer (unknown)",
        ),
        ("authorization", "s3cret".to_owned(), "(hidden) (unknown)"),
        (
            "authorization",
            "Basic c2VjcmV0".to_owned(),
            "(hidden) (unknown)",
        ),
        ("x-api-key", "s3cret".to_owned(), "(unknown)"),
        ("cookie", "sid=s3cret".to_owned(), "(hidden)"),
        ("proxy-authorization", "s3cret".to_owned(), "(hidden)"),
    ];
    for (name, value, _) in &sent {
        let request = Request::get("/auth/v2/organizations/me/").header(*name, value);
        world.send(request.body(Full::default()).unwrap());
    }
    let seen = world.sandbox.requests();
    for (row, (name, value, shown)) in seen.iter().zip(&sent) {
        assert_eq!(row.header(name), Some(*shown), "{value}");
    }
    let told = format!("{seen:?}");
    for (_, value, _) in &sent {
        let secret = value.rsplit(' ').next().unwrap();
        assert!(!told.contains(secret), "{secret}");
    }
}

#[test]
fn the_record_is_bounded_in_requests_bytes_and_headers() {
    let world = World::new();
    let long = "a".repeat(100_000);
    let mut request = Request::post("/v3/session/")
        .header(
            "authorization",
            format!("Bearer {}", world.sandbox.credential("olivia").unwrap()),
        )
        .header("content-type", "application/json")
        .header("x-long", &long);
    for number in 0..100 {
        request = request.header(format!("x-{number}"), "1");
    }
    let body = json!({ "workflow_id": long }).to_string();
    world.send(request.body(Full::new(Bytes::from(body.clone()))).unwrap());
    let seen = world.sandbox.requests();
    assert_eq!(
        (seen[0].body.len(), seen[0].body_bytes),
        (64 * 1024, body.len())
    );
    assert_eq!(seen[0].headers.len(), 64);
    assert_eq!(seen[0].header("x-long").map(str::len), Some(8 * 1024));
    for number in 0..300 {
        world.call("olivia", "PUT", &format!("/v3/{number}/"), Value::Null);
    }
    let seen = world.sandbox.requests();
    assert_eq!(
        (seen.len(), seen[0].path.as_str(), seen[255].path.as_str()),
        (256, "/v3/44/", "/v3/299/")
    );
    // The numbers go on after the oldest have gone.
    world.call("olivia", "POST", "/v3/session/", json!({ "x": 1 }));
    assert_eq!(
        world.sandbox.requests()[255].json(),
        Some(json!({ "x": 1 }))
    );
    world.sandbox.forget_requests();
    world.call("olivia", "POST", "/v3/session/", json!({ "x": 2 }));
    assert_eq!(world.sandbox.requests()[0].json(), Some(json!({ "x": 2 })));
}
