//! Arguments that do not fit are refused before anything is sent.

use super::*;

/// Values that are not of a type.
fn wrong(kind: &str) -> Vec<Value> {
    let all = [
        ("string", json!("text")),
        ("number", json!(7)),
        ("boolean", json!(true)),
        ("array", json!(["x"])),
        ("object", json!({"a": 1})),
    ];
    all.into_iter()
        .filter(|(name, _)| *name != kind)
        .map(|(_, value)| value)
        .collect()
}

/// Arguments that fit the schema of a tool, required ones only.
fn fitting(schema: &Value) -> Value {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let pairs = required.iter().map(|name| {
        let name = name.as_str().unwrap();
        (name.to_owned(), fitting_value(&schema["properties"][name]))
    });
    Value::Object(pairs.collect())
}

fn fitting_value(schema: &Value) -> Value {
    match schema["type"].as_str().unwrap_or("object") {
        "boolean" => json!(true),
        "number" | "integer" => schema["minimum"].as_i64().unwrap_or(1).into(),
        "array" => json!([fitting_value(&schema["items"])]),
        "object" => fitting(schema),
        _ => schema["enum"]
            .get(0)
            .cloned()
            .unwrap_or_else(|| json!("w-1")),
    }
}

/// A call that is refused with the argument named, a remedy, and nothing sent.
async fn refused_here(stage: &Stage, tool: &str, arguments: Value, field: &str) -> String {
    let sent = stage.world.sent();
    let text = stage.refused("olivia", tool, arguments.clone()).await;
    assert_eq!(stage.world.sent(), sent, "{tool} {arguments} was sent");
    assert_eq!(line(&text, "Field"), field, "{tool} {arguments}: {text}");
    assert!(line(&text, "Hint").len() > 10, "{tool} {arguments}: {text}");
    let code = text.split(['[', ']']).nth(1).unwrap();
    assert!(
        ["bad_request", "unprocessable", "unsafe_operation"].contains(&code),
        "{text}"
    );
    text
}

#[tokio::test]
async fn a_required_argument_that_is_missing_is_named_with_what_to_send() {
    let stage = Stage::new().await;
    let mut seen = 0;
    for tool in stage.listed().await {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        for missing in schema["required"].as_array().into_iter().flatten() {
            let missing = missing.as_str().unwrap();
            let says = schema["properties"][missing]["description"]
                .as_str()
                .unwrap();
            let mut without = fitting(schema);
            without.as_object_mut().unwrap().remove(missing);
            let mut null = without.clone();
            null[missing] = Value::Null;
            for given in [without, null] {
                let text = refused_here(&stage, name, given, missing).await;
                assert!(text.contains(&format!("{missing} is missing")), "{text}");
                assert!(line(&text, "Hint").ends_with(says), "{text}");
            }
            if schema["properties"][missing]["type"] == "string" {
                for blank in ["", "  ", "\t\n"] {
                    let mut given = fitting(schema);
                    given[missing] = blank.into();
                    refused_here(&stage, name, given, missing).await;
                }
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[tokio::test]
async fn an_argument_of_the_wrong_type_is_named() {
    let stage = Stage::new().await;
    for tool in stage.everyday().await {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        for (argument, property) in schema["properties"].as_object().into_iter().flatten() {
            for value in wrong(property["type"].as_str().unwrap()) {
                let mut given = fitting(schema);
                given[argument] = value;
                refused_here(&stage, name, given, argument).await;
            }
            if property.get("enum").is_some() {
                let mut given = fitting(schema);
                given[argument] = "something else".into();
                let text = refused_here(&stage, name, given, argument).await;
                assert!(!line(&text, "Allowed").is_empty(), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_argument_that_a_tool_does_not_have_is_refused_with_those_it_has() {
    let stage = Stage::new().await;
    for tool in stage.listed().await {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        if schema["additionalProperties"] != false {
            continue;
        }
        for unknown in ["organisation_id", "Session_Id", "path"] {
            let given = with(&fitting(schema), json!({unknown: "x"}));
            let text = refused_here(&stage, name, given, unknown).await;
            for known in schema["properties"].as_object().into_iter().flatten() {
                assert!(line(&text, "Allowed").contains(known.0.as_str()), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn an_id_cannot_lead_to_another_route() {
    let stage = Stage::new().await;
    let mut seen = 0;
    for tool in stage.everyday().await {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        for argument in [
            "session_id",
            "workflow_id",
            "organization_id",
            "application_id",
        ] {
            let filter = name.starts_with("didit_session_") && argument == "workflow_id";
            if filter || schema["properties"].get(argument).is_none() {
                continue;
            }
            for trick in [
                ".", "..", "../", "../x", "a/b", "?x", "a?x=1", "a#b", "/", "a\u{0}b", "a\nb",
            ] {
                let mut given = fitting(schema);
                given[argument] = trick.into();
                let text = refused_here(&stage, name, given, argument).await;
                assert!(
                    line(&text, "Hint").starts_with("Pass the id alone"),
                    "{text}"
                );
            }
            let mut given = fitting(schema);
            given[argument] = "x".repeat(513).into();
            refused_here(&stage, name, given, argument).await;
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

#[tokio::test]
async fn what_is_percent_encoded_stays_one_part_of_the_path() {
    let stage = Stage::new().await;
    for id in ["%2e%2e", "..%2fx", "a b", "ü", "a;b", "a\\b"] {
        let text = stage
            .refused(
                "olivia",
                "didit_session_get_decision",
                json!({"session_id": id}),
            )
            .await;
        assert!(text.starts_with("Error [not_found]: "), "{id}: {text}");
    }
    let before = stage
        .ok("olivia", "didit_session_search", json!({"limit": 1}))
        .await;
    for id in ["../x", "a/b", "?x"] {
        let text = stage
            .refused("olivia", "didit_session_create", json!({"workflow_id": id}))
            .await;
        assert_eq!(line(&text, "Field"), "workflow_id", "{text}");
    }
    let after = stage
        .ok("olivia", "didit_session_search", json!({"limit": 1}))
        .await;
    assert_eq!(before["results"], after["results"]);
}

#[tokio::test]
async fn blank_filters_of_tools_that_read_count_as_left_out() {
    let stage = Stage::new().await;
    for tool in stage.listed().await {
        let (name, schema) = (tool["name"].as_str().unwrap(), &tool["inputSchema"]);
        if tool["annotations"]["readOnlyHint"] != true || schema.get("required").is_some() {
            continue;
        }
        let texts = schema["properties"].as_object().into_iter().flatten();
        let blank: Map<String, Value> = texts
            .filter(|(_, property)| property["type"] == "string")
            .map(|(argument, _)| (argument.clone(), json!(" ")))
            .collect();
        let blank = stage.ok("samir", name, Value::Object(blank)).await;
        assert_eq!(blank, stage.ok("samir", name, json!({})).await, "{name}");
    }
}

#[tokio::test]
async fn a_blank_argument_of_a_tool_that_writes_is_named() {
    let stage = Stage::new().await;
    let workflows = stage.ok("samir", "didit_workflow_list", json!({})).await;
    let workflow = &rows(&workflows)[0]["workflow_id"];
    for blank in [
        "organization_id",
        "application_id",
        "language",
        "vendor_data",
    ] {
        let given = json!({"workflow_id": workflow, blank: " "});
        let text = stage.refused("samir", "didit_session_create", given).await;
        assert_eq!(line(&text, "Field"), blank, "{text}");
    }
}
