//! Registering, verifying the address, signing in, and the second factor.

use serde_json::{Value, json};

use super::member::add_person;
use super::review::is_address;
use super::{Answer, Call, Outcome};
use crate::account::{self, Checked as Tried, MAILED_SECONDS};
use crate::field::{Checked, Field, Kind, required};
use crate::refused::Refused;
use crate::role::Role;
use crate::world::{Application, Membership, Organization, World};

/// What the mailed code of a registration is for.
const VERIFY: &str = "verify";
/// The shortest password that is taken.
const LEAST_PASSWORD: usize = 8;
const EMAIL: Field = required("email", Kind::Text(254));
const PASSWORD: Field = required("password", Kind::Text(128));
const CODE: Field = required("code", Kind::Text(16));

fn email(checked: &Checked) -> Result<String, Refused> {
    let email = checked
        .text("email")
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    if is_address(&email) {
        Ok(email)
    } else {
        Err(Refused::field("email", "Enter a valid email address."))
    }
}

pub(super) fn register(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, &[EMAIL, PASSWORD])?;
    let email = email(&checked)?;
    let password = checked.text("password").unwrap_or_default();
    if password.chars().count() < LEAST_PASSWORD {
        let why = format!("Ensure this field has at least {LEAST_PASSWORD} characters.");
        return Err(Refused::field("password", why));
    }
    world.accounts.allow_mail(&call.address, call.now)?;
    let known = world
        .accounts
        .get(&email)
        .is_some_and(|account| account.person.is_some());
    if known || world.people.iter().any(|row| row.email == email) {
        return Err(Refused::field(
            "email",
            "A user with this email already exists.",
        ));
    }
    world.accounts.add(&email, password, &mut world.generator)?;
    mail(world, &email, call.now);
    Ok(Answer::created(
        json!({ "message": "A verification code was sent.", "email": email }),
    ))
}

fn mail(world: &mut World, email: &str, now: u64) {
    let code = account::code(&mut world.generator, 6, false);
    world
        .accounts
        .send(VERIFY, email, code, now + MAILED_SECONDS);
}

pub(super) fn resend(world: &mut World, call: &Call) -> Outcome {
    let email = email(&Checked::whole(&call.body, &[EMAIL])?)?;
    world.accounts.allow_mail(&call.address, call.now)?;
    // Whether there is such an account is not told.
    if world
        .accounts
        .get(&email)
        .is_some_and(|account| account.person.is_none())
    {
        mail(world, &email, call.now);
    }
    Ok(Answer::ok(
        json!({ "message": "If the address waits for a code, one was sent." }),
    ))
}

pub(super) fn verify_email(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, &[EMAIL, CODE])?;
    let email = email(&checked)?;
    let code = checked.text("code").unwrap_or_default();
    match world.accounts.check(VERIFY, &email, code, call.now) {
        Tried::Right => {}
        Tried::Wrong => return Err(Refused::field("code", "The code is wrong.")),
        Tried::Gone => {
            return Err(Refused::field(
                "code",
                "The code is not known, has expired, or was tried too often.",
            ));
        }
    }
    let person = add_person(world, &email)?;
    if let Some(account) = world.accounts.get_mut(&email) {
        account.person = Some(person);
    }
    settle(world, person, call.now)?;
    Ok(Answer::ok(tokens(world, person)?))
}

/// An organisation of one's own, with one application.
fn settle(world: &mut World, person: usize, now: u64) -> Result<(), Refused> {
    let name = world
        .people
        .get(person)
        .map(|row| row.name.clone())
        .ok_or(Refused::NotFound)?;
    let generator = &mut world.generator;
    let organization = world.organizations.len();
    world.organizations.push(Organization {
        uuid: generator.uuid(),
        name: format!("{name}'s organisation"),
        balance_cents: 0,
    });
    world.applications.push(Application {
        uuid: generator.uuid(),
        organization,
        name: "My application".to_owned(),
        mode: "live",
        client_id: generator.text(22),
        api_key: generator.text(43),
        client_secret: generator.text(43),
        created_at: now,
        last_session_number: 0,
    });
    world.memberships.push(Membership {
        uuid: generator.uuid(),
        person,
        organization,
        role: Role::Owner,
        accessible: None,
        joined_at: now,
    });
    Ok(())
}

/// The answer to a sign-in, with the key of the application as Didit shows it.
fn tokens(world: &mut World, person: usize) -> Result<Value, Refused> {
    let refresh = world.generator.text(48);
    let row = world.people.get(person).ok_or(Refused::NotFound)?;
    let membership = world.memberships.iter().find(|row| row.person == person);
    let organization = membership.and_then(|row| world.organizations.get(row.organization));
    let application = membership.and_then(|membership| {
        let mut rows = world.applications.iter();
        rows.find(|row| row.organization == membership.organization)
    });
    Ok(json!({
        "access_token": row.credential,
        "refresh_token": refresh,
        "expires_in": 86_400,
        "organization": organization.map(|row| json!({ "uuid": row.uuid, "name": row.name })),
        "application": application.map(|row| json!({ "uuid": row.uuid, "client_id": row.client_id, "api_key": row.api_key })),
    }))
}

pub(super) fn login(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, &[EMAIL, PASSWORD])?;
    let email = email(&checked)?;
    let account = world.accounts.get_mut(&email).ok_or(Refused::WrongLogin)?;
    if let Some(seconds) = account.locked(call.now) {
        return Err(Refused::Throttled(seconds));
    }
    if !account.has_password(checked.text("password").unwrap_or_default()) {
        account.failed(call.now);
        return Err(Refused::WrongLogin);
    }
    let Some(person) = account.person else {
        return Err(Refused::field("email", "The address is not verified."));
    };
    if account.second_factor.is_some() {
        let token = world.accounts.wait(&email, &mut world.generator, call.now);
        return Ok(Answer::ok(
            json!({ "requires_2fa": true, "temp_token": token }),
        ));
    }
    account.succeeded();
    Ok(Answer::ok(tokens(world, person)?))
}

pub(super) fn second_factor(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("temp_token", Kind::Text(128)),
        required("otp_token", Kind::Text(16)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let token = checked.text("temp_token").unwrap_or_default();
    let unknown = || Refused::field("temp_token", "The token is not known, or has expired.");
    let email = world
        .accounts
        .waiting(token, call.now)
        .ok_or_else(unknown)?;
    let account = world.accounts.get_mut(&email).ok_or_else(unknown)?;
    if let Some(seconds) = account.locked(call.now) {
        return Err(Refused::Throttled(seconds));
    }
    if account.second_factor_code(call.now).as_deref() != checked.text("otp_token") {
        account.failed(call.now);
        return Err(Refused::field("otp_token", "The code is wrong."));
    }
    account.succeeded();
    let person = account.person.ok_or_else(unknown)?;
    world.accounts.no_longer_waiting(&email);
    Ok(Answer::ok(tokens(world, person)?))
}
