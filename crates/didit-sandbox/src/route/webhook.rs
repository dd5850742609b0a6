//! Where an application's events are sent.

use serde_json::{Value, json};

use super::{Call, Outcome, record};
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::refused::Refused;
use crate::world::{RecordKind, World};

const EVENTS: &[&str] = &[
    "status.updated",
    "data.updated",
    "user.status.updated",
    "user.data.updated",
    "business.status.updated",
    "business.data.updated",
    "activity.created",
    "transaction.created",
    "transaction.status.updated",
    "travel_rule.status.updated",
];

const FIELDS: &[Field] = &[
    required("label", Kind::Text(100)),
    required("url", Kind::Address),
    optional("enabled", Kind::Flag),
    optional("webhook_version", Kind::Choice(&["v1", "v2", "v3"])),
    optional("subscribed_events", Kind::List(20)),
];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let rows = record::rows(world, call, RecordKind::Destination, &[], &[])?;
    record::page(world, call, &rows)
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    record::show(world, call, RecordKind::Destination, "destination_uuid")
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = known_events(Checked::whole(&call.body, FIELDS)?)?;
    let id = world.generator.uuid();
    let secret = format!("whsec_{}", world.generator.text(32));
    let mut fields = record::with_defaults(
        checked,
        json!({ "enabled": true, "webhook_version": "v3", "subscribed_events": ["status.updated"] }),
    );
    fields.insert("uuid".to_owned(), Value::from(id.as_str()));
    fields.insert("secret_shared_key".to_owned(), secret.into());
    record::create(world, call, RecordKind::Destination, id, fields)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let checked = known_events(Checked::part(&call.body, FIELDS)?)?;
    record::update(
        world,
        call,
        RecordKind::Destination,
        "destination_uuid",
        checked,
    )
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    record::delete(world, call, RecordKind::Destination, "destination_uuid")
}

/// There are no wildcards: each event is named.
fn known_events(checked: Checked) -> Result<Checked, Refused> {
    let named = checked.get("subscribed_events").and_then(Value::as_array);
    let unknown = named
        .into_iter()
        .flatten()
        .find(|event| !event.as_str().is_some_and(|event| EVENTS.contains(&event)));
    match unknown {
        Some(event) => {
            let shown = event
                .as_str()
                .map_or_else(|| event.to_string(), str::to_owned);
            Err(Refused::field("subscribed_events", not_a_choice(&shown)))
        }
        None => Ok(checked),
    }
}
