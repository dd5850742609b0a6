//! `didit-tools/src/catalog/rows/`: the rows of the tools.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::Outcome;
use crate::codegen::data::{Area, Data, Field, Tool, Type, Visibility};
use crate::codegen::rows::kind;
use crate::codegen::rust::{literal, literals, screaming};
use crate::codegen::{Generated, header};

const FOLDER: &str = "crates/didit-tools/src/catalog/rows";

/// The tools of every area, the arguments that they share, and the list of areas.
pub(crate) fn files(data: &Data) -> Outcome<Vec<Generated>> {
    let mut files = Vec::new();
    let mut used = BTreeSet::new();
    for area in data.areas.iter().filter(|one| !one.tools.is_empty()) {
        files.push(rows(area, &data.shared, &mut used)?);
    }
    files.push(shared(&data.shared, &used)?);
    let mut code = header("The tools, area by area.", None);
    for area in data.areas.iter().filter(|one| !one.tools.is_empty()) {
        let _infallible = writeln!(code, "mod {};", area.name);
    }
    code.push_str("mod shared;\n\nuse super::Tool;\n\n/// Every area, in the order in which they are listed.\npub(super) const AREAS: &[&[Tool]] = &[");
    for area in data.areas.iter().filter(|one| !one.tools.is_empty()) {
        let _infallible = write!(code, "{}::TOOLS, ", area.name);
    }
    code.push_str("];\n");
    files.push(Generated::rust(format!("{FOLDER}/mod.rs"), code));
    Ok(files)
}

fn shared(shared: &[Field], used: &BTreeSet<String>) -> Outcome<Generated> {
    let mut body = String::new();
    for field in shared.iter().filter(|field| used.contains(&field.name)) {
        // The one that it stands for may have another name on the wire.
        let _infallible = write!(
            body,
            "\npub(super) const {}: Argument = {};\n",
            screaming(&field.name),
            argument(&named(field))?
        );
    }
    let code =
        header("Arguments that several tools take.", Some("shared")) + &imports(&body, &[]) + &body;
    Ok(Generated::rust(format!("{FOLDER}/shared.rs"), code))
}

/// A shared argument under the name that it has in a tool: `only_organization_id` is an `organization_id`.
fn named(field: &Field) -> Field {
    let name = [
        "organization_id",
        "application_id",
        "date_from",
        "date_to",
        "limit",
        "offset",
        "status",
    ]
    .into_iter()
    .find(|name| field.name.contains(name))
    .unwrap_or(&field.name);
    Field {
        name: if field.name == "draft_or_published" {
            "status".to_owned()
        } else {
            name.to_owned()
        },
        ..field.clone()
    }
}

fn rows(area: &Area, shared: &[Field], used: &mut BTreeSet<String>) -> Outcome<Generated> {
    let mut body = String::from("\npub(super) const TOOLS: &[Tool] = &[");
    let mut near = BTreeSet::new();
    for one in &area.tools {
        let _infallible = writeln!(body, "{},", tool(one, shared, &mut near)?);
    }
    body.push_str("];\n");
    let mut code = header(&area.says, Some(&area.name));
    code.push_str(&imports(
        &body,
        &[
            "Confirm",
            "Order",
            "Run",
            "Span",
            "Style",
            "Tool",
            "Upload",
            "Visibility",
            "tool",
        ],
    ));
    if !near.is_empty() {
        let names: Vec<String> = near.iter().map(|name| screaming(name)).collect();
        let _infallible = writeln!(code, "use super::shared::{{{}}};", names.join(", "));
    }
    code.push_str(&body);
    used.extend(near);
    Ok(Generated::rust(format!("{FOLDER}/{}.rs", area.name), code))
}

/// The lines that bring in what the code names.
fn imports(body: &str, of_catalog: &[&str]) -> String {
    // As code it is followed by one of these; in a text of the data by something else.
    let has = |word: &&&str| {
        ["::", " {", "("]
            .iter()
            .any(|next| body.contains(&format!("{word}{next}")))
            || body.contains(&format!(": {word} "))
            || body.contains(&format!("[{word}]"))
    };
    let mut out = String::new();
    let catalog: Vec<&str> = of_catalog.iter().filter(has).copied().collect();
    if !catalog.is_empty() {
        let _infallible = writeln!(out, "use crate::catalog::{{{}}};", catalog.join(", "));
    }
    let schema: Vec<&str> = ["Argument", "Bounds", "Shape"]
        .iter()
        .filter(has)
        .copied()
        .collect();
    if !schema.is_empty() {
        let _infallible = writeln!(out, "use crate::schema::{{{}}};", schema.join(", "));
    }
    if body.contains("Kind::") {
        out.push_str("use didit_client::operation::Kind;\n");
    }
    out
}

fn tool(tool: &Tool, shared: &[Field], used: &mut BTreeSet<String>) -> Outcome<String> {
    let row = &tool.row;
    let mut out = format!(
        "tool({}, {}, {})",
        literal(&row.name),
        literal(&row.title),
        literal(&tool.category)
    );
    let mut add = |name: &str, argument: &str| {
        let _infallible = write!(out, ".{name}({argument})");
    };
    add("says", &literal(&row.says));
    add("kind", kind(tool.kind));
    if row.open_world {
        add("reaches_people", "");
    }
    add(
        "scopes",
        &format!("{}, {}", literals(&tool.scope), literal(&tool.fine_scope)),
    );
    if let Some(permission) = &tool.permission {
        add("needs", &literal(permission));
    }
    add("toolsets", &literals(&tool.toolsets));
    if row.core {
        add("core", "");
    }
    if row.visibility == Visibility::Stdio {
        add("visible", "Visibility::Stdio");
    }
    add("operations", &literals(&row.operations));
    if let Some(run) = run(tool)? {
        add("run", &run);
    }
    if !tool.arguments.is_empty() {
        let mut arguments = String::new();
        for field in &tool.arguments {
            match shared.iter().find(|one| named(one) == *field) {
                Some(one) => {
                    used.insert(one.name.clone());
                    let _infallible = write!(arguments, "{}, ", screaming(&one.name));
                }
                None => {
                    let _infallible = write!(arguments, "{}, ", argument(field)?);
                }
            }
        }
        add("takes", &format!("&[{arguments}]"));
    }
    if row.open {
        add("open", "");
    }
    for (name, list) in [
        ("any_of", &row.any_of),
        ("one_given", &row.needs),
        ("exactly_one", &row.exactly_one),
        ("fetches", &row.fetched),
        ("fetches_or_holds", &row.fetched_or_data),
    ] {
        if !list.is_empty() {
            add(name, &literals(list));
        }
    }
    if let Some(argument) = &row.spreads {
        add("spreads", &literal(argument));
    }
    if let Some(member) = &row.marks {
        add("marks", &literal(member));
    }
    if let Some(confirm) = &row.confirm {
        let beside = confirm.beside.as_ref().map_or_else(
            || "None".to_owned(),
            |name| format!("Some({})", literal(name)),
        );
        add(
            "confirmed",
            &format!(
                "Confirm {{ argument: {}, beside: {beside} }}",
                literal(&confirm.argument)
            ),
        );
    }
    if !row.sends.is_empty() {
        let pairs: Vec<String> = row
            .sends
            .iter()
            .map(|(from, to)| format!("({}, {})", literal(from), literal(to)))
            .collect();
        add("sends", &format!("&[{}]", pairs.join(", ")));
    }
    if !row.words.is_empty() {
        let lists: Vec<String> = row
            .words
            .iter()
            .map(|(name, words)| {
                let pairs: Vec<String> = words
                    .iter()
                    .map(|(from, to)| format!("({}, {})", literal(from), literal(to)))
                    .collect();
                format!("({}, &[{}])", literal(name), pairs.join(", "))
            })
            .collect();
        add("words", &format!("&[{}]", lists.join(", ")));
    }
    if !row.uploads.is_empty() {
        let uploads: Vec<String> = row
            .uploads
            .iter()
            .map(|(field, upload)| {
                format!(
                    "Upload {{ field: {}, path: {}, base64: {}, required: {} }}",
                    literal(field),
                    literal(&upload.path),
                    literal(&upload.base64),
                    upload.required
                )
            })
            .collect();
        add("uploads", &format!("&[{}]", uploads.join(", ")));
    }
    Ok(out)
}

/// How it is run, unless it is one call.
fn run(tool: &Tool) -> Outcome<Option<String>> {
    let Some(run) = &tool.row.run else {
        return Ok(None);
    };
    let span = |style: &str, order: &str, limit: u32| {
        let whole = tool.row.operations.get(1).map_or_else(
            || "None".to_owned(),
            |name| format!("Some({})", literal(name)),
        );
        let first = tool
            .row
            .operations
            .first()
            .ok_or("a search without an operation")?;
        Ok::<_, String>(format!(
            "Run::Span(Span {{ application: {}, organization: {whole}, style: Style::{style}, order: Order::{order}, limit: {limit} }})",
            literal(first)
        ))
    };
    Ok(Some(match run.as_str() {
        "context" => "Run::Context".to_owned(),
        "analytics" => "Run::Analytics".to_owned(),
        "report" => "Run::Report".to_owned(),
        "list_newest" => span("List", "NewestFirst", 20)?,
        "search_newest" => span("Search", "NewestFirst", 20)?,
        "list_workflows" => span("List", "AsTheyCame", 50)?,
        "search_workflows" => span("Search", "AsTheyCame", 50)?,
        other => format!("Run::Special({})", literal(other)),
    }))
}

fn argument(field: &Field) -> Outcome<String> {
    let mut out = format!(
        "Argument::new({}, {}, {})",
        literal(&field.name),
        shape(field)?,
        literal(&field.says)
    );
    if field.required {
        out.push_str(".required()");
    }
    if field.stdio_only {
        out.push_str(".stdio_only()");
    }
    if let Some(default) = &field.default {
        let json =
            serde_json::to_string(default).map_err(|error| format!("{}: {error}", field.name))?;
        let _infallible = write!(out, ".default({})", literal(&json));
    }
    Ok(out)
}

fn shape(field: &Field) -> Outcome<String> {
    let bounds = || match (field.minimum, field.maximum) {
        (None, None) => "Bounds::NONE".to_owned(),
        (least, most) => format!("Bounds::new({least:?}, {most:?})"),
    };
    let named = match field.kind {
        Type::Text if !field.one_of.is_empty() => {
            format!("Shape::Choice({})", literals(&field.one_of))
        }
        Type::Text => match field.max_length {
            Some(most) => format!("Shape::TextWithin({most})"),
            None => "Shape::Text".to_owned(),
        },
        Type::Count => "Shape::CountText".to_owned(),
        Type::Window => "Shape::Window".to_owned(),
        Type::Number => format!("Shape::Number({})", bounds()),
        Type::Integer => format!("Shape::Integer({})", bounds()),
        Type::Boolean => "Shape::Boolean".to_owned(),
        Type::Any => "Shape::Any".to_owned(),
        Type::File => {
            return Err(format!(
                "{} is a file, which no tool takes as it is",
                field.name
            ));
        }
        Type::Object => {
            let properties: Outcome<Vec<String>> = field.properties.iter().map(argument).collect();
            format!(
                "Shape::Object {{ properties: &[{}], closed: {} }}",
                properties?.join(", "),
                field.closed
            )
        }
        Type::List => {
            let of = field.items.as_deref().ok_or("a list without items")?;
            format!(
                "Shape::List {{ of: &{}, at_least: {}, at_most: {:?} }}",
                shape(of)?,
                field.at_least.unwrap_or(0),
                field.at_most
            )
        }
    };
    Ok(if field.nullable {
        format!("Shape::OrNull(&{named})")
    } else {
        named
    })
}
