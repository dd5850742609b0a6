//! Who calls, what the call is about, and whether they may.

use http::{HeaderMap, header, request};

use super::call::{Caller, Place};
use super::header_text;
use super::table::{Access, Route};
use crate::refused::Refused;
use crate::world::World;

/// Who calls, by the credential that the route takes.
pub(super) fn caller(
    world: &World,
    headers: &HeaderMap,
    access: Access,
) -> Result<Caller, Refused> {
    let key = || match header_text(headers, "x-api-key") {
        None => Ok(None),
        Some(key) => match world.application_of_key(key.trim()) {
            Some(application) => Ok(Some(Caller::Key(application))),
            None => Err(Refused::UnknownKey),
        },
    };
    match access {
        Access::Anybody => Ok(Caller::Nobody),
        Access::Person => person(world, headers),
        Access::Key => key()?.ok_or(Refused::NoKey),
        Access::Both => match key()? {
            Some(caller) => Ok(caller),
            None => person(world, headers),
        },
    }
}

// RFC 6750 section 2.1: the credential follows the scheme, whose case does not matter.
fn person(world: &World, headers: &HeaderMap) -> Result<Caller, Refused> {
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        return Err(Refused::NoCredential);
    };
    let text = header.to_str().map_err(|_| Refused::UnknownCredential)?;
    match text.split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => world
            .person_of(credential.trim())
            .map(Caller::Person)
            .ok_or(Refused::UnknownCredential),
        _ => Err(Refused::NoCredential),
    }
}

/// Which organisation, application and session the path is about; all must hang together and be the caller's to see.
pub(super) fn place(
    world: &World,
    caller: Caller,
    params: &[(String, String)],
    parts: &request::Parts,
) -> Result<Place, Refused> {
    let get = |name: &str| {
        params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    };
    let mut place = match caller {
        Caller::Key(application) => Place {
            organization: Some(world.application(application)?.organization),
            application: Some(application),
        },
        Caller::Person(_) | Caller::Nobody => Place::default(),
    };
    if let Some(uuid) = get("org") {
        place.organization = Some(world.organization_named(uuid).ok_or(Refused::NotFound)?);
    }
    if let Some(uuid) = get("app") {
        let index = world.application_named(uuid).ok_or(Refused::NotFound)?;
        if Some(world.application(index)?.organization) != place.organization {
            return Err(Refused::NotFound);
        }
        place.application = Some(index);
    }
    if let Some(id) = get("session_id") {
        let session = world.session(id).ok_or(Refused::NotFound)?;
        if place
            .application
            .is_some_and(|application| application != session.application)
        {
            return Err(Refused::NotFound);
        }
        place.application = Some(session.application);
        place.organization = Some(world.application(session.application)?.organization);
    }
    let Caller::Person(person) = caller else {
        return Ok(place);
    };
    if place.organization.is_none() {
        return Ok(acting(world, person, &parts.headers));
    }
    let member = place
        .organization
        .is_some_and(|organization| world.role_of(person, organization).is_some());
    let sees = place
        .application
        .is_none_or(|application| world.sees(person, application));
    // What one is not in, or is kept from, looks like something that is not there.
    if member && sees {
        Ok(place)
    } else {
        Err(Refused::NotFound)
    }
}

/// Where somebody acts whom no path places: the application or the organisation of the headers, else the first of their own.
///
/// Nothing where a header names what they may not see.
fn acting(world: &World, person: usize, headers: &HeaderMap) -> Place {
    let sees = |organization: &usize| world.role_of(person, *organization).is_some();
    let named = header_text(headers, "x-didit-organization-id");
    if let Some(uuid) = header_text(headers, "x-didit-application-id") {
        let application = world.application_named(&uuid);
        let organization = application
            .and_then(|index| world.applications.get(index))
            .map(|row| row.organization)
            .filter(sees)
            .filter(|index| {
                named
                    .as_ref()
                    .is_none_or(|uuid| world.organization_named(uuid) == Some(*index))
            });
        return Place {
            organization,
            application: application
                .filter(|index| organization.is_some() && world.sees(person, *index)),
        };
    }
    let organization = match named {
        Some(uuid) => world.organization_named(&uuid).filter(sees),
        None => (0..world.organizations.len()).find(sees),
    };
    Place {
        organization,
        application: (0..world.applications.len()).find(|index| {
            let row = world.applications.get(*index);
            row.is_some_and(|row| Some(row.organization) == organization)
                && world.sees(person, *index)
        }),
    }
}

pub(super) fn permitted(
    world: &World,
    caller: Caller,
    place: Place,
    route: &Route,
) -> Result<(), Refused> {
    let Caller::Person(person) = caller else {
        return Ok(());
    };
    if route.permission.is_empty() {
        return Ok(());
    }
    let organization = place.organization.ok_or(Refused::NotFound)?;
    let role = world
        .role_of(person, organization)
        .ok_or(Refused::NotFound)?;
    if role.may(route.permission) {
        Ok(())
    } else {
        Err(Refused::NotPermitted)
    }
}
