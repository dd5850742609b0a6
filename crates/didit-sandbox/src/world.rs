//! The state: organisations, applications, people, workflows, sessions and the smaller records.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use crate::Person;
use crate::account::Accounts;
use crate::event::Deliveries;
use crate::generator::Generator;
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::role::Role;

/// Sessions that the sandbox holds at most.
pub(crate) const MOST_SESSIONS: usize = 50_000;
/// Records of one kind, and workflows, that it holds at most.
pub(crate) const MOST_RECORDS: usize = 10_000;
/// Reviews of one session at most.
const MOST_REVIEWS: usize = 100;

/// The statuses of a session, as Didit writes them.
pub(crate) const STATUSES: &[&str] = &[
    "Not Started",
    "In Progress",
    "In Review",
    "Approved",
    "Declined",
    "Expired",
    "Abandoned",
    "Kyc Expired",
    "Resubmitted",
    "Awaiting User",
];

/// A session with one of these is given again instead of a new one.
pub(crate) const UNFINISHED: &[&str] =
    &["Not Started", "In Progress", "Resubmitted", "Awaiting User"];

#[derive(Debug)]
pub(crate) struct Organization {
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) balance_cents: u64,
}

pub(crate) struct Application {
    pub(crate) uuid: String,
    pub(crate) organization: usize,
    pub(crate) name: String,
    pub(crate) mode: &'static str,
    pub(crate) client_id: String,
    pub(crate) api_key: String,
    pub(crate) client_secret: String,
    pub(crate) created_at: u64,
    pub(crate) last_session_number: u64,
}

pub(crate) struct PersonRow {
    pub(crate) id: String,
    pub(crate) uuid: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) credential: String,
}

#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) uuid: String,
    pub(crate) person: usize,
    pub(crate) organization: usize,
    pub(crate) role: Role,
    /// The applications that the member sees, by id; nothing where it is all of them.
    pub(crate) accessible: Option<Vec<String>>,
    pub(crate) joined_at: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Workflow {
    /// The id of this version.
    pub(crate) uuid: String,
    /// The id that all versions share.
    pub(crate) workflow_id: String,
    pub(crate) application: usize,
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) features: Vec<String>,
    pub(crate) configs: Vec<Value>,
    /// 1 for the first.
    pub(crate) version: u64,
    /// The graph that was saved; nothing where the features simply follow one another.
    pub(crate) graph: Option<Value>,
    pub(crate) status: String,
    pub(crate) is_default: bool,
    pub(crate) is_archived: bool,
    pub(crate) settings: Map<String, Value>,
    pub(crate) session_expiration_time: u64,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

impl Workflow {
    /// Both ids name it.
    pub(crate) fn is(&self, id: &str) -> bool {
        self.uuid == id || self.workflow_id == id
    }
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) application: usize,
    pub(crate) workflow: usize,
    pub(crate) kind: &'static str,
    pub(crate) vendor_data: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) expires_at: u64,
    pub(crate) token: String,
    /// How many of the workflow's features were passed through.
    pub(crate) reached: usize,
    /// Which of them raised a warning, if any.
    pub(crate) warned: Option<usize>,
    /// What the caller gave: callback, metadata and the like.
    pub(crate) given: Map<String, Value>,
    /// What was written over the results, by feature.
    pub(crate) corrected: BTreeMap<&'static str, Map<String, Value>>,
    pub(crate) reviews: Vec<Value>,
}

impl Session {
    /// The status now: one that nobody began in time has expired.
    pub(crate) fn status(&self, now: u64) -> &'static str {
        if self.status == "Not Started" && now >= self.expires_at {
            "Expired"
        } else {
            self.status
        }
    }

    pub(crate) fn is_unfinished(&self, now: u64) -> bool {
        UNFINISHED.contains(&self.status(now))
    }

    /// Adds a review; the oldest goes when there are too many.
    pub(crate) fn add_review(&mut self, review: Value) {
        if self.reviews.len() >= MOST_REVIEWS {
            self.reviews.remove(0);
        }
        self.reviews.push(review);
    }

    /// The text that decides who the pretended person is.
    pub(crate) fn subject(&self) -> &str {
        self.vendor_data.as_deref().unwrap_or(&self.id)
    }
}

pub(crate) struct World {
    pub(crate) generator: Generator,
    pub(crate) organizations: Vec<Organization>,
    pub(crate) applications: Vec<Application>,
    pub(crate) people: Vec<PersonRow>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) workflows: Vec<Workflow>,
    sessions: BTreeMap<u64, Session>,
    serials: HashMap<String, u64>,
    last_serial: u64,
    pub(crate) records: BTreeMap<RecordKind, Vec<Record>>,
    pub(crate) deliveries: Deliveries,
    pub(crate) accounts: Accounts,
    /// The body and the answer of a call that may be repeated, by application and key.
    pub(crate) repeats: BTreeMap<String, (Value, Value)>,
}

impl World {
    pub(crate) fn empty(seed: u64) -> Self {
        Self {
            generator: Generator::new(seed),
            organizations: Vec::new(),
            applications: Vec::new(),
            people: Vec::new(),
            memberships: Vec::new(),
            workflows: Vec::new(),
            sessions: BTreeMap::new(),
            serials: HashMap::new(),
            last_serial: 0,
            records: BTreeMap::new(),
            deliveries: Deliveries::default(),
            accounts: Accounts::default(),
            repeats: BTreeMap::new(),
        }
    }

    pub(crate) fn people(&self) -> Vec<Person> {
        let role = |index: usize| {
            self.memberships
                .iter()
                .filter(|membership| membership.person == index)
                .min_by_key(|membership| membership.organization)
                .map(|membership| membership.role.as_str().to_owned())
        };
        self.people
            .iter()
            .enumerate()
            .filter_map(|(index, person)| {
                Some(Person {
                    id: person.id.clone(),
                    name: person.name.clone(),
                    email: person.email.clone(),
                    role: role(index)?,
                })
            })
            .collect()
    }

    pub(crate) fn credential(&self, person_id: &str) -> Option<String> {
        let person = self.people.iter().find(|person| person.id == person_id)?;
        Some(person.credential.clone())
    }

    /// Who a credential acts for. Every credential is compared, and each to its end.
    pub(crate) fn person_of(&self, credential: &str) -> Option<usize> {
        self.people
            .iter()
            .enumerate()
            .fold(None, |found, (index, person)| {
                if same(&person.credential, credential) {
                    Some(index)
                } else {
                    found
                }
            })
    }

    /// Which application a key of the REST API belongs to. Every key is compared, and each to its end.
    pub(crate) fn application_of_key(&self, key: &str) -> Option<usize> {
        self.applications
            .iter()
            .enumerate()
            .fold(None, |found, (index, row)| {
                if same(&row.api_key, key) {
                    Some(index)
                } else {
                    found
                }
            })
    }

    pub(crate) fn role_of(&self, person: usize, organization: usize) -> Option<Role> {
        self.memberships
            .iter()
            .find(|row| row.person == person && row.organization == organization)
            .map(|row| row.role)
    }

    /// Whether a person sees an application: a member of its organisation who is not kept to others.
    pub(crate) fn sees(&self, person: usize, application: usize) -> bool {
        self.applications.get(application).is_some_and(|row| {
            self.memberships.iter().any(|membership| {
                membership.person == person
                    && membership.organization == row.organization
                    && membership
                        .accessible
                        .as_ref()
                        .is_none_or(|accessible| accessible.contains(&row.uuid))
            })
        })
    }

    pub(crate) fn organization_named(&self, uuid: &str) -> Option<usize> {
        self.organizations.iter().position(|row| row.uuid == uuid)
    }

    pub(crate) fn application_named(&self, uuid: &str) -> Option<usize> {
        self.applications.iter().position(|row| row.uuid == uuid)
    }

    pub(crate) fn application(&self, index: usize) -> Result<&Application, Refused> {
        self.applications.get(index).ok_or(Refused::NotFound)
    }

    pub(crate) fn organization(&self, index: usize) -> Result<&Organization, Refused> {
        self.organizations.get(index).ok_or(Refused::NotFound)
    }

    pub(crate) fn workflow(&self, index: usize) -> Result<&Workflow, Refused> {
        self.workflows.get(index).ok_or(Refused::NotFound)
    }

    /// Sessions, the newest first.
    pub(crate) fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().rev()
    }

    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.get(self.serials.get(id)?)
    }

    pub(crate) fn session_mut(&mut self, id: &str) -> Option<&mut Session> {
        self.sessions.get_mut(self.serials.get(id)?)
    }

    /// Puts a session in and gives it the next number of its application.
    pub(crate) fn add_session(&mut self, mut session: Session) -> Result<(), Refused> {
        if self.sessions.len() >= MOST_SESSIONS {
            return Err(Refused::Full("sessions"));
        }
        let application = self
            .applications
            .get_mut(session.application)
            .ok_or(Refused::NotFound)?;
        application.last_session_number += 1;
        session.number = application.last_session_number;
        self.last_serial += 1;
        self.serials.insert(session.id.clone(), self.last_serial);
        self.sessions.insert(self.last_serial, session);
        Ok(())
    }

    pub(crate) fn remove_session(&mut self, id: &str) -> Option<Session> {
        let serial = self.serials.remove(id)?;
        self.sessions.remove(&serial)
    }

    /// Removes the sessions of an application that are chosen, and says how many there were.
    pub(crate) fn remove_sessions(
        &mut self,
        application: usize,
        chosen: impl Fn(&Session) -> bool,
    ) -> usize {
        let ids: Vec<String> = self
            .sessions()
            .filter(|session| session.application == application && chosen(session))
            .map(|session| session.id.clone())
            .collect();
        ids.iter().filter_map(|id| self.remove_session(id)).count()
    }

    /// Records of one kind, in the order they were made.
    pub(crate) fn records(&self, kind: RecordKind) -> &[Record] {
        self.records.get(&kind).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn record(&self, kind: RecordKind, application: usize, id: &str) -> Option<&Record> {
        self.records(kind)
            .iter()
            .find(|row| row.application == application && row.id == id)
    }

    pub(crate) fn record_mut(
        &mut self,
        kind: RecordKind,
        application: usize,
        id: &str,
    ) -> Option<&mut Record> {
        let rows = self.records.get_mut(&kind)?;
        rows.iter_mut()
            .find(|row| row.application == application && row.id == id)
    }

    pub(crate) fn add_record(&mut self, kind: RecordKind, record: Record) -> Result<(), Refused> {
        let rows = self.records.entry(kind).or_default();
        if rows.len() >= MOST_RECORDS {
            return Err(Refused::Full(kind.plural()));
        }
        rows.push(record);
        Ok(())
    }

    /// Puts a record in where there may be only so many: the oldest goes.
    pub(crate) fn add_record_over(&mut self, kind: RecordKind, record: Record, most: usize) {
        let rows = self.records.entry(kind).or_default();
        if rows.len() >= most {
            rows.remove(0);
        }
        rows.push(record);
    }

    pub(crate) fn remove_records(
        &mut self,
        kind: RecordKind,
        application: usize,
        chosen: impl Fn(&Record) -> bool,
    ) -> usize {
        let rows = self.records.entry(kind).or_default();
        let before = rows.len();
        rows.retain(|row| row.application != application || !chosen(row));
        before - rows.len()
    }
}

/// Compares two texts without stopping at the first difference.
pub(crate) fn same(left: &str, right: &str) -> bool {
    let differences = left
        .bytes()
        .zip(right.bytes())
        .fold(left.len() ^ right.len(), |seen, (a, b)| {
            seen | usize::from(a ^ b)
        });
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_only_when_they_are() {
        assert!(same("abc", "abc"));
        for other in ["abd", "ab", "abcd", "", "bbc"] {
            assert!(!same("abc", other), "{other}");
        }
    }

    #[test]
    fn a_full_world_says_so() {
        let mut world = World::empty(1);
        let record = || Record {
            application: 0,
            id: "x".to_owned(),
            created_at: 0,
            updated_at: 0,
            fields: Map::new(),
        };
        for _ in 0..MOST_RECORDS {
            world.add_record(RecordKind::Case, record()).unwrap();
        }
        let refused = world.add_record(RecordKind::Case, record());
        assert!(matches!(refused, Err(Refused::Full("cases"))));
        assert!(world.add_record(RecordKind::List, record()).is_ok());
    }

    #[test]
    fn a_session_too_many_is_refused_until_one_goes() {
        let mut world = crate::seed::world(1_767_225_600);
        let session = |id: String| Session {
            id,
            number: 0,
            application: 0,
            workflow: 0,
            kind: "user",
            vendor_data: None,
            status: "Not Started",
            created_at: 0,
            updated_at: 0,
            expires_at: 0,
            token: String::new(),
            reached: 0,
            warned: None,
            given: Map::new(),
            corrected: BTreeMap::new(),
            reviews: Vec::new(),
        };
        for number in world.sessions().count()..MOST_SESSIONS {
            world.add_session(session(number.to_string())).unwrap();
        }
        let refused = world.add_session(session("more".to_owned()));
        assert!(matches!(refused, Err(Refused::Full("sessions"))));
        let told = Refused::Full("sessions").response();
        assert_eq!(told.status(), 503);
        assert!(world.remove_session("400").is_some());
        assert!(world.add_session(session("more".to_owned())).is_ok());
    }

    #[test]
    fn the_oldest_review_goes_when_there_are_too_many() {
        let mut world = crate::seed::world(1_767_225_600);
        let id = world
            .sessions()
            .next()
            .map(|session| session.id.clone())
            .unwrap();
        let session = world.session_mut(&id).unwrap();
        for number in 0..=MOST_REVIEWS {
            session.add_review(number.into());
        }
        assert_eq!(session.reviews.len(), MOST_REVIEWS);
        assert_eq!(session.reviews[0], 1);
    }
}
