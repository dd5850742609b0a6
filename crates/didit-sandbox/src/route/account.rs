//! Organisations, applications, members, roles and the balance.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::role::Role;
use crate::world::{Application, World};

const ROLES: &[Role] = &[
    Role::Owner,
    Role::Admin,
    Role::ComplianceOfficer,
    Role::Developer,
    Role::Reader,
];

pub(super) fn organizations(world: &mut World, call: &Call) -> Outcome {
    let mine = world
        .organizations
        .iter()
        .enumerate()
        .filter_map(|(index, organization)| {
            let role = world.role_of(call.caller, index)?;
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
        .filter(|row| row.organization == organization);
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

pub(super) fn members(world: &mut World, call: &Call) -> Outcome {
    let organization = call.organization()?;
    let rows: Vec<_> = world
        .memberships
        .iter()
        .filter(|row| row.organization == organization)
        .collect();
    let page = call.query.page(&rows, |row| {
        let person = world.people.get(row.person);
        json!({
            "uuid": row.uuid,
            "user_id": person.map(|person| person.uuid.as_str()),
            "name": person.map(|person| person.name),
            "email": person.map(|person| person.email),
            "role": row.role.as_str(),
            "accessible_applications": "all",
            "joined_at": timestamp(row.joined_at),
        })
    })?;
    Ok(Answer::ok(page))
}

pub(super) fn roles(_: &mut World, _: &Call) -> Outcome {
    let rows: Vec<Value> = ROLES
        .iter()
        .map(|role| json!({ "name": role.as_str(), "is_custom": false }))
        .collect();
    Ok(Answer::ok(rows))
}

pub(super) fn balance(world: &mut World, call: &Call) -> Outcome {
    let cents = world.organization(call.organization()?)?.balance_cents;
    Ok(Answer::ok(json!({
        "balance": format!("{}.{:02}", cents / 100, cents % 100),
        "auto_refill_enabled": false,
        "auto_refill_amount": null,
        "auto_refill_threshold": null,
    })))
}
