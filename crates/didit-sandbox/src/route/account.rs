//! Organisations and applications of the one who is signed in.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::world::{Application, World};

pub(super) fn organizations(world: &mut World, call: &Call) -> Outcome {
    let person = call.person()?;
    let mine = world
        .organizations
        .iter()
        .enumerate()
        .filter_map(|(index, organization)| {
            let role = world.role_of(person, index)?;
            Some(json!({
                "uuid": organization.uuid,
                "name": organization.name,
                "role": role.as_str(),
            }))
        });
    Ok(Answer::ok(mine.collect::<Vec<Value>>()))
}

pub(super) fn applications(world: &mut World, call: &Call) -> Outcome {
    let organization = call.organization()?;
    let rows = world
        .applications
        .iter()
        .enumerate()
        .filter(|(index, row)| row.organization == organization && call.sees(world, *index))
        .map(|(_, row)| row);
    Ok(Answer::ok(rows.map(shown).collect::<Vec<Value>>()))
}

pub(super) fn application(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::ok(shown(world.application(call.application()?)?)))
}

/// With its secrets, as Didit shows it: hiding them is the caller's work.
fn shown(row: &Application) -> Value {
    json!({
        "uuid": row.uuid,
        "name": row.name,
        "mode": row.mode,
        "client_id": row.client_id,
        "api_key": row.api_key,
        "client_secret": row.client_secret,
        "created_at": timestamp(row.created_at),
    })
}
