//! The list of tools says what the tools do.

use std::collections::BTreeSet;

use http::{StatusCode, header};

use super::*;

/// The words that a description must hold because the tools behave so.
const SAID: &[(&str, &str)] = &[
    ("didit_context_get", "Call this first"),
    ("didit_org_list_applications", "not returned"),
    ("didit_session_create", "session_id and the url"),
    ("didit_session_delete", "for good"),
    ("didit_session_update_status", "send an email"),
    ("didit_webhook_list", "not returned"),
];

fn category(tool: &str) -> &'static str {
    let areas = [
        ("context_", "Account & Org"),
        ("org_", "Account & Org"),
        ("session_", "Sessions"),
        ("workflow_", "Workflows & Questionnaires"),
        ("questionnaire_", "Workflows & Questionnaires"),
        ("vendor_user_", "Vendor Users & Businesses"),
        ("case_", "Cases"),
        ("transaction_", "Transactions (AML)"),
        ("analytics", "Reports & Audit"),
        ("webhook_", "Webhooks & Alerts"),
        ("lists_", "Lists & Blocklist"),
    ];
    let name = tool.trim_start_matches("didit_");
    let found = areas.iter().find(|(area, _)| name.starts_with(area));
    found.unwrap_or_else(|| panic!("{tool} has no area")).1
}

#[tokio::test]
async fn titles_hints_and_schemas_are_complete() {
    let stage = Stage::new().await;
    let listed = stage.listed().await;
    let names: Vec<&str> = listed
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    let kept_back: Vec<&str> = didit_tools::names()
        .filter(|name| !names.contains(name))
        .collect();
    // What opens accounts, shows keys and spends money is for one's own machine.
    assert_eq!(
        kept_back,
        [
            "didit_account_register",
            "didit_account_verify_email",
            "didit_account_resend_otp",
            "didit_account_login",
            "didit_account_verify_2fa",
            "didit_org_reveal_application_api_key",
            "didit_org_top_up",
        ]
    );
    for tool in &stage.everyday().await {
        let name = tool["name"].as_str().unwrap();
        let title = name
            .trim_start_matches("didit_")
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            })
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(tool["title"], title);
        assert_eq!(tool["annotations"]["title"], title);
        assert_eq!(tool["_meta"]["category"], category(name), "{name}");
        assert_eq!(
            tool["outputSchema"],
            json!({"type": "object", "additionalProperties": true})
        );
        let hints = |read: bool, destructive: bool, open: bool| json!({"title": title, "readOnlyHint": read, "destructiveHint": destructive, "openWorldHint": open});
        let wanted = match name {
            "didit_session_create" | "didit_workflow_create" => hints(false, false, false),
            "didit_session_delete" => hints(false, true, false),
            "didit_session_update_status" => hints(false, true, true),
            _ => hints(true, false, false),
        };
        assert_eq!(tool["annotations"], wanted, "{name}");
    }
}

#[tokio::test]
async fn descriptions_name_tools_and_arguments_that_exist() {
    let stage = Stage::new().await;
    let listed = stage.listed().await;
    let known: BTreeSet<String> = didit_tools::names().map(str::to_owned).collect();
    for tool in &listed {
        let written = tool.to_string();
        for named in tools_named_in(&written) {
            assert!(known.contains(&named), "{named} in {written}");
        }
        let takes = |name: &str| tool["inputSchema"]["properties"].get(name).is_some();
        // What a description tells to use must be there.
        for name in ["last_n_days", "offset", "cursor"] {
            let descriptions = tool["inputSchema"]["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(_, property)| property["description"].as_str().unwrap());
            for says in descriptions {
                assert!(
                    !says.contains(name) || takes(name),
                    "{} {says}",
                    tool["name"]
                );
            }
        }
        let everyday = EVERYDAY.contains(&tool["name"].as_str().unwrap());
        // Every id is accompanied by the tool that finds it.
        for (name, finder) in [
            ("organization_id", "didit_context_get"),
            ("workflow_id", "didit_workflow_list"),
            ("session_id", "didit_session_search"),
        ] {
            if takes(name) && everyday {
                let says = &tool["inputSchema"]["properties"][name]["description"];
                assert!(
                    says.as_str().unwrap().contains(finder),
                    "{} {name}",
                    tool["name"]
                );
            }
        }
    }
    for (name, words) in SAID {
        let tool = listed.iter().find(|tool| tool["name"] == *name).unwrap();
        assert!(
            tool["description"].as_str().unwrap().contains(words),
            "{name}"
        );
    }
}

/// What a token with one scope only may call.
fn scopes(tool: &str) -> &'static [&'static str] {
    const VERIFICATION: &[&str] = &[
        "didit_session_",
        "didit_vendor_user_",
        "didit_case_",
        "didit_transaction_",
    ];
    const EITHER: &[&str] = &[
        "didit_context_get",
        "didit_org_list",
        "didit_org_list_applications",
        "didit_analytics",
    ];
    if EITHER.contains(&tool) {
        &["didit:management", "didit:verification"]
    } else if VERIFICATION.iter().any(|area| tool.starts_with(area)) {
        &["didit:verification"]
    } else {
        &["didit:management"]
    }
}

#[tokio::test]
async fn a_scope_opens_the_tools_of_its_area() {
    let stage = Stage::new().await;
    for scope in ["didit:management", "didit:verification"] {
        let token = stage.world.minted("at+jwt", |claims| {
            claims["scope"] = scope.into();
        });
        for tool in EVERYDAY {
            let sent = stage.world.sent();
            let params = json!({"name": tool, "arguments": {"unknown": 1}});
            let answer = stage.world.modern(Some(&token), "tools/call", params).await;
            if scopes(tool).contains(&scope) {
                assert_eq!(answer.status, StatusCode::OK, "{tool}");
                assert_eq!(answer.json()["result"]["isError"], true, "{tool}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{tool} with {scope}");
            let challenge = answer.header(header::WWW_AUTHENTICATE);
            assert!(challenge.contains("insufficient_scope"), "{challenge}");
            assert!(challenge.contains(scopes(tool)[0]), "{challenge}");
            assert_eq!(stage.world.sent(), sent, "{tool}");
        }
    }
}
