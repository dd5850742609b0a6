//! An organisation and its applications: members, keys, settings, networks.

use serde_json::{Value, json};

use crate::harness::World;
use crate::operations::keyed;

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

#[test]
fn a_member_who_is_kept_to_some_applications_sees_no_others() {
    let world = World::new();
    let (org, two) = (world.org_id(0), world.app(0, 1));
    let session =
        world.get("olivia", &format!("{two}/sessions/")).body["results"][0]["session_id"].clone();
    let listed = |tail: &str| {
        world
            .get("devon", &format!("/v3/organization/{org}/{tail}"))
            .body["count"]
            .as_u64()
    };
    let before = listed("sessions/");
    let path = format!("/auth/v2/organizations/{org}/members/");
    let members = world.get("olivia", &path).body["results"]
        .as_array()
        .unwrap()
        .clone();
    let devon = members
        .iter()
        .find(|row| row["role"] == "DEVELOPER")
        .unwrap();
    let body = json!({ "role": "DEVELOPER", "accessible_applications": [world.app_id(0, 0)] });
    world.call(
        "olivia",
        "PATCH",
        &format!("{path}{}", devon["uuid"].as_str().unwrap()),
        body,
    );
    let applications = world
        .get(
            "devon",
            &format!("/auth/v2/organizations/me/{org}/applications/"),
        )
        .body;
    assert_eq!(applications.as_array().unwrap().len(), 1);
    assert_eq!(
        world
            .get("devon", &format!("{}/sessions/", world.app(0, 0)))
            .status,
        200
    );
    assert_eq!(
        listed("sessions/"),
        world
            .get("olivia", &format!("{}/sessions/", world.app(0, 0)))
            .body["count"]
            .as_u64()
    );
    assert!(listed("sessions/") < before);
    for path in [
        format!("{two}/sessions/"),
        format!("/v3/session/{}/decision/", session.as_str().unwrap()),
    ] {
        assert_eq!(world.get("devon", &path).status, 404, "{path}");
        assert_eq!(world.get("rita", &path).status, 200, "{path}");
    }
    let body = json!({ "workflow_id": world.workflow(1, 0) });
    assert_eq!(
        world
            .call("devon", "POST", "/v3/session/", body.clone())
            .status,
        400
    );
    assert_eq!(world.call("adam", "POST", "/v3/session/", body).status, 201);
}
