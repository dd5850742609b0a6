//! What is made lives on: entries, imports, reports, shares, corrections, cases.

use serde_json::{Value, json};

use crate::harness::World;
use crate::operations::{keyed, known};

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
fn a_review_gives_a_session_the_statuses_that_a_person_can_give() {
    const STATUSES: [&str; 10] = [
        "Not Started",
        "In Progress",
        "Awaiting User",
        "Approved",
        "Declined",
        "In Review",
        "Expired",
        "Abandoned",
        "Kyc Expired",
        "Resubmitted",
    ];
    for (before, more) in [
        ("Not Started", &["Expired", "Abandoned"][..]),
        ("Approved", &["Kyc Expired"]),
        ("Declined", &["Resubmitted"]),
        ("Abandoned", &["Resubmitted"]),
    ] {
        for after in STATUSES {
            let world = World::new();
            let session = world.session_with(before);
            let found = world.get(
                "olivia",
                &format!(
                    "/v3/organization/{}/sessions/?search={session}",
                    world.org_id(0)
                ),
            );
            let application = found.body["results"][0]["application_id"].as_str().unwrap();
            let path = format!(
                "/v3/organization/{}/application/{application}/sessions/{session}/reviews/",
                world.org_id(0)
            );
            let body = json!({ "new_status": after, "comment": "x" });
            let reply = world.call("carmen", "POST", &path, body);
            let allowed =
                ["Approved", "Declined", "In Review"].contains(&after) || more.contains(&after);
            let expected = if allowed { 201 } else { 400 };
            assert_eq!(
                reply.status, expected,
                "{before} to {after}: {}",
                reply.body
            );
        }
    }
}
