//! From nothing to credentials: registering, the mailed code, signing in, the second factor, and their limits.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::harness::{Reply, World};

const EMAIL: &str = "anna@mail.example";
const PASSWORD: &str = "long enough";

fn post(world: &World, path: &str, from: &str, body: &Value) -> Reply {
    let request = Request::post(format!("/auth/v2/{path}/"))
        .header("content-type", "application/json")
        .header("x-forwarded-for", from)
        .body(Full::new(Bytes::from(body.to_string())));
    world.send(request.unwrap())
}

fn register(world: &World, email: &str, from: &str) -> Reply {
    let body = json!({ "email": email, "password": PASSWORD });
    post(world, "programmatic/register", from, &body)
}

fn verify(world: &World, email: &str, code: &str) -> Reply {
    let body = json!({ "email": email, "code": code });
    post(world, "programmatic/verify-email", "1", &body)
}

fn login(world: &World, password: &str) -> Reply {
    let body = json!({ "email": EMAIL, "password": password });
    post(world, "programmatic/login", "1", &body)
}

fn registered(world: &World) -> Reply {
    assert_eq!(register(world, EMAIL, "1").status, 201);
    let code = world.sandbox.code_sent_to(EMAIL).unwrap();
    let reply = verify(world, EMAIL, &code);
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply
}

#[test]
fn a_person_gets_from_nothing_to_an_organisation_of_their_own() {
    let world = World::new();
    let made = registered(&world).body;
    let (token, key) = (
        made["access_token"].as_str().unwrap(),
        made["application"]["api_key"].as_str().unwrap(),
    );
    assert_eq!(
        (
            made["expires_in"].as_u64(),
            made["refresh_token"].is_string()
        ),
        (Some(86_400), true)
    );
    let get = |name: &str, value: String, path: &str| {
        let request = Request::get(path).header(name, value);
        world.send(request.body(Full::default()).unwrap()).body
    };
    let mine = get(
        "authorization",
        format!("Bearer {token}"),
        "/auth/v2/organizations/me/",
    );
    assert_eq!(
        (&mine[0]["uuid"], &mine[0]["role"]),
        (&made["organization"]["uuid"], &json!("OWNER"))
    );
    assert_eq!(
        get("x-api-key", key.to_owned(), "/v3/sessions/")["count"],
        0
    );
    let again = login(&world, PASSWORD).body;
    assert_eq!(again["access_token"], made["access_token"]);
    assert_eq!(register(&world, EMAIL, "1").status, 400);
    // The code is used up.
    let code = world.sandbox.code_sent_to(EMAIL).unwrap();
    assert_eq!(verify(&world, EMAIL, &code).status, 400);
}

#[test]
fn what_is_wrong_is_told_by_field() {
    let world = World::new();
    for (body, field) in [
        (json!({ "email": EMAIL, "password": "short" }), "password"),
        (json!({ "email": "anna", "password": PASSWORD }), "email"),
        (
            json!({ "email": "olivia@harbourlane.example", "password": PASSWORD }),
            "email",
        ),
        (json!({ "password": PASSWORD }), "email"),
    ] {
        let reply = post(&world, "programmatic/register", "1", &body);
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.body[field].is_array(), "{}", reply.body);
    }
    register(&world, EMAIL, "2");
    let reply = login(&world, PASSWORD);
    assert_eq!(
        (reply.status, reply.body),
        (400, json!({ "email": ["The address is not verified."] }))
    );
}

#[test]
fn a_code_lasts_ten_minutes_and_three_tries() {
    let world = World::new();
    register(&world, EMAIL, "1");
    let code = world.sandbox.code_sent_to(EMAIL).unwrap();
    world.advance(599);
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..3 {
        assert_eq!(
            verify(&world, EMAIL, wrong).body,
            json!({ "code": ["The code is wrong."] })
        );
    }
    assert_eq!(verify(&world, EMAIL, &code).status, 400);
    post(
        &world,
        "programmatic/resend-otp",
        "1",
        &json!({ "email": EMAIL }),
    );
    let second = world.sandbox.code_sent_to(EMAIL).unwrap();
    assert_eq!(verify(&world, EMAIL, &code).status, 400);
    world.advance(600);
    assert_eq!(verify(&world, EMAIL, &second).status, 400);
    post(
        &world,
        "programmatic/resend-otp",
        "1",
        &json!({ "email": EMAIL }),
    );
    world.advance(599);
    let third = world.sandbox.code_sent_to(EMAIL).unwrap();
    assert_eq!(verify(&world, EMAIL, &third).status, 200);
}

#[test]
fn an_address_registers_and_asks_for_codes_five_times_an_hour() {
    let world = World::new();
    for number in 0..4 {
        assert_eq!(
            register(&world, &format!("a{number}@mail.example"), "9.9.9.9").status,
            201
        );
        world.advance(60);
    }
    let resend = json!({ "email": "a0@mail.example" });
    assert_eq!(
        post(
            &world,
            "programmatic/resend-otp",
            "9.9.9.9, 1.1.1.1",
            &resend
        )
        .status,
        200
    );
    let refused = register(&world, "b@mail.example", "9.9.9.9");
    assert_eq!(
        (
            refused.status,
            refused.headers["retry-after"].to_str().unwrap()
        ),
        (429, "3360")
    );
    assert_eq!(register(&world, "b@mail.example", "8.8.8.8").status, 201);
    world.advance(3_360);
    assert_eq!(register(&world, "c@mail.example", "9.9.9.9").status, 201);
}

#[test]
fn an_account_locks_for_longer_each_time_and_the_right_password_waits_too() {
    let world = World::new();
    registered(&world);
    let fail = |times: usize| {
        for _ in 0..times {
            let reply = login(&world, "wrong wrong");
            assert_eq!(reply.status, 401, "{}", reply.body);
        }
    };
    for (failures, seconds) in [(5, 900), (5, 3_600), (10, 86_400), (1, 86_400)] {
        fail(failures);
        let reply = login(&world, PASSWORD);
        let wait = reply.headers["retry-after"].to_str().unwrap().to_owned();
        assert_eq!((reply.status, wait), (429, seconds.to_string()));
        world.advance(seconds - 1);
        assert_eq!(login(&world, PASSWORD).status, 429);
        world.advance(1);
    }
    assert_eq!(login(&world, PASSWORD).status, 200);
    // A sign-in wipes the count.
    fail(4);
    assert_eq!(login(&world, PASSWORD).status, 200);
}

#[test]
fn a_second_factor_is_asked_for_within_five_minutes() {
    let world = World::new();
    registered(&world);
    assert!(world.sandbox.require_second_factor(EMAIL));
    assert!(!world.sandbox.require_second_factor("nobody@mail.example"));
    let second = |token: &Value, code: &str| {
        let body = json!({ "temp_token": token, "otp_token": code });
        post(&world, "2fa/verify", "1", &body)
    };
    let asked = login(&world, PASSWORD).body;
    assert_eq!(
        (&asked["requires_2fa"], &asked["access_token"]),
        (&json!(true), &Value::Null)
    );
    let token = &asked["temp_token"];
    let code = || world.sandbox.second_factor_code(EMAIL).unwrap();
    let wrong = if code() == "000000" {
        "111111"
    } else {
        "000000"
    };
    assert!(second(token, wrong).body["otp_token"].is_array());
    assert!(second(&json!("other"), &code()).body["temp_token"].is_array());
    world.advance(299);
    let reply = second(token, &code());
    assert_eq!(
        (reply.status, reply.body["access_token"].is_string()),
        (200, true)
    );
    // The wait is over, and another lasts no longer.
    assert_eq!(second(token, &code()).status, 400);
    let token = login(&world, PASSWORD).body["temp_token"].clone();
    world.advance(300);
    assert_eq!(second(&token, &code()).status, 400);
}
