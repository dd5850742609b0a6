//! What a person can reach: organisations, the role in each, and their applications.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use didit_client::PathPart;
use serde_json::{Map, Value, json};

use crate::outcome::Failure;

/// How long a map is kept, in seconds.
pub(crate) const KEPT_SECONDS: u64 = 60;
/// The most organisations that are read.
pub(crate) const MAX_ORGANIZATIONS: usize = 200;
/// The most applications that are read, over all organisations.
pub(crate) const MAX_APPLICATIONS: usize = 1000;
/// The longest name that is shown, in characters.
const MAX_NAME: usize = 100;
/// The most people whose maps are kept.
const MAX_PEOPLE: usize = 1024;
/// The most organisations and applications in all maps that are kept: about 5 MiB, and the maps of all people who reach
/// a dozen places each. People who reach a thousand crowd others out, and not the memory.
const MAX_KEPT_PLACES: usize = 16 * 1024;
/// The names under which an answer may hold its rows.
const ROWS: &[&str] = &["results", "organizations", "applications"];

/// An organisation or an application: what a row says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Application {
    pub(crate) named: Named,
    /// `live` or `sandbox`, if Didit says so.
    pub(crate) mode: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Organization {
    pub(crate) named: Named,
    pub(crate) role: Option<String>,
    /// Their list may have failed to load; then nothing is guessed about them.
    pub(crate) applications: Result<Vec<Application>, Failure>,
}

/// What a person can reach.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) organizations: Vec<Organization>,
}

impl Reach {
    /// Whether every organisation's applications are known.
    pub(crate) fn is_complete(&self) -> bool {
        self.organizations
            .iter()
            .all(|organization| organization.applications.is_ok())
    }

    /// Organisations and applications together.
    fn places(&self) -> usize {
        self.organizations.len() + self.applications().count()
    }

    pub(crate) fn organization(&self, id: &str) -> Option<&Organization> {
        self.organizations
            .iter()
            .find(|organization| organization.named.id == id)
    }

    pub(crate) fn applications(&self) -> impl Iterator<Item = (&Organization, &Application)> {
        self.organizations.iter().flat_map(|organization| {
            let known = organization.applications.as_deref().unwrap_or_default();
            known
                .iter()
                .map(move |application| (organization, application))
        })
    }

    /// The only organisation.
    pub(crate) fn only_organization(&self) -> Option<&Organization> {
        match self.organizations.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The only application overall, when that is certain.
    pub(crate) fn only_application(&self) -> Option<(&Organization, &Application)> {
        let mut all = self.applications();
        let first = all.next()?;
        (all.next().is_none() && self.is_complete()).then_some(first)
    }

    /// The answer of `didit_context_get`.
    pub(crate) fn to_value(&self) -> Value {
        let only = self.only_application();
        let organization = self
            .only_organization()
            .map(|organization| &organization.named.id)
            .or(only.map(|(organization, _)| &organization.named.id));
        let application = only.map(|(_, application)| &application.named.id);
        let hint = match (organization, application) {
            (_, Some(_)) => {
                "Both ids may be left out of other tools: there is only one application."
            }
            (Some(_), None) => {
                "organization_id may be left out; pass application_id where a tool takes it."
            }
            (None, None) => {
                "Pass organization_id and application_id where a tool takes them; searches without them look everywhere."
            }
        };
        json!({
            "organizations": self.organizations.iter().map(Organization::to_value).collect::<Vec<_>>(),
            "organization_count": self.organizations.len(),
            "application_count": self.applications().count(),
            "default_organization_id": organization,
            "default_application_id": application,
            "hint": hint,
        })
    }
}

impl Organization {
    fn to_value(&self) -> Value {
        let mut value = json!({
            "organization_id": self.named.id,
            "organization_name": self.named.name,
            "role": self.role,
        });
        let (key, rest) = match &self.applications {
            Ok(applications) => {
                let rows = applications.iter().map(|application| {
                    json!({
                        "application_id": application.named.id,
                        "application_name": application.named.name,
                        "mode": application.mode,
                    })
                });
                ("applications", rows.collect())
            }
            Err(failure) => (
                "applications_error",
                json!({ "code": failure.code().as_str(), "message": failure.message() }),
            ),
        };
        if let Value::Object(object) = &mut value {
            object.insert(key.to_owned(), rest);
        }
        value
    }
}

/// The organisations in an answer; their applications are read next.
pub(crate) fn organizations(answer: Value) -> Option<Vec<Organization>> {
    let rows = rows(answer)?;
    let read = rows
        .iter()
        .take(MAX_ORGANIZATIONS)
        .filter_map(Value::as_object)
        .filter_map(|row| {
            Some(Organization {
                named: named(row)?,
                role: text(row, "role"),
                applications: Ok(Vec::new()),
            })
        });
    Some(read.collect())
}

/// The applications in an answer.
pub(crate) fn applications(answer: Value) -> Option<Vec<Application>> {
    let rows = rows(answer)?;
    let read = rows
        .iter()
        .take(MAX_APPLICATIONS)
        .filter_map(Value::as_object);
    Some(
        read.filter_map(|row| {
            Some(Application {
                named: named(row)?,
                mode: text(row, "mode"),
            })
        })
        .collect(),
    )
}

/// The rows of an answer: a bare array, or one of the names that hold them.
pub(crate) fn rows(answer: Value) -> Option<Vec<Value>> {
    match answer {
        Value::Array(rows) => Some(rows),
        Value::Object(mut object) => ROWS.iter().find_map(|name| match object.remove(*name) {
            Some(Value::Array(rows)) => Some(rows),
            _ => None,
        }),
        _ => None,
    }
}

fn named(row: &Map<String, Value>) -> Option<Named> {
    let id = ["uuid", "id", "organization_id", "application_id"]
        .into_iter()
        .find_map(|name| text(row, name))
        .filter(|id| PathPart::parse(id).is_ok())?;
    let name = text(row, "name").or_else(|| text(row, "display_name"));
    // Names are shown in messages: one line, and not without end.
    let one_line = |name: String| {
        name.chars()
            .filter(|c| !c.is_control())
            .take(MAX_NAME)
            .collect()
    };
    let name = name.map_or_else(|| id.clone(), one_line);
    Some(Named { id, name })
}

fn text(row: &Map<String, Value>, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Maps that were read less than a minute ago, by person.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<Maps>);

#[derive(Debug, Default)]
struct Maps {
    by_person: HashMap<String, (u64, Arc<Reach>)>,
    /// Of all maps together.
    places: usize,
}

impl Kept {
    pub(crate) fn get(&self, person: &str, now: u64) -> Option<Arc<Reach>> {
        let maps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, reach) = maps.by_person.get(person)?;
        is_fresh(*read_at, now).then(|| Arc::clone(reach))
    }

    /// Keeps a complete map; when there are too many, the oldest go.
    pub(crate) fn put(&self, person: &str, now: u64, reach: &Arc<Reach>) {
        if !reach.is_complete() {
            return;
        }
        let mut maps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        maps.remove(person);
        let places = reach.places();
        if !maps.have_room_for(places) {
            maps.forget_stale(now);
        }
        while !maps.have_room_for(places) && maps.forget_oldest() {}
        maps.places += places;
        maps.by_person
            .insert(person.to_owned(), (now, Arc::clone(reach)));
    }
}

impl Maps {
    fn have_room_for(&self, places: usize) -> bool {
        self.by_person.len() < MAX_PEOPLE && self.places + places <= MAX_KEPT_PLACES
    }

    fn forget_stale(&mut self, now: u64) {
        self.by_person
            .retain(|_, (read_at, _)| is_fresh(*read_at, now));
        self.places = self.by_person.values().map(|(_, map)| map.places()).sum();
    }

    /// Whether there was one.
    fn forget_oldest(&mut self) -> bool {
        let all = self.by_person.iter();
        let oldest = all.min_by_key(|(_, (read_at, _))| *read_at);
        let oldest = oldest.map(|(person, _)| person.clone());
        oldest.is_some_and(|person| self.remove(&person))
    }

    fn remove(&mut self, person: &str) -> bool {
        let removed = self.by_person.remove(person);
        if let Some((_, map)) = &removed {
            self.places -= map.places();
        }
        removed.is_some()
    }
}

fn is_fresh(read_at: u64, now: u64) -> bool {
    now.checked_sub(read_at)
        .is_some_and(|age| age < KEPT_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(complete: bool) -> Arc<Reach> {
        let mut organizations =
            organizations(json!([{"uuid": "o", "name": "O", "role": "READER"}])).unwrap();
        if !complete {
            organizations[0].applications = Err(Failure::bad_request("no"));
        }
        Arc::new(Reach { organizations })
    }

    #[test]
    fn rows_are_found_under_the_known_names() {
        for answer in [
            json!([{"id": 7}]),
            json!({"results": [{"id": 7}]}),
            json!({"organizations": [{"id": 7}]}),
            json!({"applications": [{"id": 7}]}),
        ] {
            assert_eq!(rows(answer).unwrap(), [json!({"id": 7})]);
        }
        assert_eq!(rows(json!({"raw": "<html>"})), None);
        assert_eq!(rows(json!("x")), None);
    }

    #[test]
    fn id_and_name_have_fallbacks() {
        let read = applications(json!([
            {"uuid": "u", "id": "i", "name": "N", "mode": "live"},
            {"application_id": "a", "display_name": "D"},
            {"id": 7},
            {"name": "nobody"},
            {"id": "../escape"},
            "text",
        ]))
        .unwrap();
        let found: Vec<_> = read
            .iter()
            .map(|a| (a.named.id.as_str(), a.named.name.as_str()))
            .collect();
        assert_eq!(found, [("u", "N"), ("a", "D"), ("7", "7")]);
        assert_eq!(read[0].mode.as_deref(), Some("live"));
    }

    #[test]
    fn a_map_is_kept_for_a_minute() {
        let kept = Kept::default();
        kept.put("ada", 1000, &reach(true));
        assert!(kept.get("ada", 1059).is_some());
        assert!(kept.get("ada", 1060).is_none());
        assert!(kept.get("ada", 999).is_none());
        assert!(kept.get("bob", 1000).is_none());
    }

    #[test]
    fn an_incomplete_map_is_not_kept() {
        let kept = Kept::default();
        kept.put("ada", 1000, &reach(false));
        assert!(kept.get("ada", 1000).is_none());
    }

    #[test]
    fn the_number_of_people_is_bounded() {
        let kept = Kept::default();
        let one = reach(true);
        for person in 0..MAX_PEOPLE as u64 + 10 {
            kept.put(&person.to_string(), 1000 + person / 100, &one);
        }
        assert_eq!(kept.0.lock().unwrap().by_person.len(), MAX_PEOPLE);
        // The first hundred are the oldest.
        let is_kept = |person: &u64| kept.get(&person.to_string(), 1010).is_some();
        assert_eq!((0..100).filter(is_kept).count(), 90);
        kept.put("late", 5000, &one);
        let maps = kept.0.lock().unwrap();
        assert_eq!((maps.by_person.len(), maps.places), (1, 1));
    }

    #[test]
    fn large_maps_are_kept_for_fewer_people() {
        let kept = Kept::default();
        let mut organizations = organizations(json!([{"uuid": "o"}])).unwrap();
        let rows: Vec<Value> = (0..MAX_APPLICATIONS).map(|id| json!({"id": id})).collect();
        organizations[0].applications = Ok(applications(rows.into()).unwrap());
        let large = Arc::new(Reach { organizations });
        for person in 0..40_u64 {
            kept.put(&person.to_string(), 1000 + person, &large);
        }
        // The same person again is no second map.
        kept.put("39", 1040, &large);
        let maps = kept.0.lock().unwrap();
        let fit = MAX_KEPT_PLACES / (MAX_APPLICATIONS + 1);
        assert_eq!(maps.by_person.len(), fit);
        assert_eq!(maps.places, fit * (MAX_APPLICATIONS + 1));
        assert!(maps.by_person.contains_key("39") && !maps.by_person.contains_key("0"));
    }
}
