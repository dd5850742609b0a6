//! What an operation needs: sets of scopes, of which one is enough.

use oauth_rs::scope::{InvalidScope, ScopeSet};

/// The scopes that an operation needs: one or more alternatives, each a set that must be granted
/// as a whole.
///
/// ```
/// use oauth_rs::scope::ScopeSet;
/// use resource_guard::Requirement;
///
/// let either = Requirement::any_of(["doc:read", "doc:write"]).unwrap();
/// let both = Requirement::all_of(["doc:read", "doc:write"]).unwrap();
/// let granted = ScopeSet::parse("doc:write").unwrap();
/// assert!(either.is_met_by(&granted));
/// assert!(!both.is_met_by(&granted));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    alternatives: Vec<ScopeSet>,
}

impl Requirement {
    /// Nothing beyond a valid token.
    pub fn nothing() -> Self {
        Self {
            alternatives: Vec::new(),
        }
    }

    /// Any one of these scopes; the first is the one a client is told to ask for.
    ///
    /// # Errors
    /// A text is not a scope token, or there is none: that would be met by every token, which
    /// [`nothing`](Self::nothing) says aloud.
    pub fn any_of<I>(scopes: I) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let one = |scope: I::Item| ScopeSet::from_tokens([scope]);
        let alternatives: Vec<_> = scopes.into_iter().map(one).collect::<Result<_, _>>()?;
        if alternatives.is_empty() {
            return Err(InvalidScope::Empty);
        }
        Ok(Self { alternatives })
    }

    /// All of these scopes.
    ///
    /// # Errors
    /// A text is not a scope token, or there are too many or none.
    pub fn all_of<I>(scopes: I) -> Result<Self, InvalidScope>
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        let all = ScopeSet::from_tokens(scopes)?;
        if all.is_empty() {
            return Err(InvalidScope::Empty);
        }
        Ok(Self {
            alternatives: vec![all],
        })
    }

    /// This requirement or the other; this one's alternatives come first.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.alternatives.extend(other.alternatives);
        self
    }

    /// Whether one alternative is granted as a whole, or nothing is needed.
    pub fn is_met_by(&self, granted: &ScopeSet) -> bool {
        self.is_met(|scope| granted.contains(scope))
    }

    /// The same, where a scope counts as granted if `granted` says so.
    pub(crate) fn is_met(&self, granted: impl Fn(&str) -> bool) -> bool {
        self.alternatives.is_empty() || self.met(granted).is_some()
    }

    /// The first alternative of which every scope is granted.
    fn met(&self, granted: impl Fn(&str) -> bool) -> Option<&ScopeSet> {
        let mut alternatives = self.alternatives.iter();
        alternatives.find(|set| set.iter().all(&granted))
    }

    /// The scopes that a client is told to ask for: all of the first alternative.
    // MCP 2026-07-28, authorization: one challenge names every scope that the operation needs.
    pub fn to_ask_for(&self) -> ScopeSet {
        self.alternatives.first().cloned().unwrap_or_default()
    }

    /// The same, of the alternatives that a role allows as a whole.
    pub(crate) fn to_ask_for_within(&self, role: impl Fn(&str) -> bool) -> ScopeSet {
        self.met(role).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(requirement: &Requirement, granted: &str) -> bool {
        requirement.is_met_by(&ScopeSet::parse(granted).unwrap())
    }

    #[test]
    fn one_alternative_is_enough_and_must_be_whole() {
        let requirement = Requirement::all_of(["a", "b"])
            .unwrap()
            .or(Requirement::any_of(["c"]).unwrap());
        for (granted, expected) in [
            ("a b", true),
            ("b x a", true),
            ("c", true),
            ("a", false),
            ("b", false),
            ("", false),
            ("C", false),
        ] {
            assert_eq!(met(&requirement, granted), expected, "{granted:?}");
        }
        assert_eq!(requirement.to_ask_for().to_string(), "a b");
    }

    #[test]
    fn nothing_is_met_by_every_token() {
        assert!(met(&Requirement::nothing(), ""));
        assert!(Requirement::nothing().to_ask_for().is_empty());
    }

    #[test]
    fn a_list_without_a_scope_is_not_met_by_every_token() {
        let none: [&str; 0] = [];
        assert_eq!(Requirement::any_of(none), Err(InvalidScope::Empty));
        assert_eq!(Requirement::all_of(none), Err(InvalidScope::Empty));
    }

    #[test]
    fn a_text_that_is_not_a_scope_is_refused() {
        assert_eq!(
            Requirement::any_of(["a b"]),
            Err(InvalidScope::Character(' '))
        );
        assert_eq!(Requirement::all_of([""]), Err(InvalidScope::Empty));
    }
}
