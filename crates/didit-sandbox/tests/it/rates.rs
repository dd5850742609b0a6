//! The limits over a sliding minute, once they are switched on.

use serde_json::Value;

use crate::harness::World;

#[test]
fn calls_are_counted_for_each_person_once_that_is_switched_on() {
    let world = World::new();
    let path = format!("/v3/session/{}/decision/", world.session_with("Approved"));
    let reply = world.get("olivia", &path);
    assert!(reply.headers.get("x-ratelimit-limit").is_none());
    world.sandbox.limit_rates(true);
    for left in (0..100).rev() {
        let reply = world.get("olivia", &path);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.headers["x-ratelimit-limit"], "100");
        assert_eq!(
            reply.headers["x-ratelimit-remaining"],
            left.to_string().as_str()
        );
        if left == 50 {
            world.advance(20);
        }
    }
    let reply = world.get("olivia", &path);
    assert_eq!(
        (reply.status, &reply.headers["retry-after"]),
        (429, &"40".parse().unwrap())
    );
    assert_eq!(reply.headers["x-ratelimit-remaining"], "0");
    assert!(
        reply.body["detail"]
            .as_str()
            .unwrap()
            .starts_with("Request was throttled.")
    );
    // Others, and other kinds of calls, go on.
    assert_eq!(world.get("rita", &path).status, 200);
    assert_eq!(
        world.get("olivia", "/auth/v2/organizations/me/").status,
        200
    );
    world.advance(40);
    // Only the first half has left the window.
    for _ in 0..50 {
        assert_eq!(world.get("olivia", &path).status, 200);
    }
    assert_eq!(world.get("olivia", &path).status, 429);
    world.sandbox.limit_rates(false);
    assert_eq!(world.get("olivia", &path).status, 200);
}

#[test]
fn a_refused_write_is_not_done() {
    let world = World::new();
    world.sandbox.limit_rates(true);
    let path = format!(
        "{}/verification-settings/{}/create-draft/",
        world.app(0, 0),
        world.workflow(0, 0)
    );
    for _ in 0..300 {
        assert_ne!(world.call("olivia", "POST", &path, Value::Null).status, 429);
    }
    let path = format!(
        "{}/verification-settings/{}/",
        world.app(0, 0),
        world.workflow(0, 1)
    );
    assert_eq!(
        world.call("olivia", "DELETE", &path, Value::Null).status,
        429
    );
    assert_eq!(world.get("olivia", &path).status, 200);
}
