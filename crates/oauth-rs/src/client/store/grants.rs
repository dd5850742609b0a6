//! A list of grants and the rules of its change, which all stores here share.

use super::{Kept, MAX_GRANTS, Standing, Version};
use crate::client::flow::StoredGrant;
use crate::uri::{Issuer, ResourceId};

/// Grants in the order in which they were signed in to or renewed, and the last version that was given.
#[derive(Debug, Clone, Default)]
pub(super) struct Grants {
    /// It only grows, also where the grant that had it is gone.
    pub(super) last: u64,
    pub(super) kept: Vec<Kept>,
}

impl Grants {
    pub(super) fn find(&self, server_url: &str) -> Option<&Kept> {
        let covers = |kept: &&Kept| kept.grant.resource.covers(server_url);
        self.kept.iter().rev().find(covers)
    }

    pub(super) fn load(&self, resource: &ResourceId, issuer: &Issuer) -> Option<&Kept> {
        self.kept.iter().find(|kept| is_of(kept, resource, issuer))
    }

    /// Writes, if the version is still the one that was read.
    pub(super) fn write(
        &mut self,
        read: Option<Version>,
        grant: &StoredGrant,
        standing: Standing,
    ) -> Option<Version> {
        let (resource, issuer) = (&grant.resource, &grant.issuer);
        if self.load(resource, issuer).map(|kept| kept.version) != read {
            return None;
        }
        self.last = self.last.saturating_add(1);
        let version = Version(self.last);
        // Who only takes a lease has not signed in: the order stays.
        let stays = matches!(standing, Standing::Renewing(_) | Standing::Ended);
        let place = self
            .kept
            .iter()
            .position(|kept| is_of(kept, resource, issuer));
        let new = Kept {
            version,
            grant: grant.clone(),
            standing,
        };
        match place.and_then(|place| self.kept.get_mut(place)) {
            Some(old) if stays => *old = new,
            _ => {
                self.kept.retain(|kept| !is_of(kept, resource, issuer));
                self.kept.push(new);
            }
        }
        if self.kept.len() > MAX_GRANTS {
            self.make_room();
        }
        Some(version)
    }

    /// Forgets the oldest grant but the one just written, one that is being renewed only if there is no other; says
    /// whether there was any.
    pub(super) fn make_room(&mut self) -> bool {
        let last = self.last;
        let other = |kept: &Kept| kept.version.0 != last;
        let idle = |kept: &Kept| other(kept) && !matches!(kept.standing, Standing::Renewing(_));
        let place = self.kept.iter().position(idle);
        let place = place.or_else(|| self.kept.iter().position(other));
        place.map(|place| self.kept.remove(place)).is_some()
    }

    /// Forgets, if the version is still the one that was read.
    pub(super) fn remove(&mut self, resource: &ResourceId, issuer: &Issuer, read: Version) -> bool {
        let before = self.kept.len();
        self.kept
            .retain(|kept| !is_of(kept, resource, issuer) || kept.version != read);
        self.kept.len() < before
    }
}

fn is_of(kept: &Kept, resource: &ResourceId, issuer: &Issuer) -> bool {
    kept.grant.resource == *resource && kept.grant.issuer == *issuer
}
