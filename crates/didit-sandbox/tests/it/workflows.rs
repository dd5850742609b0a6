//! Workflows: listed bare, made, changed, put away.

use serde_json::{Value, json};

use crate::harness::World;

#[test]
fn a_workflow_is_made_shown_changed_and_put_away() {
    let world = World::new();
    let path = format!("{}/verification-settings/", world.app(0, 0));
    assert_eq!(world.get("rita", &path).body.as_array().unwrap().len(), 3);
    let body = json!({
        "workflow_label": "Light check",
        "features": [{ "feature": "OCR", "config": { "x": 1 } }, { "feature": "AML" }],
        "is_default": true,
        "max_retry_attempts": 2,
    });
    let reply = world.call("devon", "POST", &path, body);
    assert_eq!(reply.status, 201);
    let made = reply.body;
    assert_eq!(
        made["features"],
        json!([{ "feature": "OCR", "config": { "x": 1 } }, { "feature": "AML", "config": {} }])
    );
    assert_eq!(
        (&made["status"], &made["max_retry_attempts"]),
        (&json!("published"), &json!(2))
    );

    let listed = world.get("rita", &path).body;
    assert_eq!(listed[3], made);
    let defaults = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["is_default"] == true);
    assert_eq!(defaults.count(), 1);

    for id in [
        made["uuid"].as_str().unwrap(),
        made["workflow_id"].as_str().unwrap(),
    ] {
        assert_eq!(world.get("rita", &format!("{path}{id}/")).body, made);
    }
    let one = format!("{path}{}/", made["uuid"].as_str().unwrap());
    world.advance(60);
    let reply = world.call(
        "devon",
        "PATCH",
        &one,
        json!({ "workflow_label": "Lighter", "session_expiration_time": 60 }),
    );
    assert_eq!(reply.status, 200);
    assert_eq!(world.get("rita", &one).body["workflow_label"], "Lighter");
    assert_eq!(reply.body["updated_at"], "2026-01-01T00:01:00Z");

    let session = world.call(
        "devon",
        "POST",
        "/v3/session/",
        json!({ "workflow_id": made["uuid"] }),
    );
    assert_eq!(
        (session.status, &session.body["workflow_id"]),
        (201, &made["workflow_id"])
    );
    assert_eq!(world.call("devon", "DELETE", &one, Value::Null).status, 204);
    assert_eq!(world.get("rita", &one).status, 404);
    assert_eq!(world.get("rita", &path).body.as_array().unwrap().len(), 3);
    let again = world.call(
        "devon",
        "POST",
        "/v3/session/",
        json!({ "workflow_id": made["uuid"] }),
    );
    assert_eq!(again.status, 400);
    let decision = format!(
        "/v3/session/{}/decision/",
        session.body["session_id"].as_str().unwrap()
    );
    assert_eq!(
        world.get("rita", &decision).body["workflow_label"],
        "Lighter"
    );
}

#[test]
fn what_is_wrong_with_a_workflow_is_told_by_field() {
    let world = World::new();
    let path = format!("{}/verification-settings/", world.app(0, 0));
    let ocr = json!([{ "feature": "OCR" }]);
    for (body, field, why) in [
        (json!({}), "features", "This field is required."),
        (
            json!({ "features": [] }),
            "features",
            "This list may not be empty.",
        ),
        (
            json!({ "features": [{}] }),
            "features",
            "Each item must name a feature.",
        ),
        (
            json!({ "features": [{ "feature": "TELEPATHY" }] }),
            "features",
            "\"TELEPATHY\" is not a valid choice.",
        ),
        (
            json!({ "features": "OCR" }),
            "features",
            "Expected a list of items but got type \"str\".",
        ),
        (
            json!({ "features": ocr, "status": "live" }),
            "status",
            "\"live\" is not a valid choice.",
        ),
        (
            json!({ "features": ocr, "max_retry_attempts": 99 }),
            "max_retry_attempts",
            "Ensure this value is less than or equal to 10.",
        ),
        (
            json!({ "features": ocr, "workflow_label": "" }),
            "workflow_label",
            "This field may not be blank.",
        ),
    ] {
        let reply = world.call("devon", "POST", &path, body);
        assert_eq!((reply.status, reply.body), (400, json!({ field: [why] })));
    }
}

#[test]
fn a_workflow_is_found_only_in_its_own_application() {
    let world = World::new();
    let path = format!(
        "{}/verification-settings/{}/",
        world.app(0, 1),
        world.workflow(0, 0)
    );
    assert_eq!(world.get("rita", &path).status, 404);
}
