//! Who may do what: credentials, hosts, organisations, roles, and the shape of a request.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::harness::World;

fn with_header(name: &str, value: &str) -> Request<Full<Bytes>> {
    Request::get("/auth/v2/organizations/me/")
        .header(name, value)
        .body(Full::default())
        .unwrap()
}

#[test]
fn a_missing_or_unknown_credential_is_401() {
    let world = World::new();
    let missing = json!({ "detail": "Authentication credentials were not provided." });
    let unknown = json!({
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
    });
    let good = world.sandbox.credential("olivia").unwrap();
    for (header, body) in [
        ("Basic b2xpdmlhOng=".to_owned(), &missing),
        ("Bearer".to_owned(), &missing),
        ("Bearer nobody".to_owned(), &unknown),
        (format!("Bearer {good}x"), &unknown),
        (format!("Bearer {}", good.get(1..).unwrap()), &unknown),
        // The form of a signed token of another issuer.
        (
            "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJvbGl2aWEifQ.c2ln".to_owned(),
            &unknown,
        ),
    ] {
        let reply = world.send(with_header("authorization", &header));
        assert_eq!((reply.status, &reply.body), (401, body), "{header}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"api\"");
    }
    let reply = world.send(with_header("accept", "application/json"));
    assert_eq!((reply.status, reply.body), (401, missing));
    let reply = world.send(with_header("authorization", &format!("bEARER {good}")));
    assert_eq!(reply.status, 200);
}

#[test]
fn a_host_from_elsewhere_is_refused_before_anything_else() {
    let world = World::new();
    let reply = world.send(with_header("host", "sandbox.evil.example"));
    assert_eq!(reply.status, 403);
    assert_eq!(
        reply.body,
        json!({ "detail": "The sandbox answers only on a loopback host." })
    );
}

#[test]
fn a_missing_last_slash_redirects_without_naming_a_host() {
    let world = World::new();
    let reply = world.get("olivia", "/auth/v2/organizations/me?x=1");
    assert_eq!(reply.status, 301);
    assert_eq!(reply.headers["location"], "/auth/v2/organizations/me/?x=1");
    let reply = world.call("olivia", "POST", "/v3/session", json!({}));
    assert_eq!(
        (reply.status, reply.headers["location"].as_bytes()),
        (301, &b"/v3/session/"[..])
    );
}

#[test]
fn an_unknown_path_or_method_is_told_apart() {
    let world = World::new();
    let reply = world.get("olivia", "/v3/nothing/");
    assert_eq!(
        (reply.status, reply.body),
        (404, json!({ "detail": "Not found." }))
    );
    let reply = world.call("olivia", "PUT", "/v3/session/", json!({}));
    assert_eq!(reply.status, 405);
    assert_eq!(reply.headers["allow"], "POST");
    assert_eq!(
        reply.body,
        json!({ "detail": "Method \"PUT\" not allowed." })
    );
}

#[test]
fn bodies_are_checked_for_type_size_and_form() {
    let world = World::new();
    let send = |media_type: &str, body: String| {
        let credential = world.sandbox.credential("olivia").unwrap();
        let request = Request::post("/v3/session/")
            .header("authorization", format!("Bearer {credential}"))
            .header("content-type", media_type)
            .body(Full::from(body));
        let reply = world.send(request.unwrap());
        (reply.status, reply.body)
    };
    let (status, body) = send("text/plain", "x".to_owned());
    assert_eq!(status, 415);
    assert_eq!(
        body,
        json!({ "detail": "Unsupported media type \"text/plain\" in request." })
    );
    let (status, body) = send("application/json", "{".to_owned());
    assert_eq!(status, 400);
    assert!(
        body["detail"]
            .as_str()
            .unwrap()
            .starts_with("JSON parse error - "),
        "{body}"
    );
    let (status, body) = send("application/json; charset=utf-8", "[]".to_owned());
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] })
    );
    let (status, body) = send("application/json", " ".repeat(2 * 1024 * 1024 + 1));
    assert_eq!(
        (status, body),
        (413, json!({ "detail": "The request body is too large." }))
    );
}

#[test]
fn an_organisation_of_others_looks_like_none() {
    let world = World::new();
    let others = world.org_id(2);
    let session = world.get("samir", &format!("/v3/organization/{others}/sessions/"));
    let session = session.body["results"][0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let mixed = format!(
        "/v3/organization/{}/application/{}/sessions/",
        world.org_id(0),
        world.app_id(2, 0)
    );
    for path in [
        format!("/v3/organization/{others}/sessions/"),
        format!("/auth/v2/organizations/me/{others}/applications/"),
        format!("/auth/v2/organizations/{others}/members/"),
        format!("/v3/session/{session}/decision/"),
        "/v3/organization/00000000-0000-4000-8000-000000000000/sessions/".to_owned(),
        mixed,
    ] {
        let reply = world.get("olivia", &path);
        assert_eq!(
            (reply.status, reply.body),
            (404, json!({ "detail": "Not found." })),
            "{path}"
        );
    }
    assert_eq!(
        world
            .get("samir", &format!("/v3/session/{session}/decision/"))
            .status,
        200
    );
}

/// Every operation that changes something, and who may do it.
#[test]
fn every_role_may_do_what_the_table_says_and_nothing_else() {
    const OWNER: &str = "olivia";
    const ADMIN: &str = "adam";
    const OFFICER: &str = "carmen";
    const DEVELOPER: &str = "devon";
    let world = World::new();
    let app = world.app(0, 0);
    let listed = world
        .get(OWNER, &format!("{app}/sessions/?status=In%20Review"))
        .body;
    let session = listed["results"][0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let gone = "00000000-0000-4000-8000-000000000000";
    let workflow = world.workflow(0, 0);
    let rows: Vec<(&str, String, Value, &[&str])> = vec![
        (
            "POST",
            "/v3/session/".into(),
            json!({ "workflow_id": workflow }),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "PATCH",
            format!("/v3/session/{session}/update-status/"),
            json!({ "new_status": "Approved" }),
            &[OWNER, ADMIN, OFFICER, DEVELOPER],
        ),
        (
            "POST",
            format!("{app}/sessions/{session}/reviews/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER, DEVELOPER],
        ),
        (
            "DELETE",
            format!("{app}/sessions/delete/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "POST",
            format!("{app}/verification-settings/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "PATCH",
            format!("{app}/verification-settings/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "DELETE",
            format!("{app}/verification-settings/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "POST",
            format!("{app}/vendor-users/"),
            json!({}),
            &[OWNER, ADMIN],
        ),
        (
            "PATCH",
            format!("{app}/vendor-users/{gone}/update/"),
            json!({}),
            &[OWNER, ADMIN],
        ),
        (
            "POST",
            format!("{app}/vendor-users/bulk-status/"),
            json!({}),
            &[OWNER, ADMIN],
        ),
        (
            "DELETE",
            format!("{app}/vendor-users/delete/"),
            json!({}),
            &[OWNER, ADMIN],
        ),
        (
            "POST",
            format!("{app}/cases/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER],
        ),
        (
            "PATCH",
            format!("{app}/cases/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER],
        ),
        (
            "POST",
            format!("{app}/webhook/destinations/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "PATCH",
            format!("{app}/webhook/destinations/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "DELETE",
            format!("{app}/webhook/destinations/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "POST",
            format!("{app}/questionnaires/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "PATCH",
            format!("{app}/questionnaires/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "DELETE",
            format!("{app}/questionnaires/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, DEVELOPER],
        ),
        (
            "POST",
            format!("{app}/lists/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER],
        ),
        (
            "PATCH",
            format!("{app}/lists/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER],
        ),
        (
            "DELETE",
            format!("{app}/lists/{gone}/"),
            json!({}),
            &[OWNER, ADMIN, OFFICER],
        ),
        // Last, because it really happens.
        (
            "DELETE",
            format!("/v3/session/{session}/delete/"),
            Value::Null,
            &[DEVELOPER],
        ),
    ];
    let refusal = json!({ "detail": "You do not have permission to perform this action." });
    for (method, path, body, allowed) in rows {
        for who in ["rita", OFFICER, DEVELOPER, ADMIN, OWNER] {
            let reply = world.call(who, method, &path, body.clone());
            if allowed.contains(&who) {
                assert_ne!(reply.status, 403, "{who} {method} {path}");
            } else if path.ends_with("/delete/") && matches!(who, ADMIN | OWNER) {
                // The developer has just deleted it: they would be allowed.
                assert_eq!(reply.status, 404, "{who} {method} {path}");
            } else {
                assert_eq!(
                    (reply.status, &reply.body),
                    (403, &refusal),
                    "{who} {method} {path}"
                );
            }
        }
    }
}

#[test]
fn every_role_reads_everything_of_its_organisation() {
    let world = World::new();
    let (org, app) = (world.org_id(0), world.app(0, 0));
    let session = world.session_with("Approved");
    for path in [
        "/auth/v2/organizations/me/".to_owned(),
        format!("/auth/v2/organizations/me/{org}/applications/"),
        format!(
            "/auth/v2/organizations/me/{org}/applications/{}/",
            world.app_id(0, 0)
        ),
        format!("/auth/v2/organizations/{org}/members/"),
        format!("/auth/v2/organizations/{org}/roles/"),
        format!("/v3/organization/{org}/top-up/"),
        format!("/v3/organization/{org}/sessions/"),
        format!("/v3/organization/{org}/transactions/"),
        format!("/v3/organization/{org}/cases/"),
        format!("/v3/session/{session}/decision/"),
        format!("{app}/sessions/"),
        format!("{app}/verification-settings/"),
        format!("{app}/verification-settings/{}/", world.workflow(0, 0)),
        format!("{app}/vendor-users/"),
        format!("{app}/cases/"),
        format!("{app}/cases/statistics/"),
        format!("{app}/transactions/"),
        format!("{app}/webhook/destinations/"),
        format!("{app}/questionnaires/"),
        format!("{app}/lists/"),
        format!("{app}/analytics/"),
    ] {
        for who in ["olivia", "adam", "carmen", "devon", "rita"] {
            assert_eq!(world.get(who, &path).status, 200, "{who} {path}");
        }
    }
}
