//! Members of an organisation, their roles, its keys, its balance and paying into it.

use serde_json::{Value, json};

use super::record::{self, Resource};
use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, not_a_choice, optional, required};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::role::Role;
use crate::world::{Membership, PersonRow, World};

/// Addresses in one invitation at most.
const MOST_INVITED: usize = 5;
/// People that the sandbox knows at most, with those who registered.
pub(crate) const MOST_PEOPLE: usize = 1_000;

pub(super) const ROLES: &[Role] = &[
    Role::Owner,
    Role::Admin,
    Role::ComplianceOfficer,
    Role::Developer,
    Role::Reader,
];

fn role(checked: &Checked) -> Result<Role, Refused> {
    let name = checked.text("role").unwrap_or_default();
    let mut known = ROLES.iter().copied();
    known
        .find(|role| role.as_str() == name)
        .ok_or_else(|| Refused::field("role", not_a_choice(name)))
}

/// The applications that a list names, all of this organisation.
fn applications(
    world: &World,
    call: &Call,
    checked: &Checked,
    name: &str,
) -> Result<Vec<String>, Refused> {
    let organization = call.organization()?;
    let ids = super::vendor::texts(checked, name)?;
    for id in &ids {
        let found = world
            .application_named(id)
            .and_then(|index| world.applications.get(index));
        if found.is_none_or(|row| row.organization != organization) {
            return Err(Refused::field(name, "Application not found."));
        }
    }
    Ok(ids.into_iter().collect())
}

pub(super) fn shown(world: &World, row: &Membership) -> Value {
    let person = world.people.get(row.person);
    let accessible = match &row.accessible {
        None => json!("all"),
        Some(ids) => json!(ids),
    };
    json!({
        "uuid": row.uuid,
        "user_id": person.map(|person| person.uuid.as_str()),
        "name": person.map(|person| person.name.as_str()),
        "email": person.map(|person| person.email.as_str()),
        "role": row.role.as_str(),
        "accessible_applications": accessible,
        "joined_at": timestamp(row.joined_at),
    })
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let organization = call.organization()?;
    let rows: Vec<&Membership> = world
        .memberships
        .iter()
        .filter(|row| row.organization == organization)
        .collect();
    Ok(Answer::ok(call.query.page(&rows, |row| shown(world, row))?))
}

pub(super) fn roles(_: &mut World, _: &Call) -> Outcome {
    let rows: Vec<Value> = ROLES
        .iter()
        .map(|role| json!({ "name": role.as_str(), "is_custom": false }))
        .collect();
    Ok(Answer::ok(rows))
}

pub(super) fn invite(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("emails", Kind::List(MOST_INVITED)),
        required("role", Kind::Text(64)),
        required("app_ids", Kind::List(100)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let (role, organization) = (role(&checked)?, call.organization()?);
    let accessible = applications(world, call, &checked, "app_ids")?;
    let emails = super::vendor::texts(&checked, "emails")?;
    if emails.is_empty() {
        return Err(Refused::field("emails", "This list may not be empty."));
    }
    if let Some(bad) = emails
        .iter()
        .find(|email| !super::review::is_address(email))
    {
        return Err(Refused::field(
            "emails",
            format!("{bad}: enter a valid email address."),
        ));
    }
    let mut made = Vec::new();
    for email in emails {
        let person = match world.people.iter().position(|row| row.email == email) {
            Some(person) => person,
            None => add_person(world, &email)?,
        };
        if world.role_of(person, organization).is_some() {
            return Err(Refused::field(
                "emails",
                format!("{email} is a member already."),
            ));
        }
        let membership = Membership {
            uuid: world.generator.uuid(),
            person,
            organization,
            role,
            accessible: (!accessible.is_empty()).then(|| accessible.clone()),
            joined_at: call.now,
        };
        made.push(shown(world, &membership));
        world.memberships.push(membership);
    }
    Ok(Answer::created(json!({ "results": made })))
}

/// Somebody new, known by their address.
pub(super) fn add_person(world: &mut World, email: &str) -> Result<usize, Refused> {
    if world.people.len() >= MOST_PEOPLE {
        return Err(Refused::Full("people"));
    }
    let person = PersonRow {
        id: email.to_owned(),
        uuid: world.generator.uuid(),
        name: email.split('@').next().unwrap_or_default().to_owned(),
        email: email.to_owned(),
        credential: world.generator.text(48),
    };
    world.people.push(person);
    Ok(world.people.len() - 1)
}

/// Where the member that the path names is; the last owner cannot be taken away.
fn named(world: &World, call: &Call, keeps_owner: bool) -> Result<usize, Refused> {
    let (organization, id) = (call.organization()?, call.param("member_id")?);
    let here = |row: &&Membership| row.organization == organization;
    let found = world
        .memberships
        .iter()
        .position(|row| here(&row) && (row.uuid == id || is_user(world, row, id)));
    let index = found.ok_or(Refused::NotFound)?;
    let owners = world
        .memberships
        .iter()
        .filter(here)
        .filter(|row| row.role == Role::Owner)
        .count();
    let is_owner = world
        .memberships
        .get(index)
        .is_some_and(|row| row.role == Role::Owner);
    if is_owner && owners == 1 && !keeps_owner {
        let why = "An organisation keeps at least one owner.";
        return Err(Refused::field("non_field_errors", why));
    }
    Ok(index)
}

fn is_user(world: &World, row: &Membership, id: &str) -> bool {
    world
        .people
        .get(row.person)
        .is_some_and(|person| person.uuid == id)
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("role", Kind::Text(64)),
        required("accessible_applications", Kind::List(100)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let role = role(&checked)?;
    let accessible = applications(world, call, &checked, "accessible_applications")?;
    let index = named(world, call, role == Role::Owner)?;
    let row = world.memberships.get_mut(index).ok_or(Refused::NotFound)?;
    row.role = role;
    row.accessible = (!accessible.is_empty()).then_some(accessible);
    let row = world.memberships.get(index).ok_or(Refused::NotFound)?;
    Ok(Answer::ok(shown(world, row)))
}

pub(super) fn remove(world: &mut World, call: &Call) -> Outcome {
    let index = named(world, call, false)?;
    world.memberships.remove(index);
    Ok(Answer::Nothing)
}

/// The keys of an application, or of all of an organisation's: with their values, as Didit shows them.
pub(super) static API_KEYS: Resource = Resource {
    kind: RecordKind::ApiKey,
    param: "key_id",
    fields: &[],
    fixed: &[],
    defaults: || json!({}),
    filters: &[],
    searched: &[],
};

pub(super) fn balance(world: &mut World, call: &Call) -> Outcome {
    let cents = world.organization(call.organization()?)?.balance_cents;
    Ok(Answer::ok(json!({
        "balance": format!("{}.{:02}", cents / 100, cents % 100),
        "auto_refill_enabled": false,
        "auto_refill_amount": null,
        "auto_refill_threshold": null,
    })))
}

/// Opens a checkout. The balance changes when it is paid, which only a test can do.
pub(super) fn top_up(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        required("amount_in_dollars", Kind::Number(50.0, 1_000_000.0)),
        optional("success_url", Kind::Address),
        optional("cancel_url", Kind::Address),
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let organization = call.organization()?;
    let mut rows = world.applications.iter();
    let application = rows
        .position(|row| row.organization == organization)
        .ok_or(Refused::NotFound)?;
    let id = format!("cs_{}", world.generator.text(24));
    let amount = checked
        .get("amount_in_dollars")
        .and_then(Value::as_f64)
        .unwrap_or(0.0);
    let cents = format!("{:.0}", amount * 100.0).parse::<u64>().unwrap_or(0);
    let record = Record {
        application,
        id: id.clone(),
        created_at: call.now,
        updated_at: call.now,
        fields: record::with_defaults(checked, json!({ "cents": cents })),
    };
    world.add_record(RecordKind::Checkout, record)?;
    Ok(Answer::created(json!({
        "checkout_session_id": id,
        // RFC 6761 section 6.4: names under `invalid` do not exist.
        "checkout_session_url": format!("https://checkout.sandbox.invalid/{id}"),
    })))
}
