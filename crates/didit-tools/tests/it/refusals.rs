//! What is not done, and in which words.

use serde_json::json;

use crate::upstream::{ONE, Person, TWO, Upstream, ada};

const UNAUTHORIZED: &str = "Error [unauthorized]: Given token not valid\nHint: The access token was not accepted: sign in again.";

#[tokio::test]
async fn a_deletion_needs_a_real_yes() {
    let upstream = Upstream::new(ONE, |_| (204, json!(null)));
    let text = upstream
        .failure(
            "didit_session_delete",
            json!({"session_id": "s", "confirm": false}),
        )
        .await;
    assert_eq!(
        text,
        "Error [unsafe_operation]: didit_session_delete was not done: it deletes the session and its data for good\nField: confirm\nHint: Ask the person first, then call again with confirm: true."
    );
    let text = upstream
        .failure(
            "didit_session_delete",
            json!({"session_id": "s", "confirm": "true"}),
        )
        .await;
    assert!(
        text.starts_with("Error [bad_request]: confirm is text"),
        "{text}"
    );
    assert!(upstream.all().is_empty());
    let done = upstream
        .run(
            "didit_session_delete",
            json!({"session_id": "s", "confirm": true}),
        )
        .await;
    assert_eq!(done.unwrap(), json!({"success": true}));
    assert_eq!(upstream.lines(), ["DELETE api/session/s/delete/"]);
}

#[tokio::test]
async fn an_address_inside_a_network_is_not_passed_on() {
    let upstream = Upstream::quiet(ONE);
    for address in [
        "http://169.254.169.254/latest",
        "HTTPS://LOCALHOST/x",
        " http://[::1]/",
    ] {
        let text = upstream
            .failure(
                "didit_session_create",
                json!({"workflow_id": "w", "portrait_image": address}),
            )
            .await;
        assert_eq!(
            text,
            "Error [unsafe_operation]: portrait_image points inside a private network\nField: portrait_image\nHint: Send the data itself, or an address that anybody can reach."
        );
    }
    assert!(upstream.all().is_empty());
    let create = json!({"workflow_id": "w", "portrait_image": "iVBORw0KGgpyZXN0"});
    assert!(upstream.run("didit_session_create", create).await.is_ok());
}

#[tokio::test]
async fn a_reader_who_writes_is_told_the_role() {
    let upstream = Upstream::new(ONE, |seen| {
        if seen.method == "GET" {
            (200, json!([]))
        } else {
            (403, json!({"detail": "You do not have permission."}))
        }
    });
    for (tool, arguments, want) in [
        (
            "didit_session_create",
            json!({"workflow_id": "w"}),
            "Error [forbidden]: the role of the person who is signed in is READER in Harbour; this tool needs the permission create:sessions and was refused by Didit: You do not have permission.\nHint: Roles that may do it: OWNER, ADMIN, DEVELOPER. Somebody with one of them can do it or change the role.",
        ),
        (
            "didit_session_update_status",
            json!({"session_id": "s", "new_status": "Approved"}),
            "Error [forbidden]: the role of the person who is signed in is READER in Harbour; this tool needs the permission write:sessions and was refused by Didit: You do not have permission.\nHint: Roles that may do it: OWNER, ADMIN, COMPLIANCE_OFFICER, DEVELOPER. Somebody with one of them can do it or change the role.",
        ),
        (
            "didit_workflow_create",
            json!({"features": [{"feature": "OCR"}]}),
            "Error [forbidden]: the role of the person who is signed in is READER in Harbour; this tool needs the permission write:workflows and was refused by Didit: You do not have permission.\nHint: Roles that may do it: OWNER, ADMIN, DEVELOPER. Somebody with one of them can do it or change the role.",
        ),
    ] {
        assert_eq!(upstream.failure(tool, arguments).await, want);
    }
}

#[tokio::test]
async fn without_a_known_organisation_all_roles_are_told() {
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path.starts_with("auth/") {
            (200, json!([]))
        } else {
            (403, json!({"detail": "No."}))
        }
    });
    let text = upstream
        .failure("didit_session_get_decision", json!({"session_id": "s"}))
        .await;
    assert!(text.starts_with("Error [forbidden]: the role of the person who is signed in is READER in Harbour, ADMIN in Orchard; "), "{text}");
    let text = upstream
        .failure("didit_org_get_balance", json!({"organization_id": "o-9"}))
        .await;
    assert_eq!(
        text,
        "Error [forbidden]: the person who is signed in does not belong to this organisation\nHint: didit_context_get lists the organisations that can be reached."
    );
}

#[tokio::test]
async fn a_refused_token_is_said_as_such_everywhere() {
    for (tool, arguments) in [
        ("didit_context_get", json!({})),
        ("didit_org_list", json!({})),
        ("didit_session_search", json!({})),
        ("didit_analytics", json!({})),
        ("didit_session_get_decision", json!({"session_id": "s"})),
    ] {
        let upstream = Upstream::new(TWO, |_| (401, json!({"detail": "Given token not valid"})));
        assert_eq!(
            upstream.failure(tool, arguments).await,
            UNAUTHORIZED,
            "{tool}"
        );
    }
    // Also when the token is refused only after the organisations were read.
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path.starts_with("auth/") {
            (200, json!([]))
        } else {
            (401, json!({"detail": "Given token not valid"}))
        }
    });
    for tool in [
        "didit_session_search",
        "didit_vendor_user_search",
        "didit_analytics",
    ] {
        assert_eq!(
            upstream.failure(tool, json!({})).await,
            UNAUTHORIZED,
            "{tool}"
        );
    }
}

#[tokio::test]
async fn without_a_credential_nothing_is_sent() {
    let upstream = Upstream::quiet(ONE);
    let tools = upstream.tools();
    let nobody = tools
        .call(&http::Extensions::new(), "didit_org_list", None)
        .await
        .unwrap();
    assert_eq!(
        nobody.unwrap_err().text(),
        "Error [missing_auth]: no Didit account is connected for the person who is signed in\nHint: Sign in again."
    );
    let mut extensions = ada();
    extensions.insert(Person("down"));
    let down = tools
        .call(&extensions, "didit_org_list", None)
        .await
        .unwrap();
    assert_eq!(
        down.unwrap_err().text(),
        "Error [error]: the credential for Didit cannot be obtained at the moment\nHint: Call again in a moment."
    );
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn didits_refusals_keep_code_field_and_choices() {
    let upstream = Upstream::new(ONE, |seen| match seen.path.as_str() {
        "api/session/" => (400, json!({"workflow_id": ["Unknown workflow."]})),
        "api/session/gone/decision/" => (404, json!({"detail": "Not found."})),
        path if path.ends_with("/cases/") => (404, json!({"detail": "Invalid cursor"})),
        path if path.ends_with("/gone/") => (404, json!({"detail": "Not found."})),
        "api/session/down/decision/" => (503, json!("<html>")),
        _ => (200, json!([])),
    });
    assert_eq!(
        upstream
            .failure("didit_session_create", json!({"workflow_id": "w"}))
            .await,
        "Error [bad_request]: workflow_id: Unknown workflow.\nField: workflow_id\nHint: Correct the named field and call again. Id of a published workflow (workflow_id, not uuid); didit_workflow_list lists them."
    );
    assert_eq!(
        upstream
            .failure("didit_session_get_decision", json!({"session_id": "gone"}))
            .await,
        "Error [not_found]: Not found.\nHint: List the collection it belongs to and take an id from there. Id of the session; didit_session_search finds it."
    );
    let cursor = json!({"cursor": "x"});
    let text = upstream.failure("didit_case_list", cursor).await;
    assert!(
        text.contains(
            "Hint: List the collection it belongs to and take an id from there. For the next page: "
        ),
        "{text}"
    );
    let version = json!({"workflow_id": "gone"});
    let text = upstream.failure("didit_workflow_get", version).await;
    for tool in ["didit_context_get", "didit_workflow_list"] {
        assert!(text.contains(tool), "{text}");
    }
    assert!(
        upstream
            .failure("didit_session_get_decision", json!({"session_id": "down"}))
            .await
            .starts_with("Error [server_error]: ")
    );
}

#[tokio::test]
async fn what_cannot_be_done_yet_is_refused() {
    let upstream = Upstream::quiet(ONE);
    let text = upstream
        .failure(
            "didit_workflow_list",
            json!({"include_age_assurance": true}),
        )
        .await;
    assert!(text.starts_with("Error [unprocessable]: include_age_assurance is not available yet\nField: include_age_assurance\n"), "{text}");
}
