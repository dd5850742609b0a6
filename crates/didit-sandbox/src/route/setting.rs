//! Settings of an application, of which there is one each: branding, alerts, webhooks by key, compliance and the travel rule.

use serde_json::{Map, Value, json};

use super::{Answer, Call, Outcome};
use crate::field::{Checked, Field, Kind, optional};
use crate::image;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::World;

/// The setting of that name, or what stands where nothing was set.
pub(super) fn get(
    world: &World,
    application: usize,
    name: &str,
    otherwise: Value,
) -> Map<String, Value> {
    let mut fields = match otherwise {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if let Some(row) = world.record(RecordKind::Setting, application, name) {
        fields.extend(row.fields.clone());
    }
    fields
}

/// Writes values over those of a setting.
pub(super) fn set(
    world: &mut World,
    call: &Call,
    name: &str,
    values: Map<String, Value>,
) -> Result<(), Refused> {
    let application = call.application()?;
    if let Some(row) = world.record_mut(RecordKind::Setting, application, name) {
        row.fields.extend(values);
        row.updated_at = call.now;
        return Ok(());
    }
    let record = Record {
        application,
        id: name.to_owned(),
        created_at: call.now,
        updated_at: call.now,
        fields: values,
    };
    world.add_record(RecordKind::Setting, record)
}

const BRANDING: &str = "branding";
const IMAGES: &[&str] = &["image_square", "image_rectangular", "image_favicon"];

fn branding() -> Value {
    json!({
        "image_square": null,
        "image_rectangular": null,
        "image_favicon": null,
        "sms_sender_name": "",
    })
}

pub(super) fn show_branding(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(get(
        world,
        call.application()?,
        BRANDING,
        branding(),
    )))
}

/// Takes the images of a form, and the name that text messages come from.
pub(super) fn update_branding(world: &mut World, call: &Call) -> Outcome {
    let mut values = Map::new();
    for name in IMAGES {
        if call.form.iter().any(|part| part.name == *name) {
            let part = image::file(&call.form, name)?;
            image::check(name, &part.content, image::MOST_IMAGE_BYTES, false)?;
            // RFC 6761 section 6.4: names under `invalid` do not exist.
            let address = format!("https://media.sandbox.invalid/{}", world.generator.text(16));
            values.insert((*name).to_owned(), address.into());
        }
    }
    if let Some(part) = call.form.iter().find(|part| part.name == "sms_sender_name") {
        let text = std::str::from_utf8(&part.content).ok();
        let text = text.filter(|text| text.chars().count() <= 30);
        let why = "Ensure this field has no more than 30 characters.";
        let text = text.ok_or_else(|| Refused::field("sms_sender_name", why))?;
        values.insert("sms_sender_name".to_owned(), text.into());
    }
    if values.is_empty() {
        let why = "Give at least one image or sms_sender_name.";
        return Err(Refused::field("non_field_errors", why));
    }
    set(world, call, BRANDING, values)?;
    show_branding(world, call)
}

/// The alerts that there are.
const ALERTS: &[&str] = &[
    "low_balance",
    "high_decline_rate",
    "abandonment_rate",
    "webhook_failures",
];

fn alert(world: &World, application: usize, kind: &str) -> Value {
    let otherwise =
        json!({ "alert_type": kind, "enabled": false, "threshold": null, "emails": [] });
    get(world, application, &format!("alert {kind}"), otherwise).into()
}

pub(super) fn alerts(world: &mut World, call: &Call) -> Outcome {
    let application = call.application()?;
    let rows = ALERTS.iter().map(|kind| alert(world, application, kind));
    Ok(Answer::ok(rows.collect::<Vec<Value>>()))
}

pub(super) fn configure_alert(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        optional("enabled", Kind::Flag),
        optional("threshold", Kind::Number(0.0, 1_000_000.0)),
        optional("emails", Kind::List(20)),
    ];
    let kind = call.param("alert_type")?;
    if !ALERTS.contains(&kind) {
        return Err(Refused::NotFound);
    }
    let values = Checked::part(&call.body, FIELDS)?.into_map();
    set(world, call, &format!("alert {kind}"), values)?;
    Ok(Answer::ok(alert(world, call.application()?, kind)))
}

const WEBHOOK: &str = "webhook";

fn webhook(world: &World, application: usize) -> Result<Value, Refused> {
    let otherwise = json!({
        "webhook_url": null,
        "webhook_version": "v3",
        "capture_method": "both",
        "data_retention_months": null,
        "secret_shared_key": format!("whsec_{}", world.application(application)?.client_id),
    });
    Ok(get(world, application, WEBHOOK, otherwise).into())
}

pub(super) fn show_webhook(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(webhook(world, call.application()?)?))
}

pub(super) fn update_webhook(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        optional("webhook_url", Kind::Address),
        optional("webhook_version", Kind::Choice(&["v1", "v2", "v3"])),
        optional("rotate_secret_key", Kind::Flag),
        optional(
            "capture_method",
            Kind::Choice(&["mobile", "desktop", "both"]),
        ),
        optional("data_retention_months", Kind::Whole(1, 120)),
    ];
    let mut values = Checked::part(&call.body, FIELDS)?.into_map();
    if values.remove("rotate_secret_key") == Some(Value::Bool(true)) {
        let secret = format!("whsec_{}", world.generator.text(32));
        values.insert("secret_shared_key".to_owned(), secret.into());
    }
    if call.body.get("data_retention_months") == Some(&Value::Null) {
        values.insert("data_retention_months".to_owned(), Value::Null);
    }
    set(world, call, WEBHOOK, values)?;
    show_webhook(world, call)
}
