//! Rules that the data keeps, so that what follows from it holds together.

use std::collections::BTreeSet;

use crate::Outcome;
use crate::codegen::data::{Data, Field, Kind, Operation, Tool, Type};
use crate::codegen::rust::is_snake;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const SCOPES: [&str; 2] = ["didit:management", "didit:verification"];
/// The verbs of a permission.
const MAY: [&str; 6] = ["read", "write", "delete", "list", "create", "approve"];
/// The paths that Didit serves without a slash at the end; elsewhere a missing one redirects and drops the credential.
const WITHOUT_SLASH: [&str; 4] = [
    "organization.update_member",
    "organization.remove_member",
    "rest.session_pdf",
    "session.resend_webhook",
];

/// The first rule that is broken, with the row that breaks it.
pub(crate) fn check(data: &Data) -> Outcome {
    data.shared.iter().try_for_each(check_field)?;
    let mut seen = BTreeSet::new();
    for area in &data.areas {
        for operation in &area.operations {
            let name = &operation.row.name;
            let told = |why: String| format!("operation {name}: {why}");
            if !seen.insert(name.as_str()) {
                return Err(told("is there twice".to_owned()));
            }
            if name
                .split_once('.')
                .is_none_or(|(of, verb)| of != area.name || !is_snake(verb))
            {
                return Err(told(format!("is not named {}.verb", area.name)));
            }
            check_operation(operation).map_err(told)?;
        }
    }
    for tool in data.tools() {
        let name = &tool.row.name;
        let told = |why: String| format!("tool {name}: {why}");
        if !seen.insert(name.as_str()) {
            return Err(told("is there twice".to_owned()));
        }
        check_tool(tool, data).map_err(told)?;
    }
    Ok(())
}

fn check_operation(operation: &Operation) -> Outcome {
    let row = &operation.row;
    if !METHODS.contains(&row.method.as_str()) {
        return Err(format!("there is no method {}", row.method));
    }
    let slashed = row.path.ends_with('/') != WITHOUT_SLASH.contains(&row.name.as_str());
    if !row.path.starts_with('/') || row.path.contains("//") || !slashed {
        return Err(format!(
            "the path {} does not begin and end as it must",
            row.path
        ));
    }
    let mut braces: BTreeSet<&str> = operation.braces().collect();
    if row.path.matches('{').count() != braces.len() {
        return Err("a brace of the path is no segment of its own".to_owned());
    }
    braces.remove("org");
    braces.remove("app");
    let parts: BTreeSet<&str> = operation
        .parts
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    if braces != parts {
        return Err(format!(
            "the path names {braces:?} and the parts are {parts:?}"
        ));
    }
    if let Some(part) = operation.parts.iter().find(|part| part.kind != Type::Text) {
        return Err(format!("{} is in the path and no text", part.name));
    }
    let has_body = !operation.body.is_empty() || row.open;
    let has_form = !operation.form.is_empty() || !operation.files.is_empty();
    if has_body && has_form || row.method == "GET" && (has_body || has_form) {
        return Err("a body is JSON or a form, and a GET has none".to_owned());
    }
    if !has_body && !has_form && !operation.query.is_empty() && row.method != "GET" {
        return Err("only a GET has a query".to_owned());
    }
    if (row.kind == Kind::Destructive) != row.confirm.is_some() {
        return Err(
            "what is destructive, and nothing else, says what must be confirmed".to_owned(),
        );
    }
    if let Some(permission) = &row.permission {
        check_permission(permission)?;
    }
    if row.anonymous && operation.api_key || row.application_header && row.idempotency_key {
        return Err("one credential at the most, and one header beside it".to_owned());
    }
    // Scopes are those of a person's token.
    if (row.anonymous || operation.api_key) != operation.scope.is_empty() {
        return Err("what takes no person's token, and nothing else, needs no scope".to_owned());
    }
    check_scopes(&operation.scope)?;
    for field in operation.fields().chain(&operation.files) {
        check_field(field)?;
        if (field.kind == Type::File) != operation.files.contains(field) {
            return Err(format!("{} is a file in the wrong place", field.name));
        }
    }
    Ok(())
}

fn check_permission(permission: &str) -> Outcome {
    let well_formed = permission.split_once(':').is_some_and(|(verb, object)| {
        MAY.contains(&verb)
            && !object.is_empty()
            && object.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    });
    if well_formed {
        Ok(())
    } else {
        Err(format!("{permission} is no permission"))
    }
}

fn check_scopes(scopes: &[String]) -> Outcome {
    match scopes
        .iter()
        .find(|scope| !SCOPES.contains(&scope.as_str()))
    {
        Some(scope) => Err(format!("there is no scope {scope}")),
        None => Ok(()),
    }
}

fn check_field(field: &Field) -> Outcome {
    let name = &field.name;
    if !is_snake(name) {
        return Err(format!("{name} is no name"));
    }
    if field.says.is_empty() || !field.says.ends_with(['.', '!']) {
        return Err(format!("{name} says nothing, or no whole sentence"));
    }
    check_shape(field)
}

/// The rules that hold for items and properties too.
fn check_shape(field: &Field) -> Outcome {
    let name = &field.name;
    let fits = |is: bool, what: &str| {
        if is {
            Ok(())
        } else {
            Err(format!("{name} is a {:?}, which has no {what}", field.kind))
        }
    };
    fits(
        field.one_of.is_empty() || field.kind == Type::Text,
        "words to choose from",
    )?;
    fits(
        field.max_length.is_none() || field.kind == Type::Text,
        "length",
    )?;
    let number = matches!(field.kind, Type::Number | Type::Integer);
    fits(
        number || field.minimum.is_none() && field.maximum.is_none(),
        "bounds",
    )?;
    let list = field.kind == Type::List;
    fits(
        list || field.at_least.is_none() && field.at_most.is_none(),
        "number of items",
    )?;
    let object = field.kind == Type::Object;
    fits(
        object || field.properties.is_empty() && !field.closed,
        "properties",
    )?;
    let unique: BTreeSet<&String> = field.one_of.iter().collect();
    if unique.len() != field.one_of.len() {
        return Err(format!("{name} has a word twice"));
    }
    field
        .items
        .iter()
        .map(AsRef::as_ref)
        .chain(&field.properties)
        .try_for_each(check_shape)
}

fn check_tool(tool: &Tool, data: &Data) -> Outcome {
    let row = &tool.row;
    if row
        .name
        .strip_prefix("didit_")
        .is_none_or(|rest| !is_snake(rest))
    {
        return Err("is not named didit_something".to_owned());
    }
    for name in &row.operations {
        if data.operation(name).is_none() {
            return Err(format!("there is no operation {name}"));
        }
    }
    if row.operations.len() != 1 && row.run.is_none() {
        return Err("is not one call, so it must name its run".to_owned());
    }
    if row.says.is_empty() || row.title.is_empty() {
        return Err("has no title or says nothing".to_owned());
    }
    if let Some(permission) = &tool.permission {
        check_permission(permission)?;
    }
    check_scopes(&tool.scope)?;
    let fine = tool.fine_scope.split('.').collect::<Vec<_>>();
    let well_formed =
        matches!(fine.as_slice(), ["didit", area, verb] if is_snake(area) && is_snake(verb));
    if !well_formed {
        return Err(format!("{} is no didit.area.verb", tool.fine_scope));
    }
    tool.arguments.iter().try_for_each(check_field)?;
    let has = |name: &String| tool.arguments.iter().any(|argument| argument.name == *name);
    let mut named: Vec<&String> = Vec::new();
    named.extend(row.any_of.iter().chain(&row.needs).chain(&row.exactly_one));
    named.extend(
        row.fetched
            .iter()
            .chain(&row.fetched_or_data)
            .chain(&row.spreads),
    );
    named.extend(row.sends.keys().chain(row.words.keys()));
    named.extend(
        row.uploads
            .values()
            .flat_map(|upload| [&upload.path, &upload.base64]),
    );
    if let Some(confirm) = &row.confirm {
        named.push(&confirm.argument);
        named.extend(&confirm.beside);
    }
    if let Some(name) = named.into_iter().find(|name| !has(name)) {
        return Err(format!("speaks of {name}, which it does not take"));
    }
    if row.run.is_none() {
        check_travel(tool, data)?;
    }
    Ok(())
}

/// Every argument of a tool that is one call goes somewhere, and nothing that the call needs is left out.
fn check_travel(tool: &Tool, data: &Data) -> Outcome {
    let row = &tool.row;
    let Some(operation) = row.operations.first().and_then(|name| data.operation(name)) else {
        return Ok(());
    };
    let wire = |name: &str| -> String {
        let sent = row
            .sends
            .get(name)
            .map_or(name, |sent| sent.trim_end_matches("[]"));
        sent.to_owned()
    };
    let knows = |name: &str| {
        operation
            .fields()
            .chain(&operation.files)
            .any(|field| field.name == name)
    };
    for argument in &tool.arguments {
        let name = argument.name.as_str();
        let place = ["organization_id", "application_id", "access_token"].contains(&name);
        let used = row.spreads.as_deref() == Some(name)
            || row
                .confirm
                .as_ref()
                .is_some_and(|confirm| confirm.argument == name)
            || row
                .uploads
                .values()
                .any(|upload| upload.path == name || upload.base64 == name);
        if !place && !used && !knows(&wire(name)) {
            return Err(format!("{name} goes nowhere"));
        }
    }
    for field in operation.fields().filter(|field| field.required) {
        let given = tool
            .arguments
            .iter()
            .any(|argument| argument.required && wire(&argument.name) == field.name);
        if !given && !row.uploads.contains_key(&field.name) {
            return Err(format!("{} is needed and never given", field.name));
        }
    }
    match row.uploads.keys().find(|name| !knows(name)) {
        Some(name) => Err(format!("{name} is uploaded and not known")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const SHARED: &str = r#"
[shared]
session_id = { type = "text", required = true, says = "Id of the session." }
organization_id = { type = "text", says = "Id of the organisation." }
"#;

    const AREA: &str = r#"
says = "Sessions."
order = 1
category = "Sessions"
toolsets = ["sessions"]
scope = ["didit:verification"]

[[operation]]
name = "session.delete"
method = "DELETE"
path = "/organization/{org}/session/{session_id}/"
kind = "destructive"
permission = "delete:sessions"
confirm = "it is gone"
says = "Delete a session."
[operation.parts]
session_id = {}
[operation.body]
reason = { type = "text", one_of = ["a", "b"], says = "Why." }

[[tool]]
name = "didit_session_delete"
title = "Session Delete"
operations = ["session.delete"]
takes = ["organization_id", "session_id", "reason", "confirm"]
confirm = { argument = "confirm" }
says = "Delete a session."
[tool.arguments]
confirm = { type = "boolean", required = true, says = "Must be true." }
"#;

    fn judged(area: &str) -> Outcome {
        let files = [("shared", SHARED), ("session", area)]
            .map(|(name, text)| (name.to_owned(), text.to_owned()));
        check(&Data::read(&BTreeMap::from(files))?)
    }

    #[test]
    fn each_rule_is_told_with_the_row_that_breaks_it() {
        assert_eq!(judged(AREA), Ok(()));
        for (from, to, why) in [
            (
                r#""session.delete""#,
                r#""case.delete""#,
                "is not named session.verb",
            ),
            ("DELETE", "REMOVE", "there is no method REMOVE"),
            (
                "{session_id}/\"",
                "{session_id}\"",
                "does not begin and end as it must",
            ),
            ("/{session_id}/", "/{id}/", "the path names"),
            (
                "\"destructive\"",
                "\"write\"",
                "says what must be confirmed",
            ),
            (
                "delete:sessions",
                "erase:sessions",
                "erase:sessions is no permission",
            ),
            (
                "didit:verification",
                "didit:everything",
                "there is no scope didit:everything",
            ),
            (
                "\"Why.\"",
                "\"Why\"",
                "reason says nothing, or no whole sentence",
            ),
            (
                "[\"a\", \"b\"]",
                "[\"a\", \"a\"]",
                "reason has a word twice",
            ),
            (
                "one_of = [\"a\", \"b\"]",
                "minimum = 1",
                "reason is a Text, which has no bounds",
            ),
            (
                "session_id = {}",
                "session_id = { like = \"id\" }",
                "no shared parameter is named id",
            ),
            ("says = \"Why.\"", "sais = \"Why.\"", "unknown field `sais`"),
            (
                "\"didit_session_delete\"",
                "\"session_delete\"",
                "is not named didit_something",
            ),
            (
                "operations = [\"session.delete\"]",
                "operations = [\"session.erase\"]",
                "there is no operation session.erase",
            ),
            (
                "operations = [\"session.delete\"]",
                "operations = [\"session.delete\", \"session.delete\"]",
                "it must name its run",
            ),
            (
                "argument = \"confirm\"",
                "argument = \"agreed\"",
                "speaks of agreed, which it does not take",
            ),
            (
                "\"session_id\", \"reason\"",
                "\"reason\"",
                "session_id is needed and never given",
            ),
            (
                "\"reason\", \"confirm\"]",
                "\"reason\", \"confirm\", \"other\"]",
                "no shared parameter is named other",
            ),
            (
                "\"reason\", \"confirm\"]",
                "\"reason\"]",
                "confirm is described but not taken",
            ),
        ] {
            let area = AREA.replace(from, to);
            assert_ne!(area, AREA, "{from}");
            let found = judged(&area).unwrap_err();
            assert!(found.contains(why), "{why}\n{found}");
        }
    }

    #[test]
    fn an_argument_that_goes_nowhere_is_found() {
        let area = AREA.replace(
            "confirm = { type",
            "lost = { type = \"text\", says = \"Lost.\" }\nconfirm = { type",
        );
        let area = area.replace(
            "\"reason\", \"confirm\"]",
            "\"reason\", \"confirm\", \"lost\"]",
        );
        assert!(judged(&area).unwrap_err().contains("lost goes nowhere"));
    }

    #[test]
    fn a_row_twice_is_found() {
        let (_, tool) = AREA.split_once("[[tool]]").unwrap();
        let found = judged(&format!("{AREA}\n[[tool]]{tool}")).unwrap_err();
        assert!(
            found.contains("tool didit_session_delete: is there twice"),
            "{found}"
        );
    }
}
