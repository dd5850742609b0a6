//! Cases, transactions, webhook destinations, questionnaires and lists.

use serde_json::{Value, json};

use crate::harness::World;

/// Makes a row, finds it in the list, changes it and, where that is possible, removes it.
fn lifecycle(world: &World, who: &str, path: &str, body: &Value, change: &Value, deletes: bool) {
    let made = world.call(who, "POST", path, body.clone());
    assert_eq!(made.status, 201, "{}", made.body);
    let one = format!("{path}{}/", made.body["uuid"].as_str().unwrap());
    assert_eq!(world.get("rita", path).body["results"][0], made.body);
    assert_eq!(world.get("rita", &one).body, made.body);
    let changed = world.call(who, "PATCH", &one, change.clone());
    assert_eq!(changed.status, 200, "{}", changed.body);
    let shown = world.get("rita", &one).body;
    for (name, value) in change.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
    if deletes {
        assert_eq!(world.call(who, "DELETE", &one, Value::Null).status, 204);
        assert_eq!(world.get("rita", &one).status, 404);
        assert_eq!(world.call(who, "DELETE", &one, Value::Null).status, 404);
    }
    let elsewhere = one.replace(&world.app(0, 0), &world.app(0, 1));
    assert_eq!(world.get("rita", &elsewhere).status, 404);
}

#[test]
fn records_live_through_their_routes() {
    let world = World::new();
    let app = world.app(0, 0);
    for (who, tail, body, change, deletes) in [
        (
            "devon",
            "webhook/destinations/",
            json!({ "label": "Mine", "url": "https://a.example/h" }),
            json!({ "enabled": false, "webhook_version": "v2" }),
            true,
        ),
        (
            "devon",
            "questionnaires/",
            json!({ "title": "Job" }),
            json!({ "status": "published", "languages": ["en", "es"] }),
            true,
        ),
        (
            "carmen",
            "lists/",
            json!({ "name": "Watched", "list_type": "custom", "entry_type": "email" }),
            json!({ "name": "Watched more" }),
            true,
        ),
        (
            "carmen",
            "cases/",
            json!({ "title": "Odd", "priority": "HIGH" }),
            json!({ "status": "RESOLVED", "assignee": "carmen@harbourlane.example" }),
            false,
        ),
    ] {
        lifecycle(
            &world,
            who,
            &format!("{app}/{tail}"),
            &body,
            &change,
            deletes,
        );
    }
}

#[test]
fn what_is_wrong_with_a_record_is_told_by_field() {
    let world = World::new();
    let app = world.app(0, 0);
    for (tail, body, field, why) in [
        (
            "webhook/destinations/",
            json!({ "label": "x" }),
            "url",
            "This field is required.",
        ),
        (
            "webhook/destinations/",
            json!({ "label": "x", "url": "x" }),
            "url",
            "Enter a valid URL.",
        ),
        (
            "webhook/destinations/",
            json!({ "label": "x", "url": "https://a.example", "subscribed_events": ["*"] }),
            "subscribed_events",
            "\"*\" is not a valid choice.",
        ),
        (
            "webhook/destinations/",
            json!({ "label": "x", "url": "https://a.example", "webhook_version": "v9" }),
            "webhook_version",
            "\"v9\" is not a valid choice.",
        ),
        (
            "questionnaires/",
            json!({}),
            "title",
            "This field is required.",
        ),
        (
            "lists/",
            json!({ "name": "x", "entry_type": "email", "list_type": "blocklist" }),
            "list_type",
            "\"blocklist\" is not a valid choice.",
        ),
        (
            "cases/",
            json!({ "status": "GONE" }),
            "status",
            "\"GONE\" is not a valid choice.",
        ),
        (
            "cases/",
            json!({ "session_id": "nothing" }),
            "session_id",
            "Session not found.",
        ),
    ] {
        let reply = world.call("olivia", "POST", &format!("{app}/{tail}"), body);
        assert_eq!(
            (reply.status, reply.body),
            (400, json!({ field: [why] })),
            "{tail}"
        );
    }
}

#[test]
fn destinations_carry_secrets_that_differ() {
    let world = World::new();
    let body = world
        .get(
            "rita",
            &format!("{}/webhook/destinations/", world.app(0, 0)),
        )
        .body;
    assert_eq!(body["count"], 2);
    let secret = |row: usize| {
        body["results"][row]["secret_shared_key"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(secret(0).starts_with("whsec_") && secret(0).len() == 38);
    assert_ne!(secret(0), secret(1));
}

#[test]
fn lists_are_filtered_and_those_of_the_system_stay() {
    let world = World::new();
    let path = format!("{}/lists/", world.app(0, 0));
    assert_eq!(world.get("rita", &path).body["count"], 3);
    let found = world
        .get("rita", &format!("{path}?list_type=blocklist"))
        .body;
    assert_eq!(
        (&found["count"], &found["results"][0]["entry_type"]),
        (&json!(1), &json!("document"))
    );
    assert_eq!(
        world.get("rita", &format!("{path}?entry_type=face")).body["count"],
        0
    );
    assert_eq!(
        world.get("rita", &format!("{path}?entry_type=pet")).status,
        400
    );
    let one = format!("{path}{}/", found["results"][0]["uuid"].as_str().unwrap());
    let reply = world.call("carmen", "DELETE", &one, Value::Null);
    assert_eq!(
        (reply.status, reply.body),
        (
            400,
            json!({ "non_field_errors": ["A system list cannot be deleted."] })
        )
    );
    assert_eq!(world.get("rita", &one).status, 200);
}

#[test]
fn transactions_are_listed_filtered_and_shown() {
    let world = World::new();
    let path = format!("{}/transactions/", world.app(0, 0));
    let body = world.get("rita", &path).body;
    assert_eq!(body["count"], 16);
    let row = &body["results"][0];
    let found = world
        .get(
            "rita",
            &format!("{path}?search={}", row["transaction_id"].as_str().unwrap()),
        )
        .body;
    assert_eq!((&found["count"], &found["results"][0]), (&json!(1), row));
    let status = row["status"].as_str().unwrap();
    let found = world.get("rita", &format!("{path}?status={status}")).body;
    assert!(
        found["results"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["status"] == status)
    );
    assert_eq!(
        &world
            .get("rita", &format!("{path}{}/", row["uuid"].as_str().unwrap()))
            .body,
        row
    );
    assert_eq!(world.get("rita", &format!("{path}nothing/")).status, 404);
    let body = world
        .get(
            "rita",
            &format!("/v3/organization/{}/transactions/", world.org_id(0)),
        )
        .body;
    assert_eq!(body["count"], 48);
    assert_eq!(body["results"][0]["organization_id"], world.org_id(0));
}

#[test]
fn cases_are_counted_by_status() {
    let world = World::new();
    let path = format!("{}/cases/", world.app(0, 0));
    let before = world.get("rita", &format!("{path}statistics/")).body;
    world.call("carmen", "POST", &path, json!({ "title": "One more" }));
    let after = world.get("rita", &format!("{path}statistics/")).body;
    let open = |body: &Value| body["by_status"]["OPEN"].as_u64().unwrap();
    assert_eq!(open(&after), open(&before) + 1);
    assert_eq!(
        after["total"].as_u64(),
        before["total"].as_u64().map(|total| total + 1)
    );
    let listed = world
        .get("rita", &format!("{path}?status=OPEN&limit=200"))
        .body;
    assert_eq!(
        listed["results"].as_array().unwrap().len() as u64,
        open(&after)
    );
}
