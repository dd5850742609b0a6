//! Some three hundred sessions over the last ninety days, and the people in them.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use crate::date::{DAY, date};
use crate::generator::Generator;
use crate::world::{Session, World};

/// Sessions per application.
const COUNTS: &[usize] = &[110, 50, 40, 50, 20, 30];

/// Statuses, as often as they should come up.
const FINISHED: &[&str] = &[
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Approved",
    "Declined",
    "Declined",
    "Declined",
    "In Review",
    "In Review",
    "Abandoned",
    "Abandoned",
    "Expired",
    "Kyc Expired",
];
const RECENT: &[&str] = &[
    "Not Started",
    "In Progress",
    "Resubmitted",
    "Awaiting User",
    "In Review",
    "Approved",
    "Approved",
    "Declined",
    "Not Started",
    "In Progress",
];

/// Somebody that a session was about.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    /// Alpha-3, as in a passport.
    pub(crate) country: &'static str,
    pub(crate) date_of_birth: String,
    pub(crate) gender: &'static str,
    pub(crate) document_number: String,
}

impl Identity {
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    pub(crate) fn company_name(&self) -> String {
        format!("{} Holdings", self.last_name)
    }
}

/// The same person for the same text, every time.
pub(crate) fn identity(subject: &str) -> Identity {
    let mut generator = Generator::of_text(subject);
    let (first_name, gender) = generator.pick(&[
        ("Amara", "F"),
        ("Bruno", "M"),
        ("Chiara", "F"),
        ("Daniel", "M"),
        ("Elif", "F"),
        ("Farid", "M"),
        ("Greta", "F"),
        ("Hugo", "M"),
        ("Ines", "F"),
        ("Jonas", "M"),
        ("Keiko", "F"),
        ("Luca", "M"),
        ("Maja", "F"),
        ("Nils", "M"),
        ("Paula", "F"),
        ("Quinn", "M"),
    ]);
    Identity {
        first_name,
        gender,
        last_name: generator.pick(&[
            "Andersson",
            "Bianchi",
            "Costa",
            "Dubois",
            "Eriksen",
            "Ferrari",
            "Garcia",
            "Horvat",
            "Ibrahim",
            "Jansen",
            "Kovac",
            "Lopez",
            "Moreau",
            "Nguyen",
            "Petrov",
            "Rossi",
        ]),
        country: generator.pick(&["ESP", "FRA", "DEU", "ITA", "PRT", "SWE", "HRV", "NLD"]),
        date_of_birth: date((500 + generator.below(12_500)) * DAY),
        document_number: generator.text(9).to_uppercase(),
    }
}

pub(super) fn fill(world: &mut World, now: u64) {
    let mut plan: Vec<(u64, usize)> = Vec::new();
    for (application, count) in COUNTS.iter().enumerate() {
        for _ in 0..*count {
            plan.push((world.generator.below(90 * DAY) + 60, application));
        }
    }
    // The oldest first: the order in which sessions are made is the order they are listed in.
    plan.sort_unstable_by(|left, right| right.cmp(left));
    for (age, application) in plan {
        if let Some(session) = session(world, application, now.saturating_sub(age), now) {
            // The plan is far below the bound.
            world.add_session(session).unwrap_or_default();
        }
    }
}

fn session(world: &mut World, application: usize, created_at: u64, now: u64) -> Option<Session> {
    let choices: Vec<usize> = world
        .workflows
        .iter()
        .enumerate()
        .filter(|(_, workflow)| workflow.application == application)
        .map(|(index, _)| index)
        .collect();
    let turn = world.sessions().count();
    let generator = &mut world.generator;
    let index = generator.pick(&choices);
    let workflow = world.workflows.get(index)?;
    let recent = created_at + 5 * DAY > now;
    // The newest take turns, so that every unfinished status is there to be seen.
    let status = if recent {
        RECENT.iter().cycle().nth(turn % RECENT.len()).copied()?
    } else {
        generator.pick(FINISHED)
    };
    let steps = workflow.features.len();
    let some_step = usize::try_from(generator.below(steps as u64)).unwrap_or(0);
    let reached = match status {
        "Not Started" | "Expired" => 0,
        "In Progress" | "Abandoned" | "Awaiting User" => some_step,
        _ => steps,
    };
    let warned = matches!(status, "Declined" | "In Review" | "Resubmitted").then_some(some_step);
    let number = 1 + generator.below(100);
    let finished_after = 120 + generator.below(1_800);
    Some(Session {
        id: generator.uuid(),
        number: 0,
        application,
        workflow: index,
        kind: if workflow.kind == "kyb" {
            "business"
        } else {
            "user"
        },
        vendor_data: Some(format!("customer-{application}{number:03}")),
        status,
        created_at,
        updated_at: if reached == 0 {
            created_at
        } else {
            (created_at + finished_after).min(now)
        },
        expires_at: created_at + workflow.session_expiration_time,
        token: generator.text(12),
        reached,
        warned,
        given: Map::from_iter([("language".to_owned(), json!("en"))]),
        corrected: BTreeMap::new(),
        reviews: Vec::new(),
    })
}
