//! Vendor users: they come with sessions or on their own.

use serde_json::{Value, json};

use crate::harness::World;

#[test]
fn a_session_brings_its_user_along() {
    let world = World::new();
    let path = format!("{}/vendor-users/fresh/", world.app(0, 0));
    assert_eq!(world.get("rita", &path).status, 404);
    let body = json!({ "workflow_id": world.workflow(0, 0), "vendor_data": "fresh" });
    let made = world.call("devon", "POST", "/v3/session/", body).body;
    let user = world.get("rita", &path).body;
    assert_eq!(
        (&user["session_count"], &user["approved_count"]),
        (&json!(1), &json!(0))
    );
    let status = format!(
        "/v3/session/{}/update-status/",
        made["session_id"].as_str().unwrap()
    );
    world.call(
        "carmen",
        "PATCH",
        &status,
        json!({ "new_status": "Approved" }),
    );
    assert_eq!(world.get("rita", &path).body["approved_count"], 1);
}

#[test]
fn users_are_made_searched_changed_and_removed() {
    let world = World::new();
    let path = format!("{}/vendor-users/", world.app(0, 0));
    let before = world.get("rita", &path).body["count"].as_u64().unwrap();
    assert!(before > 20);
    let body =
        json!({ "vendor_data": "own 1", "full_name": "Zoe Quist", "date_of_birth": "1990-02-03" });
    let reply = world.call("adam", "POST", &path, body.clone());
    assert_eq!(
        (reply.status, &reply.body["status"]),
        (201, &json!("ACTIVE"))
    );
    let again = world.call("adam", "POST", &path, body);
    assert_eq!(again.status, 400);
    assert_eq!(
        again.body,
        json!({ "vendor_data": ["A user with this vendor_data already exists."] })
    );

    for query in [
        "search=zoe",
        "vendor_data=own%201",
        "search=QUIST&status=ACTIVE",
    ] {
        let found = world.get("rita", &format!("{path}?{query}")).body;
        assert_eq!(
            (&found["count"], &found["results"][0]["vendor_data"]),
            (&json!(1), &json!("own 1"))
        );
    }
    let reply = world.call(
        "adam",
        "PATCH",
        &format!("{path}own%201/update/"),
        json!({ "display_name": "Zoe" }),
    );
    assert_eq!(
        (reply.status, &reply.body["display_name"]),
        (200, &json!("Zoe"))
    );
    let bulk = json!({ "vendor_data_list": ["own 1"], "status": "BLOCKED" });
    let reply = world.call("adam", "POST", &format!("{path}bulk-status/"), bulk);
    assert_eq!((reply.status, reply.body), (200, json!({ "updated": 1 })));
    assert_eq!(
        world.get("rita", &format!("{path}own%201/")).body["status"],
        "BLOCKED"
    );

    let delete = |body: Value| {
        world
            .call("adam", "DELETE", &format!("{path}delete/"), body)
            .status
    };
    assert_eq!(delete(json!({ "vendor_data_list": ["own 1"] })), 204);
    assert_eq!(delete(json!({ "vendor_data_list": ["own 1"] })), 404);
    assert_eq!(delete(json!({})), 400);
    assert_eq!(world.get("rita", &path).body["count"], before);
    assert_eq!(delete(json!({ "delete_all": true })), 204);
    assert_eq!(world.get("rita", &path).body["count"], 0);
}

#[test]
fn what_is_wrong_with_a_user_is_told_by_field() {
    let world = World::new();
    let path = format!("{}/vendor-users/", world.app(0, 0));
    for (method, tail, body, field, why) in [
        (
            "POST",
            "",
            json!({}),
            "vendor_data",
            "This field is required.",
        ),
        (
            "POST",
            "",
            json!({ "vendor_data": "a", "status": "DEAD" }),
            "status",
            "\"DEAD\" is not a valid choice.",
        ),
        (
            "POST",
            "bulk-status/",
            json!({ "vendor_data_list": ["nobody"], "status": "ACTIVE" }),
            "vendor_data_list",
            "Not every user was found.",
        ),
        (
            "POST",
            "bulk-status/",
            json!({ "vendor_data_list": [1], "status": "ACTIVE" }),
            "vendor_data_list",
            "Not a valid string.",
        ),
        (
            "DELETE",
            "delete/",
            json!({ "vendor_data_list": [] }),
            "vendor_data_list",
            "This field is required.",
        ),
    ] {
        let reply = world.call("adam", method, &format!("{path}{tail}"), body);
        assert_eq!((reply.status, reply.body), (400, json!({ field: [why] })));
    }
    assert_eq!(
        world.get("rita", &format!("{path}?status=DEAD")).status,
        400
    );
}
