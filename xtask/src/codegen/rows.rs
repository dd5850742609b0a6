//! `didit-client/src/operation/rows/`: the rows of the operations.

use std::fmt::Write as _;

use crate::codegen::data::{Area, Base, Data, Field, Kind, Mask, Operation};
use crate::codegen::rust::{camel, literal, literals, screaming};
use crate::codegen::{Generated, header};

const FOLDER: &str = "crates/didit-client/src/operation/rows";

/// The rows of every area, and the list of areas.
pub(crate) fn files(data: &Data) -> Vec<Generated> {
    let mut files: Vec<Generated> = data.areas.iter().map(area).collect();
    files.push(list(data));
    files
}

fn list(data: &Data) -> Generated {
    let mut code = header("The rows, area by area.", None);
    for area in &data.areas {
        let _infallible = writeln!(code, "pub(crate) mod {};", area.name);
    }
    code.push_str("\nuse crate::operation::Operation;\n\n/// Every area, in the order in which they are listed.\npub(super) const AREAS: &[&[&Operation]] = &[");
    for area in &data.areas {
        let _infallible = write!(code, "{}::ROWS, ", area.name);
    }
    code.push_str("];\n");
    Generated::rust(format!("{FOLDER}/mod.rs"), code)
}

fn area(area: &Area) -> Generated {
    let mut code = header(&area.says, Some(&area.name));
    let masked = area.operations.iter().any(|one| one.row.mask.is_some());
    let kinds = area
        .operations
        .iter()
        .any(|one| one.row.anonymous || one.api_key);
    let extra = area
        .operations
        .iter()
        .any(|one| one.row.application_header || one.row.idempotency_key);
    let mut names = vec!["Base", "Kind", "Operation", "Verb", "row"];
    names.extend(extra.then_some("Extra"));
    names.extend(kinds.then_some("CredentialKind"));
    names.sort_by_key(|name| (name.starts_with('r'), *name));
    let _infallible = writeln!(code, "use crate::operation::{{{}}};", names.join(", "));
    if masked {
        code.push_str("use crate::redact::Mask;\n");
    }
    for operation in &area.operations {
        let _infallible = write!(
            code,
            "\npub(crate) static {}: Operation = {};\n",
            constant(operation),
            row(operation)
        );
    }
    code.push_str("\n/// The rows of the area.\npub(super) const ROWS: &[&Operation] = &[");
    for operation in &area.operations {
        let _infallible = write!(code, "&{}, ", constant(operation));
    }
    code.push_str("];\n");
    Generated::rust(format!("{FOLDER}/{}.rs", area.name), code)
}

/// The name of the row's constant.
pub(crate) fn constant(operation: &Operation) -> String {
    screaming(operation.verb())
}

fn row(operation: &Operation) -> String {
    let row = &operation.row;
    let base = match row.base {
        Base::Auth => "Base::Auth",
        Base::Api => "Base::Api",
    };
    let mut out = format!(
        "row({}, Verb::{}, {base}, {})",
        literal(&row.name),
        camel(&row.method.to_ascii_lowercase()),
        literal(&row.path)
    );
    let mut add = |name: &str, argument: &str| {
        let _infallible = write!(out, ".{name}({argument})");
    };
    add("kind", kind(row.kind));
    add("scopes", &literals(&operation.scope));
    add("fine_scope", &literal(&operation.fine_scope()));
    let names = |fields: &[Field]| {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        literals(&names)
    };
    for (name, fields) in [
        ("query", &operation.query),
        ("body", &operation.body),
        ("form", &operation.form),
        ("files", &operation.files),
    ] {
        if !fields.is_empty() {
            add(name, &names(fields));
        }
    }
    if row.open {
        add("open", "");
    }
    if row.application_header {
        add("headers", "&[Extra::Application]");
    }
    if row.idempotency_key {
        add("headers", "&[Extra::IdempotencyKey]");
    }
    if row.anonymous {
        add("credential", "CredentialKind::Nobody");
    } else if operation.api_key {
        add("credential", "CredentialKind::ApiKey");
    }
    if let Some(permission) = &row.permission {
        add("permission", &literal(permission));
    }
    match row.mask {
        Some(Mask::Application) => add("mask", "Mask::Application"),
        Some(Mask::WebhookDestination) => add("mask", "Mask::WebhookDestination"),
        Some(Mask::ApiKey) => add("mask", "Mask::ApiKey"),
        None => {}
    }
    if operation.is_repeatable() {
        add("repeatable", "");
    }
    if let Some(confirm) = &row.confirm {
        add("confirm", &literal(confirm));
    }
    out
}

/// The kind as it is named in both crates.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Read => "Kind::Read",
        Kind::Write => "Kind::Write",
        Kind::Destructive => "Kind::Destructive",
    }
}
