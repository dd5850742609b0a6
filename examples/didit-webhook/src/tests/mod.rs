//! A delivery that is let through, and each way in which one is not.

mod stand_in;

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use didit_client::webhook::MAX_BODY;
use http::Request;
use http_body_util::Full;
use ring::hmac;

use super::*;

const NOW: u64 = 1_767_225_600;
const SECRET: &str = "whsec_of_the_destination";
const BODY: &str = r#"{"event_id":"e-1","session_id":"s-1","status":"Approved","timestamp":1767225600,"webhook_type":"status.updated"}"#;

fn signature(secret: &str, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn delivery(secret: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post("/didit")
        .header("x-signature", signature(secret, body))
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap()
}

/// The statuses of these deliveries, one after the other, and what was told.
async fn delivered(
    deliveries: impl IntoIterator<Item = (u64, Request<Full<Bytes>>)>,
) -> (Vec<u16>, Vec<String>) {
    let secrets = Secrets::new([SECRET, "whsec_the_old_one"].map(Secret::new)).unwrap();
    let (clock, lines) = (Cell::new(NOW), RefCell::new(Vec::new()));
    let hook = Hook::new(
        Receiver::new(Recipe::Body, secrets),
        || clock.get(),
        |line| lines.borrow_mut().push(line),
    );
    let mut statuses = Vec::new();
    for (now, request) in deliveries {
        clock.set(now);
        statuses.push(hook.answer(request).await.unwrap().status().as_u16());
    }
    (statuses, lines.take())
}

#[tokio::test]
async fn an_event_is_told_once() {
    let again = [NOW, NOW + 60, NOW + 240].map(|now| (now, delivery(SECRET, BODY)));
    let (statuses, lines) = delivered(again).await;
    assert_eq!(statuses, [204, 200, 200]);
    assert_eq!(
        lines,
        [
            "event     status.updated s-1 Approved",
            "refused   the event was delivered before",
            "refused   the event was delivered before",
        ]
    );
}

#[tokio::test]
async fn the_old_secret_still_works_while_it_is_changed() {
    let (statuses, _) = delivered([(NOW, delivery("whsec_the_old_one", BODY))]).await;
    assert_eq!(statuses, [204]);
}

#[tokio::test]
async fn what_is_not_verified_is_not_believed() {
    let mut changed = delivery(SECRET, BODY);
    *changed.body_mut() = Full::new(Bytes::from(BODY.replace("Approved", "Declined")));
    let mut unsigned = delivery(SECRET, BODY);
    unsigned.headers_mut().clear();
    let (statuses, lines) = delivered([
        (NOW, changed),
        (NOW, unsigned),
        (NOW, delivery("whsec_of_a_stranger", BODY)),
        (NOW + 301, delivery(SECRET, BODY)),
        (NOW, delivery(SECRET, "{}")),
    ])
    .await;
    assert_eq!(statuses, [401, 401, 401, 401, 400]);
    assert_eq!(
        lines,
        [
            "refused   the signature fits none of the secrets",
            "refused   the header x-signature is missing",
            "refused   the signature fits none of the secrets",
            "refused   the event is 1 s too old",
            "refused   the body is no event: event_id is missing, not text",
        ]
    );
}

#[tokio::test]
async fn a_large_body_is_not_read_to_its_end() {
    let body = " ".repeat(MAX_BODY + 1);
    let (statuses, lines) = delivered([(NOW, delivery(SECRET, &body))]).await;
    assert_eq!(statuses, [413]);
    assert_eq!(lines, ["refused   the body is larger than 1 MiB"]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let secrets = Secrets::new([Secret::new(SECRET)]).unwrap();
    let hook = Hook::new(Receiver::new(Recipe::Body, secrets), || NOW, |_| ());
    let (_sender, body) = http_body_util::channel::Channel::<Bytes>::new(1);
    let request = Request::post("/didit").body(body).unwrap();
    assert_eq!(hook.answer(request).await.unwrap().status(), 408);
}

#[tokio::test]
async fn other_addresses_and_methods_are_nothing() {
    let mut elsewhere = delivery(SECRET, BODY);
    *elsewhere.uri_mut() = "/".parse().unwrap();
    let mut read = delivery(SECRET, BODY);
    *read.method_mut() = http::Method::GET;
    let (statuses, lines) = delivered([(NOW, elsewhere), (NOW, read)]).await;
    assert_eq!(statuses, [404, 405]);
    assert!(lines.is_empty());
}

#[tokio::test]
async fn a_receiver_without_a_secret_does_not_start() {
    assert!(serve("127.0.0.1:0", "").await.is_err());
    assert!(serve("127.0.0.1:0", "a,").await.is_err());
}
