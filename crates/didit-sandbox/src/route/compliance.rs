//! What an application must check by the profile of its business, as the sandbox pretends to know it; and integrations.

use serde_json::{Map, Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome, setting};
use crate::date::parse_date;
use crate::field::{Checked, Kind, not_a_choice, optional, required};
use crate::graph;
use crate::record::RecordKind;
use crate::refused::Refused;
use crate::world::World;

const PROFILE: &str = "compliance profile";

/// The questions of the interview: key, question, choices.
const QUESTIONS: &[(&str, &str, &[&str])] = &[
    (
        "industry",
        "What does the business do?",
        &["banking", "crypto", "gambling", "marketplace"],
    ),
    ("subject", "Whom does it verify?", &["people", "companies"]),
    (
        "region",
        "Where are its customers?",
        &["eu", "uk", "us", "other"],
    ),
    (
        "risk",
        "How much risk does it take?",
        &["low", "medium", "high"],
    ),
];

/// The answers of a body, each one of its choices.
fn answers(body: &Map<String, Value>) -> Result<Map<String, Value>, Refused> {
    let checked = Checked::whole(body, &[required("answers", Kind::Object(4_096))])?;
    let given = checked
        .get("answers")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    for (key, answer) in &given {
        let question = QUESTIONS.iter().find(|(name, ..)| name == key);
        let text = answer.as_str().unwrap_or_default();
        match question {
            None => {
                return Err(Refused::field(
                    "answers",
                    format!("There is no question \"{key}\"."),
                ));
            }
            Some((.., choices)) if !choices.contains(&text) => {
                return Err(Refused::field(
                    "answers",
                    format!("{key}: {}", not_a_choice(text)),
                ));
            }
            Some(_) => {}
        }
    }
    Ok(given)
}

pub(super) fn next_question(_: &mut World, call: &Call) -> Outcome {
    let given = answers(&call.body)?;
    let next = QUESTIONS.iter().find(|(key, ..)| !given.contains_key(*key));
    let question = next
        .map(|(key, text, choices)| json!({ "key": key, "question": text, "choices": choices }));
    Ok(Answer::ok(json!({
        "completed": question.is_none(),
        "question": question,
        "answered": given.len(),
        "total": QUESTIONS.len(),
    })))
}

pub(super) fn show_profile(world: &mut World, call: &Call) -> Outcome {
    let otherwise = json!({ "answers": {} });
    Ok(Answer::ok(setting::get(
        world,
        call.application()?,
        PROFILE,
        otherwise,
    )))
}

pub(super) fn set_profile(world: &mut World, call: &Call) -> Outcome {
    let given = answers(&call.body)?;
    setting::set(
        world,
        call,
        PROFILE,
        Map::from_iter([("answers".to_owned(), given.into())]),
    )?;
    show_profile(world, call)
}

/// The features that answers ask for.
fn needed(answers: &Map<String, Value>) -> Vec<&'static str> {
    let is = |key: &str, value: &str| answers.get(key).and_then(Value::as_str) == Some(value);
    if is("subject", "companies") {
        return vec!["KYB_REGISTRY", "KYB_KEY_PEOPLE", "AML"];
    }
    let mut features = vec!["OCR", "LIVENESS", "FACE_MATCH"];
    if is("industry", "banking") || is("industry", "crypto") {
        features.push("AML");
    }
    if is("risk", "low") {
        features.push("PROOF_OF_ADDRESS");
    }
    features
}

/// The answers of the profile.
fn profile(world: &World, call: &Call) -> Result<Map<String, Value>, Refused> {
    let fields = setting::get(world, call.application()?, PROFILE, json!({}));
    let found = fields.get("answers").and_then(Value::as_object);
    Ok(found.cloned().unwrap_or_default())
}

fn day(text: Option<&str>) -> Result<(), Refused> {
    match text.map(parse_date) {
        Some(None) => Err(Refused::field(
            "as_of",
            "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.",
        )),
        _ => Ok(()),
    }
}

pub(super) fn requirements(world: &mut World, call: &Call) -> Outcome {
    day(call.query.get("as_of"))?;
    let rows: Vec<Value> = needed(&profile(world, call)?)
        .into_iter()
        .map(|feature| json!({ "feature": feature, "required": true }))
        .collect();
    Ok(Answer::ok(
        json!({ "as_of": call.query.get("as_of"), "results": rows }),
    ))
}

pub(super) fn check_workflow(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("workflow_id", Kind::Text(64)),
        optional("version", Kind::Whole(1, 10_000)),
        optional("as_of", Kind::Date),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let (application, id) = (
        call.application()?,
        checked.text("workflow_id").unwrap_or_default(),
    );
    let version = checked.get("version").and_then(Value::as_u64);
    let found = world.workflows.iter().find(|row| {
        row.application == application
            && row.is(id)
            && version.is_none_or(|version| row.version == version)
    });
    let row = found.ok_or_else(|| Refused::field("workflow_id", "Workflow not found."))?;
    let missing: Vec<&str> = needed(&profile(world, call)?)
        .into_iter()
        .filter(|feature| row.features.iter().all(|has| has != feature))
        .collect();
    Ok(Answer::ok(json!({
        "workflow_id": row.workflow_id,
        "version": row.version,
        "compliant": missing.is_empty(),
        "missing_features": missing,
    })))
}

pub(super) fn generate(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("as_of", Kind::Date),
        optional("subject", Kind::Choice(&["kyc", "kyb"])),
    ];
    let checked = Checked::part(&call.body, &fields)?;
    let mut given = match call.body.get("answers") {
        None | Some(Value::Null) => profile(world, call)?,
        Some(_) => answers(&call.body)?,
    };
    if let Some(subject) = checked.text("subject") {
        let word = if subject == "kyb" {
            "companies"
        } else {
            "people"
        };
        given.insert("subject".to_owned(), word.into());
    }
    let features = needed(&given);
    let kind = if features.contains(&"KYB_REGISTRY") {
        "kyb"
    } else {
        "kyc"
    };
    let graph = graph::of_features(features.iter().map(|name| (*name, json!({}))));
    Ok(Answer::ok(
        json!({ "workflow_type": kind, "features": features, "graph": graph }),
    ))
}

/// Name, category.
const CATALOG: &[(&str, &str)] = &[
    ("Ledger Lantern", "accounting"),
    ("Quiet CRM", "crm"),
    ("Chain Compass", "wallet_screening"),
];

pub(super) fn catalog(_: &mut World, _: &Call) -> Outcome {
    let rows: Vec<Value> = CATALOG
        .iter()
        .map(|(name, category)| json!({ "provider_name": name, "category": category }))
        .collect();
    Ok(Answer::ok(json!({ "results": rows })))
}

/// What is connected, and what was asked for.
pub(super) static INTEGRATIONS: Resource = Resource {
    kind: RecordKind::Integration,
    param: "integration_id",
    fields: &[],
    fixed: &[
        required("provider_name", Kind::Text(100)),
        optional("category", Kind::Text(64)),
        optional("note", Kind::Text(2_000)),
    ],
    defaults: || json!({ "category": null, "note": null, "status": "requested" }),
    filters: &[],
    searched: &[],
};

pub(super) fn connections(world: &mut World, call: &Call) -> Outcome {
    let mut rows = record::rows(world, call, &INTEGRATIONS)?;
    rows.retain(|row| record::text(row, "status") == Some("connected"));
    record::page(world, call, &rows)
}
