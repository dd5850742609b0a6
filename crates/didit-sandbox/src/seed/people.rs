//! Who there is, and which role each has where.

use crate::date::DAY;
use crate::role::Role;
use crate::world::{Membership, PersonRow, World};

/// Id, name, address, and a role per organisation.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(usize, Role)],
);

const PEOPLE: &[Row] = &[
    (
        "olivia",
        "Olivia Marsh",
        "olivia@harbourlane.example",
        &[(0, Role::Owner), (1, Role::Admin)],
    ),
    (
        "adam",
        "Adam Okafor",
        "adam@harbourlane.example",
        &[(0, Role::Admin)],
    ),
    (
        "carmen",
        "Carmen Reyes",
        "carmen@harbourlane.example",
        &[(0, Role::ComplianceOfficer), (1, Role::Reader)],
    ),
    (
        "devon",
        "Devon Lindqvist",
        "devon@harbourlane.example",
        &[(0, Role::Developer), (2, Role::Admin)],
    ),
    (
        "rita",
        "Rita Novak",
        "rita@harbourlane.example",
        &[(0, Role::Reader)],
    ),
    (
        "noah",
        "Noah Tanaka",
        "noah@pixelorchard.example",
        &[(1, Role::Owner)],
    ),
    (
        "lena",
        "Lena Fischer",
        "lena@pixelorchard.example",
        &[(1, Role::ComplianceOfficer), (2, Role::Reader)],
    ),
    (
        "samir",
        "Samir Haddad",
        "samir@cedarmobility.example",
        &[(2, Role::Owner)],
    ),
];

pub(super) fn fill(world: &mut World, now: u64) {
    for (index, (id, name, email, roles)) in PEOPLE.iter().enumerate() {
        let uuid = world.generator.uuid();
        let credential = world.generator.text(48);
        world.people.push(PersonRow {
            id: (*id).to_owned(),
            uuid,
            name: (*name).to_owned(),
            email: (*email).to_owned(),
            credential,
        });
        for (organization, role) in *roles {
            let membership = Membership {
                uuid: world.generator.uuid(),
                person: index,
                organization: *organization,
                role: *role,
                accessible: None,
                joined_at: now.saturating_sub((190 - 7 * index as u64) * DAY),
            };
            world.memberships.push(membership);
        }
    }
}
