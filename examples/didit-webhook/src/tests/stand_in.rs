//! What the stand-in for Didit delivers, from a decision on a session to the event.

use std::collections::BTreeSet;
use std::sync::Arc;

use didit_client::webhook::{DangerousSimpleReceiver, EventType, Refused, Verified};
use didit_sandbox::Sandbox;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower_service::Service as _;

use super::*;

/// Asks the stand-in as its owner, without the client, which would mask the secret.
async fn ask(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Value {
    let token = sandbox.credential("olivia").unwrap();
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let request = Request::builder()
        .method(method)
        .uri(format!("http://localhost{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let answer = sandbox.service().call(request).await.unwrap();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn rows(list: &Value) -> &[Value] {
    let rows = list.as_array().or_else(|| list["results"].as_array());
    rows.unwrap().as_slice()
}

#[tokio::test]
async fn what_the_stand_in_delivers_is_verified_by_each_recipe() {
    let sandbox = Sandbox::new(Arc::new(|| NOW));
    let organizations = ask(&sandbox, "GET", "/auth/v2/organizations/me/", Value::Null).await;
    let org = rows(&organizations)[0]["uuid"].as_str().unwrap();
    let path = format!("/auth/v2/organizations/me/{org}/applications/");
    let applications = ask(&sandbox, "GET", &path, Value::Null).await;
    let app = rows(&applications)
        .iter()
        .find(|row| row["mode"] == "sandbox");
    let app = app.unwrap()["uuid"].as_str().unwrap();
    let place = format!("/v3/organization/{org}/application/{app}");

    let made = ask(
        &sandbox,
        "POST",
        &format!("{place}/webhook/destinations/"),
        json!({"label": "Receiver", "url": "https://receiver.example/didit", "subscribed_events": ["status.updated"]}),
    )
    .await;
    let secret = made["secret_shared_key"].as_str().unwrap();
    let path = format!("{place}/sessions/?status=In%20Review");
    let sessions = ask(&sandbox, "GET", &path, Value::Null).await;
    let session = rows(&sessions)[0]["session_id"].as_str().unwrap();
    let path = format!("/v3/session/{session}/update-status/");
    ask(
        &sandbox,
        "PATCH",
        &path,
        json!({"new_status": "Approved", "comment": "zażółć"}),
    )
    .await;

    let mut seen = BTreeSet::new();
    while let Some(webhook) = sandbox.next_webhook() {
        sandbox.webhook_answered(&webhook.id, 204);
        let (parts, body) = webhook.request.into_parts();
        if parts.uri != "https://receiver.example/didit" {
            continue;
        }
        let verify = |secret: &str, recipe| -> Result<Verified, Refused> {
            let secrets = Secrets::new([Secret::new(secret)]).unwrap();
            Receiver::new(recipe, secrets).verify(&parts.headers, &body, NOW)
        };
        for recipe in [Recipe::Body, Recipe::Canonical] {
            let verified = verify(secret, recipe).unwrap();
            let event = verified.event();
            assert_eq!(event.session_id.as_deref(), Some(session));
            assert_eq!(event.status.as_deref(), Some("Approved"));
            assert_eq!(event.event_type, EventType::StatusUpdated);
            assert_eq!(event.timestamp, NOW);
            seen.insert(event.event_id.clone());
            let other = verify("whsec_of_another_destination", recipe);
            assert_eq!(other, Err(Refused::SignatureWrong));
        }
        let secrets = Secrets::new([Secret::new(secret)]).unwrap();
        let four = DangerousSimpleReceiver::dangerous_new(secrets);
        let four = four.verify(&parts.headers, &body, NOW).unwrap();
        assert_eq!(
            (four.session_id.as_str(), four.status.as_str()),
            (session, "Approved")
        );
    }
    assert_eq!(seen.len(), 1);
}
