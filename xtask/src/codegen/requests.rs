//! `didit-client/src/request/`: a struct for each operation, whose fields are its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::Outcome;
use crate::codegen::data::{Area, Data, Field, Operation, Type};
use crate::codegen::rows::constant;
use crate::codegen::rust::{camel, comment, ident, literal};
use crate::codegen::{Generated, header};

const FOLDER: &str = "crates/didit-client/src/request";

/// The requests of every area, and the list of areas.
pub(crate) fn files(data: &Data) -> Outcome<Vec<Generated>> {
    let mut files = Vec::new();
    for area in &data.areas {
        files.push(self::area(area)?);
    }
    let mut code = header(
        "Every operation as a struct, whose fields are its parameters.",
        None,
    );
    for area in &data.areas {
        let _infallible = writeln!(code, "pub mod {};", area.name);
    }
    files.push(Generated::rust(format!("{FOLDER}/mod.rs"), code));
    Ok(files)
}

fn area(area: &Area) -> Outcome<Generated> {
    let enums = Enums::of(area)?;
    let mut body = String::new();
    for operation in &area.operations {
        request(operation, area, &enums, &mut body);
    }
    for (name, values) in &enums.defined {
        choice(name, values, &mut body);
    }
    let mut uses = String::from("use crate::call::Call;\n");
    let _infallible = writeln!(uses, "use crate::operation::rows::{};", area.name);
    for (word, line) in [
        ("PathPart", "use crate::api::PathPart;\n"),
        ("File", "use crate::file::File;\n"),
        ("Secret", "use crate::secret::Secret;\n"),
    ] {
        if mentions(&body, word) {
            uses.push_str(line);
        }
    }
    let json: Vec<&str> = [
        ("Map", body.contains("Map<")),
        (
            "Number",
            body.contains(": Number") || body.contains("<Number>"),
        ),
        ("Value", mentions(&body, "Value")),
    ]
    .into_iter()
    .filter_map(|(word, is_used)| is_used.then_some(word))
    .collect();
    if !json.is_empty() {
        let _infallible = writeln!(uses, "use serde_json::{{{}}};", json.join(", "));
    }
    if mentions(&body, "fmt") {
        uses.push_str("use std::fmt;\n");
    }
    let code = header(&area.says, Some(&area.name)) + &uses + &body;
    Ok(Generated::rust(format!("{FOLDER}/{}.rs", area.name), code))
}

/// Whether code uses a word as a name of its own.
fn mentions(code: &str, word: &str) -> bool {
    code.lines()
        .filter(|line| !line.trim_start().starts_with("///"))
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .any(|name| name == word)
}

/// The words that the parameters of an area choose from, each list under one name.
struct Enums<'a> {
    /// By operation and parameter.
    named: BTreeMap<(&'a str, &'a str), String>,
    defined: BTreeMap<String, &'a [String]>,
}

impl<'a> Enums<'a> {
    fn of(area: &'a Area) -> Outcome<Self> {
        let mut lists: BTreeMap<&str, BTreeSet<&[String]>> = BTreeMap::new();
        let fields = || {
            area.operations.iter().flat_map(|operation| {
                operation
                    .fields()
                    .filter_map(move |field| Some((operation, field, choices(field)?)))
            })
        };
        for (_, field, values) in fields() {
            lists.entry(&field.name).or_default().insert(values);
        }
        let mut named = BTreeMap::new();
        let mut defined: BTreeMap<String, &[String]> = BTreeMap::new();
        for (operation, field, values) in fields() {
            let alone = lists
                .get(field.name.as_str())
                .is_some_and(|all| all.len() == 1);
            let mut name = camel(&field.name);
            let is_request =
                |name: &str| area.operations.iter().any(|one| camel(one.verb()) == name);
            if !alone || is_request(&name) {
                name.insert_str(0, &camel(operation.verb()));
            }
            if is_request(&name) || defined.get(&name).is_some_and(|known| *known != values) {
                return Err(format!(
                    "{}: two things would be named {name}",
                    operation.row.name
                ));
            }
            let variants: BTreeSet<String> = values.iter().map(|value| camel(value)).collect();
            if variants.len() != values.len() {
                return Err(format!(
                    "{}: two words of {} have one name",
                    operation.row.name, field.name
                ));
            }
            defined.insert(name.clone(), values);
            named.insert((operation.row.name.as_str(), field.name.as_str()), name);
        }
        Ok(Self { named, defined })
    }
}

/// The words that a parameter, or each item of it, is one of.
fn choices(field: &Field) -> Option<&[String]> {
    let field = field.items.as_deref().unwrap_or(field);
    (!field.one_of.is_empty()).then_some(field.one_of.as_slice())
}

fn choice(name: &str, values: &[String], out: &mut String) {
    let _infallible = write!(
        out,
        "\n/// One of the words that Didit knows here.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\n#[non_exhaustive]\npub enum {name} {{\n"
    );
    for value in values {
        let _infallible = writeln!(out, "/// `{value}`\n{},", camel(value));
    }
    let _infallible = write!(
        out,
        "}}\n\nimpl {name} {{\n/// The word on the wire.\npub const fn as_str(self) -> &'static str {{\nmatch self {{\n"
    );
    for value in values {
        let _infallible = writeln!(out, "Self::{} => {},", camel(value), literal(value));
    }
    let _infallible = write!(
        out,
        "}}\n}}\n}}\n\nimpl fmt::Display for {name} {{\nfn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {{\nf.write_str(self.as_str())\n}}\n}}\n\nimpl From<{name}> for Value {{\nfn from(word: {name}) -> Self {{\nword.as_str().into()\n}}\n}}\n"
    );
}

/// One field of a request.
struct Part<'a> {
    name: String,
    wire: &'a str,
    kind: String,
    required: bool,
    says: String,
    goes: Goes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Goes {
    Place,
    Path,
    Query,
    Body,
    Form,
    File,
}

fn parts<'a>(operation: &'a Operation, enums: &Enums<'_>) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    let places = [
        (
            operation.has_organization(),
            "organization",
            "org",
            "Id of the organisation.",
        ),
        (
            operation.has_application(),
            "application",
            "app",
            "Id of the application.",
        ),
    ];
    for (_, name, wire, says) in places.into_iter().filter(|(is, ..)| *is) {
        parts.push(Part {
            name: name.to_owned(),
            wire,
            kind: "PathPart".to_owned(),
            required: true,
            says: says.to_owned(),
            goes: Goes::Place,
        });
    }
    for (goes, fields) in [
        (Goes::Path, &operation.parts),
        (Goes::Query, &operation.query),
        (Goes::Body, &operation.body),
        (Goes::Form, &operation.form),
        (Goes::File, &operation.files),
    ] {
        for field in fields {
            let choice = enums
                .named
                .get(&(operation.row.name.as_str(), field.name.as_str()));
            // What the path has and the body repeats is one field.
            if parts.iter().any(|part: &Part<'_>| part.wire == field.name) {
                continue;
            }
            parts.push(Part {
                name: ident(&field.name),
                wire: &field.name,
                kind: match (goes, choice) {
                    (Goes::Path, None) => "PathPart".to_owned(),
                    _ => rust_type(field, choice),
                },
                required: field.required,
                says: alone(&field.says),
                goes,
            });
        }
    }
    parts
}

/// The description without the tool that finds the value, which callers of this crate do not have.
fn alone(says: &str) -> String {
    match says.split_once("; didit_") {
        Some((alone, _)) => format!("{alone}."),
        None => says.to_owned(),
    }
}

fn rust_type(field: &Field, choice: Option<&String>) -> String {
    if let (Some(choice), Type::Text) = (choice, field.kind) {
        return choice.clone();
    }
    match field.kind {
        Type::Text if field.secret => "Secret".to_owned(),
        Type::Text | Type::Window => "String".to_owned(),
        Type::Count => "u64".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::Integer => "i64".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Object => "Map<String, Value>".to_owned(),
        Type::Any => "Value".to_owned(),
        Type::File => "File".to_owned(),
        Type::List => {
            let of = field.items.as_deref();
            format!(
                "Vec<{}>",
                of.map_or_else(|| "Value".to_owned(), |of| rust_type(of, choice))
            )
        }
    }
}

fn request(operation: &Operation, area: &Area, enums: &Enums<'_>, out: &mut String) {
    let parts = parts(operation, enums);
    let row = &operation.row;
    let name = camel(operation.verb());
    let fields = !parts.is_empty() || row.open;
    out.push('\n');
    out.push_str(&comment(&row.says));
    let _infallible = write!(
        out,
        "///\n/// The operation `{}`: `{} {}`.\n#[derive(Clone, Debug{})]\n#[non_exhaustive]\npub struct {name} {{\n",
        row.name,
        row.method,
        row.path,
        if parts.iter().any(|part| part.required) {
            ""
        } else {
            ", Default"
        },
    );
    for part in &parts {
        let says = if part.says.is_empty() {
            "As Didit documents it."
        } else {
            &part.says
        };
        out.push_str(&comment(says));
        let kind = if part.required {
            part.kind.clone()
        } else {
            format!("Option<{}>", part.kind)
        };
        let _infallible = writeln!(out, "pub {}: {kind},", part.name);
    }
    if row.open {
        out.push_str("/// Further members of the body, which go out as they are.\npub more: Map<String, Value>,\n");
    }
    let _infallible = write!(out, "}}\n\nimpl {name} {{\n");
    constructor(&parts, row.open, out);
    let consumed = if fields { "self" } else { "&self" };
    let _infallible = write!(
        out,
        "\n/// The call, to be sent with a credential.\n#[must_use]\npub fn call({consumed}) -> Call {{\nCall::new(&{}::{})",
        area.name,
        constant(operation)
    );
    for part in &parts {
        carried(part, operation, out);
    }
    if row.open {
        out.push_str(".more(self.more)");
    }
    out.push_str("\n}\n}\n");
}

fn constructor(parts: &[Part<'_>], open: bool, out: &mut String) {
    let required: Vec<&Part<'_>> = parts.iter().filter(|part| part.required).collect();
    if required.is_empty() {
        out.push_str(
            "/// Without any parameter.\n#[must_use]\npub fn new() -> Self {\nSelf::default()\n}\n",
        );
        return;
    }
    out.push_str(
        "/// With what is required; the rest is set field by field.\n#[must_use]\npub fn new(",
    );
    for part in &required {
        let kind = if part.kind == "String" {
            "impl Into<String>"
        } else {
            &part.kind
        };
        let _infallible = write!(out, "{}: {kind}, ", part.name);
    }
    out.push_str(") -> Self {\nSelf {\n");
    for part in parts {
        let value = match (part.required, part.kind.as_str()) {
            (false, _) => ": None".to_owned(),
            (true, "String") => format!(": {}.into()", part.name),
            (true, _) => String::new(),
        };
        let _infallible = writeln!(out, "{}{value},", part.name);
    }
    if open {
        out.push_str("more: Map::new(),\n");
    }
    out.push_str("}\n}\n");
}

/// How a field gets into the call.
fn carried(part: &Part<'_>, operation: &Operation, out: &mut String) {
    let wire = literal(part.wire);
    let name = &part.name;
    let is_choice = operation
        .parts
        .iter()
        .any(|field| field.name == part.wire && !field.one_of.is_empty());
    let repeated = operation.body.iter().any(|field| field.name == part.wire);
    let line = match part.goes {
        Goes::Place => {
            let in_path = operation.braces().any(|brace| brace == part.wire);
            let path = if in_path {
                format!(".part({wire}, self.{name}.clone())")
            } else {
                String::new()
            };
            match (part.wire, operation.row.application_header) {
                ("org", _) => format!("{path}.acting_in(self.{name})"),
                (_, true) => format!("{path}.acting_in_application(self.{name})"),
                (_, false) => format!(".part({wire}, self.{name})"),
            }
        }
        Goes::Path if is_choice => format!(".part({wire}, PathPart::known(self.{name}.as_str()))"),
        Goes::Path if repeated => {
            format!(".part({wire}, self.{name}.clone()).field({wire}, self.{name}.as_str().into())")
        }
        Goes::Path => format!(".part({wire}, self.{name})"),
        Goes::Query if part.required => format!(".query({wire}, self.{name}.to_string())"),
        Goes::Query => format!(".maybe_query({wire}, self.{name})"),
        Goes::Body if part.kind == "Secret" => {
            format!(".field({wire}, self.{name}.expose().into())")
        }
        Goes::Body if part.required => format!(".field({wire}, self.{name}.into())"),
        Goes::Body => format!(".maybe_field({wire}, self.{name})"),
        Goes::Form if part.required => format!(".form_field({wire}, self.{name}.to_string())"),
        Goes::Form => format!(".maybe_form_field({wire}, self.{name})"),
        Goes::File if part.required => format!(".file({wire}, self.{name})"),
        Goes::File => format!(".maybe_file({wire}, self.{name})"),
    };
    out.push_str(&line);
}
