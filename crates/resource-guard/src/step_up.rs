//! How and when a person has to have signed in for an operation (RFC 9470).

use std::time::Duration;

use oauth_rs::scope::{InvalidScope, ScopeSet};
use oauth_rs::time::UnixSeconds;

use crate::principal::Identity;
use crate::reason::Reason;

/// What a sensitive operation asks of the sign-in behind a token.
///
/// ```
/// use std::time::Duration;
/// use resource_guard::StepUp;
///
/// let strong = StepUp::to_any_of(["urn:example:mfa", "urn:example:hardware"])
///     .unwrap()
///     .within(Duration::from_secs(300));
/// let recent = StepUp::recent(Duration::from_secs(60));
/// assert_ne!(strong, recent);
/// ```
///
/// Specification: RFC 9470 sections 3 and 6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    acr_values: Vec<String>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// A sign-in by one of these context classes, the preferred one first; they are compared
    /// exactly.
    ///
    /// # Errors
    /// There is none, or one that a challenge cannot hold: it is empty or has a space, a quote, a
    /// backslash or anything outside ASCII.
    pub fn to_any_of<I>(acr_values: I) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        // RFC 9470 section 3: values are separated by spaces, as scopes are.
        let values = ScopeSet::from_tokens(acr_values)?;
        if values.is_empty() {
            return Err(InvalidScope::Empty);
        }
        Ok(Self {
            acr_values: values.iter().map(str::to_owned).collect(),
            max_age: None,
        })
    }

    /// A sign-in of whatever kind, so long ago at most.
    pub fn recent(max_age: Duration) -> Self {
        Self {
            acr_values: Vec::new(),
            max_age: Some(max_age),
        }
    }

    /// The same, and so long ago at most; whole seconds count.
    #[must_use]
    pub fn within(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Whether the sign-in is enough; a token that does not say how or when is not.
    pub(crate) fn check(
        &self,
        who: &Identity,
        now: UnixSeconds,
        skew: Duration,
    ) -> Result<(), Reason> {
        let age = who.auth_time.map(|at| now.since(at));
        let is_strong = self.acr_values.is_empty()
            || who
                .acr
                .as_ref()
                .is_some_and(|acr| self.acr_values.contains(acr));
        let is_recent = self
            .max_age
            .is_none_or(|most| age.is_some_and(|age| age <= most.saturating_add(skew)));
        if is_strong && is_recent {
            return Ok(());
        }
        Err(Reason::InsufficientAuthentication {
            acr_values: self.acr_values.clone(),
            max_age: self.max_age,
            acr: who.acr.as_deref().map(crate::reason::shortened),
            age,
        })
    }
}
