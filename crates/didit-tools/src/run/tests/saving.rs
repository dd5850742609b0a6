//! Saving and publishing graphs: what is changed, what is not, and what is told.

use serde_json::{Value, json};

use super::{Backend, graph};

const SETTING: fn() -> Value =
    || json!([{"op": "merge_node_config", "node_id": "ocr", "config": {"minimum_age": 21}}]);

#[tokio::test]
async fn an_edit_goes_to_a_draft_and_leaves_the_published_version() {
    let backend = Backend::new();
    let answer = backend
        .answer(
            "workflow_edit_graph",
            json!({"workflow_id": "w-1", "operations": SETTING()}),
        )
        .await;
    assert_eq!(answer["applied"], true);
    assert_eq!(answer["changes"], json!(["ocr: settings minimum_age"]));
    assert_eq!(
        (&answer["version_uuid"], &answer["created_draft"]),
        (&json!("v-1-draft"), &json!(true))
    );
    assert_eq!(
        (&answer["published"], &answer["status"]),
        (&json!(false), &json!("draft"))
    );
    assert_eq!(
        (
            &answer["graph_read_back"],
            &answer["unconfirmed_config_keys"]
        ),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        (&answer["workflow_id"], &answer["node_count"]),
        (&json!("w-1"), &json!(2))
    );
    assert!(
        answer["drawing"]
            .as_str()
            .unwrap()
            .contains("ocr: feature OCR")
    );
    assert!(answer["note"].as_str().unwrap().contains("v-1-draft"));
    assert_eq!(backend.version("v-1").graph, graph());
    assert_eq!(
        backend.version("v-1-draft").graph["nodes"]["ocr"]["config"]["minimum_age"],
        21
    );
    assert_eq!(
        backend.writes(),
        [
            "POST a-1/verification-settings/v-1/create-draft/",
            "PUT a-1/verification-settings/v-1-draft/workflow-graph/",
        ]
    );
}

#[tokio::test]
async fn an_edit_can_be_published_at_once() {
    let backend = Backend::new();
    let arguments = json!({"workflow_id": "v-1", "operations": SETTING(), "publish": true});
    let answer = backend.answer("workflow_edit_graph", arguments).await;
    assert_eq!(
        (&answer["published"], &answer["status"]),
        (&json!(true), &json!("published"))
    );
    let (line, body) = backend.sent().pop().unwrap();
    assert_eq!(line, "PATCH a-1/verification-settings/v-1-draft/");
    assert_eq!(body, json!({"status": "published"}));
}

#[tokio::test]
async fn an_operation_that_fails_changes_nothing() {
    let backend = Backend::new();
    let mut operations = SETTING();
    operations
        .as_array_mut()
        .unwrap()
        .push(json!({"op": "remove_node", "node_id": "dome"}));
    let failure = backend
        .failure(
            "workflow_edit_graph",
            json!({"workflow_id": "v-1", "operations": operations}),
        )
        .await;
    assert_eq!(
        failure.text(),
        "Error [bad_request]: operation 1: operations[1].node_id names no node of this graph; did you mean done?; nothing was changed\n\
         Field: operations[1].node_id\n\
         Hint: Correct this operation and send the whole list again; none of it was applied.\nAllowed: done, ocr"
    );
    assert!(backend.writes().is_empty());
}

#[tokio::test]
async fn what_is_not_valid_is_not_saved() {
    let backend = Backend::new();
    let lost = json!([{"op": "set_next", "node_id": "ocr", "next": "nowhere"}]);
    let bad = json!([
        {"op": "set_node", "node_id": "bad", "node": {"node_type": "action", "next": "done"}},
        {"op": "set_next", "node_id": "ocr", "next": "bad"},
    ]);
    for (operations, asked) in [(lost, false), (bad, true)] {
        let arguments = json!({"workflow_id": "v-1", "operations": operations, "publish": true});
        let answer = backend.answer("workflow_edit_graph", arguments).await;
        assert_eq!(
            (&answer["applied"], &answer["published"]),
            (&json!(false), &json!(false))
        );
        assert_eq!(answer["validation"]["is_valid"], false);
        assert!(
            !answer["validation"]["errors"]
                .as_array()
                .unwrap()
                .is_empty()
        );
        let validated = backend
            .lines()
            .iter()
            .any(|line| line.ends_with("/validate/"));
        assert_eq!(validated, asked, "what is wrong here is not asked there");
    }
    let mut whole = graph();
    whole["nodes"]["bad"] = json!({"node_type": "action", "next": "done"});
    let answer = backend
        .answer(
            "workflow_set_graph",
            json!({"workflow_id": "v-1", "graph": whole}),
        )
        .await;
    assert_eq!(answer["applied"], false);
    assert!(backend.writes().is_empty());
}

#[tokio::test]
async fn faults_that_were_there_before_do_not_keep_an_edit_from_being_saved() {
    let backend = Backend::default();
    let mut odd = graph();
    odd["nodes"]["new"] = json!({"node_type": "of_next_year", "next": "done"});
    backend.add("a-1", "v-1", "w-1", "Odd", "draft", odd);
    let arguments = json!({"workflow_id": "v-1", "operations": SETTING()});
    let answer = backend.answer("workflow_edit_graph", arguments).await;
    assert_eq!(
        (&answer["applied"], &answer["created_draft"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        backend.version("v-1").graph["nodes"]["new"]["node_type"],
        "of_next_year"
    );
}

#[tokio::test]
async fn a_draft_that_is_there_keeps_its_changes() {
    let backend = Backend::new();
    let mut drafted = graph();
    drafted["nodes"]["ocr"]["config"] = json!({"maximum_age": 90});
    backend.add("a-1", "v-9", "w-1", "Onboarding", "draft", drafted);
    let answer = backend
        .answer(
            "workflow_edit_graph",
            json!({"workflow_id": "w-1", "operations": SETTING()}),
        )
        .await;
    assert_eq!(answer["version_uuid"], "v-9");
    assert_eq!(
        backend.version("v-9").graph["nodes"]["ocr"]["config"],
        json!({"maximum_age": 90, "minimum_age": 21})
    );
    assert!(
        answer["changes"][0]
            .as_str()
            .unwrap()
            .starts_with("the draft that was there already")
    );
}

#[tokio::test]
async fn a_graph_with_settings_left_out_is_not_saved_over_them() {
    let backend = Backend::new();
    let mut short = graph();
    short["nodes"]["ocr"]["config"]["documents_allowed"] =
        json!({"_omitted": true, "_type": "object", "_bytes": 9000});
    let answer = backend
        .answer(
            "workflow_set_graph",
            json!({"workflow_id": "v-1", "graph": short}),
        )
        .await;
    assert_eq!(answer["applied"], false);
    assert!(
        answer["validation"]["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("include_config")
    );
    assert!(backend.writes().is_empty());
}

#[tokio::test]
async fn a_draft_that_was_made_for_nothing_is_told_with_its_id() {
    let refused = json!({"detail": "No."});
    let backend = Backend::new().answering("PUT", "/workflow-graph/", 500, refused);
    let failure = backend
        .failure(
            "workflow_set_graph",
            json!({"workflow_id": "v-1", "graph": graph()}),
        )
        .await;
    let message = failure.message();
    assert!(
        message.starts_with("the draft v-1-draft of workflow w-1 is there and holds the graph it had before; the new graph was not saved: "),
        "{message}"
    );
    assert_eq!(backend.version("v-1-draft").graph, graph());
    let no_draft =
        Backend::new().answering("POST", "/create-draft/", 403, json!({"detail": "No."}));
    let failure = no_draft
        .failure(
            "workflow_set_graph",
            json!({"workflow_id": "v-1", "graph": graph()}),
        )
        .await;
    assert!(
        failure
            .message()
            .starts_with("no draft could be made, and nothing was saved: ")
    );
}

#[tokio::test]
async fn what_was_not_stored_as_asked_is_told_and_not_published() {
    let backend =
        Backend::new().storing(|graph| graph["nodes"]["ocr"]["config"]["minimum_age"] = json!(18));
    let arguments = json!({"workflow_id": "v-1", "operations": SETTING(), "publish": true});
    let answer = backend.answer("workflow_edit_graph", arguments).await;
    assert_eq!(answer["graph_read_back"], true);
    assert_eq!(
        answer["unconfirmed_config_keys"],
        json!(["ocr.config.minimum_age"])
    );
    assert_eq!(
        answer["graph"]["nodes"]["ocr"]["config"]["minimum_age"], 18,
        "what is stored, not what was sent"
    );
    assert_eq!(
        (&answer["applied"], &answer["published"]),
        (&json!(true), &json!(false))
    );
    assert!(answer["note"].as_str().unwrap().contains("NOT published"));
    assert!(
        !backend
            .writes()
            .iter()
            .any(|line| line.starts_with("PATCH"))
    );
}

#[tokio::test]
async fn a_save_that_could_not_be_published_is_told_as_saved() {
    let backend =
        Backend::new().answering("PATCH", "/v-1-draft/", 402, json!({"detail": "Top up."}));
    let arguments = json!({"workflow_id": "v-1", "graph": graph(), "publish": true});
    let answer = backend.answer("workflow_set_graph", arguments).await;
    assert_eq!(
        (&answer["applied"], &answer["published"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(answer["publish_error"]["code"], "payment_required");
    assert!(answer["note"].as_str().unwrap().contains("v-1-draft"));
}

#[tokio::test]
async fn publishing_needs_a_draft() {
    let backend = Backend::new();
    for given in ["w-1", "v-1"] {
        let failure = backend
            .failure("workflow_publish", json!({"workflow_id": given}))
            .await;
        assert!(
            failure
                .text()
                .starts_with("Error [conflict]: this version is published and has no draft"),
            "{}",
            failure.text()
        );
    }
    assert!(backend.writes().is_empty());
}

#[tokio::test]
async fn publishing_follows_the_draft_that_holds_the_changes() {
    for given in ["w-1", "v-1", "v-9", "Onboarding"] {
        let backend = Backend::new();
        backend.add("a-1", "v-9", "w-1", "Onboarding", "draft", graph());
        let answer = backend
            .answer("workflow_publish", json!({"workflow_id": given}))
            .await;
        assert_eq!(
            (&answer["version_uuid"], &answer["published"]),
            (&json!("v-9"), &json!(true)),
            "{given}"
        );
        assert_eq!(
            backend.writes().pop().unwrap(),
            "PATCH a-1/verification-settings/v-9/"
        );
    }
}

#[tokio::test]
async fn a_draft_is_made_once() {
    let backend = Backend::new();
    let answer = backend
        .answer("workflow_create_draft", json!({"workflow_id": "w-1"}))
        .await;
    assert_eq!(
        (&answer["version_uuid"], &answer["created_draft"]),
        (&json!("v-1-draft"), &json!(true))
    );
    let again = backend
        .answer("workflow_create_draft", json!({"workflow_id": "v-1-draft"}))
        .await;
    assert_eq!(
        (&again["version_uuid"], &again["created_draft"]),
        (&json!("v-1-draft"), &json!(false))
    );
    assert_eq!(backend.writes().len(), 1);
}
