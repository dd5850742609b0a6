//! A workflow built, changed, refused, published and explained, against the sandbox.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use didit_client::Api;
use didit_client::send::Sender;
use didit_sandbox::Sandbox;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower_service::Service;

use super::{NOW, run_over};
use crate::outcome::Outcome;

/// The sandbox as an HTTP client.
#[derive(Clone)]
struct Client(Sandbox);

impl Service<Request<Bytes>> for Client {
    type Response = Response<Bytes>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let mut service = self.0.service();
        Box::pin(async move {
            let answer = service.call(request.map(Full::new)).await;
            let (parts, body) = answer.map_err(|error| error.to_string())?.into_parts();
            let body = body.collect().await.map_err(|error| error.to_string())?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        })
    }
}

/// Somebody who works on workflows.
struct At {
    sender: Sender<Client>,
    credential: String,
}

impl At {
    fn sandbox(person: &str) -> Self {
        let sandbox = Sandbox::new(Arc::new(|| NOW));
        let credential = sandbox.credential(person).unwrap();
        let api = Api::at("http://127.0.0.1/auth/v2", "http://127.0.0.1/v3").unwrap();
        Self {
            sender: Sender::new(api, Client(sandbox)),
            credential,
        }
    }

    async fn run(&self, run: &str, arguments: Value) -> Outcome {
        run_over(&self.sender, &self.credential, run, &arguments).await
    }

    async fn answer(&self, run: &str, arguments: Value) -> Value {
        self.run(run, arguments)
            .await
            .unwrap_or_else(|failure| panic!("{}", failure.text()))
    }
}

const LABEL: &str = "full onboarding";

#[tokio::test]
async fn a_workflow_is_read_changed_and_published_by_its_label() {
    let at = At::sandbox("adam");
    let before = at
        .answer("workflow_get_graph", json!({"workflow_id": LABEL}))
        .await;
    assert!(
        before["drawing"]
            .as_str()
            .unwrap()
            .starts_with("start: feature_ocr_1\nfeature_ocr_1: feature OCR"),
        "{before}"
    );
    let published = before["version_uuid"].as_str().unwrap();

    let operations = json!([
        {"op": "merge_node_config", "node_id": "feature_ocr_1", "config": {"minimum_age": 21}},
        {"op": "set_node", "node_id": "route", "node": {"node_type": "branch", "next": "feature_liveness_2", "branches": [
            {"id": "young", "logic": "and", "rules": [{"field": "kyc.age", "operator": "less_than", "value": 18}], "goto": "no"},
        ]}},
        {"op": "set_node", "node_id": "no", "node": {"node_type": "status", "session_status": "Declined"}},
        {"op": "set_next", "node_id": "feature_ocr_1", "next": "route"},
    ]);
    let saved = at
        .answer(
            "workflow_edit_graph",
            json!({"workflow_id": published, "operations": operations}),
        )
        .await;
    assert_eq!(
        (&saved["applied"], &saved["created_draft"]),
        (&json!(true), &json!(true)),
        "{saved}"
    );
    assert_eq!(
        (&saved["graph_read_back"], &saved["unconfirmed_config_keys"]),
        (&json!(true), &json!([]))
    );
    assert!(
        saved["drawing"]
            .as_str()
            .unwrap()
            .contains("├─ young: if kyc.age < 18\n│  no: status Declined"),
        "{saved}"
    );
    assert_eq!(
        saved["graph"]["nodes"]["route"]["branches"][0]["rules"][0]["node_id"],
        "feature_ocr_1"
    );
    let unchanged = at
        .answer("workflow_get_graph", json!({"workflow_id": published}))
        .await;
    assert_eq!(
        unchanged["graph"], before["graph"],
        "the published version is as it was"
    );

    let live = at
        .answer(
            "workflow_publish",
            json!({"workflow_id": saved["version_uuid"]}),
        )
        .await;
    assert_eq!(
        (&live["published"], &live["status"]),
        (&json!(true), &json!("published"))
    );
    let after = at
        .answer(
            "workflow_get_graph",
            json!({"workflow_id": saved["workflow_id"]}),
        )
        .await;
    assert_eq!(after["version_uuid"], saved["version_uuid"]);
    let again = at
        .run(
            "workflow_publish",
            json!({"workflow_id": saved["workflow_id"]}),
        )
        .await
        .unwrap_err();
    assert!(
        again.message().contains("nothing to publish"),
        "{}",
        again.text()
    );
}

#[tokio::test]
async fn a_second_edit_goes_on_from_the_draft_of_the_first() {
    let at = At::sandbox("adam");
    let edit = |name: &'static str| json!({"workflow_id": LABEL, "operations": [{"op": "merge_node_config", "node_id": "feature_ocr_1", "config": {name: 21}}]});
    let first = at.answer("workflow_edit_graph", edit("minimum_age")).await;
    let second = at.answer("workflow_edit_graph", edit("maximum_age")).await;
    assert_eq!(first["version_uuid"], second["version_uuid"]);
    assert_eq!(
        second["graph"]["nodes"]["feature_ocr_1"]["config"],
        json!({"minimum_age": 21, "maximum_age": 21})
    );
}

#[tokio::test]
async fn what_the_api_does_not_take_is_not_saved() {
    let at = At::sandbox("adam");
    // A circle with a way out is a warning here, and refused there.
    let operations = json!([
        {"op": "set_node", "node_id": "again", "node": {"node_type": "branch", "branches": [
            {"id": "more", "logic": "and", "rules": [{"field": "kyc.age", "operator": "is_empty"}], "goto": "feature_ocr_1"},
            {"id": "else", "logic": "and", "rules": [], "goto": "feature_liveness_2"},
        ]}},
        {"op": "set_next", "node_id": "feature_ocr_1", "next": "again"},
    ]);
    let refused = at
        .answer(
            "workflow_edit_graph",
            json!({"workflow_id": LABEL, "operations": operations}),
        )
        .await;
    assert_eq!(refused["applied"], false);
    assert_eq!(
        refused["validation"]["errors"][0]["code"], "cycle",
        "{refused}"
    );
    let none = at
        .run("workflow_publish", json!({"workflow_id": LABEL}))
        .await
        .unwrap_err();
    assert!(
        none.message().contains("has no draft"),
        "no draft was left: {}",
        none.text()
    );
}

#[tokio::test]
async fn a_built_graph_can_be_saved_as_it_is() {
    let at = At::sandbox("adam");
    let found = at
        .answer("workflow_get_graph", json!({"workflow_id": LABEL}))
        .await;
    let wanted = json!({"features": ["OCR", "AML"], "include_graph": true,
        "organization_id": found["organization_id"], "application_id": found["application_id"]});
    let built = at.answer("workflow_build_graph", wanted).await;
    let graph = built["graph"].clone();
    let valid = at
        .answer(
            "workflow_validate_graph",
            json!({"graph": graph, "workflow_id": LABEL}),
        )
        .await;
    assert_eq!(valid["is_valid"], true, "{valid}");
    let saved = at
        .answer(
            "workflow_set_graph",
            json!({"workflow_id": LABEL, "graph": graph, "publish": true}),
        )
        .await;
    assert_eq!(
        (&saved["applied"], &saved["published"]),
        (&json!(true), &json!(true)),
        "{saved}"
    );
    assert!(saved["drawing"].as_str().unwrap().contains("feature AML"));
}

#[tokio::test]
async fn a_reader_changes_nothing_and_is_told_who_may() {
    let at = At::sandbox("rita");
    let operations = json!([{"op": "merge_node_config", "node_id": "feature_ocr_1", "config": {"minimum_age": 21}}]);
    let failure = at
        .run(
            "workflow_edit_graph",
            json!({"workflow_id": LABEL, "operations": operations}),
        )
        .await
        .unwrap_err();
    assert!(
        failure.text().contains("nothing was saved"),
        "{}",
        failure.text()
    );
    assert!(failure.text().contains("READER"), "{}", failure.text());
}

#[tokio::test]
async fn a_workflow_is_deleted() {
    let at = At::sandbox("adam");
    let found = at
        .answer("workflow_get_graph", json!({"workflow_id": LABEL}))
        .await;
    let arguments = json!({"workflow_id": found["version_uuid"], "organization_id": found["organization_id"], "application_id": found["application_id"]});
    let answer = at.answer("workflow_delete", arguments).await;
    assert_eq!(
        (&answer["deleted"], &answer["archived"]),
        (&json!(true), &json!(false))
    );
    assert!(
        at.run("workflow_get_graph", json!({"workflow_id": LABEL}))
            .await
            .is_err()
    );
}
