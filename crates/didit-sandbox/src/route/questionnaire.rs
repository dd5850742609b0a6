//! Questionnaires of one application.

use serde_json::{Value, json};

use super::{Call, Outcome, record};
use crate::field::{Checked, Field, Kind, optional, required};
use crate::world::{RecordKind, World};

const FIELDS: &[Field] = &[
    required("title", Kind::Text(200)),
    optional("description", Kind::Text(2_000)),
    optional("default_language", Kind::Text(10)),
    optional("languages", Kind::List(60)),
    optional("status", Kind::Choice(&["draft", "published"])),
    optional("graph", Kind::Object(16 * 1024)),
];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(
        world,
        call,
        RecordKind::Questionnaire,
        &["draft", "published"],
        &["title"],
    )?;
    record::page(world, call, &rows)
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    record::show(world, call, RecordKind::Questionnaire, "questionnaire_id")
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, FIELDS)?;
    let id = world.generator.uuid();
    let mut fields = record::with_defaults(
        checked,
        json!({
            "description": "",
            "default_language": "en",
            "languages": ["en"],
            "status": "draft",
            "graph": { "start_node": null, "nodes": {} },
        }),
    );
    fields.insert("uuid".to_owned(), Value::from(id.as_str()));
    record::create(world, call, RecordKind::Questionnaire, id, fields)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::part(&call.body, FIELDS)?;
    record::update(
        world,
        call,
        RecordKind::Questionnaire,
        "questionnaire_id",
        checked,
    )
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    record::delete(world, call, RecordKind::Questionnaire, "questionnaire_id")
}
