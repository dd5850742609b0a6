//! Where an application's events are sent.

use serde_json::{Value, json};

use super::record::{self, Resource};
use super::{Call, Outcome};
use crate::field::{Checked, Kind, not_a_choice, optional, required};
use crate::record::RecordKind;
use crate::refused::Refused;
use crate::world::World;

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

pub(super) static DESTINATIONS: Resource = Resource {
    kind: RecordKind::Destination,
    param: "destination_uuid",
    fields: &[
        required("label", Kind::Text(100)),
        required("url", Kind::Address),
        optional("enabled", Kind::Flag),
        optional("webhook_version", Kind::Choice(&["v1", "v2", "v3"])),
        optional("subscribed_events", Kind::List(20)),
    ],
    fixed: &[],
    defaults: || {
        json!({
            "enabled": true,
            "webhook_version": "v3",
            "subscribed_events": ["status.updated"],
        })
    },
    filters: &[],
    searched: &[],
};

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let checked = record::whole(call, &DESTINATIONS)?;
    known_events(&checked)?;
    let secret = format!("whsec_{}", world.generator.text(32));
    let mut fields = record::with_defaults(checked, (DESTINATIONS.defaults)());
    fields.insert("secret_shared_key".to_owned(), secret.into());
    record::put(world, call, RecordKind::Destination, fields)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    known_events(&Checked::part(&call.body, DESTINATIONS.fields)?)?;
    record::update(world, call, &DESTINATIONS)
}

/// There are no wildcards: each event is named.
fn known_events(checked: &Checked) -> Result<(), Refused> {
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
        None => Ok(()),
    }
}
