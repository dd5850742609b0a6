//! Webhooks: what is sent to whom, that the client's own receiver believes it, repetitions, and sending again.

use didit_client::Secret;
use didit_client::webhook::{Receiver, Recipe, Secrets};
use didit_sandbox::Webhook;
use serde_json::{Value, json};

use crate::harness::{START, World};

/// A destination of one's own, and its secret.
fn destination(world: &World, events: Value) -> String {
    let body =
        json!({ "label": "Mine", "url": "https://mine.example/hook", "subscribed_events": events });
    let path = format!("{}/webhook/destinations/", world.app(0, 0));
    let made = world.call("devon", "POST", &path, body).body;
    made["secret_shared_key"].as_str().unwrap().to_owned()
}

/// The next webhook for that destination.
fn next(world: &World) -> Option<Webhook> {
    std::iter::from_fn(|| world.sandbox.next_webhook())
        .find(|webhook| webhook.request.uri().host() == Some("mine.example"))
}

fn decide(world: &World, session: &str, status: &str) {
    let path = format!("/v3/session/{session}/update-status/");
    let reply = world.call("carmen", "PATCH", &path, json!({ "new_status": status }));
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn in_review(world: &World) -> String {
    let path = format!("{}/sessions/?status=In%20Review", world.app(0, 0));
    world.get("olivia", &path).body["results"][0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_decision_is_told_and_the_clients_receiver_believes_it() {
    let world = World::new();
    let secret = destination(&world, json!(["status.updated"]));
    assert!(next(&world).is_none());
    let session = in_review(&world);
    decide(&world, &session, "Approved");
    let webhook = next(&world).unwrap();
    let request = &webhook.request;
    assert_eq!(
        (request.method().as_str(), request.uri().path()),
        ("POST", "/hook")
    );
    assert_eq!(
        request.headers()["user-agent"],
        "DiditWebhook/2.0 +https://didit.me"
    );
    for recipe in [Recipe::Body, Recipe::Canonical] {
        let secrets = |secret: &str| Secrets::new([Secret::new(secret)]).unwrap();
        let receiver = Receiver::new(recipe, secrets(&secret));
        let verified = receiver
            .verify(request.headers(), request.body(), START)
            .unwrap();
        let event = verified.event();
        assert_eq!(
            (event.session_id.as_deref(), event.status.as_deref()),
            (Some(session.as_str()), Some("Approved"))
        );
        assert_eq!(event.application_id, Some(world.app_id(0, 0)));
        let other = Receiver::new(recipe, secrets("whsec_other"));
        assert!(
            other
                .verify(request.headers(), request.body(), START)
                .is_err()
        );
    }
    assert!(world.sandbox.webhook_answered(&webhook.id, 200));
    world.advance(1_000);
    assert!(next(&world).is_none());
}

#[test]
fn only_what_is_subscribed_and_switched_on_is_told() {
    let world = World::new();
    destination(&world, json!(["transaction.created"]));
    decide(&world, &in_review(&world), "Approved");
    assert!(next(&world).is_none());
    let transaction = json!({
        "transaction_id": "t-1",
        "transaction_category": "finance",
        "transaction_details": {},
        "subject": { "vendor_data": "c-1" },
    });
    let path = format!("{}/transactions/", world.app(0, 0));
    world.call("olivia", "POST", &path, transaction.clone());
    assert!(next(&world).is_some());
    // Another application's rows are not told here.
    let elsewhere = format!("{}/transactions/", world.app(0, 2));
    world.call("olivia", "POST", &elsewhere, transaction);
    assert!(next(&world).is_none());
}

#[test]
fn what_is_not_received_is_sent_again_after_one_and_after_four_minutes() {
    let world = World::new();
    destination(&world, json!(["status.updated"]));
    let session = in_review(&world);
    decide(&world, &session, "Declined");
    let first = next(&world).unwrap();
    world.sandbox.webhook_answered(&first.id, 500);
    for wait in [60, 240] {
        world.advance(wait - 1);
        assert!(next(&world).is_none());
        world.advance(1);
        let again = next(&world).unwrap();
        assert_eq!(
            (&again.id, again.request.body()),
            (&first.id, first.request.body())
        );
    }
    world.advance(100_000);
    assert!(next(&world).is_none());
    let listed = |world: &World| {
        let rows = world
            .get("olivia", &format!("/v3/session/{session}/webhooks/"))
            .body;
        let rows = rows["results"].as_array().unwrap().clone();
        rows.into_iter()
            .find(|row| row["uuid"] == first.id)
            .unwrap()
    };
    let row = listed(&world);
    assert_eq!(
        (&row["state"], &row["attempts"], &row["response_status"]),
        (&json!("failed"), &json!(3), &json!(500))
    );
    let path = format!("/v3/session/{session}/webhook/{}/resend", first.id);
    assert_eq!(world.call("rita", "POST", &path, Value::Null).status, 403);
    assert_eq!(world.call("devon", "POST", &path, Value::Null).status, 200);
    assert_eq!(listed(&world)["state"], "pending");
    let again = next(&world).unwrap();
    world.sandbox.webhook_answered(&again.id, 204);
    assert_eq!(listed(&world)["state"], "delivered");
    assert!(!world.sandbox.webhook_answered("other", 200));
}

#[test]
fn what_changes_with_a_user_is_told_by_what_it_is() {
    let world = World::new();
    destination(&world, json!(["user.status.updated", "user.data.updated"]));
    let path = format!("{}/vendor-users/", world.app(0, 0));
    let user = world.get("rita", &path).body["results"][0].clone();
    let one = format!("{path}{}/update/", user["vendor_data"].as_str().unwrap());
    let told = |body: Value| {
        assert_eq!(world.call("adam", "PATCH", &one, body).status, 200);
        let webhook = next(&world).unwrap();
        let body: Value = serde_json::from_slice(webhook.request.body()).unwrap();
        assert_eq!(body["vendor_data"], user["vendor_data"]);
        (body["webhook_type"].clone(), body["status"].clone())
    };
    let other = if user["status"] == "BLOCKED" {
        "FLAGGED"
    } else {
        "BLOCKED"
    };
    assert_eq!(
        told(json!({ "display_name": "A" })),
        (json!("user.data.updated"), user["status"].clone())
    );
    assert_eq!(
        told(json!({ "status": other })),
        (json!("user.status.updated"), json!(other))
    );
    assert_eq!(
        told(json!({ "status": other })),
        (json!("user.data.updated"), json!(other))
    );
}
