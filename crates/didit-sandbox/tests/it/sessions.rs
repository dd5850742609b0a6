//! The life of a session: created, listed, decided, reviewed, expired, deleted.

use serde_json::{Value, json};

use crate::harness::World;

fn create(world: &World, body: Value) -> Value {
    let reply = world.call("devon", "POST", "/v3/session/", body);
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.body
}

#[test]
fn a_session_is_created_listed_decided_and_deleted() {
    let world = World::new();
    let workflow = world.workflow(0, 0);
    let made = create(
        &world,
        json!({ "workflow_id": workflow, "vendor_data": "new-1", "metadata": { "plan": "gold" } }),
    );
    assert_eq!(made["status"], "Not Started");
    assert_eq!(made["session_number"], 111);
    let token = made["session_token"].as_str().unwrap();
    assert_eq!(
        made["url"],
        format!("https://verify.sandbox.invalid/session/{token}")
    );
    let id = made["session_id"].as_str().unwrap();

    let listed = world
        .get("rita", &format!("{}/sessions/?limit=1", world.app(0, 0)))
        .body;
    assert_eq!(listed["count"], 111);
    let row = &listed["results"][0];
    assert_eq!(row["session_id"], id);
    assert_eq!(row["workflow_id"], made["workflow_id"]);
    assert_eq!(
        (&row["vendor_data"], &row["metadata"]["plan"]),
        (&json!("new-1"), &json!("gold"))
    );
    assert_eq!(row["created_at"], "2026-01-01T00:00:00Z");

    let decision = world
        .get("rita", &format!("/v3/session/{id}/decision/"))
        .body;
    assert_eq!(decision["status"], "Not Started");
    assert_eq!(
        (&decision["id_verifications"], &decision["reviews"]),
        (&Value::Null, &json!([]))
    );

    world.advance(60);
    let path = format!("/v3/session/{id}/update-status/");
    let body = json!({ "new_status": "Approved", "comment": "Known to us." });
    let reply = world.call("carmen", "PATCH", &path, body);
    assert_eq!(
        (reply.status, reply.body),
        (200, json!({ "session_id": id, "status": "Approved" }))
    );

    let decision = world
        .get("rita", &format!("/v3/session/{id}/decision/"))
        .body;
    assert_eq!(decision["status"], "Approved");
    let review = &decision["reviews"][0];
    assert_eq!(review["reviewer"], "carmen@harbourlane.example");
    assert_eq!(review["previous_status"], "Not Started");
    assert_eq!(review["comment"], "Known to us.");
    assert_eq!(review["created_at"], "2026-01-01T00:01:00Z");

    let path = format!("/v3/session/{id}/delete/");
    let reply = world.call("devon", "DELETE", &path, Value::Null);
    assert_eq!((reply.status, reply.body), (204, Value::Null));
    assert_eq!(
        world.call("devon", "DELETE", &path, Value::Null).status,
        404
    );
    assert_eq!(
        world
            .get("rita", &format!("/v3/session/{id}/decision/"))
            .status,
        404
    );
    let path = format!("{}/sessions/?search=new-1", world.app(0, 0));
    assert_eq!(world.get("rita", &path).body["count"], 0);
}

#[test]
fn the_unfinished_session_of_the_same_person_is_given_again() {
    let world = World::new();
    let workflow = world.workflow(0, 0);
    let ask = |callback: &str| json!({ "workflow_id": workflow, "vendor_data": "twice", "callback": callback });
    let first = create(&world, ask("https://a.example/"));
    let second = create(&world, ask("https://b.example/"));
    assert_eq!(first["session_id"], second["session_id"]);
    assert_eq!(second["callback"], "https://b.example/");
    let other = create(
        &world,
        json!({ "workflow_id": world.workflow(0, 1), "vendor_data": "twice" }),
    );
    assert_ne!(other["session_id"], first["session_id"]);
    let path = format!(
        "/v3/session/{}/update-status/",
        first["session_id"].as_str().unwrap()
    );
    assert_eq!(
        world
            .call(
                "carmen",
                "PATCH",
                &path,
                json!({ "new_status": "Declined" })
            )
            .status,
        200
    );
    let third = create(&world, ask("https://c.example/"));
    assert_ne!(third["session_id"], first["session_id"]);
    let nobody = json!({ "workflow_id": workflow });
    assert_ne!(
        create(&world, nobody.clone())["session_id"],
        create(&world, nobody)["session_id"]
    );
}

#[test]
fn a_session_that_nobody_began_expires() {
    let world = World::new();
    let ask = json!({ "workflow_id": world.workflow(0, 0), "vendor_data": "late" });
    let made = create(&world, ask.clone());
    let path = format!(
        "/v3/session/{}/decision/",
        made["session_id"].as_str().unwrap()
    );
    world.advance(7 * 86_400 - 1);
    assert_eq!(world.get("rita", &path).body["status"], "Not Started");
    world.advance(1);
    assert_eq!(world.get("rita", &path).body["status"], "Expired");
    assert_ne!(create(&world, ask)["session_id"], made["session_id"]);
}

#[test]
fn what_is_wrong_with_a_new_session_is_told_by_field() {
    let world = World::new();
    let workflow = world.workflow(0, 0);
    for (body, field, why) in [
        (json!({}), "workflow_id", "This field is required."),
        (
            json!({ "workflow_id": "nothing" }),
            "workflow_id",
            "Workflow not found.",
        ),
        (
            json!({ "workflow_id": workflow, "language": "xx" }),
            "language",
            "\"xx\" is not a valid choice.",
        ),
        (
            json!({ "workflow_id": workflow, "callback_method": "none" }),
            "callback_method",
            "\"none\" is not a valid choice.",
        ),
        (
            json!({ "workflow_id": workflow, "metadata": "x" }),
            "metadata",
            "Expected a dictionary of items but got type \"str\".",
        ),
        (
            json!({ "workflow_id": workflow, "vendor_data": "v".repeat(257) }),
            "vendor_data",
            "Ensure this field has no more than 256 characters.",
        ),
        (
            json!({ "workflow_id": workflow, "sandbox_scenario": "approve" }),
            "sandbox_scenario",
            "Only applications in sandbox mode take a scenario.",
        ),
        (
            json!({ "workflow_id": world.workflow(2, 0), "sandbox_scenario": "explode" }),
            "sandbox_scenario",
            "\"explode\" is not a valid choice.",
        ),
    ] {
        let reply = world.call("devon", "POST", "/v3/session/", body);
        assert_eq!((reply.status, reply.body), (400, json!({ field: [why] })));
    }
}

#[test]
fn a_workflow_of_an_organisation_of_others_is_not_found() {
    let world = World::new();
    let path = format!("{}/verification-settings/", world.app(2, 0));
    let theirs = world.get("samir", &path).body[0]["uuid"].clone();
    let reply = world.call(
        "olivia",
        "POST",
        "/v3/session/",
        json!({ "workflow_id": theirs }),
    );
    assert_eq!(
        (reply.status, reply.body),
        (400, json!({ "workflow_id": ["Workflow not found."] }))
    );
}

#[test]
fn a_draft_starts_no_session() {
    let world = World::new();
    let path = format!("{}/verification-settings/", world.app(0, 0));
    let body = json!({ "features": [{ "feature": "OCR" }], "status": "draft" });
    let draft = world.call("devon", "POST", &path, body).body["uuid"].clone();
    let reply = world.call(
        "devon",
        "POST",
        "/v3/session/",
        json!({ "workflow_id": draft }),
    );
    assert_eq!(
        (reply.status, reply.body),
        (
            400,
            json!({ "workflow_id": ["Workflow is not published."] })
        )
    );
}

#[test]
fn a_scenario_leads_to_its_outcome() {
    let world = World::new();
    for (scenario, status, warnings) in [
        ("approve", "Approved", 0),
        ("decline_document_expired", "Declined", 1),
        ("review_aml", "In Review", 1),
    ] {
        let made = create(
            &world,
            json!({ "workflow_id": world.workflow(2, 0), "sandbox_scenario": scenario }),
        );
        assert_eq!(made["status"], status);
        let path = format!(
            "/v3/session/{}/decision/",
            made["session_id"].as_str().unwrap()
        );
        let decision = world.get("rita", &path).body;
        let check = &decision["id_verifications"][0];
        assert_eq!(check["status"], status);
        assert_eq!(check["warnings"].as_array().unwrap().len(), warnings);
    }
}

#[test]
fn a_finished_session_has_a_section_for_every_feature() {
    let world = World::new();
    let path = format!(
        "{}/sessions/?status=Approved&limit=1&workflow_id={}",
        world.app(0, 0),
        world.workflow(0, 0)
    );
    let row = world.get("rita", &path).body["results"][0].clone();
    let path = format!(
        "/v3/session/{}/decision/",
        row["session_id"].as_str().unwrap()
    );
    let decision = world.get("rita", &path).body;
    for section in [
        "id_verifications",
        "liveness_checks",
        "face_matches",
        "aml_screenings",
        "ip_analyses",
    ] {
        assert_eq!(decision[section][0]["status"], "Approved", "{section}");
    }
    assert_eq!(decision["poa_verifications"], Value::Null);
    assert_eq!(
        decision["id_verifications"][0]["full_name"],
        row["full_name"]
    );
    assert_eq!(world.get("rita", &path).body, decision);
}

#[test]
fn resubmission_is_asked_for_only_where_it_makes_sense() {
    let world = World::new();
    for (status, passes) in [
        ("Declined", true),
        ("In Review", true),
        ("Abandoned", true),
        ("Approved", false),
        ("Expired", false),
        ("Not Started", false),
        ("In Progress", false),
        ("Kyc Expired", false),
    ] {
        let path = format!("/v3/session/{}/update-status/", world.session_with(status));
        let body = json!({ "new_status": "Resubmitted", "nodes_to_resubmit": ["feature_ocr_1", { "node_id": "x" }] });
        let reply = world.call("carmen", "PATCH", &path, body);
        if passes {
            assert_eq!(
                (reply.status, &reply.body["status"]),
                (200, &json!("Resubmitted")),
                "{status}"
            );
        } else {
            let why = format!("A session that is {status} cannot become Resubmitted.");
            assert_eq!(
                (reply.status, reply.body),
                (400, json!({ "new_status": [why] }))
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_new_status_is_told_by_field() {
    let world = World::new();
    let id = world.session_with("In Review");
    let path = format!("/v3/session/{id}/update-status/");
    for (body, field, why) in [
        (json!({}), "new_status", "This field is required."),
        (
            json!({ "new_status": "Deleted" }),
            "new_status",
            "\"Deleted\" is not a valid choice.",
        ),
        (
            json!({ "new_status": "In Review" }),
            "new_status",
            "\"In Review\" is not a valid choice.",
        ),
        (
            json!({ "new_status": "Approved", "send_email": "yes" }),
            "send_email",
            "Must be a valid boolean.",
        ),
        (
            json!({ "new_status": "Approved", "send_email": true }),
            "email_address",
            "This field is required when send_email is true.",
        ),
        (
            json!({ "new_status": "Approved", "email_address": "x" }),
            "email_address",
            "Enter a valid email address.",
        ),
        (
            json!({ "new_status": "Resubmitted", "nodes_to_resubmit": [1] }),
            "nodes_to_resubmit",
            "Each item must name a node.",
        ),
    ] {
        let reply = world.call("carmen", "PATCH", &path, body);
        assert_eq!((reply.status, reply.body), (400, json!({ field: [why] })));
    }
    let decision = world
        .get("rita", &format!("/v3/session/{id}/decision/"))
        .body;
    assert_eq!(decision["status"], "In Review");
}

#[test]
fn reviews_are_added_and_listed() {
    let world = World::new();
    let list = format!("{}/sessions/?status=In%20Review", world.app(0, 0));
    let id = world.get("rita", &list).body["results"][0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("{}/sessions/{id}/reviews/", world.app(0, 0));
    let reply = world.call("carmen", "POST", &path, json!({ "comment": "Looking." }));
    assert_eq!(
        (reply.status, &reply.body["new_status"]),
        (201, &json!("In Review"))
    );
    let body = json!({ "comment": "Fine.", "new_status": "Approved" });
    assert_eq!(world.call("carmen", "POST", &path, body).status, 201);
    let listed = world.get("rita", &path).body;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[1]["previous_status"], "In Review");
    let reply = world.call("carmen", "POST", &path, json!({}));
    assert_eq!(
        (reply.status, reply.body),
        (400, json!({ "comment": ["This field is required."] }))
    );
    let elsewhere = format!("{}/sessions/{id}/reviews/", world.app(0, 1));
    assert_eq!(world.get("rita", &elsewhere).status, 404);
}

#[test]
fn several_sessions_are_deleted_by_number_within_one_application() {
    let world = World::new();
    let (path, other) = (world.app(0, 0), world.app(0, 1));
    let delete =
        |body: Value| world.call("devon", "DELETE", &format!("{path}/sessions/delete/"), body);
    assert_eq!(
        delete(json!({ "session_numbers": [1, 2, 9_999] })).status,
        204
    );
    assert_eq!(
        world.get("rita", &format!("{path}/sessions/")).body["count"],
        108
    );
    assert_eq!(delete(json!({ "session_numbers": [1, 2] })).status, 404);
    let reply = delete(json!({}));
    assert_eq!(
        (reply.status, reply.body),
        (
            400,
            json!({ "session_numbers": ["This field is required."] })
        )
    );
    assert_eq!(delete(json!({ "session_numbers": ["1"] })).status, 400);
    assert_eq!(delete(json!({ "delete_all": "true" })).status, 400);
    assert_eq!(delete(json!({ "delete_all": true })).status, 204);
    assert_eq!(
        world.get("rita", &format!("{path}/sessions/")).body["count"],
        0
    );
    assert_eq!(
        world.get("rita", &format!("{other}/sessions/")).body["count"],
        50
    );
}

#[test]
fn the_acting_organisation_must_be_that_of_the_workflow() {
    let world = World::new();
    let send = |organization: String| {
        let request = http::Request::post("/v3/session/")
            .header(
                "authorization",
                format!("Bearer {}", world.sandbox.credential("olivia").unwrap()),
            )
            .header("content-type", "application/json")
            .header("x-didit-organization-id", organization)
            .body(
                json!({ "workflow_id": world.workflow(0, 0) })
                    .to_string()
                    .into(),
            );
        world.send(request.unwrap()).status
    };
    assert_eq!(send(world.org_id(0)), 201);
    assert_eq!(send(world.org_id(1)), 400);
    assert_eq!(send("nothing".to_owned()), 400);
}
