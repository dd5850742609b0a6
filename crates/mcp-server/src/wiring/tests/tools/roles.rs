//! What each role may do, and what somebody is told who may not.

use std::time::Duration;

use super::*;

const ROLES: [(&str, &str); 5] = [
    ("olivia", "OWNER"),
    ("adam", "ADMIN"),
    ("carmen", "COMPLIANCE_OFFICER"),
    ("devon", "DEVELOPER"),
    ("rita", "READER"),
];

/// What changes something, the permission it needs, and the roles that have it.
const WRITES: &[(&str, &str, &[&str])] = &[
    (
        "didit_session_create",
        "create:sessions",
        &["OWNER", "ADMIN", "DEVELOPER"],
    ),
    (
        "didit_session_update_status",
        "write:sessions",
        &["OWNER", "ADMIN", "COMPLIANCE_OFFICER", "DEVELOPER"],
    ),
    (
        "didit_session_delete",
        "delete:sessions",
        &["OWNER", "ADMIN", "DEVELOPER"],
    ),
    (
        "didit_workflow_create",
        "write:workflows",
        &["OWNER", "ADMIN", "DEVELOPER"],
    ),
];

/// What a person of the bank would send to change something, about a session that is there.
async fn wish(stage: &Stage, tool: &str, session: usize) -> Value {
    let place = stage.place("olivia", 0, 0).await;
    let sessions = stage
        .ok("olivia", "didit_session_list", place.clone())
        .await;
    let session = json!({"session_id": rows(&sessions)[session]["session_id"]});
    match tool {
        "didit_session_create" => {
            let workflows = stage.ok("olivia", "didit_workflow_list", place).await;
            json!({"workflow_id": rows(&workflows)[0]["workflow_id"]})
        }
        "didit_session_update_status" => with(
            &session,
            json!({"new_status": "Approved", "comment": "looks right"}),
        ),
        "didit_session_delete" => with(&session, json!({"confirm": true})),
        _ => with(&place, json!({"features": [{"feature": "OCR"}]})),
    }
}

/// Everything in the bank that a write could change, read past the tools.
async fn everything(stage: &Stage) -> Vec<Value> {
    let mut found = Vec::new();
    let organizations = stage
        .world
        .didit("olivia", "/auth/v2/organizations/me/")
        .await;
    let org = organizations[0]["uuid"].as_str().unwrap();
    for offset in [0, 200] {
        let path = format!("/v3/organization/{org}/sessions/?limit=200&offset={offset}");
        found.push(stage.world.didit("olivia", &path).await);
    }
    let path = format!("/auth/v2/organizations/me/{org}/applications/");
    for application in stage.world.didit("olivia", &path).await.as_array().unwrap() {
        let app = application["uuid"].as_str().unwrap();
        let path = format!("/v3/organization/{org}/application/{app}/verification-settings/");
        found.push(stage.world.didit("olivia", &path).await);
    }
    found
}

#[tokio::test]
async fn each_role_may_do_what_is_documented_and_is_told_why_it_may_not() {
    let stage = Stage::new().await;
    let writes: Vec<&str> = WRITES.iter().map(|(tool, ..)| *tool).collect();
    for listed in stage.everyday().await {
        let name = listed["name"].as_str().unwrap();
        let reads = listed["annotations"]["readOnlyHint"] == true;
        assert_ne!(
            reads,
            writes.contains(&name),
            "{name} is in one of two tables"
        );
    }
    for (tool, permission, roles) in WRITES {
        for (person, role) in ROLES {
            // A decision that changes nothing but the time is a change, too.
            stage.world.advance(Duration::from_secs(1));
            let wish = wish(&stage, tool, 3).await;
            let before = everything(&stage).await;
            if roles.contains(&role) {
                stage.ok(person, tool, wish).await;
                assert_ne!(
                    everything(&stage).await,
                    before,
                    "{person} {tool} changed nothing"
                );
                continue;
            }
            // Somebody who is in one more organisation is told the role in each.
            let mine = match person {
                "carmen" => {
                    "COMPLIANCE_OFFICER in Harbour Lane Bank, READER in Pixel Orchard Games"
                }
                _ => "READER in Harbour Lane Bank",
            };
            let mine = match *tool {
                "didit_workflow_create" => mine.split(',').next().unwrap(),
                _ => mine,
            };
            assert_eq!(
                stage.refused(person, tool, wish).await,
                format!(
                    "Error [forbidden]: the role of the person who is signed in is {mine}; \
                     this tool needs the permission {permission} and was refused by Didit: \
                     You do not have permission to perform this action.\n\
                     Hint: Roles that may do it: {}. Somebody with one of them can do it or change the role.",
                    roles.join(", ")
                )
            );
            assert_eq!(
                everything(&stage).await,
                before,
                "{person} {tool} changed something"
            );
        }
    }
}

#[tokio::test]
async fn every_role_may_read_what_everyday_needs() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    let session = rows(
        &stage
            .ok("olivia", "didit_session_list", place.clone())
            .await,
    )[0]
    .clone();
    let workflow = rows(
        &stage
            .ok("olivia", "didit_workflow_list", place.clone())
            .await,
    )[0]
    .clone();
    for listed in stage.everyday().await {
        let tool = listed["name"].as_str().unwrap();
        if listed["annotations"]["readOnlyHint"] != true {
            continue;
        }
        let takes = |name: &str| listed["inputSchema"]["properties"].get(name).is_some();
        let mut given = place.clone();
        given["session_id"] = session["session_id"].clone();
        given["workflow_id"] = workflow["uuid"].clone();
        let required = listed["inputSchema"]["required"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        given.as_object_mut().unwrap().retain(|name, _| {
            takes(name)
                && (name.ends_with("n_id") && name != "session_id"
                    || required.contains(&json!(name)))
        });
        let mut answers = Vec::new();
        for (person, _) in ROLES {
            answers.push(stage.ok(person, tool, given.clone()).await);
        }
        let mine = ["didit_context_get", "didit_org_list"];
        if !mine.contains(&tool) {
            assert!(
                answers.iter().all(|answer| *answer == answers[0]),
                "{tool} differs"
            );
        }
    }
}

#[tokio::test]
async fn a_role_counts_where_it_is_held() {
    let stage = Stage::new().await;
    // Compliance officer in the first organisation, reader in the second.
    for (organization, may) in [(0, true), (1, false)] {
        let place = stage.place("carmen", organization, 0).await;
        let sessions = stage.ok("carmen", "didit_session_list", place).await;
        let decision =
            json!({"session_id": rows(&sessions)[0]["session_id"], "new_status": "Declined"});
        let result = stage
            .result("carmen", "didit_session_update_status", decision)
            .await;
        assert_eq!(result["isError"] != true, may, "{result}");
    }
    // Nothing of an organisation that one is not in can be told from nothing at all.
    let foreign = stage.ok("samir", "didit_session_list", json!({})).await;
    let decision = json!({"session_id": rows(&foreign)[0]["session_id"], "new_status": "Declined"});
    let text = stage
        .refused("rita", "didit_session_update_status", decision)
        .await;
    assert!(text.starts_with("Error [not_found]: "), "{text}");
}
