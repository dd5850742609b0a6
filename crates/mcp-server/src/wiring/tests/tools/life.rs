//! What one call does, the next ones show.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_session_from_its_start_to_its_end() {
    let stage = Stage::new().await;
    let place = stage.place("devon", 0, 0).await;
    let workflows = stage
        .ok("devon", "didit_workflow_list", place.clone())
        .await;
    let workflow = &rows(&workflows)[0]["workflow_id"];
    let before = stage.ok("devon", "didit_analytics", place.clone()).await;
    let start = json!({
        "workflow_id": workflow, "vendor_data": "order-7/żółw", "language": "pl",
        "metadata": {"till": 4}, "callback": "https://shop.example/done", "callback_method": "both",
        "contact_details": {"email": "a@mail.example"}, "expected_details": {"first_name": "Ada"},
    });
    let created = stage
        .ok("devon", "didit_session_create", start.clone())
        .await;
    let id = created["session_id"].as_str().unwrap().to_owned();
    let session = json!({"session_id": id});
    assert_eq!(created["metadata"], json!({"till": 4}));
    assert_eq!(created["workflow_id"], *workflow);

    // The same person on the same workflow: the same session, brought up to date.
    let again = with(&start, json!({"metadata": {"till": 5}}));
    let again = stage.ok("devon", "didit_session_create", again).await;
    assert_eq!(again["session_id"], created["session_id"]);
    assert_eq!(again["metadata"], json!({"till": 5}));

    let found = json!({"vendor_data": "order-7/żółw"});
    let listed = stage
        .ok("devon", "didit_session_list", with(&place, found))
        .await;
    assert_eq!(listed["count"], 1);
    assert_eq!(rows(&listed)[0]["status"], "Not Started");
    let found = stage
        .ok("devon", "didit_session_search", json!({"search": "ŻÓŁW"}))
        .await;
    assert_eq!(found["returned"], 1);
    assert_eq!(rows(&found)[0]["application_id"], place["application_id"]);
    let user = json!({"vendor_data": "order-7/żółw"});
    let user = stage.ok("devon", "didit_vendor_user_search", user).await;
    assert_eq!(user["returned"], 1);
    assert_eq!(rows(&user)[0]["session_count"], 1);
    let after = stage.ok("devon", "didit_analytics", place.clone()).await;
    let started = |answer: &Value| answer["sessions_started"].as_u64().unwrap();
    assert_eq!(started(&after), started(&before) + 1);

    let decide =
        |status: &str, more: Value| with(&session, with(&json!({"new_status": status}), more));
    let text = stage
        .refused(
            "carmen",
            "didit_session_update_status",
            decide("Resubmitted", json!({})),
        )
        .await;
    assert_eq!(line(&text, "Field"), "new_status", "{text}");
    assert!(
        line(&text, "Hint").contains("from Declined, In Review or Abandoned"),
        "{text}"
    );
    let text = stage
        .refused(
            "carmen",
            "didit_session_update_status",
            decide("Declined", json!({"send_email": true})),
        )
        .await;
    assert_eq!(line(&text, "Field"), "email_address", "{text}");

    stage.world.advance(Duration::from_secs(60));
    for (person, status, more) in [
        ("carmen", "Declined", json!({"comment": "blurred"})),
        (
            "adam",
            "Resubmitted",
            json!({"nodes_to_resubmit": ["feature_ocr_1"], "send_email": true, "email_address": "a@mail.example", "email_language": "pl"}),
        ),
        ("carmen", "Approved", json!({})),
    ] {
        let decided = stage
            .ok(person, "didit_session_update_status", decide(status, more))
            .await;
        assert_eq!(decided["status"], status);
        let shown = stage
            .ok("rita", "didit_session_get_decision", session.clone())
            .await;
        assert_eq!(shown["status"], status);
    }
    let shown = stage
        .ok("olivia", "didit_session_get_decision", session.clone())
        .await;
    let reviews: Vec<_> = shown["reviews"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["reviewer"].as_str().unwrap(),
                row["new_status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        reviews,
        [
            ("carmen@harbourlane.example", "Declined"),
            ("adam@harbourlane.example", "Resubmitted"),
            ("carmen@harbourlane.example", "Approved"),
        ]
    );
    assert_eq!(shown["expected_details"], json!({"first_name": "Ada"}));

    for unconfirmed in [
        json!({"confirm": false}),
        json!({"confirm": "true"}),
        json!({}),
    ] {
        let text = stage
            .refused("devon", "didit_session_delete", with(&session, unconfirmed))
            .await;
        assert_eq!(line(&text, "Field"), "confirm", "{text}");
    }
    stage
        .ok("rita", "didit_session_get_decision", session.clone())
        .await;
    let deletion = with(&session, json!({"confirm": true}));
    let deleted = stage
        .ok("devon", "didit_session_delete", deletion.clone())
        .await;
    assert_eq!(deleted, json!({"success": true}));
    for (tool, arguments) in [
        ("didit_session_get_decision", session.clone()),
        ("didit_session_update_status", decide("Approved", json!({}))),
        ("didit_session_delete", deletion),
    ] {
        let text = stage.refused("devon", tool, arguments).await;
        assert!(text.starts_with("Error [not_found]: "), "{text}");
        assert!(
            line(&text, "Hint").contains("didit_session_search"),
            "{text}"
        );
    }
    let found = stage
        .ok("devon", "didit_session_search", json!({"search": id}))
        .await;
    assert_eq!(found["returned"], 0);
    let after = stage.ok("devon", "didit_analytics", place).await;
    assert_eq!(started(&after), started(&before));
}

#[tokio::test]
async fn a_workflow_that_is_made_can_be_run_once_it_is_published() {
    let stage = Stage::new().await;
    let place = stage.place("devon", 0, 2).await;
    let wanted = json!({
        "workflow_label": "Quick look",
        "features": [{"feature": "OCR", "config": {"a": 1}, "label": "Document"}, {"feature": "LIVENESS"}],
        "is_default": true, "status": "published", "is_white_label_enabled": true,
        "is_desktop_allowed": false, "max_retry_attempts": 2, "retry_window_days": 3,
        "session_expiration_time": 3600,
    });
    let made = stage
        .ok(
            "devon",
            "didit_workflow_create",
            with(&place, wanted.clone()),
        )
        .await;
    for name in [
        "workflow_label",
        "is_default",
        "status",
        "max_retry_attempts",
        "session_expiration_time",
    ] {
        assert_eq!(made[name], wanted[name], "{name}");
    }
    let listed = stage
        .ok("devon", "didit_workflow_list", place.clone())
        .await;
    let defaults: Vec<_> = rows(&listed)
        .iter()
        .filter(|row| row["is_default"] == true)
        .collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["uuid"], made["uuid"]);
    let read = with(&place, json!({"workflow_id": made["uuid"]}));
    assert_eq!(
        stage.ok("rita", "didit_workflow_get", read).await["workflow_label"],
        "Quick look"
    );

    let start = json!({"workflow_id": made["workflow_id"], "sandbox_scenario": "decline_document"});
    let session = stage.ok("devon", "didit_session_create", start).await;
    assert_eq!(session["status"], "Declined");
    let session = json!({"session_id": session["session_id"]});
    let shown = stage
        .ok("devon", "didit_session_get_decision", session)
        .await;
    assert_eq!(shown["workflow_label"], "Quick look");
    assert!(
        !shown["id_verifications"][0]["warnings"][0].is_null(),
        "{shown}"
    );

    let draft = json!({"features": [{"feature": "AML"}], "status": "draft"});
    let draft = stage
        .ok("devon", "didit_workflow_create", with(&place, draft))
        .await;
    let start = json!({"workflow_id": draft["workflow_id"]});
    let text = stage.refused("devon", "didit_session_create", start).await;
    assert_eq!(line(&text, "Field"), "workflow_id", "{text}");
    assert!(
        line(&text, "Hint").contains("didit_workflow_list"),
        "{text}"
    );
}

#[tokio::test]
async fn an_id_that_is_not_there_comes_with_the_tool_that_finds_it() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    let elsewhere = stage.place("samir", 0, 0).await;
    let gone = "00000000-0000-4000-8000-000000000000";
    let foreign =
        rows(&stage.ok("samir", "didit_session_list", json!({})).await)[0]["session_id"].clone();
    let session = |id: &Value| json!({"session_id": id, "confirm": true, "new_status": "Approved"});
    let only = |all: Value, names: &[&str]| {
        let mut all = all.as_object().unwrap().clone();
        all.retain(|name, _| names.contains(&name.as_str()));
        Value::Object(all)
    };
    for id in [&json!(gone), &foreign] {
        for (tool, names) in [
            ("didit_session_get_decision", &["session_id"][..]),
            ("didit_session_update_status", &["session_id", "new_status"]),
            ("didit_session_delete", &["session_id", "confirm"]),
        ] {
            let text = stage
                .refused("olivia", tool, only(session(id), names))
                .await;
            assert!(text.starts_with("Error [not_found]: "), "{text}");
            assert!(
                line(&text, "Hint").contains("didit_session_search"),
                "{text}"
            );
        }
    }
    let text = stage
        .refused(
            "olivia",
            "didit_workflow_get",
            with(&place, json!({"workflow_id": gone})),
        )
        .await;
    assert!(
        line(&text, "Hint").contains("didit_workflow_list"),
        "{text}"
    );
    let text = stage
        .refused(
            "olivia",
            "didit_session_create",
            json!({"workflow_id": gone}),
        )
        .await;
    assert!(
        line(&text, "Hint").contains("didit_workflow_list"),
        "{text}"
    );

    // A place of others, and one that does not hang together.
    let mixed = with(
        &place,
        json!({"application_id": elsewhere["application_id"]}),
    );
    for wrong in [elsewhere, mixed] {
        for tool in [
            "didit_session_list",
            "didit_session_search",
            "didit_workflow_list",
            "didit_case_list",
            "didit_transaction_search",
            "didit_vendor_user_list",
            "didit_webhook_list",
            "didit_questionnaire_list",
            "didit_lists_list",
            "didit_analytics",
        ] {
            let text = stage.refused("olivia", tool, wrong.clone()).await;
            assert!(
                line(&text, "Hint").contains("didit_context_get"),
                "{tool}: {text}"
            );
        }
    }
    // One application that cannot be reached is never answered with all that can.
    let application = json!({"application_id": gone});
    for tool in [
        "didit_session_list",
        "didit_session_search",
        "didit_workflow_list",
        "didit_case_list",
        "didit_case_search",
        "didit_transaction_list",
        "didit_transaction_search",
        "didit_vendor_user_list",
        "didit_vendor_user_search",
        "didit_webhook_list",
        "didit_questionnaire_list",
        "didit_lists_list",
        "didit_analytics",
    ] {
        for person in ["olivia", "samir"] {
            let text = stage.refused(person, tool, application.clone()).await;
            assert!(
                line(&text, "Hint").contains("didit_context_get"),
                "{tool}: {text}"
            );
        }
    }
    for tool in [
        "didit_org_list_applications",
        "didit_org_get_balance",
        "didit_org_list_members",
    ] {
        let text = stage
            .refused("olivia", tool, json!({"organization_id": gone}))
            .await;
        assert!(
            line(&text, "Hint").contains("didit_context_get"),
            "{tool}: {text}"
        );
    }
}

#[tokio::test]
async fn an_address_inside_a_network_is_never_passed_on() {
    let stage = Stage::new().await;
    for address in [
        "http://127.0.0.1/a.png",
        "https://10.0.0.8/a.png",
        "http://[::1]/",
        "https://printer.local/a.png",
    ] {
        let sent = stage.world.sent();
        let text = stage
            .refused(
                "olivia",
                "didit_session_create",
                json!({"workflow_id": "w", "portrait_image": address}),
            )
            .await;
        assert!(text.starts_with("Error [unsafe_operation]: "), "{text}");
        assert_eq!(line(&text, "Field"), "portrait_image", "{text}");
        assert_eq!(stage.world.sent(), sent);
    }
}
