//! Which tools are listed, which can be called, and by which names.

use std::collections::BTreeSet;

use didit_tools::{NotHere, Permissions, classic_names};
use http::Extensions;
use serde_json::{Value, json};

use crate::catalog::facts;
use crate::mcp::ask_at;
use crate::upstream::{ONE, OfOrganization, Upstream, Words, ada};

/// The list at an address with this query.
async fn list(upstream: &Upstream, query: &str, caller: Extensions) -> Vec<Value> {
    let answer = ask_at(upstream.tools(), query, caller, "tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array();
    tools.unwrap_or_else(|| panic!("{answer}")).clone()
}

fn names(tools: &[Value]) -> Vec<&str> {
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect()
}

/// The result of a call at an address with this query.
async fn call(
    upstream: &Upstream,
    query: &str,
    caller: Extensions,
    tool: &str,
    arguments: Value,
) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    let answer = ask_at(upstream.tools(), query, caller, "tools/call", params).await;
    answer["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

fn with_words(words: &'static str) -> Extensions {
    let mut caller = ada();
    caller.insert(Words(words));
    caller
}

#[tokio::test]
async fn a_toolset_lists_its_tools_the_context_and_the_search() {
    let upstream = Upstream::quiet(ONE);
    let facts = facts();
    let whole: BTreeSet<String> = {
        let listed = list(&upstream, "", ada()).await;
        names(&listed).into_iter().map(str::to_owned).collect()
    };
    assert!(!whole.contains("didit_tool_search"));
    for toolset in didit_tools::TOOLSETS {
        let listed = list(&upstream, &format!("?toolsets={toolset}"), ada()).await;
        let listed: BTreeSet<&str> = names(&listed).into_iter().collect();
        if toolset == "all" {
            assert!(whole.iter().map(String::as_str).eq(listed));
            continue;
        }
        if toolset == "core" {
            assert!((25..=35).contains(&listed.len()), "{}", listed.len());
            continue;
        }
        let wanted = facts.iter().filter(|fact| {
            let of_set = fact["toolsets"]
                .as_array()
                .unwrap()
                .contains(&json!(toolset));
            of_set && whole.contains(fact["name"].as_str().unwrap())
        });
        let mut wanted: BTreeSet<&str> =
            wanted.map(|fact| fact["name"].as_str().unwrap()).collect();
        wanted.extend(["didit_context_get", "didit_tool_search"]);
        assert_eq!(listed, wanted, "{toolset}");
    }
    // Several are one list, and it combines with the rest.
    let two = list(&upstream, "?toolsets=branding,networks", ada()).await;
    assert_eq!(two.len(), 2 + 3 + 2, "{:?}", names(&two));
    let reads = list(
        &upstream,
        "?read_only=true&toolsets=branding,networks",
        ada(),
    )
    .await;
    assert!(names(&reads).contains(&"didit_branding_get"));
    assert!(!names(&reads).contains(&"didit_branding_update"));
}

#[tokio::test]
async fn the_core_list_is_small() {
    let upstream = Upstream::quiet(ONE);
    let listed = list(&upstream, "?toolsets=core", ada()).await;
    let bytes = Value::from(listed.clone()).to_string().len();
    let mut sizes: Vec<(usize, &Value)> = listed
        .iter()
        .map(|tool| (tool.to_string().len(), &tool["name"]))
        .collect();
    sizes.sort_by_key(|(size, _)| *size);
    assert!(bytes <= 28 * 1024, "{bytes} bytes: {sizes:?}");
    assert!(names(&listed).contains(&"didit_session_create"));
}

#[tokio::test]
async fn what_is_left_out_by_a_toolset_is_found_and_called() {
    let upstream = Upstream::quiet(ONE);
    let query = "?toolsets=sessions";
    let wish = json!({"query": "delete a workflow", "limit": 2});
    let found = call(&upstream, query, ada(), "didit_tool_search", wish).await;
    let found = &found["structuredContent"];
    let first = &found["tools"][0];
    assert_eq!(first["name"], "didit_workflow_delete", "{found}");
    assert_eq!(
        (&first["listed"], &first["destructive"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["input_schema"]["required"], json!(["workflow_id"]));
    assert_eq!(found["tools"].as_array().unwrap().len(), 2);
    assert!(found["count"].as_u64().unwrap() > 2);
    assert!(upstream.all().is_empty());

    let done = call(&upstream, query, ada(), "didit_workflow_list", json!({})).await;
    assert_ne!(done["isError"], true, "{done}");

    // What a listed tool does is found as well, and said to be listed.
    let wish = json!({"query": "session decision"});
    let found = call(&upstream, query, ada(), "didit_tool_search", wish).await;
    assert_eq!(found["structuredContent"]["tools"][0]["listed"], true);
    let wish = json!({"query": "zzz didit"});
    let none = call(&upstream, query, ada(), "didit_tool_search", wish).await;
    assert_eq!(none["structuredContent"]["tools"], json!([]));
    for wrong in [
        json!({}),
        json!({"query": 7}),
        json!({"query": "x", "limit": 21}),
        json!({"query": "x", "more": 1}),
    ] {
        let refused = call(&upstream, query, ada(), "didit_tool_search", wrong).await;
        assert!(text(&refused).starts_with("Error ["), "{refused}");
    }
}

#[tokio::test]
async fn what_cannot_be_called_is_named_by_the_search_with_the_reason() {
    let upstream = Upstream::quiet(ONE);
    let wish = json!({"query": "top up"});
    let found = call(
        &upstream,
        "?toolsets=core",
        ada(),
        "didit_tool_search",
        wish,
    )
    .await;
    let found = &found["structuredContent"];
    let known = found["tools"].as_array().unwrap();
    assert!(!names(known).contains(&"didit_org_top_up"), "{found}");
    assert_eq!(
        found["not_available"][0],
        json!({"name": "didit_org_top_up", "why": "didit_org_top_up is about credentials or money, and is not offered over HTTP"})
    );
}

#[tokio::test]
async fn read_only_neither_lists_nor_calls_what_changes_something() {
    let upstream = Upstream::quiet(ONE);
    let query = "?read_only=true";
    let listed = list(&upstream, query, ada()).await;
    assert!(listed.len() > 60);
    for tool in &listed {
        assert_eq!(
            tool["annotations"]["readOnlyHint"], true,
            "{}",
            tool["name"]
        );
    }
    let listed: BTreeSet<&str> = names(&listed).into_iter().collect();
    for tool in didit_tools::names().filter(|name| !listed.contains(name)) {
        let refused = call(&upstream, query, ada(), tool, json!({"confirm": true})).await;
        let told = text(&refused);
        let only_stdio = told.contains("is not offered over HTTP");
        assert!(
            only_stdio || told.starts_with(&format!("Error [forbidden]: {tool} changes something, and the address of this server says read_only=true\n")),
            "{told}"
        );
    }
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn what_is_for_standard_input_and_output_cannot_be_called_over_http() {
    let upstream = Upstream::quiet(ONE);
    let listed = list(&upstream, "", ada()).await;
    let mut hidden = 0;
    for tool in didit_tools::names().filter(|name| !names(&listed).contains(name)) {
        let refused = call(&upstream, "", ada(), tool, json!({"confirm": true})).await;
        assert_eq!(
            text(&refused),
            format!(
                "Error [forbidden]: {tool} is about credentials or money, and is not offered over HTTP\nHint: Do it in Didit's console, or with this server over standard input and output."
            )
        );
        hidden += 1;
    }
    assert_eq!(hidden, 7);
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn scopes_decide_over_the_list_and_the_call() {
    let upstream = Upstream::quiet(ONE);
    for words in [
        "didit:management",
        "didit:verification",
        "didit.session.list",
        "openid",
    ] {
        let listed = list(&upstream, "", with_words(words)).await;
        let listed: BTreeSet<&str> = names(&listed).into_iter().collect();
        let mut refused = 0;
        for tool in didit_tools::names() {
            let scopes = didit_tools::oauth_scopes(tool).unwrap();
            let is_open = scopes.contains(&words) || didit_tools::fine_scope(tool) == Some(words);
            let fact = facts()
                .into_iter()
                .find(|fact| fact["name"] == tool)
                .unwrap();
            let stdio = fact["visibility"] == "stdio-only";
            assert_eq!(
                listed.contains(tool),
                is_open && !stdio,
                "{tool} with {words}"
            );
            if !is_open && !stdio {
                let answer = call(&upstream, "", with_words(words), tool, json!({})).await;
                assert!(
                    text(&answer).starts_with(&format!("Error [missing_scope]: the access token has no scope for {tool}, which needs ")),
                    "{answer}"
                );
                refused += 1;
            }
        }
        assert!(refused > 0, "{words}");
    }
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn permissions_decide_where_they_are_enforced() {
    let upstream = Upstream::quiet(ONE);
    let reader = || {
        let mut caller =
            with_words("didit:verification didit:management list:sessions read:sessions");
        caller.insert(OfOrganization("o-1"));
        caller
    };
    let enforcing = || upstream.tools().checking(Permissions::Enforce);
    let answer = ask_at(enforcing(), "", reader(), "tools/list", json!({})).await;
    let listed = answer["result"]["tools"].as_array().unwrap();
    let listed = names(listed);
    assert!(listed.contains(&"didit_session_list") && listed.contains(&"didit_context_get"));
    assert!(!listed.contains(&"didit_session_delete"));
    let selection = enforcing().selection(&reader()).unwrap();
    assert_eq!(
        selection.why_not_listed("didit_session_delete"),
        Some(NotHere::Role)
    );
    assert_eq!(selection.why_not_listed("didit_session_list"), None);

    let delete = |organization: Option<&str>| {
        let mut arguments =
            json!({"session_numbers": [1], "confirm": true, "application_id": "a-1"});
        if let Some(organization) = organization {
            arguments["organization_id"] = organization.into();
        }
        json!({"name": "didit_session_batch_delete", "arguments": arguments})
    };
    for own in [None, Some("o-1")] {
        let answer = ask_at(enforcing(), "", reader(), "tools/call", delete(own)).await;
        assert_eq!(
            text(&answer["result"]),
            "Error [missing_scope]: the access token does not carry the permission delete:sessions, which this tool needs\n\
             Hint: Roles that have it: OWNER, ADMIN, DEVELOPER. Sign in again after the role has changed."
        );
    }
    assert!(upstream.all().is_empty());
    // Of another organisation the token says nothing: Didit decides.
    let answer = ask_at(enforcing(), "", reader(), "tools/call", delete(Some("o-2"))).await;
    assert_ne!(answer["result"]["isError"], true, "{answer}");
    // Shadow and off list and call everything.
    for mode in [Permissions::Shadow, Permissions::Off] {
        let tools = || upstream.tools().checking(mode);
        let answer = ask_at(tools(), "", reader(), "tools/list", json!({})).await;
        let listed = answer["result"]["tools"].as_array().unwrap();
        assert!(names(listed).contains(&"didit_session_delete"));
        let answer = ask_at(tools(), "", reader(), "tools/call", delete(None)).await;
        assert_ne!(answer["result"]["isError"], true, "{answer}");
    }
}

#[tokio::test]
async fn first_names_are_other_names_for_the_same_tools() {
    let upstream = Upstream::quiet(ONE);
    let tools = || upstream.tools().over_stdio();
    let list = |query| ask_at(tools(), query, ada(), "tools/list", json!({}));
    let today = list("").await["result"]["tools"]
        .as_array()
        .unwrap()
        .clone();
    let classic = list("?names=classic").await["result"]["tools"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(today.len(), classic.len());
    let mut differ = 0;
    for (today, classic) in today.iter().zip(&classic) {
        let name = today["name"].as_str().unwrap();
        let first = classic_names().find(|(_, tool)| *tool == name);
        let mut wanted = today.clone();
        if let Some((first, _)) = first {
            wanted["name"] = first.into();
            differ += 1;
        }
        assert_eq!(*classic, wanted);
    }
    assert_eq!(differ, classic_names().count());
    // Each is run as its tool is, whatever the list says.
    for (first, tool) in classic_names() {
        let run = |name: &str| {
            let params = json!({"name": name, "arguments": {"zzz": 1}});
            ask_at(tools(), "", ada(), "tools/call", params)
        };
        let (one, two) = (run(first).await, run(tool).await);
        assert_eq!(one["result"], two["result"], "{first}");
        assert!(text(&one["result"]).contains("zzz"), "{one}");
        assert_eq!(
            didit_tools::oauth_scopes(first),
            didit_tools::oauth_scopes(tool)
        );
        assert_eq!(
            didit_tools::fine_scope(first),
            didit_tools::fine_scope(tool)
        );
    }
    for name in [
        "didit_register",
        "didit_verify_email",
        "didit_create_workflow",
        "didit_update_workflow",
        "didit_create_session",
        "didit_get_session_decision",
        "didit_update_session_status",
        "didit_get_balance",
        "didit_top_up",
    ] {
        assert!(classic_names().any(|(first, _)| first == name), "{name}");
    }
    // And what cannot be called by one name cannot be by the other.
    let params = json!({"name": "didit_top_up", "arguments": {"confirm": true}});
    let answer = ask_at(upstream.tools(), "", ada(), "tools/call", params).await;
    assert!(text(&answer["result"]).starts_with("Error [forbidden]: didit_org_top_up is about"));
    assert!(upstream.all().is_empty());
}

#[tokio::test]
async fn an_address_that_is_not_understood_gets_nothing() {
    let upstream = Upstream::quiet(ONE);
    for (query, why) in [
        (
            "?toolsets=cores",
            "toolsets of the address is \"cores\"; allowed: core, account, ",
        ),
        (
            "?readonly=true",
            "the address has an unknown parameter \"readonly\"; ",
        ),
        (
            "?read_only=yes",
            "read_only of the address is \"yes\"; allowed: true, false",
        ),
        (
            "?toolsets=core&toolsets=cases",
            "the address has toolsets twice; ",
        ),
    ] {
        let answer = ask_at(upstream.tools(), query, ada(), "tools/list", json!({})).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(why), "{message}");
        let refused = call(&upstream, query, ada(), "didit_context_get", json!({})).await;
        assert!(
            text(&refused).starts_with(&format!("Error [bad_request]: {why}")),
            "{refused}"
        );
    }
    assert!(upstream.all().is_empty());
}
