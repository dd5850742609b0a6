//! What an issuer said of a token that it was asked about.

use std::sync::OnceLock;

use oauth_rs::introspection::Introspection;

use crate::memory::Known;

/// An issuer's answer about one token, and what the first guard that granted the token has made of it.
///
/// Keep it for as long as the answer counts, and hand it out for each request with the same token: the
/// claims are then read once. Time, scheme, binding and proof are looked at for each request.
///
/// ```
/// use oauth_rs::introspection::Introspection;
/// use resource_guard::IssuerAnswer;
///
/// let answer = IssuerAnswer::from(Introspection::Inactive);
/// assert_eq!(answer.said(), &Introspection::Inactive);
/// ```
#[derive(Debug)]
pub struct IssuerAnswer {
    said: Introspection,
    known: OnceLock<(u64, Known)>,
}

impl From<Introspection> for IssuerAnswer {
    fn from(said: Introspection) -> Self {
        Self {
            said,
            known: OnceLock::new(),
        }
    }
}

impl IssuerAnswer {
    /// What was said.
    pub fn said(&self) -> &Introspection {
        &self.said
    }

    /// What this guard has made of it, if it was this one.
    pub(crate) fn known_to(&self, guard: u64) -> Option<&Known> {
        let (whose, known) = self.known.get()?;
        (*whose == guard).then_some(known)
    }

    /// Notes what a guard has made of it; of several guards the first has the advantage.
    pub(crate) fn note(&self, guard: u64, known: Known) {
        // Whoever came first has noted the same, or is another guard.
        let _is_noted = self.known.set((guard, known));
    }
}
