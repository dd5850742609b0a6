//! Single checks: forms and their files, what they cost, repeated calls, and codes.

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::harness::{Reply, World};
use crate::operations::keyed;

fn part(name: &str, file: Option<&str>, content: &[u8]) -> Vec<u8> {
    let file = file
        .map(|file| format!("; filename=\"{file}\""))
        .unwrap_or_default();
    let mut out = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n")
        .into_bytes();
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
    out
}

fn send(world: &World, tail: &str, parts: &[Vec<u8>]) -> Reply {
    let mut body = parts.concat();
    body.extend_from_slice(b"--b--\r\n");
    let request = Request::post(format!("{}/apis/{tail}/", world.app(0, 0)))
        .header(
            "authorization",
            format!("Bearer {}", world.sandbox.credential("devon").unwrap()),
        )
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Full::from(body));
    world.send(request.unwrap())
}

#[test]
fn files_are_told_by_their_first_bytes_and_bounded() {
    let world = World::new();
    let png = b"\x89PNG\r\n\x1a\n.....";
    let long = [&png[..], &vec![0; 5 * 1024 * 1024]].concat();
    let not_an_image = "Upload a valid image: JPEG, PNG, WebP or TIFF.";
    let not_a_file = "The submitted data was not a file. Check the encoding type on the form.";
    for (tail, parts, field, why) in [
        (
            "passive-liveness",
            vec![],
            "user_image",
            "No file was submitted.",
        ),
        (
            "passive-liveness",
            vec![part("user_image", None, png)],
            "user_image",
            not_a_file,
        ),
        (
            "passive-liveness",
            vec![part("user_image", Some("a.png"), b"GIF89a")],
            "user_image",
            not_an_image,
        ),
        (
            "passive-liveness",
            vec![part("user_image", Some("a.pdf"), b"%PDF-1.7")],
            "user_image",
            not_an_image,
        ),
        (
            "passive-liveness",
            vec![part("user_image", Some("a.png"), b"")],
            "user_image",
            "The submitted file is empty.",
        ),
        (
            "passive-liveness",
            vec![part("user_image", Some("a.png"), &long)],
            "user_image",
            "The file is larger than 5 MB.",
        ),
        (
            "face-match",
            vec![part("user_image", Some("a.png"), png)],
            "ref_image",
            "No file was submitted.",
        ),
        (
            "id-verification",
            vec![
                part("front_image", Some("a.png"), png),
                part("back_image", Some("b.png"), b"no"),
            ],
            "back_image",
            not_an_image,
        ),
        (
            "poa",
            vec![
                part("document", Some("a.png"), png),
                part("vendor_data", None, b"\xff"),
            ],
            "vendor_data",
            "Not a valid string.",
        ),
    ] {
        let reply = send(&world, tail, &parts);
        assert_eq!(
            (reply.status, &reply.body),
            (400, &json!({ field: [why] })),
            "{tail} {why}"
        );
    }
    let reply = send(
        &world,
        "poa",
        &[part("document", Some("a.pdf"), b"%PDF-1.7")],
    );
    assert_eq!(
        (reply.status, &reply.body["poa"]["status"]),
        (200, &json!("Approved"))
    );
    // The same picture is the same person.
    let face = [
        part("user_image", Some("a.png"), png),
        part("vendor_data", None, b"c-7"),
    ];
    let (one, two) = (
        send(&world, "age-estimation", &face).body,
        send(&world, "age-estimation", &face).body,
    );
    assert_eq!(
        (&one["age_estimation"], &one["vendor_data"]),
        (&two["age_estimation"], &json!("c-7"))
    );
    assert_ne!(one["request_id"], two["request_id"]);
}

#[test]
fn a_form_must_be_one() {
    let world = World::new();
    let path = format!("{}/apis/poa/", world.app(0, 0));
    assert_eq!(world.call("devon", "POST", &path, json!({})).status, 415);
    let broken = Request::post(&path)
        .header(
            "authorization",
            format!("Bearer {}", world.sandbox.credential("devon").unwrap()),
        )
        .header("content-type", "multipart/form-data; boundary=b")
        .body(Full::from("--b\r\n"));
    let reply = world.send(broken.unwrap());
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.body["detail"],
        "Multipart form parse error - The headers of a part have no end."
    );
}

#[test]
fn a_check_costs_and_one_without_credit_is_not_made() {
    let world = World::new();
    let balance = |world: &World| {
        let path = format!("/v3/organization/{}/top-up/", world.org_id(0));
        world.get("olivia", &path).body["balance"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let aml = |app: &str| {
        world.call(
            "olivia",
            "POST",
            &format!("{app}/apis/aml/"),
            json!({ "full_name": "Anna" }),
        )
    };
    assert!(world.sandbox.set_balance(&world.org_id(0), 45));
    assert_eq!(aml(&world.app(0, 0)).status, 200);
    assert_eq!(balance(&world), "0.15");
    let refused = aml(&world.app(0, 0));
    assert_eq!(
        (refused.status, refused.body),
        (
            402,
            json!({ "detail": "The balance does not cover this check." })
        )
    );
    assert_eq!(balance(&world), "0.15");
    // An application in sandbox mode pays nothing.
    assert_eq!(aml(&world.app(0, 2)).status, 200);
    let path = format!("/v3/organization/{}/top-up/", world.org_id(0));
    let opened = world
        .call(
            "olivia",
            "POST",
            &path,
            json!({ "amount_in_dollars": 50.25 }),
        )
        .body;
    let checkout = opened["checkout_session_id"].as_str().unwrap();
    assert_eq!(balance(&world), "0.15");
    assert!(world.sandbox.pay_checkout(checkout) && !world.sandbox.pay_checkout(checkout));
    assert_eq!(balance(&world), "50.40");
    for amount in [json!(49.99), json!(1_000_001), json!("50"), Value::Null] {
        let reply = world.call(
            "olivia",
            "POST",
            &path,
            json!({ "amount_in_dollars": amount }),
        );
        assert_eq!(reply.status, 400, "{amount}");
    }
}

#[test]
fn a_repeated_key_answers_again_and_another_body_conflicts() {
    let world = World::new();
    let path = format!("{}/apis/aml/", world.app(0, 0));
    let aml = |key: &str, name: &str| {
        let mut request = world.request("olivia", "POST", &path, json!({ "full_name": name }));
        request
            .headers_mut()
            .insert("idempotency-key", key.parse().unwrap());
        world.send(request)
    };
    let (one, two, other) = (aml("k", "Anna"), aml("k", "Anna"), aml("l", "Anna"));
    assert_eq!(one.body, two.body);
    assert_ne!(one.body["request_id"], other.body["request_id"]);
    let conflict = aml("k", "Bruno");
    assert_eq!(
        (conflict.status, conflict.body),
        (
            409,
            json!({ "detail": "This Idempotency-Key was used with another body." })
        )
    );
    assert_eq!(aml(&"k".repeat(256), "Anna").status, 400);
}

#[test]
fn codes_last_five_minutes_and_three_tries_and_a_number_gets_four_an_hour() {
    let world = World::new();
    let post = |tail: &str, body: Value| keyed(&world, "POST", &format!("/v3/{tail}/"), body);
    let send = |size: u64| {
        post(
            "email/send",
            json!({ "email": "a@mail.example", "options": { "code_size": size } }),
        )
    };
    let check = |code: &str| {
        post(
            "email/check",
            json!({ "email": "a@mail.example", "code": code }),
        )
    };
    let sent = || world.sandbox.code_sent_to("a@mail.example").unwrap();
    assert_eq!((send(3).status, send(9).status), (400, 400));
    assert_eq!((send(8).status, sent().len()), (200, 8));
    assert_eq!(check("wrong").body["status"], "Failed");
    assert_eq!(check(&sent()).body["status"], "Approved");
    assert_eq!(check(&sent()).status, 400);
    send(6);
    for _ in 0..3 {
        check("wrong");
    }
    assert_eq!(check(&sent()).status, 400);
    send(6);
    world.advance(300);
    assert_eq!(check(&sent()).status, 400);
    let phone = |number: &str| post("phone/send", json!({ "phone_number": number }));
    for bad in [
        "600000000",
        "+0600000000",
        "+34 600 000",
        "+346000000001234567",
    ] {
        assert_eq!(phone(bad).status, 400, "{bad}");
    }
    for _ in 0..4 {
        assert_eq!(phone("+34600000000").status, 200);
    }
    assert_eq!(phone("+34600000000").status, 429);
    assert_eq!(phone("+34600000001").status, 200);
    world.advance(3_600);
    assert_eq!(phone("+34600000000").status, 200);
}

#[test]
fn a_company_is_chosen_from_a_search() {
    let world = World::new();
    let post = |tail: &str, body: Value| {
        world.call(
            "olivia",
            "POST",
            &format!("{}/apis/kyb/{tail}/", world.app(0, 0)),
            body,
        )
    };
    assert_eq!(post("search", json!({ "country_code": "ES" })).status, 400);
    let found = post("search", json!({ "country_code": "ES", "name": "Harbour" })).body;
    let id = &found["companies"][0]["kyb_response_id"];
    let chosen = post("select", json!({ "kyb_response_id": id })).body;
    assert_eq!(
        (&chosen["kyb"]["name"], &chosen["kyb"]["status"]),
        (&json!("Harbour"), &json!("Approved"))
    );
    assert_eq!(
        post("select", json!({ "kyb_response_id": "other" })).status,
        400
    );
}
