//! How arguments get to Didit where they do not travel under their own names.

use serde_json::{Value, json};

use crate::upstream::{ONE, Seen, Upstream, ada};

/// A picture by its first bytes.
const PNG: &str = "iVBORw0KGgpyZXN0";

/// What a tool sent, over HTTP.
async fn sent(tool: &str, arguments: Value) -> Seen {
    let upstream = Upstream::quiet(ONE);
    let answer = upstream.run(tool, arguments).await;
    assert!(answer.is_ok(), "{tool}: {answer:?}");
    let sent = upstream.sent();
    let [seen] = sent.as_slice() else {
        panic!("{tool} made {} calls", sent.len())
    };
    seen.clone()
}

async fn refused(tool: &str, arguments: Value) -> String {
    let upstream = Upstream::quiet(ONE);
    let text = upstream.failure(tool, arguments).await;
    assert!(upstream.sent().is_empty(), "{tool}: something was sent");
    text
}

#[tokio::test]
async fn an_object_can_be_the_body() {
    let seen = sent(
        "didit_report_export",
        json!({"kind": "sessions", "data": {"columns": ["id"]}}),
    )
    .await;
    assert_eq!(
        seen.line(),
        "POST api/organization/o-1/application/a-1/reports/sessions/"
    );
    assert_eq!(seen.body, json!({"columns": ["id"]}));
    let seen = sent(
        "didit_alert_configure",
        json!({"alert_type": "low balance", "data": {"enabled": true}}),
    )
    .await;
    assert_eq!(
        seen.line(),
        "PATCH api/organization/o-1/application/a-1/alerts/low%20balance/"
    );
    assert_eq!(seen.body, json!({"enabled": true}));
}

#[tokio::test]
async fn an_argument_can_have_another_name_or_be_a_list_of_one() {
    for (tool, path) in [("user", "vendor-users"), ("business", "vendor-businesses")] {
        let tool = format!("didit_vendor_{tool}_update_status");
        let seen = sent(&tool, json!({"vendor_data": "u/7", "status": "BLOCKED"})).await;
        assert_eq!(
            seen.line(),
            format!("POST api/organization/o-1/application/a-1/{path}/bulk-status/")
        );
        assert_eq!(
            seen.body,
            json!({"vendor_data_list": ["u/7"], "status": "BLOCKED"})
        );
    }
}

#[tokio::test]
async fn a_word_can_be_another_one_in_the_path() {
    for (kind, path) in [
        ("session", "sessions"),
        ("business_session", "business-sessions"),
        ("vendor_user", "users"),
        ("vendor_business", "businesses"),
        ("transaction", "transactions"),
    ] {
        let seen = sent(
            "didit_network_membership_get",
            json!({"subject_kind": kind, "subject_id": "s 1"}),
        )
        .await;
        assert_eq!(
            seen.line(),
            format!("GET api/organization/o-1/application/a-1/{path}/s%201/networks/")
        );
    }
    let text = refused(
        "didit_network_membership_get",
        json!({"subject_kind": "session", "subject_id": "../x"}),
    )
    .await;
    assert!(
        text.starts_with("Error [bad_request]: subject_id must not contain"),
        "{text}"
    );
}

#[tokio::test]
async fn an_argument_can_be_in_the_path_and_in_the_body() {
    let seen = sent(
        "didit_session_share",
        json!({"session_id": "s", "partner_client_id": "p"}),
    )
    .await;
    assert_eq!(seen.line(), "POST api/session/s/share/");
    assert_eq!(
        seen.body,
        json!({"session_id": "s", "partner_client_id": "p"})
    );
}

#[tokio::test]
async fn open_tools_pass_on_what_they_do_not_know_and_nothing_about_the_place() {
    for (tool, path) in [
        ("didit_blocklist_add", "blocklist/add"),
        ("didit_blocklist_remove", "blocklist/remove"),
        ("didit_allowlist_add", "allowlist/add"),
        ("didit_case_create", "cases"),
    ] {
        let arguments = json!({"organization_id": "o-1", "application_id": "a-1", "session_id": "s", "title": "t"});
        let seen = sent(tool, arguments).await;
        assert_eq!(
            seen.line(),
            format!("POST api/organization/o-1/application/a-1/{path}/")
        );
        assert_eq!(seen.body, json!({"session_id": "s", "title": "t"}));
    }
}

#[tokio::test]
async fn the_audit_log_is_that_of_the_organisation() {
    let seen = sent("didit_audit_log_list", json!({"cursor": "c"})).await;
    assert_eq!(seen.line(), "GET api/audit/o-1/audit-logs/?cursor=c");
}

#[tokio::test]
async fn files_go_out_as_a_form_and_paths_are_not_read_over_http() {
    for (tool, arguments, path) in [
        (
            "didit_verify_id",
            json!({"front_image_base64": PNG, "vendor_data": "u"}),
            "apis/id-verification",
        ),
        (
            "didit_verify_poa",
            json!({"document_image_base64": PNG, "vendor_data": "u"}),
            "apis/poa",
        ),
        (
            "didit_verify_passive_liveness",
            json!({"image_base64": PNG}),
            "apis/passive-liveness",
        ),
        (
            "didit_verify_face_match",
            json!({"image_1_base64": PNG, "image_2_base64": PNG}),
            "apis/face-match",
        ),
        (
            "didit_verify_face_search",
            json!({"image_base64": PNG}),
            "apis/face-search",
        ),
        (
            "didit_verify_age",
            json!({"image_base64": PNG}),
            "apis/age-estimation",
        ),
    ] {
        let seen = sent(tool, arguments).await;
        assert_eq!(
            seen.line(),
            format!("POST api/organization/o-1/application/a-1/{path}/")
        );
        let kind = seen.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    }
    let seen = sent("didit_branding_update", json!({"sms_sender_name": null})).await;
    assert!(
        seen.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("multipart/form-data")
    );
    let seen = sent(
        "didit_lists_entry_upload_face",
        json!({"list_uuid": "l", "image_base64": PNG}),
    )
    .await;
    assert_eq!(seen.body, json!({"image": PNG}));

    let text = refused("didit_verify_age", json!({"image_path": "/etc/passwd"})).await;
    assert_eq!(
        text,
        "Error [bad_request]: image_path would be a file of the server, which is not read\nField: image_path\nHint: Send the bytes as image_base64."
    );
    let text = refused(
        "didit_verify_age",
        json!({"image_base64": "bm90IGFuIGltYWdl"}),
    )
    .await;
    assert!(text.contains("image_base64 is not one of"), "{text}");
    let text = refused("didit_verify_age", json!({})).await;
    assert!(text.contains("image_base64 is missing"), "{text}");
    let text = refused("didit_branding_update", json!({})).await;
    assert!(text.contains("is needed"), "{text}");
}

#[tokio::test]
async fn what_must_be_chosen_is_asked_for() {
    for (tool, arguments, why) in [
        (
            "didit_transaction_rule_install",
            json!({}),
            "one of library_keys, bundle is needed",
        ),
        (
            "didit_travel_rule_transfer_action",
            json!({"transaction_id": "t"}),
            "exactly one of payment_txn_id, action is needed",
        ),
        (
            "didit_travel_rule_transfer_action",
            json!({"transaction_id": "t", "payment_txn_id": "p", "action": "cancel"}),
            "exactly one of",
        ),
        (
            "didit_session_batch_delete",
            json!({"confirm": true}),
            "one of session_numbers, delete_all is needed",
        ),
        (
            "didit_session_batch_delete",
            json!({"confirm": true, "session_numbers": []}),
            "one of session_numbers, delete_all is needed",
        ),
        (
            "didit_vendor_user_delete",
            json!({"delete_all": true}),
            "was not done: it deletes the users for good",
        ),
        (
            "didit_vendor_business_delete",
            json!({"delete_all": true, "confirm": false}),
            "was not done",
        ),
        (
            "didit_case_manage",
            json!({"case_id": "c", "action": "resolve", "data": {"status": " sar_filed "}}),
            "it files a suspicious activity report",
        ),
        (
            "didit_webhook_create",
            json!({"label": "l", "url": "http://169.254.169.254/"}),
            "url points inside a private network",
        ),
        (
            "didit_session_create_import",
            json!({"source_file_url": "file:///etc/passwd"}),
            "source_file_url",
        ),
    ] {
        let text = refused(tool, arguments.clone()).await;
        assert!(text.contains(why), "{tool} {arguments}: {text}");
    }
    let seen = sent(
        "didit_vendor_user_delete",
        json!({"vendor_data_list": ["u"]}),
    )
    .await;
    assert_eq!(
        seen.line(),
        "DELETE api/organization/o-1/application/a-1/vendor-users/delete/"
    );
    assert_eq!(seen.body, json!({"vendor_data_list": ["u"]}));
}

#[tokio::test]
async fn a_case_is_worked_on_where_its_action_is() {
    let base = "api/organization/o-1/application/a-1/cases/c/";
    for (action, line) in [
        ("update", format!("PATCH {base}")),
        ("comment", format!("POST {base}comments/")),
        ("assign", format!("POST {base}assign/")),
        ("resolve", format!("POST {base}resolve/")),
        ("reopen", format!("POST {base}reopen/")),
        ("escalate", format!("POST {base}escalate/")),
    ] {
        let seen = sent(
            "didit_case_manage",
            json!({"case_id": "c", "action": action, "data": {"x": 1}}),
        )
        .await;
        assert_eq!(seen.line(), line);
        assert_eq!(seen.body, json!({"x": 1}));
    }
}

#[tokio::test]
async fn keys_are_those_of_the_application_that_is_named_else_of_the_organisation() {
    let seen = sent("didit_org_list_api_keys", json!({"application_id": "a-1"})).await;
    assert_eq!(
        seen.line(),
        "GET auth/organizations/o-1/applications/a-1/api-keys/"
    );
    let seen = sent("didit_org_list_api_keys", json!({})).await;
    assert_eq!(seen.line(), "GET auth/organizations/o-1/api-keys/");
}

#[tokio::test]
async fn a_network_is_read_with_its_sections() {
    let upstream = Upstream::new(ONE, |seen| match seen.path.rsplit('/').nth(1) {
        Some("signals") => (500, json!({"detail": "down"})),
        _ => (200, json!({"uuid": "n"})),
    });
    let answer = upstream
        .run(
            "didit_network_get",
            json!({"network_id": "n", "include": ["graph", "signals"], "depth": "2"}),
        )
        .await
        .unwrap();
    assert_eq!(answer["uuid"], "n");
    assert_eq!(answer["graph"], json!({"uuid": "n"}));
    assert_eq!(answer["partial"], true);
    assert_eq!(answer["failures"][0]["section"], "signals");
    let base = "GET api/organization/o-1/application/a-1/networks/n/";
    let lines = upstream.lines();
    assert_eq!(lines[0], base);
    assert!(
        lines.contains(&format!("{base}graph/?depth=2")),
        "{lines:?}"
    );
    assert!(lines.contains(&format!("{base}signals/")), "{lines:?}");
}

#[tokio::test]
async fn workflows_are_searched_everywhere_by_id_and_name() {
    let rows = json!([
        {"uuid": "v1", "workflow_id": "w1", "workflow_label": "Basic KYC"},
        {"uuid": "v2", "workflow_id": "w2", "workflow_label": "Onboarding"},
    ]);
    let upstream = Upstream::new(ONE, move |_| (200, rows.clone()));
    for arguments in [
        json!({"search": "kyc"}),
        json!({"workflow_id": "w1"}),
        json!({"workflow_id": "v1", "application_id": "a-1"}),
    ] {
        let answer = upstream
            .run("didit_workflow_search", arguments.clone())
            .await
            .unwrap();
        let found = answer["results"].as_array().unwrap();
        assert_eq!(found.len(), 1, "{arguments}");
        assert_eq!(found[0]["uuid"], "v1");
    }
}

#[tokio::test]
async fn accounts_keys_and_money_are_for_stdio_alone() {
    let upstream = Upstream::new(ONE, |_| {
        (
            200,
            json!({"access_token": "t", "api_key": "0123456789abcdef"}),
        )
    });
    let stdio = upstream.tools().over_stdio();
    let run = async |name: &str, arguments: Value| {
        stdio
            .call(&ada(), name, arguments.as_object())
            .await
            .unwrap()
    };
    for (name, arguments) in [
        (
            "didit_account_login",
            json!({"email": "a@example.org", "password": "p"}),
        ),
        (
            "didit_org_top_up",
            json!({"amount_in_dollars": 60, "confirm": true}),
        ),
    ] {
        let over_http = upstream
            .tools()
            .call(&ada(), name, arguments.as_object())
            .await;
        let refused = over_http.unwrap().unwrap_err().text();
        let wanted = format!("Error [forbidden]: {name} is about credentials or money");
        assert!(refused.starts_with(&wanted), "{refused}");
        assert!(run(name, arguments).await.is_ok(), "{name}");
    }
    let sent = upstream.sent();
    assert_eq!(sent[0].line(), "POST auth/programmatic/login/");
    assert!(sent[0].headers.get("authorization").is_none());
    assert_eq!(sent[1].line(), "POST api/organization/o-1/top-up/");
    assert_eq!(sent[1].body, json!({"amount_in_dollars": 60}));

    run(
        "didit_account_verify_2fa",
        json!({"temp_token": "t", "code": "1"}),
    )
    .await
    .unwrap();
    assert_eq!(
        upstream.sent()[2].body,
        json!({"temp_token": "t", "otp_token": "1"})
    );

    for (arguments, why) in [
        (
            json!({"amount_in_dollars": 49, "confirm": true}),
            "amount_in_dollars is less than 50",
        ),
        (json!({"amount_in_dollars": 60}), "it starts a payment"),
        (
            json!({"amount_in_dollars": 60, "confirm": "true"}),
            "confirm is text",
        ),
    ] {
        let text = run("didit_org_top_up", arguments).await.unwrap_err().text();
        assert!(text.contains(why), "{text}");
    }
    let paid = run(
        "didit_org_top_up",
        json!({"amount_in_dollars": 60, "confirm": true}),
    )
    .await;
    assert_eq!(paid.unwrap()["requires_human_approval"], true);

    let place = json!({"organization_id": "o-1", "application_id": "a-1"});
    let shown = run("didit_org_get_application", place.clone())
        .await
        .unwrap();
    assert!(!shown.to_string().contains("0123456789"), "{shown}");
    let why = run(
        "didit_org_reveal_application_api_key",
        json!({"organization_id": "o-1", "application_id": "a-1", "confirm": false}),
    );
    assert!(why.await.unwrap_err().text().contains("it shows a key"));
    let shown = run(
        "didit_org_reveal_application_api_key",
        json!({"organization_id": "o-1", "application_id": "a-1", "confirm": true}),
    );
    assert_eq!(shown.await.unwrap()["api_key"], "0123456789abcdef");

    run("didit_org_list", json!({"access_token": "another"}))
        .await
        .unwrap();
    let last = upstream.all().pop().unwrap();
    assert_eq!(last.headers["authorization"], "Bearer another");
    let text = upstream
        .failure("didit_org_list", json!({"access_token": "another"}))
        .await;
    assert!(
        text.contains("the tool has no argument access_token"),
        "{text}"
    );
}
