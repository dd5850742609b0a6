//! The REST API: every call of it, with an application's key and nothing else.

use didit_client::operation::{self, CredentialKind};
use didit_client::request::rest;
use didit_client::{Api, Call, Credential, File, IdempotencyKey, InvalidCall, PathPart};
use http::Request;
use serde_json::{Value, json};

/// What is documented: 48 calls.
const DOCUMENTED: [&str; 48] = [
    "POST /session/",
    "GET /sessions/",
    "GET /session/x/decision/",
    "PATCH /session/x/update-status/",
    "DELETE /session/x/delete/",
    "POST /sessions/delete/",
    "GET /session/x/generate-pdf",
    "POST /session/x/share/",
    "POST /session/import-shared/",
    "GET /sessions/x/reviews/",
    "POST /sessions/x/reviews/",
    "GET /workflows/",
    "POST /workflows/",
    "GET /workflows/x/",
    "PATCH /workflows/x/",
    "DELETE /workflows/x/",
    "GET /questionnaires/",
    "POST /questionnaires/",
    "GET /questionnaires/x/",
    "PATCH /questionnaires/x/",
    "DELETE /questionnaires/x/",
    "GET /users/",
    "GET /users/x/",
    "PATCH /users/x/",
    "POST /users/delete/",
    "GET /blocklist/",
    "POST /blocklist/add/",
    "POST /blocklist/remove/",
    "GET /billing/balance/",
    "POST /billing/top-up/",
    "GET /webhook/",
    "PATCH /webhook/",
    "POST /webhook/destinations/",
    "POST /transactions/",
    "GET /transactions/x/",
    "POST /wallet-screening/",
    "POST /id-verification/",
    "POST /poa/",
    "POST /passive-liveness/",
    "POST /face-search/",
    "POST /age-estimation/",
    "POST /face-match/",
    "POST /aml/",
    "POST /database-validation/",
    "POST /email/send/",
    "POST /email/check/",
    "POST /phone/send/",
    "POST /phone/check/",
];

fn key() -> Credential {
    Credential::api_key("application-key")
}

fn part(text: &str) -> PathPart {
    PathPart::parse(text).unwrap()
}

fn sent(call: &Call) -> Request<Vec<u8>> {
    call.request(&Api::hosted(), &key()).unwrap()
}

fn body(request: &Request<Vec<u8>>) -> Value {
    serde_json::from_slice(request.body()).unwrap()
}

fn calls() -> impl Iterator<Item = Call> {
    operation::all()
        .filter(|row| row.name.starts_with("rest."))
        .map(|row| {
            row.parts()
                .fold(Call::new(row), |call, name| call.part(name, part("x")))
        })
}

#[test]
fn every_documented_call_is_there_and_carries_the_key() {
    let mut lines = Vec::new();
    for call in calls() {
        let request = sent(&call);
        let path = request.uri().path().strip_prefix("/v3").unwrap();
        lines.push(format!("{} {path}", request.method()));
        assert_eq!(request.headers()["x-api-key"], "application-key");
        for absent in [
            "authorization",
            "x-didit-organization-id",
            "x-didit-application-id",
        ] {
            assert!(!request.headers().contains_key(absent), "{path} {absent}");
        }
    }
    assert_eq!(lines, DOCUMENTED);
}

#[test]
fn a_persons_token_opens_none_of_them() {
    for call in calls() {
        for credential in [Credential::bearer("token"), Credential::Nobody] {
            let refused = call.request(&Api::hosted(), &credential).unwrap_err();
            let takes = CredentialKind::ApiKey;
            assert_eq!(refused, InvalidCall::OtherCredential { takes });
        }
    }
}

#[test]
fn no_part_of_a_path_escapes() {
    for text in [
        "../../organization",
        "a/b",
        "..",
        ".",
        "",
        "a?b",
        "a#b",
        "a\nb",
    ] {
        assert!(PathPart::parse(text).is_err(), "{text:?}");
    }
    for call in operation::all().filter(|row| row.name.starts_with("rest.")) {
        let hostile = part("..%2f..;a=b\\c");
        let call = call.parts().fold(Call::new(call), |call, name| {
            call.part(name, hostile.clone())
        });
        let depth = |path: &str| path.split('/').count();
        let path = sent(&call).uri().path().to_owned();
        assert_eq!(depth(&path), depth(call.operation().path) + 1, "{path}");
        assert!(!path.contains([';', '\\', '=']), "{path}");
    }
}

#[test]
fn a_typed_request_becomes_its_fields_and_nothing_else() {
    let mut create = rest::SessionCreate::new("w-1");
    create.vendor_data = Some("customer-42".to_owned());
    create.callback_method = Some(rest::CallbackMethod::Both);
    assert_eq!(
        body(&sent(&create.call())),
        json!({"workflow_id": "w-1", "vendor_data": "customer-42", "callback_method": "both"})
    );

    let mut list = rest::SessionList::new();
    list.vendor_data = Some("customer 42".to_owned());
    list.limit = Some(5);
    assert_eq!(
        sent(&list.call()).uri().query(),
        Some("vendor_data=customer%2042&limit=5")
    );

    let top_up = rest::BillingTopUp::new(50.into());
    assert_eq!(
        body(&sent(&top_up.call())),
        json!({"amount_in_dollars": 50})
    );
}

#[test]
fn images_go_out_as_a_form() {
    let image = || File::new("/srv/face.jpg", b"\xff\xd8\xff\xe0".to_vec()).unwrap();
    let mut compare = rest::FaceMatch::new(image(), image());
    compare.vendor_data = Some("customer-42".to_owned());
    let request = sent(&compare.call());
    let content_type = request.headers()["content-type"].to_str().unwrap();
    assert!(content_type.starts_with("multipart/form-data; boundary="));
    let body = String::from_utf8_lossy(request.body());
    for piece in [
        "name=\"vendor_data\"\r\n\r\ncustomer-42\r\n",
        "name=\"user_image\"; filename=\"face.jpg\"\r\nContent-Type: image/jpeg",
        "name=\"ref_image\"; filename=\"face.jpg\"",
    ] {
        assert!(body.contains(piece), "{piece}");
    }
    assert!(!body.contains("/srv"));
}

#[test]
fn only_the_call_that_knows_an_idempotency_key_takes_one() {
    let once = IdempotencyKey::parse("screening-7").unwrap();
    let screen = rest::Aml::new("Ada Lovelace").call();
    let request = sent(&screen.idempotency_key(once.clone()));
    assert_eq!(request.headers()["idempotency-key"], "screening-7");
    for call in calls().filter(|call| call.operation().name != "rest.aml") {
        let call = call.idempotency_key(once.clone());
        let refused = call.request(&Api::hosted(), &key()).unwrap_err();
        assert!(matches!(refused, InvalidCall::UnknownHeader { .. }));
    }
}
