//! Deleting, questions with options, catalogs, explanations and files.

use serde_json::{Value, json};

use super::{Backend, checked, graph};
use crate::file::Paths;
use crate::run::files;

#[tokio::test]
async fn a_workflow_is_deleted() {
    let backend = Backend::new();
    let answer = backend
        .answer("workflow_delete", json!({"workflow_id": "v-1"}))
        .await;
    assert_eq!(
        (&answer["deleted"], &answer["archived"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(backend.lines(), ["DELETE a-1/verification-settings/v-1/"]);
}

#[tokio::test]
async fn one_that_cannot_be_deleted_is_archived_with_its_status() {
    let why = json!({"detail": "Cannot delete the only version."});
    let backend = Backend::default().answering("DELETE", "/v-1/", 400, why);
    backend.add("a-1", "v-1", "w-1", "Onboarding", "draft", graph());
    let answer = backend
        .answer("workflow_delete", json!({"workflow_id": "v-1"}))
        .await;
    assert_eq!(
        (&answer["deleted"], &answer["archived"]),
        (&json!(false), &json!(true))
    );
    assert!(
        answer["note"]
            .as_str()
            .unwrap()
            .ends_with("Cannot delete the only version.")
    );
    let (_, body) = backend.sent().pop().unwrap();
    assert_eq!(body, json!({"is_archived": true, "status": "draft"}));
}

#[tokio::test]
async fn a_refused_deletion_archives_nothing() {
    for status in [401, 403, 404, 429, 500] {
        let backend = Backend::new().answering("DELETE", "/v-1/", status, json!({"detail": "No."}));
        backend
            .failure("workflow_delete", json!({"workflow_id": "v-1"}))
            .await;
        assert_eq!(
            backend.writes(),
            ["DELETE a-1/verification-settings/v-1/"],
            "{status}"
        );
    }
    let neither = Backend::new()
        .answering("DELETE", "/v-1/", 409, json!({"detail": "In use."}))
        .answering("PATCH", "/v-1/", 400, json!({"detail": "Default."}));
    let failure = neither
        .failure("workflow_delete", json!({"workflow_id": "v-1"}))
        .await;
    assert_eq!(
        failure.message(),
        "neither deleted (In use.) nor archived: Default."
    );
}

fn questionnaire(nodes: Value) -> Backend {
    let stored = json!({"uuid": "q-1", "status": "draft", "languages": ["en", "es"], "graph": {"start_node": "q1", "nodes": nodes}});
    Backend::new()
        .answering("GET", "/questionnaires/q-1/", 200, stored)
        .answering("PATCH", "/questionnaires/q-1/", 200, json!({}))
}

fn one_question() -> Value {
    json!({"q1": {"element_type": "SINGLE_CHOICE", "choices": [{"value": "A", "label": {"en": "A"}}]}, "q2": {"element_type": "SHORT_TEXT"}})
}

#[tokio::test]
async fn options_are_appended_once_with_a_label_in_every_language() {
    let backend = questionnaire(one_question());
    let choices = json!([{"value": "A"}, {"value": "B"}, {"value": "B"}, {"value": "C", "label": "Sea"}, {"value": 4, "label": {"en": "Four"}}]);
    let answer = backend
        .answer(
            "questionnaire_append_choices",
            json!({"questionnaire_id": "q-1", "choices": choices}),
        )
        .await;
    assert_eq!(
        answer,
        json!({"questionnaire_id": "q-1", "node_id": "q1", "appended": 3, "skipped_existing": 2, "total_choices": 4, "status": "draft"})
    );
    let (line, body) = backend.sent().pop().unwrap();
    assert_eq!(line, "PATCH a-1/questionnaires/q-1/");
    assert_eq!(body["status"], "draft");
    assert_eq!(
        body["graph"]["nodes"]["q1"]["choices"],
        json!([
            {"value": "A", "label": {"en": "A"}},
            {"value": "B", "label": {"en": "B", "es": "B"}},
            {"value": "C", "label": {"en": "Sea", "es": "Sea"}},
            {"value": 4, "label": {"en": "Four"}},
        ])
    );
}

#[tokio::test]
async fn options_that_are_all_there_are_not_written_but_published() {
    let same = json!([{"value": "A"}]);
    let backend = questionnaire(one_question());
    let answer = backend
        .answer(
            "questionnaire_append_choices",
            json!({"questionnaire_id": "q-1", "choices": same}),
        )
        .await;
    assert_eq!(
        (&answer["appended"], &answer["skipped_existing"]),
        (&json!(0), &json!(1))
    );
    assert!(backend.writes().is_empty());
    let arguments = json!({"questionnaire_id": "q-1", "choices": same, "publish": true});
    let answer = backend
        .answer("questionnaire_append_choices", arguments)
        .await;
    assert_eq!(answer["status"], "published");
    assert_eq!(backend.sent().pop().unwrap().1["status"], "published");
}

#[tokio::test]
async fn the_question_is_named_or_the_only_one() {
    let two = json!({"q1": {"choices": []}, "q2": {"element_type": "DROPDOWN"}, "q3": {"element_type": "EMAIL"}});
    let backend = questionnaire(two);
    let arguments = |node: Value| json!({"questionnaire_id": "q-1", "choices": [{"value": "A"}], "node_id": node});
    let failure = backend
        .failure("questionnaire_append_choices", arguments(json!(null)))
        .await;
    assert!(
        failure.text().ends_with("Allowed: q1, q2"),
        "{}",
        failure.text()
    );
    let failure = backend
        .failure("questionnaire_append_choices", arguments(json!("q3")))
        .await;
    assert!(failure.message().contains("names no question with options"));
    let answer = backend
        .answer("questionnaire_append_choices", arguments(json!("q2")))
        .await;
    assert_eq!(answer["total_choices"], 1);
    let none = questionnaire(json!({"q3": {"element_type": "EMAIL"}}));
    let failure = none
        .failure("questionnaire_append_choices", arguments(json!(null)))
        .await;
    assert!(failure.message().contains("has no question with options"));
}

#[tokio::test]
async fn each_wrong_option_is_told_before_anything_is_sent() {
    let backend = questionnaire(one_question());
    for (choices, want) in [
        (
            json!([]),
            "choices has 0 items; 1 to 1000 are taken at once",
        ),
        (json!([{"value": "A"}, {}]), "choices[1].value is missing"),
        (json!([{"value": " "}]), "choices[0].value is blank"),
        (
            json!([{"value": {}}]),
            "choices[0].value is neither text nor a number",
        ),
        (
            json!([{"value": "x".repeat(501)}]),
            "choices[0].value is longer than 500 characters",
        ),
        (
            json!(vec![json!({"value": 1}); 1001]),
            "choices has 1001 items; 1 to 1000 are taken at once",
        ),
    ] {
        let arguments = json!({"questionnaire_id": "q-1", "choices": choices});
        let failure = backend
            .failure("questionnaire_append_choices", arguments)
            .await;
        assert_eq!(failure.message(), want);
    }
    assert!(backend.lines().is_empty());
}

#[tokio::test]
async fn a_session_is_explained_with_the_graph_of_its_workflow() {
    let decision = json!({"session_id": "s-1", "session_number": 7, "status": "Declined", "workflow_id": "w-1",
        "id_verifications": [{"node_id": "ocr", "status": "Declined", "first_name": "Ada", "warnings": [{"risk": "EXPIRED", "log_type": "error"}]}]});
    let backend = Backend::new().answering("GET", "/session/s-1/decision/", 200, decision.clone());
    let answer = backend
        .answer("session_explain_decision", json!({"session_id": "s-1"}))
        .await;
    assert_eq!(
        answer["explanation"],
        json!([
            "The session is Declined.",
            "OCR at ocr came out as Declined, because of EXPIRED.",
            "The way ends at done, where the checks before it determine the status.",
        ])
    );
    assert_eq!(
        answer["workflow"],
        json!({"workflow_id": "w-1", "graph_read": true})
    );
    assert_eq!(answer["decided_by"], "OCR at ocr");
    assert!(answer["drawing"].is_string() && !answer.to_string().contains("Ada"));
    let gone = Backend::default().answering("GET", "/session/s-1/decision/", 200, decision);
    let answer = gone
        .answer("session_explain_decision", json!({"session_id": "s-1"}))
        .await;
    assert_eq!(answer["workflow"]["graph_read"], false);
    assert_eq!(
        answer["explanation"].as_array().unwrap().len(),
        2,
        "the checks are told all the same"
    );
    assert!(answer["note"].as_str().unwrap().contains("was not read"));
}

#[tokio::test]
async fn catalogs_are_cut_to_the_countries_asked_for() {
    let prices = json!({"results": [{"country_code": "ES"}, {"country_code": "FR"}]});
    let methods = json!({"countries": [{"country": "ESP"}, {"country": "FRA"}]});
    let backend = Backend::new()
        .answering("GET", "/organization/kyb-registry-pricing/", 200, prices)
        .answering("GET", "/id-verification-methods-catalog/", 200, methods);
    let answer = backend
        .answer(
            "workflow_get_kyb_registry_catalog",
            json!({"countries": ["fr", "PT"]}),
        )
        .await;
    assert_eq!(answer["results"], json!([{"country_code": "FR"}]));
    assert_eq!(answer["countries_not_listed"], json!(["PT"]));
    let arguments = json!({"workflow_id": "v-1", "country": "ESP"});
    let answer = backend
        .answer("workflow_get_id_verification_methods_catalog", arguments)
        .await;
    assert_eq!(answer["countries"], json!([{"country": "ESP"}]));
}

#[tokio::test]
async fn the_settings_of_a_check_are_told() {
    let backend = Backend::new();
    let answer = backend
        .answer(
            "workflow_get_feature_config_schema",
            json!({"feature": "LIVENESS"}),
        )
        .await;
    assert_eq!(
        answer["config"]["face_liveness_method"],
        json!({"type": "string", "enum": ["ACTIVE_3D", "FLASHING", "PASSIVE"]})
    );
    let all = backend
        .answer("workflow_get_feature_config_schema", json!({}))
        .await;
    assert_eq!(all["features"].as_array().unwrap().len(), 17);
    let failure = backend
        .failure(
            "workflow_get_feature_config_schema",
            json!({"feature": "X"}),
        )
        .await;
    assert!(failure.text().contains("Allowed: OCR, NFC"));
    assert!(backend.lines().is_empty());
}

#[test]
fn a_file_that_is_refused_names_its_argument() {
    let take = |arguments: Value| {
        files::given(
            &checked(&arguments),
            "verify.age",
            "user_image",
            "image_path",
            "image_base64",
            Paths::Refused,
        )
    };
    let png = "iVBORw0KGgpyZXN0";
    let file = take(json!({"image_base64": png})).unwrap().unwrap();
    assert_eq!(file.name(), "user_image.png");
    assert!(take(json!({})).unwrap().is_none());
    assert_eq!(
        take(json!({"image_path": "/x.png"})).unwrap_err().text(),
        "Error [bad_request]: image_path was given as a path, which would be a file of the server; send its bytes as base64\n\
         Field: image_path\nHint: Send the bytes as image_base64 and leave image_path out."
    );
    assert!(
        take(json!({"image_base64": "%"}))
            .unwrap_err()
            .text()
            .contains("Field: image_base64")
    );
    assert!(
        take(json!({"image_base64": png, "image_path": "/x.png"}))
            .unwrap_err()
            .text()
            .contains("give one of them")
    );
}

#[test]
fn a_portrait_is_a_picture_or_an_address() {
    let check =
        |portrait: &str| files::check_portrait(&checked(&json!({"portrait_image": portrait})));
    assert_eq!(check("iVBORw0KGgpyZXN0"), Ok(()));
    assert_eq!(check("https://images.example/a.jpg"), Ok(()));
    assert_eq!(files::check_portrait(&checked(&json!({}))), Ok(()));
    for (portrait, want) in [
        (
            "JVBERi0xLjc=",
            "portrait_image is not one of jpg, png, webp, tiff, by its first bytes",
        ),
        (
            "/a/x.png",
            "portrait_image is not base64: it has characters that base64 does not have",
        ),
        (&"A".repeat(1_500_000), "portrait_image is larger than 1 MB"),
    ] {
        assert_eq!(check(portrait).unwrap_err().message(), want);
    }
}

#[tokio::test]
async fn a_run_that_does_not_exist_is_an_error() {
    let failure = Backend::new().failure("nothing", json!({})).await;
    assert_eq!(failure.message(), "there is no run nothing");
}
