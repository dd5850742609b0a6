//! Questionnaires of one application.

use serde_json::json;

use super::record::Resource;
use crate::field::{Kind, optional, required};
use crate::record::RecordKind;

pub(super) static QUESTIONNAIRES: Resource = Resource {
    kind: RecordKind::Questionnaire,
    param: "questionnaire_id",
    fields: &[
        required("title", Kind::Text(200)),
        optional("description", Kind::Text(2_000)),
        optional("default_language", Kind::Text(10)),
        optional("languages", Kind::List(60)),
        optional("status", Kind::Choice(&["draft", "published"])),
        optional("graph", Kind::Object(64 * 1024)),
    ],
    fixed: &[],
    defaults: || {
        json!({
            "description": "",
            "default_language": "en",
            "languages": ["en"],
            "status": "draft",
            "graph": { "start_node": null, "nodes": {} },
        })
    },
    filters: &[("status", &["draft", "published"])],
    searched: &["title"],
};
