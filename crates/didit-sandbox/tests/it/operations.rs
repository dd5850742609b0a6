//! Every operation of the table: that it works, and whom and what it refuses.

use std::collections::BTreeSet;

use bytes::Bytes;
use didit_sandbox::{Operation, Sandbox};
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::examples::{Example, examples};
use crate::harness::{Reply, World};

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 a very small picture";
const GONE: &str = "00000000-0000-4000-8000-000000000000";

/// The value of a name in braces, for Harbour Lane Bank's first application; found or made once for a world.
pub(crate) fn known(world: &World, name: &str) -> String {
    if let Some(value) = world.found.borrow().get(name) {
        return value.clone();
    }
    let value = find(world, name);
    world
        .found
        .borrow_mut()
        .insert(name.to_owned(), value.clone());
    value
}

fn find(world: &World, name: &str) -> String {
    let app = world.app(0, 0);
    let olivia =
        |method: &str, path: &str, body: Value| world.call("olivia", method, path, body).body;
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or_else(|| panic!("{name}: {value}"))
            .to_owned()
    };
    let first = |tail: &str, field: &str| {
        text(&world.get("olivia", &format!("{app}/{tail}")).body["results"][0][field])
    };
    match name {
        "org" => world.org_id(0),
        "app" => world.app_id(0, 0),
        "session_id" => first("sessions/?status=Approved&search=customer", "session_id"),
        "declined" => first("sessions/?status=Declined", "session_id"),
        "told" => first("sessions/", "session_id"),
        "number" => {
            world.get("olivia", &format!("{app}/sessions/")).body["results"][0]["session_number"]
                .to_string()
        }
        // A session of a workflow that reads a document.
        "document_session" => {
            let workflow = world.workflow(0, 0);
            first(
                &format!("sessions/?status=Approved&workflow_id={workflow}"),
                "session_id",
            )
        }
        "address_session" => {
            let workflow = world.workflow(0, 1);
            first(
                &format!("sessions/?status=Approved&workflow_id={workflow}"),
                "session_id",
            )
        }
        "webhook_id" => {
            let path = format!("/v3/session/{}/webhooks/", known(world, "told"));
            text(&world.get("olivia", &path).body["results"][0]["uuid"])
        }
        "workflow_id" => world.workflow(0, 0),
        "draft" => {
            let path = format!(
                "{app}/verification-settings/{}/create-draft/",
                world.workflow(0, 0)
            );
            text(&olivia("POST", &path, Value::Null)["uuid"])
        }
        "questionnaire_id" => first("questionnaires/", "uuid"),
        "vendor_data" => first("vendor-users/", "vendor_data"),
        "business" => {
            let body = json!({ "vendor_data": "company-1", "legal_name": "Company One" });
            text(&olivia("POST", &format!("{app}/vendor-businesses/"), body)["vendor_data"])
        }
        "case_id" => first("cases/?status=OPEN", "uuid"),
        "transaction_id" => first("transactions/", "uuid"),
        "transfer" => first("transactions/?search=travel", "uuid"),
        "rule_uuid" => first("transactions/rules/", "uuid"),
        "destination_uuid" => first("webhook/destinations/", "uuid"),
        "list_uuid" => first("lists/?list_type=custom", "uuid"),
        "face_list" => {
            let body = json!({ "name": "Faces", "list_type": "custom", "entry_type": "face" });
            text(&olivia("POST", &format!("{app}/lists/"), body)["uuid"])
        }
        "entry" => first(
            &format!("lists/{}/entries/", known(world, "list_uuid")),
            "uuid",
        ),
        "report_id" => first("reports/", "uuid"),
        "network_id" => first("networks/", "uuid"),
        "member_id" => {
            let path = format!("/auth/v2/organizations/{}/members/", world.org_id(0));
            let members = world.get("olivia", &path).body;
            let rows = members["results"].as_array().unwrap();
            text(&rows.iter().find(|row| row["role"] == "READER").unwrap()["uuid"])
        }
        "wallet" => text(
            &world
                .get("olivia", "/v3/travel-rule/wallet-addresses/")
                .body["results"][0]["uuid"],
        ),
        "import" => {
            let body = json!({ "source_file_url": "https://files.example/a.csv" });
            text(&olivia("POST", "/v3/session/imports/", body)["uuid"])
        }
        "share_token" => {
            let path = format!("/v3/session/{}/share/", known(world, "session_id"));
            text(&olivia("POST", &path, json!({}))["share_token"])
        }
        "kyb_response_id" => {
            let body = json!({ "country_code": "ES", "name": "Company" });
            text(
                &olivia("POST", &format!("{app}/apis/kyb/search/"), body)["companies"][0]["kyb_response_id"],
            )
        }
        "email_code" | "key_email_code" => {
            let body = json!({ "email": "anna@mail.example" });
            if name == "email_code" {
                olivia("POST", &format!("{app}/apis/email/send/"), body);
            } else {
                keyed(world, "POST", "/v3/email/send/", body);
            }
            world.sandbox.code_sent_to("anna@mail.example").unwrap()
        }
        "phone_code" | "key_phone_code" => {
            let body = json!({ "phone_number": "+34600000000" });
            if name == "phone_code" {
                olivia("POST", &format!("{app}/apis/phone/send/"), body);
            } else {
                keyed(world, "POST", "/v3/phone/send/", body);
            }
            world.sandbox.code_sent_to("+34600000000").unwrap()
        }
        "register_code" => {
            let body = json!({ "email": "new@mail.example", "password": "long enough" });
            anonymous(world, "/auth/v2/programmatic/register/", body);
            world.sandbox.code_sent_to("new@mail.example").unwrap()
        }
        "registered" | "second_factor" => {
            let body =
                json!({ "email": "new@mail.example", "code": known(world, "register_code") });
            anonymous(world, "/auth/v2/programmatic/verify-email/", body);
            if name == "registered" {
                return "new@mail.example".to_owned();
            }
            world.sandbox.require_second_factor("new@mail.example");
            let body = json!({ "email": "new@mail.example", "password": "long enough" });
            text(&anonymous(world, "/auth/v2/programmatic/login/", body).body["temp_token"])
        }
        "otp" => world
            .sandbox
            .second_factor_code("new@mail.example")
            .unwrap(),
        "image" => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(JPEG)
        }
        _ => panic!("nothing is known of {name}"),
    }
}

/// The text with each name in braces replaced, the first first.
fn filled(world: &World, text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, left) = after.split_once("}}").unwrap();
        out.push_str(before);
        out.push_str(&known(world, name));
        rest = left;
    }
    out + rest
}

fn key(world: &World) -> String {
    let path = format!(
        "/auth/v2/organizations/me/{}/applications/",
        world.org_id(0)
    );
    world.get("olivia", &path).body[0]["api_key"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn keyed(world: &World, method: &str, path: &str, body: Value) -> Reply {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("x-api-key", key(world));
    let request = request.header("content-type", "application/json");
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    world.send(request.body(Full::from(body)).unwrap())
}

fn anonymous(world: &World, path: &str, body: Value) -> Reply {
    let request = Request::post(path).header("content-type", "application/json");
    world.send(request.body(Full::from(body.to_string())).unwrap())
}

/// A form with the names of files and texts, with commas between them; a text is `name=value`.
fn form(parts: &str) -> Bytes {
    let mut out = Vec::new();
    for part in parts.split(',').filter(|part| !part.is_empty()) {
        out.extend_from_slice(b"--boundary\r\nContent-Disposition: form-data; name=\"");
        match part.split_once('=') {
            Some((name, value)) => {
                out.extend_from_slice(format!("{name}\"\r\n\r\n{value}").as_bytes());
            }
            None => {
                let head =
                    format!("{part}\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n");
                out.extend_from_slice(head.as_bytes());
                out.extend_from_slice(JPEG);
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"--boundary--\r\n");
    out.into()
}

/// A request for an operation, with every credential it takes, or as somebody else.
fn request(
    world: &World,
    operation: &Operation,
    path: &str,
    body: &str,
    who: Option<&str>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(operation.method).uri(path);
    if let Some(who) = who {
        if operation.takes_bearer {
            let credential = world.sandbox.credential(who).unwrap();
            request = request.header("authorization", format!("Bearer {credential}"));
        } else if operation.takes_key {
            request = request.header("x-api-key", key(world));
        }
    }
    match body.strip_prefix("form:") {
        Some(parts) => request
            .header("content-type", "multipart/form-data; boundary=boundary")
            .body(Full::new(form(parts))),
        None => request
            .header("content-type", "application/json")
            .body(Full::from(body.to_owned())),
    }
    .unwrap()
}

fn operation(method: &str, path: &str) -> Operation {
    Sandbox::operations()
        .find(|operation| operation.method == method && operation.path == path)
        .unwrap_or_else(|| panic!("the table has no {method} {path}"))
}

/// The path with its names replaced, as an example says or as they are known.
fn path_of(world: &World, path: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, left) = after.split_once('}').unwrap();
        out.push_str(before);
        match parts.iter().find(|(part, _)| *part == name) {
            Some((_, value)) => out.push_str(&filled(world, value)),
            None => out.push_str(&known(world, name)),
        }
        rest = left;
    }
    out + rest
}

#[test]
fn every_operation_has_an_example_and_every_example_an_operation() {
    let listed: BTreeSet<(&str, &str)> = Sandbox::operations()
        .map(|row| (row.method, row.path))
        .collect();
    let tried: BTreeSet<(&str, &str)> = examples().map(|row| (row.method, row.path)).collect();
    assert_eq!(
        listed.difference(&tried).collect::<Vec<_>>(),
        Vec::<&(&str, &str)>::new()
    );
    assert_eq!(
        tried.difference(&listed).collect::<Vec<_>>(),
        Vec::<&(&str, &str)>::new()
    );
}

#[test]
fn every_operation_works() {
    let mut failures = Vec::new();
    let reading = World::new();
    for Example {
        method,
        path,
        parts,
        body,
        status,
    } in examples()
    {
        let fresh;
        // Whoever only reads can share a world.
        let world = if method == "GET" {
            &reading
        } else {
            fresh = World::new();
            &fresh
        };
        let operation = operation(method, path);
        let target = path_of(world, path, &parts);
        let body = filled(world, body);
        let reply = world.raw(request(world, &operation, &target, &body, Some("olivia")));
        if reply.0 != status {
            failures.push(format!(
                "{method} {path}: {} {}",
                reply.0,
                String::from_utf8_lossy(&reply.1)
            ));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_operation_refuses_who_shows_no_credential_or_an_unknown_one() {
    let world = World::new();
    for Example {
        method,
        path,
        parts,
        body,
        ..
    } in examples()
    {
        let operation = operation(method, path);
        let target = path_of(&world, path, &parts);
        let plain = if body.starts_with("form:") {
            "form:"
        } else {
            "{}"
        };
        let nobody = world.send(request(&world, &operation, &target, plain, None));
        let mut wrong = request(&world, &operation, &target, plain, None);
        wrong
            .headers_mut()
            .insert("authorization", "Bearer wrong".parse().unwrap());
        wrong
            .headers_mut()
            .insert("x-api-key", "wrong".parse().unwrap());
        let wrong = world.send(wrong);
        let expected = match (operation.takes_bearer, operation.takes_key) {
            (true, _) => (401, 401),
            (false, true) => (403, 401),
            // An operation for anybody complains about the empty body instead.
            (false, false) => (400, 400),
        };
        assert_eq!((nobody.status, wrong.status), expected, "{method} {path}");
    }
}

#[test]
fn every_change_refuses_a_reader_and_a_role_that_was_taken_a_second_ago() {
    let refusal = json!({ "detail": "You do not have permission to perform this action." });
    let world = World::new();
    let org = world.org_id(0);
    for Example {
        method,
        path,
        parts,
        ..
    } in examples()
    {
        let operation = operation(method, path);
        let word = operation.permission.split(':').next().unwrap();
        if !operation.takes_bearer || matches!(word, "" | "read" | "list") {
            continue;
        }
        let target = path_of(&world, path, &parts);
        let reply = world.send(request(&world, &operation, &target, "{}", Some("rita")));
        assert_eq!(
            (reply.status, &reply.body),
            (403, &refusal),
            "{method} {path}"
        );
        assert!(
            world
                .sandbox
                .set_role("adam", &org, didit_sandbox::Role::Reader)
        );
        let reply = world.send(request(&world, &operation, &target, "{}", Some("adam")));
        assert_eq!(
            (reply.status, &reply.body),
            (403, &refusal),
            "{method} {path}"
        );
        assert!(
            world
                .sandbox
                .set_role("adam", &org, didit_sandbox::Role::Admin)
        );
        // The right role gets past that, to what is wrong with the body.
        let reply = world.send(request(&world, &operation, &target, "form", Some("adam")));
        assert_ne!(reply.status, 403, "{method} {path}");
    }
}

#[test]
fn every_part_of_a_path_that_names_nothing_is_not_found() {
    let world = World::new();
    let others = world.org_id(2);
    for Example {
        method,
        path,
        parts,
        body,
        ..
    } in examples()
    {
        let operation = operation(method, path);
        let names: Vec<&str> = path
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
            .collect();
        for name in names {
            let elsewhere = if name == "org" { others.as_str() } else { GONE };
            for wrong in [GONE, elsewhere] {
                let mut changed = vec![(name, wrong)];
                changed.extend(parts.iter().copied().filter(|(part, _)| *part != name));
                let target = path_of(&world, path, &changed);
                let body = if name == "org" {
                    body.to_string()
                } else {
                    filled(&world, body)
                };
                let reply = world.send(request(&world, &operation, &target, &body, Some("olivia")));
                assert_eq!(reply.status, 404, "{method} {path} {name}: {}", reply.body);
                assert_eq!(
                    reply.body,
                    json!({ "detail": "Not found." }),
                    "{method} {path} {name}"
                );
            }
        }
    }
}

#[test]
fn every_path_names_its_methods_when_another_is_tried() {
    let world = World::new();
    for Example {
        method,
        path,
        parts,
        ..
    } in examples()
    {
        let served = operation(method, path);
        let target = path_of(&world, path, &parts);
        let odd = Operation::clone(&served);
        let mut request = request(&world, &odd, &target, "{}", Some("olivia"));
        *request.method_mut() = http::Method::OPTIONS;
        let reply = world.send(request);
        assert_eq!(reply.status, 405, "{path}");
        let here = Sandbox::operations().filter(|other| other.path == path);
        let mut listed: Vec<&str> = here.map(|other| other.method).collect();
        let mut allowed: Vec<&str> = reply.headers["allow"]
            .to_str()
            .unwrap()
            .split(", ")
            .collect();
        listed.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(allowed, listed, "{path}");
    }
}
