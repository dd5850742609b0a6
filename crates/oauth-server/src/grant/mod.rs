//! The grants of the token endpoint, and how one ends.

pub(crate) mod authorization_code;
pub(crate) mod refresh_token;

#[cfg(test)]
mod tests;

use crate::decision::{Decision, Found, Present};
use crate::event::Event;
use crate::record::Grant;

/// Ends a grant, unless it has ended before.
pub(crate) fn end<T>(
    decision: Decision<T>,
    present: &Present<'_>,
    grant: &Found<Grant>,
) -> Decision<T> {
    if grant.record.revoked_at.is_some() {
        return decision;
    }
    let ended = Grant {
        revoked_at: Some(present.now),
        ..grant.record.clone()
    };
    // No token of the grant was issued after this moment, so none outlives it by more than its lifetime.
    let access_tokens_until = present.now.after(present.config.lifetimes.access_token);
    decision
        .with(grant.replaced_by(ended))
        .telling(Event::GrantRevoked {
            grant_id: grant.key.id().to_owned(),
            access_tokens_until,
        })
}
