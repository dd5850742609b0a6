//! The world as it is on first sight: the same for the same moment.

mod more;
mod people;
mod records;
mod sessions;
mod workflows;

pub(crate) use sessions::identity;

use crate::date::DAY;
use crate::world::{Application, Organization, World};

/// Any number would do; this one is the seed of every id in the documentation.
const SEED: u64 = 0x0d1d_1700;

/// Name and balance in cents.
const ORGANIZATIONS: &[(&str, u64)] = &[
    ("Harbour Lane Bank", 124_850),
    ("Pixel Orchard Games", 31_200),
    ("Cedar Mobility", 8_450),
];

/// Organisation, name, mode.
const APPLICATIONS: &[(usize, &str, &str)] = &[
    (0, "Retail onboarding", "live"),
    (0, "Business accounts", "live"),
    (0, "Onboarding sandbox", "sandbox"),
    (1, "Player age check", "live"),
    (1, "Age check sandbox", "sandbox"),
    (2, "Driver verification", "live"),
];

/// Makes the world, with rows dated back from `now`.
pub(crate) fn world(now: u64) -> World {
    let mut world = World::empty(SEED);
    for (name, balance_cents) in ORGANIZATIONS {
        let uuid = world.generator.uuid();
        world.organizations.push(Organization {
            uuid,
            name: (*name).to_owned(),
            balance_cents: *balance_cents,
        });
    }
    for (organization, name, mode) in APPLICATIONS {
        let generator = &mut world.generator;
        let application = Application {
            uuid: generator.uuid(),
            organization: *organization,
            name: (*name).to_owned(),
            mode,
            client_id: generator.text(22),
            api_key: generator.text(43),
            client_secret: generator.text(43),
            created_at: now.saturating_sub(200 * DAY),
            last_session_number: 0,
        };
        world.applications.push(application);
    }
    people::fill(&mut world, now);
    workflows::fill(&mut world, now);
    sessions::fill(&mut world, now);
    records::fill(&mut world, now);
    world
}
