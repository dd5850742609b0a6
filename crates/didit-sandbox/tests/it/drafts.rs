//! Workflows and their graphs: drafts, publishing, and what can be asked about a graph.

use serde_json::{Value, json};

use crate::harness::World;

fn graph() -> Value {
    json!({ "start_node": "a", "nodes": {
        "a": { "node_type": "feature", "feature": "OCR", "config": { "x": 1 }, "next": "b" },
        "b": { "node_type": "feature", "feature": "AML", "next": "c" },
        "c": { "node_type": "status", "session_status": "Determine" },
    } })
}

#[test]
fn a_workflow_is_drafted_edited_published_and_replaces_the_one_before() {
    let world = World::new();
    let app = world.app(0, 0);
    let at = |id: &str, tail: &str| format!("{app}/verification-settings/{id}/{tail}");
    let first = world.get("rita", &at(&world.workflow(0, 0), "")).body;
    let (uuid, id) = (
        first["uuid"].as_str().unwrap(),
        first["workflow_id"].as_str().unwrap(),
    );
    let shown = world.get("rita", &at(uuid, "workflow-graph/")).body;
    assert_eq!(shown["graph"]["nodes"].as_object().unwrap().len(), 6);
    let refused = world.call(
        "devon",
        "PUT",
        &at(uuid, "workflow-graph/"),
        json!({ "graph": graph() }),
    );
    assert_eq!(refused.status, 409);
    let draft = world
        .call("devon", "POST", &at(uuid, "create-draft/"), Value::Null)
        .body;
    assert_eq!(
        (&draft["version"], &draft["status"], &draft["workflow_id"]),
        (&json!(2), &json!("draft"), &json!(id))
    );
    let again = world.call("devon", "POST", &at(uuid, "create-draft/"), Value::Null);
    assert_eq!((again.status, &again.body["uuid"]), (200, &draft["uuid"]));
    let new = draft["uuid"].as_str().unwrap();
    assert_eq!(
        world
            .call("devon", "POST", &at(new, "create-draft/"), Value::Null)
            .status,
        409
    );
    let mut broken = graph();
    broken["nodes"]["b"]["next"] = json!("z");
    let refused = world.call(
        "devon",
        "PUT",
        &at(new, "workflow-graph/"),
        json!({ "graph": broken }),
    );
    assert_eq!(
        (refused.status, refused.body["graph"].is_array()),
        (400, true)
    );
    let saved = world.call(
        "devon",
        "PUT",
        &at(new, "workflow-graph/"),
        json!({ "graph": graph() }),
    );
    assert_eq!((saved.status, &saved.body["graph"]), (200, &graph()));
    // Until it is published, sessions use the version before.
    let session = |world: &World| {
        let made = world
            .call(
                "devon",
                "POST",
                "/v3/session/",
                json!({ "workflow_id": id, "sandbox_scenario": null }),
            )
            .body;
        let path = format!(
            "/v3/session/{}/decision/",
            made["session_id"].as_str().unwrap()
        );
        world.get("devon", &path).body["features"].clone()
    };
    assert_eq!(session(&world).as_array().unwrap().len(), 5);
    assert_eq!(
        world
            .call(
                "devon",
                "PATCH",
                &at(new, ""),
                json!({ "status": "published" })
            )
            .status,
        200
    );
    assert_eq!(session(&world), json!(["OCR", "AML"]));
    let now = world.get("rita", &at(id, "")).body;
    assert_eq!(
        (&now["uuid"], &now["is_default"], &now["version"]),
        (&draft["uuid"], &json!(true), &json!(2))
    );
    assert_eq!(world.get("rita", &at(uuid, "")).status, 404);
}

#[test]
fn a_graph_is_checked_and_asked_about_without_saving_it() {
    let world = World::new();
    let app = world.app(0, 0);
    let post = |tail: &str, body: Value| world.call("rita", "POST", &format!("{app}/{tail}"), body);
    let good = post("workflow-graph/validate/", json!({ "graph": graph() })).body;
    assert_eq!(
        (&good["is_valid"], &good["errors"]),
        (&json!(true), &json!([]))
    );
    let mixed = post(
        "workflow-graph/validate/",
        json!({ "graph": graph(), "workflow_type": "kyb" }),
    )
    .body;
    assert_eq!(
        (&mixed["is_valid"], &mixed["errors"][0]["code"]),
        (&json!(false), &json!("mixed_features"))
    );
    let path = format!(
        "verification-settings/{}/workflow-graph/branch-fields/",
        world.workflow(0, 0)
    );
    let fields = post(&path, json!({ "graph": graph(), "branch_node_id": "c" })).body;
    assert_eq!(
        (
            &fields["fields"][0]["field"],
            fields["fields"].as_array().unwrap().len()
        ),
        (&json!("a.status"), 7)
    );
    assert_eq!(
        post(&path, json!({ "graph": graph(), "branch_node_id": "z" })).status,
        400
    );
    let body = json!({ "features": ["OCR"], "branches": [{ "countries": ["ESP"], "features": ["AML"] }, { "countries": ["FRA"], "features": ["PROOF_OF_ADDRESS"] }] });
    let built = post("compliance/build-workflow/", body).body;
    assert_eq!(
        (&built["valid"], &built["errors"]),
        (&json!(true), &json!([])),
        "{}",
        built["graph"]
    );
    let built = post(
        "compliance/build-workflow/",
        json!({ "subject": "kyb", "features": ["OCR"] }),
    )
    .body;
    assert_eq!(built["valid"], false);
}
