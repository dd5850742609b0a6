//! Reading, checking and building graphs; finding the workflow.

use serde_json::json;

use super::{Backend, graph};

#[tokio::test]
async fn a_graph_comes_with_its_drawing_and_without_large_settings() {
    let backend = Backend::default();
    let mut large = graph();
    large["nodes"]["ocr"]["config"]["documents_allowed"] =
        json!({"ESP": {"ID": {"enabled": 1, "x": "x".repeat(900)}}});
    backend.add(
        "a-1",
        "v-1",
        "w-1",
        "Onboarding",
        "published",
        large.clone(),
    );
    let answer = backend
        .answer("workflow_get_graph", json!({"workflow_id": "v-1"}))
        .await;
    assert_eq!(
        answer["drawing"],
        "start: ocr\nocr: feature OCR (2 settings)\n↓\ndone: status Determine"
    );
    assert_eq!(
        answer["graph"]["nodes"]["ocr"]["config"]["documents_allowed"]["_omitted"],
        true
    );
    assert_eq!(answer["graph"]["nodes"]["ocr"]["config"]["minimum_age"], 18);
    assert_eq!(answer["config_summarized"], true);
    assert_eq!(
        (&answer["workflow_id"], &answer["version_uuid"]),
        (&json!("w-1"), &json!("v-1"))
    );
    assert_eq!(
        (&answer["organization_id"], &answer["application_id"]),
        (&json!("o-1"), &json!("a-1"))
    );
    let whole = backend
        .answer(
            "workflow_get_graph",
            json!({"workflow_id": "v-1", "include_config": true}),
        )
        .await;
    assert_eq!(whole["graph"], large);
    assert_eq!(whole.get("config_summarized"), None);
}

#[tokio::test]
async fn a_workflow_is_found_by_version_workflow_and_exact_label() {
    let backend = Backend::new();
    backend.add("a-2", "v-2", "w-2", "KYC Basic", "published", graph());
    for (given, version, resolved) in [
        ("v-2", "v-2", false),
        ("w-2", "v-2", false),
        ("KYC Basic", "v-2", true),
        (" kyc basic ", "v-2", true),
        ("w-1", "v-1", false),
    ] {
        let answer = backend
            .answer("workflow_get_graph", json!({"workflow_id": given}))
            .await;
        assert_eq!(answer["version_uuid"], version, "{given}");
        assert_eq!(
            answer.get("workflow_resolved").is_some(),
            resolved,
            "{given}"
        );
    }
    let placed = json!({"workflow_id": "v-1", "organization_id": "o-1", "application_id": "a-1"});
    let before = backend.lines().len();
    backend.answer("workflow_get_graph", placed).await;
    assert_eq!(
        backend.lines().split_off(before),
        [
            "GET a-1/verification-settings/v-1/",
            "GET a-1/verification-settings/v-1/workflow-graph/"
        ]
    );
}

#[tokio::test]
async fn a_label_with_a_slash_is_looked_for_and_stands_in_no_path() {
    let backend = Backend::default();
    backend.add(
        "a-1",
        "v-1",
        "w-1",
        "Vendor/Lessor (KYB)",
        "published",
        graph(),
    );
    let answer = backend
        .answer(
            "workflow_get_graph",
            json!({"workflow_id": "Vendor/Lessor (KYB)"}),
        )
        .await;
    assert_eq!(answer["version_uuid"], "v-1");
    assert_eq!(backend.lines()[0], "GET a-1/verification-settings/");
    for hostile in ["..", "../../session/s-1", "v-1/../v-2", "a\u{1}b"] {
        let before = backend.lines().len();
        backend
            .failure("workflow_get_graph", json!({"workflow_id": hostile}))
            .await;
        for line in backend.lines().split_off(before) {
            assert_eq!(line, "GET a-1/verification-settings/", "{hostile}");
        }
    }
}

#[tokio::test]
async fn a_label_that_names_several_is_not_guessed_at() {
    let backend = Backend::new();
    backend.add("a-1", "v-2", "w-2", "KYC Basic", "published", graph());
    backend.add("a-2", "v-3", "w-3", "kyc basic", "published", graph());
    let failure = backend
        .failure("workflow_get_graph", json!({"workflow_id": "KYC Basic"}))
        .await;
    assert_eq!(
        failure.text(),
        "Error [bad_request]: 2 workflows have this label; give the id of one\nField: workflow_id\n\
         Hint: didit_workflow_list lists the workflows; some are w-2 (KYC Basic), w-3 (kyc basic).\nAllowed: w-2, w-3"
    );
    let unknown = backend
        .failure("workflow_get_graph", json!({"workflow_id": "feature_ocr"}))
        .await;
    assert!(
        unknown.text().contains("id of a node in a graph"),
        "{}",
        unknown.text()
    );
}

#[tokio::test]
async fn an_application_that_does_not_answer_is_told() {
    let backend = Backend::new().answering(
        "GET",
        "application/a-2/verification-settings/",
        500,
        json!({}),
    );
    backend.add("a-2", "v-2", "w-2", "Other", "published", graph());
    let failure = backend
        .failure("workflow_get_graph", json!({"workflow_id": "nowhere"}))
        .await;
    assert!(
        failure
            .message()
            .ends_with("; 1 of 2 applications did not answer"),
        "{}",
        failure.message()
    );
    let found = backend
        .answer("workflow_get_graph", json!({"workflow_id": "w-1"}))
        .await;
    assert_eq!(found["version_uuid"], "v-1");
}

#[tokio::test]
async fn a_graph_is_validated_here_and_there() {
    let backend = Backend::new();
    let mut branching = graph();
    branching["nodes"]["fork"] = json!({"node_type": "branch", "next": "done", "branches": []});
    branching["nodes"]["ocr"]["next"] = json!("fork");
    let arguments = json!({"workflow_id": "v-1", "graph": branching});
    let answer = backend.answer("workflow_validate_graph", arguments).await;
    assert_eq!(answer["is_valid"], true);
    let (line, body) = backend.sent().pop().unwrap();
    assert_eq!(line, "POST a-1/workflow-graph/validate/");
    assert_eq!(body["workflow_uuid"], "v-1");
    assert_eq!(
        body["graph"]["nodes"]["fork"],
        json!({"node_type": "branch", "branches": [{"id": "else", "logic": "and", "rules": [], "goto": "done"}]})
    );
    let mut lost = graph();
    lost["nodes"]["ocr"]["next"] = json!("dome");
    let answer = backend
        .answer(
            "workflow_validate_graph",
            json!({"graph": lost, "workflow_type": "kyc"}),
        )
        .await;
    assert_eq!(answer["is_valid"], false);
    assert_eq!(answer["graph_errors"][0]["nearest"], "done");
    let (_, body) = backend.sent().pop().unwrap();
    assert_eq!(
        (body.get("workflow_uuid"), &body["workflow_type"]),
        (None, &json!("kyc"))
    );
}

#[tokio::test]
async fn a_graph_that_cannot_be_read_is_told_by_its_place() {
    let backend = Backend::new();
    let arguments = json!({"graph": {"start_node": "a", "nodes": {"a": {"node_type": 1}}}});
    let failure = backend.failure("workflow_validate_graph", arguments).await;
    assert_eq!(
        failure.text().lines().take(2).collect::<Vec<_>>(),
        [
            "Error [bad_request]: graph: nodes.a.node_type is a number, not text",
            "Field: graph.nodes.a.node_type"
        ]
    );
    assert!(backend.lines().is_empty());
}

#[tokio::test]
async fn fields_are_of_one_check_or_all() {
    let fields = json!({"fields": [1], "fields_by_feature": {"OCR": [{"field": "kyc.status"}], "AML": []}, "operators_by_field_type": {"status": ["equals"]}});
    let backend = Backend::new().answering("GET", "field-definitions/", 200, fields);
    let answer = backend
        .answer(
            "workflow_get_field_definitions",
            json!({"workflow_id": "v-1", "feature": "OCR"}),
        )
        .await;
    assert_eq!(answer["fields"], json!([{"field": "kyc.status"}]));
    assert_eq!(
        (&answer["feature"], &answer["filtered"]),
        (&json!("OCR"), &json!(true))
    );
    assert_eq!(
        answer["operators_by_field_type"]["status"],
        json!(["equals"])
    );
    let all = backend
        .answer(
            "workflow_get_field_definitions",
            json!({"workflow_id": "v-1"}),
        )
        .await;
    assert_eq!(all["fields"], json!([1]));
    let failure = backend
        .failure(
            "workflow_get_field_definitions",
            json!({"workflow_id": "v-1", "feature": "NFC"}),
        )
        .await;
    assert!(
        failure.text().ends_with("Allowed: AML, OCR"),
        "{}",
        failure.text()
    );
}

#[tokio::test]
async fn branch_fields_are_asked_for_a_node_that_is_there() {
    let backend = Backend::new().answering("POST", "branch-fields/", 200, json!({"fields": []}));
    let arguments =
        |node: &str| json!({"workflow_id": "v-1", "graph": graph(), "branch_node_id": node});
    let failure = backend
        .failure("workflow_get_branch_fields", arguments("fork"))
        .await;
    assert!(
        failure.text().ends_with("Allowed: done, ocr"),
        "{}",
        failure.text()
    );
    assert!(backend.lines().is_empty());
    backend
        .answer("workflow_get_branch_fields", arguments("ocr"))
        .await;
    let (line, body) = backend.sent().pop().unwrap();
    assert_eq!(
        line,
        "POST a-1/verification-settings/v-1/workflow-graph/branch-fields/"
    );
    assert_eq!(body["branch_node_id"], "ocr");
}

#[tokio::test]
async fn a_built_graph_is_summarized_and_drawn() {
    let backend = Backend::new().answering(
        "POST",
        "build-workflow/",
        200,
        json!({"graph": graph(), "valid": true}),
    );
    let answer = backend
        .answer(
            "workflow_build_graph",
            json!({"subject": "kyc", "features": ["OCR"]}),
        )
        .await;
    assert_eq!(
        answer["graph"],
        json!({"node_count": 2, "features": ["OCR"], "branches": 0})
    );
    assert!(
        answer["drawing"]
            .as_str()
            .unwrap()
            .starts_with("start: ocr")
    );
    let (_, body) = backend.sent().pop().unwrap();
    assert_eq!(body, json!({"subject": "kyc", "features": ["OCR"]}));
    let whole = backend
        .answer("workflow_build_graph", json!({"include_graph": true}))
        .await;
    assert_eq!(whole["graph"], graph());
}
