//! What a test changes past every caller.

use serde_json::Value;

use crate::record::RecordKind;
use crate::role::Role;
use crate::world::World;

impl World {
    pub(crate) fn set_role(&mut self, person: &str, organization: &str, role: Role) -> bool {
        let person = self.people.iter().position(|row| row.id == person);
        let organization = self.organization_named(organization);
        let mut rows = self.memberships.iter_mut();
        let found =
            rows.find(|row| Some(row.person) == person && Some(row.organization) == organization);
        found.map(|row| row.role = role).is_some()
    }

    pub(crate) fn set_balance(&mut self, organization: &str, cents: u64) -> bool {
        let mut rows = self.organizations.iter_mut();
        let found = rows.find(|row| row.uuid == organization);
        found.map(|row| row.balance_cents = cents).is_some()
    }

    pub(crate) fn pay_checkout(&mut self, id: &str) -> bool {
        let rows = self.records.entry(RecordKind::Checkout).or_default();
        let Some(index) = rows.iter().position(|row| row.id == id) else {
            return false;
        };
        let paid = rows.remove(index);
        let cents = paid
            .fields
            .get("cents")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let organization = self
            .applications
            .get(paid.application)
            .map(|row| row.organization);
        let found = organization.and_then(|index| self.organizations.get_mut(index));
        found
            .map(|row| row.balance_cents = row.balance_cents.saturating_add(cents))
            .is_some()
    }
}
