//! What is known of the settings of the checks.

use serde_json::{Value, json};

use crate::graph::{Feature, features};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

/// The settings of one check, or a list of the checks.
pub(super) fn answer(checked: &Checked) -> Outcome {
    let note = "settings that are not listed may exist and are sent on as they are; Didit's own validation decides";
    let Some(name) = checked.text("feature") else {
        let all: Vec<Value> = features()
            .map(|feature| {
                let names: Vec<&str> = feature.settings.into_iter().flatten().map(|setting| setting.name).collect();
                json!({ "feature": feature.name, "description": feature.says, "config_keys": names })
            })
            .collect();
        return Ok(json!({ "features": all, "note": note }));
    };
    let feature = Feature::find(name).ok_or_else(|| {
        Failure::unprocessable("no such check is known")
            .field("feature")
            .allowed(features().map(|feature| feature.name.to_owned()))
    })?;
    let mut value = feature.to_value();
    if let Value::Object(out) = &mut value {
        out.insert("note".into(), note.into());
    }
    Ok(value)
}
