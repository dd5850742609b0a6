//! The graph of a workflow, its drafts, and what can be asked about a graph.

use serde_json::{Map, Value, json};

use super::workflow::{named, shown};
use super::{Answer, Call, Outcome};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::graph;
use crate::refused::Refused;
use crate::world::{MOST_RECORDS, Workflow, World};

/// Bytes of a graph as JSON at most.
const MOST_GRAPH_BYTES: usize = 256 * 1024;
const GRAPH: Field = required("graph", Kind::Object(MOST_GRAPH_BYTES));
const KINDS: &[&str] = &["kyc", "kyb"];

/// The graph that was saved, or the one that the features make.
fn graph_of(row: &Workflow) -> Value {
    row.graph.clone().unwrap_or_else(|| {
        let features = row.features.iter().map(String::as_str);
        graph::of_features(features.zip(row.configs.iter().cloned()))
    })
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    let row = world.workflow(named(world, call)?)?;
    Ok(Answer::ok(with_graph(row)))
}

fn with_graph(row: &Workflow) -> Value {
    json!({
        "uuid": row.uuid,
        "workflow_id": row.workflow_id,
        "status": row.status,
        "graph": graph_of(row),
    })
}

pub(super) fn set(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, &[GRAPH])?;
    let graph = checked.get("graph").cloned().unwrap_or_default();
    let index = named(world, call)?;
    let row = world.workflows.get_mut(index).ok_or(Refused::NotFound)?;
    if row.status != "draft" {
        let why = "Only a draft can be edited. Create a draft first.";
        return Err(Refused::Conflict(why.to_owned()));
    }
    let kind = if row.kind == "kyb" { "kyb" } else { "kyc" };
    let flaws = graph::flaws(&graph, Some(kind));
    if let Some(first) = flaws.first() {
        let told = first.show();
        let why = told
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        return Err(Refused::field("graph", why));
    }
    (row.features, row.configs) = graph::features(&graph).into_iter().unzip();
    row.graph = Some(graph);
    row.updated_at = call.now;
    Ok(Answer::ok(with_graph(row)))
}

/// A draft of a published workflow: the one there is, or a new one.
pub(super) fn create_draft(world: &mut World, call: &Call) -> Outcome {
    let source = world.workflow(named(world, call)?)?;
    if source.status == "draft" {
        return Err(Refused::Conflict(
            "This version is already a draft.".to_owned(),
        ));
    }
    let workflow_id = source.workflow_id.clone();
    let same = |row: &&Workflow| row.workflow_id == workflow_id;
    let drafted = world
        .workflows
        .iter()
        .filter(same)
        .find(|row| row.status == "draft" && !row.is_archived);
    if let Some(draft) = drafted {
        return Ok(Answer::ok(shown(draft)));
    }
    if world.workflows.len() >= MOST_RECORDS {
        return Err(Refused::Full("workflows"));
    }
    let last = world
        .workflows
        .iter()
        .filter(same)
        .map(|row| row.version)
        .max();
    let draft = Workflow {
        uuid: world.generator.uuid(),
        version: last.unwrap_or(0) + 1,
        status: "draft".to_owned(),
        is_default: false,
        created_at: call.now,
        updated_at: call.now,
        ..world.workflow(named(world, call)?)?.clone()
    };
    let body = shown(&draft);
    world.workflows.push(draft);
    Ok(Answer::created(body))
}

pub(super) fn validate(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        GRAPH,
        optional("workflow_uuid", Kind::Text(64)),
        optional("workflow_type", Kind::Choice(KINDS)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let application = call.application()?;
    let kind = match checked.text("workflow_uuid") {
        None => checked.text("workflow_type"),
        Some(id) => {
            let mut rows = world.workflows.iter();
            let found = rows.find(|row| row.application == application && row.is(id));
            let unknown = || Refused::field("workflow_uuid", "Workflow not found.");
            let row = found.ok_or_else(unknown)?;
            Some(if row.kind == "kyb" { "kyb" } else { "kyc" })
        }
    };
    let graph = checked.get("graph").cloned().unwrap_or_default();
    let errors: Vec<Value> = graph::flaws(&graph, kind)
        .iter()
        .map(graph::Flaw::show)
        .collect();
    Ok(Answer::ok(json!({
        "is_valid": errors.is_empty(),
        "errors": errors,
        "warnings": [],
    })))
}

pub(super) fn field_definitions(_: &mut World, _: &Call) -> Outcome {
    let all: Map<String, Value> = graph::FEATURES
        .iter()
        .map(|(feature, _)| ((*feature).to_owned(), defined(feature, None).into()))
        .collect();
    Ok(Answer::ok(
        json!({ "fields": all, "operators": graph::OPERATORS }),
    ))
}

/// The fields of a feature; those of one node begin with its id.
fn defined(feature: &str, node: Option<&str>) -> Vec<Value> {
    let field = |(name, holds): &(&str, &str)| {
        let operators: Vec<&str> = graph::OPERATORS
            .iter()
            .copied()
            .filter(|operator| match *holds {
                "number" => !matches!(
                    *operator,
                    "contains" | "not_contains" | "regex" | "fuzzy_match"
                ),
                "boolean" => matches!(*operator, "equals" | "not_equals"),
                _ => !operator.contains("_than"),
            })
            .collect();
        let field = node.map_or_else(|| (*name).to_owned(), |node| format!("{node}.{name}"));
        json!({ "field": field, "type": holds, "operators": operators })
    };
    graph::fields(feature).iter().map(field).collect()
}

pub(super) fn branch_fields(world: &mut World, call: &Call) -> Outcome {
    named(world, call)?;
    let fields = [GRAPH, required("branch_node_id", Kind::Text(128))];
    let checked = Checked::whole(&call.body, &fields)?;
    let graph = checked.get("graph").cloned().unwrap_or_default();
    let node = checked.text("branch_node_id").unwrap_or_default();
    let unknown = || Refused::field("branch_node_id", "The graph has no node of that id.");
    let before = graph::before(&graph, node).ok_or_else(unknown)?;
    let fields: Vec<Value> = before
        .iter()
        .flat_map(|(id, feature)| defined(feature, Some(id)))
        .collect();
    Ok(Answer::ok(
        json!({ "branch_node_id": node, "fields": fields }),
    ))
}

/// Country, its documents.
const DOCUMENTS: &[(&str, &[&str])] = &[
    ("ESP", &["P", "ID", "DL", "RP"]),
    ("FRA", &["P", "ID", "DL", "RP"]),
    ("DEU", &["P", "ID", "DL", "RP"]),
    ("ITA", &["P", "ID", "DL", "RP", "HIC"]),
    ("PRT", &["P", "ID", "DL", "RP"]),
    ("SWE", &["P", "ID", "DL", "TC"]),
    ("HRV", &["P", "ID", "DL"]),
    ("NLD", &["P", "ID", "DL", "RP"]),
];

pub(super) fn methods_catalog(world: &mut World, call: &Call) -> Outcome {
    named(world, call)?;
    let countries: Vec<Value> = DOCUMENTS
        .iter()
        .map(|(country, documents)| json!({ "country": country, "documents": documents }))
        .collect();
    Ok(Answer::ok(
        json!({ "methods": ["OCR", "NFC"], "countries": countries }),
    ))
}

/// Country, price of one look-up in cents.
const REGISTRIES: &[(&str, &str, u64)] = &[
    ("ES", "Spain", 150),
    ("FR", "France", 120),
    ("DE", "Germany", 200),
    ("IT", "Italy", 180),
    ("PT", "Portugal", 140),
    ("GB", "United Kingdom", 90),
];

pub(super) fn registry_prices(_: &mut World, _: &Call) -> Outcome {
    let rows: Vec<Value> = REGISTRIES
        .iter()
        .map(|(code, name, cents)| {
            json!({
                "country_code": code,
                "country_name": name,
                "price": format!("{}.{:02}", cents / 100, cents % 100),
                "currency": "USD",
            })
        })
        .collect();
    Ok(Answer::ok(json!({ "results": rows })))
}

/// Makes a graph from features, and for some countries a branch with features of their own. It saves nothing.
pub(super) fn build(_: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("subject", Kind::Choice(KINDS)),
        optional("features", Kind::List(30)),
        optional("countries", Kind::Object(4_096)),
        optional("document_rules", Kind::List(200)),
        optional("per_feature_config", Kind::Object(64 * 1024)),
        optional("branches", Kind::List(20)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let subject = checked.text("subject").unwrap_or("kyc");
    let standard = match subject {
        "kyb" => json!(["KYB_REGISTRY", "KYB_KEY_PEOPLE", "AML"]),
        _ => json!(["OCR", "LIVENESS", "FACE_MATCH"]),
    };
    let features = names(checked.get("features").unwrap_or(&standard), "features")?;
    let config = |name: &str| {
        let given = checked
            .get("per_feature_config")
            .and_then(|all| all.get(name));
        let mut config = given.cloned().unwrap_or_else(|| json!({}));
        if name == "OCR"
            && let Some(fields) = config.as_object_mut()
        {
            for key in ["countries", "document_rules"] {
                if let Some(value) = checked.get(key) {
                    fields.insert(key.to_owned(), value.clone());
                }
            }
        }
        config
    };
    let mut built = graph::of_features(features.iter().map(|name| (name.as_str(), config(name))));
    for (index, branch) in checked
        .get("branches")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
    {
        let own = names(branch.get("features").unwrap_or(&Value::Null), "branches")?;
        let countries = branch
            .get("countries")
            .cloned()
            .unwrap_or_else(|| json!([]));
        add_branch(
            &mut built,
            index + 1,
            &countries,
            own.iter()
                .map(|name| (name.as_str(), config(name)))
                .collect(),
        );
    }
    let errors: Vec<Value> = graph::flaws(&built, Some(subject))
        .iter()
        .map(graph::Flaw::show)
        .collect();
    Ok(Answer::ok(json!({
        "workflow_type": subject,
        "graph": built,
        "valid": errors.is_empty(),
        "errors": errors,
    })))
}

/// Puts a branch before the last status: for these countries, more features first.
fn add_branch(graph: &mut Value, number: usize, countries: &Value, own: Vec<(&str, Value)>) {
    let branch = format!("branch_{number}");
    let Some(nodes) = graph.get_mut("nodes").and_then(Value::as_object_mut) else {
        return;
    };
    let ids: Vec<String> = own
        .iter()
        .map(|(name, _)| format!("branch_{number}_{}", name.to_lowercase()))
        .chain(["status_1".to_owned()])
        .collect();
    for node in nodes.values_mut() {
        redirect(node, &branch);
    }
    for (index, (name, config)) in own.into_iter().enumerate() {
        let node = json!({ "node_type": "feature", "feature": name, "config": config, "next": ids.get(index + 1) });
        nodes.insert(ids.get(index).cloned().unwrap_or_default(), node);
    }
    let field = nodes
        .iter()
        .find(|(_, node)| node.get("feature") == Some(&json!("OCR")))
        .map_or_else(
            || "ip_country_code".to_owned(),
            |(id, _)| format!("{id}.issuing_state"),
        );
    nodes.insert(branch, json!({ "node_type": "branch", "branches": [
        { "id": "countries", "logic": "and", "rules": [{ "field": field, "operator": "in", "value": countries }], "goto": ids.first() },
        { "id": "else", "logic": "and", "rules": [], "goto": "status_1" },
    ] }));
}

/// Lets what leads to the last status lead to a branch in front of it.
fn redirect(node: &mut Value, branch: &str) {
    let is_last = |value: &Value| *value == json!("status_1");
    if let Some(next) = node.get_mut("next").filter(|next| is_last(next)) {
        *next = branch.into();
    }
    let branches = node.get_mut("branches").and_then(Value::as_array_mut);
    for goto in branches
        .into_iter()
        .flatten()
        .filter_map(|row| row.get_mut("goto"))
    {
        if is_last(goto) {
            *goto = branch.into();
        }
    }
}

fn names(list: &Value, field: &'static str) -> Result<Vec<String>, Refused> {
    let items = list.as_array().filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| Refused::field(field, "Each names at least one feature."))?;
    items
        .iter()
        .map(|item| match item.as_str() {
            Some(name) if graph::is_feature(name) => Ok(name.to_owned()),
            Some(name) => Err(Refused::field(field, not_a_choice(name))),
            None => Err(Refused::field(field, "Not a valid string.")),
        })
        .collect()
}
