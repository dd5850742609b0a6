//! What a handler is given, and what it gives back.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::form::Part;
use crate::query::Query;
use crate::refused::Refused;
use crate::world::World;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Somebody with a bearer credential.
    Person(usize),
    /// Whoever has the key of this application.
    Key(usize),
    /// Somebody whom the route does not ask.
    Nobody,
}

/// What a handler is about; each part was checked to be within the one before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) organization: Option<usize>,
    pub(crate) application: Option<usize>,
}

/// A request whose caller is known and may do what it asks for.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) now: u64,
    pub(crate) caller: Caller,
    pub(crate) place: Place,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: Query,
    pub(crate) body: Map<String, Value>,
    /// The parts of a form; empty where the body is none.
    pub(crate) form: Vec<Part>,
    /// Where the request came from, as far as it says so.
    pub(crate) address: String,
    /// What marks a repetition of the same call.
    pub(crate) idempotency_key: Option<String>,
    /// The organisation that the caller says it acts in, where no path names one.
    pub(crate) acting_organization: Option<String>,
}

/// What went well.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 204.
    Nothing,
    /// A status and a body.
    Body(StatusCode, Value),
    /// A file of this media type.
    File(&'static str, Bytes),
}

pub(crate) type Outcome = Result<Answer, Refused>;

impl Answer {
    pub(crate) fn ok(body: impl Into<Value>) -> Self {
        Self::Body(StatusCode::OK, body.into())
    }

    pub(crate) fn created(body: impl Into<Value>) -> Self {
        Self::Body(StatusCode::CREATED, body.into())
    }
}

impl Call {
    /// A part of the path; a name that the path does not have is not found.
    pub(crate) fn param(&self, name: &str) -> Result<&str, Refused> {
        let found = self.params.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .ok_or(Refused::NotFound)
    }

    /// The person who calls, where it is one.
    pub(crate) fn person(&self) -> Result<usize, Refused> {
        match self.caller {
            Caller::Person(person) => Ok(person),
            Caller::Key(_) | Caller::Nobody => Err(Refused::NotFound),
        }
    }

    /// How the caller is written into reviews, comments and the audit log.
    pub(crate) fn author(&self, world: &World) -> String {
        match self.caller {
            Caller::Person(person) => world
                .people
                .get(person)
                .map(|person| person.email.clone())
                .unwrap_or_default(),
            Caller::Key(_) => "API key".to_owned(),
            Caller::Nobody => "nobody".to_owned(),
        }
    }

    pub(crate) fn organization(&self) -> Result<usize, Refused> {
        self.place.organization.ok_or(Refused::NotFound)
    }

    pub(crate) fn application(&self) -> Result<usize, Refused> {
        self.place.application.ok_or(Refused::NotFound)
    }

    /// Whether rows of an application belong on the list asked for.
    pub(crate) fn covers(&self, world: &World, application: usize) -> bool {
        match self.place.application {
            Some(wanted) => wanted == application,
            None => {
                let row = world.applications.get(application);
                row.is_some_and(|row| Some(row.organization) == self.place.organization)
                    && self.sees(world, application)
            }
        }
    }

    /// Whether the caller is not kept from an application.
    pub(crate) fn sees(&self, world: &World, application: usize) -> bool {
        match self.caller {
            Caller::Person(person) => world.sees(person, application),
            Caller::Key(own) => own == application,
            Caller::Nobody => false,
        }
    }

    /// Adds to a row of an organisation's list where it comes from.
    pub(crate) fn tag(&self, world: &World, application: usize, mut row: Value) -> Value {
        if self.place.application.is_some() {
            return row;
        }
        let found = world.applications.get(application).and_then(|application| {
            Some((
                world.organizations.get(application.organization)?,
                application,
            ))
        });
        if let (Some((organization, application)), Some(fields)) = (found, row.as_object_mut()) {
            for (name, value) in [
                ("organization_id", organization.uuid.as_str()),
                ("organization_name", organization.name.as_str()),
                ("application_id", application.uuid.as_str()),
                ("application_name", application.name.as_str()),
            ] {
                fields.insert(name.to_owned(), value.into());
            }
        }
        row
    }

    /// Whether the text asked for is somewhere in these.
    pub(crate) fn finds(search: Option<&str>, texts: &[Option<&str>]) -> bool {
        search.is_none_or(|search| {
            texts
                .iter()
                .flatten()
                .any(|text| text.to_lowercase().contains(search))
        })
    }
}
