//! What is made lives on: drafts, entries, imports, reports, shares, members, comments, corrections.

use serde_json::{Value, json};

use crate::harness::World;
use crate::operations::{keyed, known};

fn graph() -> Value {
    json!({ "start_node": "a", "nodes": {
        "a": { "type": "feature", "feature": "OCR", "config": { "x": 1 }, "next": "b" },
        "b": { "type": "feature", "feature": "AML", "next": "c" },
        "c": { "type": "status", "session_status": "Determine" },
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
        (&good["valid"], &good["errors"]),
        (&json!(true), &json!([]))
    );
    let mixed = post(
        "workflow-graph/validate/",
        json!({ "graph": graph(), "workflow_type": "kyb" }),
    )
    .body;
    assert_eq!(
        (&mixed["valid"], &mixed["errors"][0]["code"]),
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

#[test]
fn entries_are_counted_and_a_session_is_blocked_and_unblocked() {
    let world = World::new();
    let app = world.app(0, 0);
    let list = known(&world, "list_uuid");
    let path = format!("{app}/lists/{list}/entries/");
    let count = |world: &World| {
        world.get("rita", &format!("{app}/lists/{list}/")).body["entries_count"]
            .as_u64()
            .unwrap()
    };
    let before = count(&world);
    let made = world
        .call(
            "carmen",
            "POST",
            &path,
            json!({ "value": "+1555", "comment": "why" }),
        )
        .body;
    assert_eq!(
        (
            count(&world),
            &world.get("rita", &format!("{path}?search=why")).body["count"]
        ),
        (before + 1, &json!(1))
    );
    assert_eq!(
        world
            .call("carmen", "POST", &path, json!({ "value": "+1555" }))
            .status,
        400
    );
    assert_eq!(world.call("carmen", "POST", &path, json!({})).status, 400);
    world.call(
        "carmen",
        "DELETE",
        &format!("{path}{}/", made["uuid"].as_str().unwrap()),
        Value::Null,
    );
    assert_eq!(count(&world), before);
    let session = known(&world, "session_id");
    let blocked = |world: &World, kind: &str| {
        world
            .get("rita", &format!("{app}/blocklist/?item_type={kind}"))
            .body["count"]
            .as_u64()
            .unwrap()
    };
    let (faces, documents) = (blocked(&world, "face"), blocked(&world, "document"));
    let body = json!({ "session_id": session, "blocklist_face": true, "blocklist_document": true });
    for _ in 0..2 {
        assert_eq!(
            world
                .call(
                    "carmen",
                    "POST",
                    &format!("{app}/blocklist/add/"),
                    body.clone()
                )
                .status,
            200
        );
    }
    assert_eq!(
        (blocked(&world, "face"), blocked(&world, "document")),
        (faces + 1, documents + 1)
    );
    keyed(
        &world,
        "POST",
        "/v3/blocklist/remove/",
        json!({ "session_id": session, "unblock_face": true }),
    );
    assert_eq!(
        (blocked(&world, "face"), blocked(&world, "document")),
        (faces, documents + 1)
    );
    for body in [
        json!({ "session_id": session }),
        json!({ "session_id": session, "blocklist_face": "true" }),
        json!({ "session_id": "x", "blocklist_face": true }),
    ] {
        assert_eq!(
            world
                .call(
                    "carmen",
                    "POST",
                    &format!("{app}/blocklist/add/"),
                    body.clone()
                )
                .status,
            400,
            "{body}"
        );
    }
}

#[test]
fn imports_and_reports_are_done_after_a_while() {
    let world = World::new();
    let path = format!("/v3/session/imports/{}/", known(&world, "import"));
    let status = |path: &str| {
        world.get("olivia", path).body["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status(&path), "PENDING");
    world.advance(30);
    let half = world.get("olivia", &path).body;
    assert_eq!(half["status"], "PROCESSING");
    assert!(half["processed_rows"].as_u64() < half["total_rows"].as_u64());
    world.advance(30);
    let done = world.get("olivia", &path).body;
    assert_eq!(
        (&done["status"], &done["processed_rows"]),
        (&json!("COMPLETED"), &done["total_rows"])
    );
    assert_eq!(
        world.get("olivia", &format!("{path}errors/")).body["count"],
        done["failed_rows"]
    );
    let reports = format!("{}/reports/", world.app(0, 0));
    let refused = world.call(
        "olivia",
        "POST",
        &format!("{reports}sessions/"),
        json!({ "columns": ["session_id", "face"] }),
    );
    assert_eq!(
        (
            refused.status,
            &refused.body["detail"],
            refused.body["allowed"].is_array()
        ),
        (400, &json!("Invalid columns"), true)
    );
    assert_eq!(
        world
            .call("olivia", "POST", &format!("{reports}pets/"), json!({}))
            .status,
        404
    );
    let made = world
        .call(
            "olivia",
            "POST",
            &format!("{reports}transactions/"),
            json!({}),
        )
        .body;
    let one = format!("{reports}{}/", made["uuid"].as_str().unwrap());
    assert_eq!(
        (
            status(&one),
            world.get("olivia", &format!("{one}download-url/")).status
        ),
        ("PROCESSING".to_owned(), 409)
    );
    world.advance(30);
    assert_eq!(
        (
            status(&one),
            world.get("olivia", &format!("{one}download-url/")).status
        ),
        ("COMPLETED".to_owned(), 200)
    );
}

#[test]
fn a_finished_session_is_shared_and_imported_once() {
    let world = World::new();
    let partner = world
        .get(
            "olivia",
            &format!(
                "/auth/v2/organizations/me/{}/applications/",
                world.org_id(0)
            ),
        )
        .body[2]["client_id"]
        .clone();
    let share = |session: &str, body: Value| {
        world.call(
            "devon",
            "POST",
            &format!("/v3/session/{session}/share/"),
            body,
        )
    };
    assert_eq!(
        share(&world.session_with("Not Started"), json!({})).status,
        400
    );
    let session = known(&world, "session_id");
    assert_eq!(
        share(&session, json!({ "partner_client_id": "nobody" })).status,
        400
    );
    let token =
        share(&session, json!({ "partner_client_id": partner })).body["share_token"].clone();
    let import = |application: usize| {
        let mut request = world.request(
            "devon",
            "POST",
            "/v3/session/import-shared/",
            json!({ "share_token": token }),
        );
        request.headers_mut().insert(
            "x-didit-application-id",
            world.app_id(0, application).parse().unwrap(),
        );
        world.send(request)
    };
    assert_eq!(import(1).status, 400);
    let made = import(2);
    assert_eq!(
        (made.status, &made.body["status"]),
        (201, &json!("Approved"))
    );
    assert_eq!(import(2).status, 400);
    let late = share(&session, json!({})).body["share_token"].clone();
    // With a key everything has to be said.
    let short = keyed(
        &world,
        "POST",
        "/v3/session/import-shared/",
        json!({ "share_token": late }),
    );
    assert_eq!(
        (short.status, short.body["trust_review"].is_array()),
        (400, true)
    );
    world.advance(3_600);
    let workflow = world.workflow(0, 0);
    let body = json!({ "share_token": late, "trust_review": false, "workflow_id": workflow });
    assert_eq!(
        keyed(&world, "POST", "/v3/session/import-shared/", body).status,
        400
    );
}

#[test]
fn what_a_session_read_is_corrected() {
    let world = World::new();
    let session = known(&world, "document_session");
    let path = format!("/v3/session/{session}/update-data/");
    let reply = world.call(
        "carmen",
        "PATCH",
        &path,
        json!({ "first_name": "Anna", "document_type": "P" }),
    );
    assert_eq!(reply.status, 200, "{}", reply.body);
    let decision = world
        .get("rita", &format!("/v3/session/{session}/decision/"))
        .body;
    assert_eq!(
        (
            &decision["id_verifications"][0]["first_name"],
            &decision["id_verifications"][0]["document_type"]
        ),
        (&json!("Anna"), &json!("P"))
    );
    for body in [
        json!({}),
        json!({ "gender": "X" }),
        json!({ "date_of_birth": "yesterday" }),
    ] {
        assert_eq!(
            world.call("carmen", "PATCH", &path, body.clone()).status,
            400,
            "{body}"
        );
    }
    let other = format!("/v3/session/{session}/update-poa-data/");
    assert_eq!(
        world
            .call("carmen", "PATCH", &other, json!({ "issuer": "x" }))
            .status,
        400
    );
}

#[test]
fn a_case_goes_its_way_and_no_other() {
    let world = World::new();
    let path = format!("{}/cases/{}/", world.app(0, 0), known(&world, "case_id"));
    let act =
        |action: &str, body: Value| world.call("carmen", "POST", &format!("{path}{action}/"), body);
    assert_eq!(act("reopen", json!({})).status, 400);
    assert_eq!(act("assign", json!({})).status, 400);
    assert_eq!(
        act("assign", json!({ "assignee": "carmen" })).body["assignee"],
        "carmen"
    );
    assert_eq!(
        act("escalate", json!({ "comment": "Look." })).body["status"],
        "ESCALATED"
    );
    assert_eq!(act("resolve", json!({ "status": "OPEN" })).status, 400);
    assert_eq!(
        act("resolve", json!({ "status": "SAR_FILED" })).body["status"],
        "SAR_FILED"
    );
    assert_eq!(act("resolve", json!({})).status, 400);
    assert_eq!(act("dance", json!({})).status, 404);
    assert_eq!(act("reopen", json!({})).body["status"], "OPEN");
    act("comments", json!({ "comment": "Second." }));
    let comments = world.get("rita", &path).body["comments"].clone();
    assert_eq!(
        (&comments[0]["comment"], &comments[1]["author"]),
        (&json!("Look."), &json!("carmen@harbourlane.example"))
    );
}

#[test]
fn members_come_change_and_go_and_an_owner_stays() {
    let world = World::new();
    let path = format!("/auth/v2/organizations/{}/members/", world.org_id(0));
    let invite = |emails: Value, role: &str| {
        world.call(
            "adam",
            "POST",
            &format!("{path}invite/"),
            json!({ "emails": emails, "role": role, "app_ids": [world.app_id(0, 0)] }),
        )
    };
    let made = invite(
        json!(["anna@mail.example", "noah@pixelorchard.example"]),
        "READER",
    )
    .body;
    let anna = made["results"][0].clone();
    assert_eq!(anna["accessible_applications"], json!([world.app_id(0, 0)]));
    for (emails, role) in [
        (json!(["anna@mail.example"]), "READER"),
        (json!(["anna"]), "READER"),
        (json!([]), "READER"),
        (json!(["b@mail.example"]), "KING"),
        (json!(["1", "2", "3", "4", "5", "6"]), "READER"),
    ] {
        assert_eq!(invite(emails.clone(), role).status, 400, "{emails}");
    }
    // Noah has a credential already, and is in at once.
    assert_eq!(
        world
            .get("noah", &format!("{}/lists/", world.app(0, 0)))
            .status,
        200
    );
    let member = |name: &str| {
        let rows = world.get("olivia", &path).body["results"]
            .as_array()
            .unwrap()
            .clone();
        rows.into_iter()
            .find(|row| row["name"] == name)
            .map(|row| format!("{path}{}", row["uuid"].as_str().unwrap()))
    };
    let change = |who: &str, role: &str| {
        world.call(
            "adam",
            "PATCH",
            &member(who).unwrap(),
            json!({ "role": role, "accessible_applications": [] }),
        )
    };
    assert_eq!(change("Devon Lindqvist", "READER").body["role"], "READER");
    assert_eq!(
        world
            .call(
                "devon",
                "POST",
                "/v3/session/",
                json!({ "workflow_id": world.workflow(0, 0) })
            )
            .status,
        403
    );
    assert_eq!(change("Olivia Marsh", "READER").status, 400);
    let remove = |who: &str| {
        world
            .call("adam", "DELETE", &member(who).unwrap(), Value::Null)
            .status
    };
    assert_eq!((remove("Olivia Marsh"), remove("Noah Tanaka")), (400, 204));
    assert!(member("Noah Tanaka").is_none());
    assert_eq!(
        world
            .get("noah", &format!("{}/lists/", world.app(0, 0)))
            .status,
        404
    );
    assert_eq!(
        world
            .get(
                "olivia",
                &format!("/v3/audit/{}/audit-logs/?limit=1", world.org_id(0))
            )
            .body["results"][0]["actor"],
        "adam@harbourlane.example"
    );
}

#[test]
fn a_key_works_on_the_same_rows_as_the_console() {
    let world = World::new();
    let workflow = world.workflow(0, 0);
    let made = keyed(
        &world,
        "POST",
        "/v3/session/",
        json!({ "workflow_id": workflow, "vendor_data": "key-1" }),
    );
    assert_eq!(made.status, 201, "{}", made.body);
    let again = keyed(
        &world,
        "POST",
        "/v3/session/",
        json!({ "workflow_id": workflow, "vendor_data": "key-1" }),
    );
    assert_eq!(again.body["session_id"], made.body["session_id"]);
    let seen = world
        .get(
            "rita",
            &format!("{}/sessions/?vendor_data=key-1", world.app(0, 0)),
        )
        .body;
    assert_eq!(
        (&seen["count"], &seen["results"][0]["session_id"]),
        (&json!(1), &made.body["session_id"])
    );
    let path = format!(
        "/v3/session/{}/update-status/",
        made.body["session_id"].as_str().unwrap()
    );
    assert_eq!(
        keyed(&world, "PATCH", &path, json!({ "new_status": "Approved" })).status,
        200
    );
    // Another application's rows are not there for this key.
    let elsewhere = world.workflow(2, 0);
    assert_eq!(
        keyed(
            &world,
            "POST",
            "/v3/session/",
            json!({ "workflow_id": elsewhere })
        )
        .status,
        400
    );
    let other = world
        .get("olivia", &format!("{}/sessions/", world.app(0, 2)))
        .body;
    let path = format!(
        "/v3/session/{}/decision/",
        other["results"][0]["session_id"].as_str().unwrap()
    );
    assert_eq!(keyed(&world, "GET", &path, Value::Null).status, 404);
    let body = json!({ "workflow_type": "phone_verification", "is_aml_enabled": true });
    let made = keyed(&world, "POST", "/v3/workflows/", body).body;
    assert_eq!(
        (
            &made["features"][0]["feature"],
            &made["features"][1]["feature"]
        ),
        (&json!("PHONE_VERIFICATION"), &json!("AML"))
    );
    assert_eq!(
        keyed(
            &world,
            "POST",
            "/v3/workflows/",
            json!({ "workflow_type": "pets" })
        )
        .status,
        400
    );
    let secret = |reply: Value| reply["secret_shared_key"].clone();
    let before = secret(keyed(&world, "GET", "/v3/webhook/", Value::Null).body);
    let after = secret(
        keyed(
            &world,
            "PATCH",
            "/v3/webhook/",
            json!({ "rotate_secret_key": true }),
        )
        .body,
    );
    assert_ne!(before, after);
}

#[test]
fn settings_are_kept_for_each_application() {
    let world = World::new();
    let (one, two) = (world.app(0, 0), world.app(0, 1));
    let put = |tail: &str, body: Value| {
        world.call("olivia", "PUT", &format!("{one}/compliance/{tail}"), body)
    };
    let answers =
        json!({ "industry": "banking", "subject": "people", "region": "eu", "risk": "low" });
    assert_eq!(
        put("profile/", json!({ "answers": answers })).body["answers"],
        answers
    );
    assert_eq!(
        put("profile/", json!({ "answers": { "industry": "pets" } })).status,
        400
    );
    assert_eq!(
        put("profile/", json!({ "answers": { "colour": "red" } })).status,
        400
    );
    let needed = |app: &str| {
        world
            .get("rita", &format!("{app}/compliance/requirements/"))
            .body["results"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((needed(&one), needed(&two)), (5, 3));
    let ask = |answers: Value| {
        world
            .call(
                "rita",
                "POST",
                &format!("{one}/compliance/interview/next/"),
                json!({ "answers": answers }),
            )
            .body
    };
    assert_eq!(ask(json!({}))["question"]["key"], "industry");
    assert_eq!(
        (
            &ask(answers.clone())["completed"],
            &ask(answers)["question"]
        ),
        (&json!(true), &Value::Null)
    );
    let checked = world
        .call(
            "rita",
            "POST",
            &format!("{one}/compliance/workflow-check/"),
            json!({ "workflow_id": world.workflow(0, 0) }),
        )
        .body;
    assert_eq!(
        (&checked["compliant"], &checked["missing_features"]),
        (&json!(false), &json!(["PROOF_OF_ADDRESS"]))
    );
    let alert = |app: &str, kind: &str| {
        world.call(
            "olivia",
            "PATCH",
            &format!("{app}/alerts/{kind}/"),
            json!({ "enabled": true }),
        )
    };
    assert_eq!(
        (
            alert(&one, "low_balance").status,
            alert(&one, "pets").status
        ),
        (200, 404)
    );
    let enabled =
        |app: &str| world.get("rita", &format!("{app}/alerts/")).body[0]["enabled"].clone();
    assert_eq!((enabled(&one), enabled(&two)), (json!(true), json!(false)));
}

#[test]
fn networks_are_narrowed_sorted_and_looked_into() {
    let world = World::new();
    let app = world.app(0, 0);
    let get = |tail: &str| world.get("rita", &format!("{app}/networks/{tail}"));
    assert_eq!(get("").body["results"][0]["network_number"], 2);
    assert_eq!(
        get("?ordering=-risk_score").body["results"][0]["network_number"],
        1
    );
    for (query, count) in [
        ("risk_band=high", 1),
        ("min_size=3", 1),
        ("max_size=2", 1),
        ("status=resolved", 0),
        ("q=same_ip", 1),
    ] {
        assert_eq!(get(&format!("?{query}")).body["count"], count, "{query}");
    }
    for query in ["risk_band=odd", "min_size=x", "ordering=name"] {
        assert_eq!(get(&format!("?{query}")).status, 400, "{query}");
    }
    let id = get("?risk_band=high").body["results"][0]["uuid"]
        .as_str()
        .unwrap()
        .to_owned();
    let members = get(&format!("{id}/members/")).body["results"].clone();
    let subject = members[0]["id"].as_str().unwrap();
    let of = world
        .get("rita", &format!("{app}/users/{subject}/networks/"))
        .body;
    assert_eq!(
        (&of["count"], &of["results"][0]["uuid"]),
        (&json!(1), &json!(id))
    );
    let graph = get(&format!("{id}/graph/?focus_id={subject}")).body;
    assert_eq!(graph["edges"].as_array().unwrap().len(), 2);
    assert_eq!(
        (
            get(&format!("{id}/graph/?depth=9")).status,
            get(&format!("{id}/graph/?focus_id=x")).status
        ),
        (400, 400)
    );
}
