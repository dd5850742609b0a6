//! What each operation needs, as data, and which scopes cover which.

use std::collections::HashMap;

use oauth_rs::scope::{InvalidScope, ScopeSet};

use crate::scope::Requirement;

/// What operations need, by names that the caller chooses: routes, methods, tools.
///
/// ```
/// use resource_guard::{Operations, Requirement};
///
/// let operations = Operations::new([
///     ("notes.list", Requirement::any_of(["notes:read"]).unwrap()),
///     ("notes.add", Requirement::any_of(["notes:write"]).unwrap()),
/// ])
/// .unwrap();
/// assert!(operations.requirement("notes.add").is_some());
/// // What nobody has thought of is open to nobody.
/// assert!(operations.requirement("notes.drop").is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Operations(HashMap<String, Requirement>);

/// An operation that is there twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("operation {0:?} is there twice; merge the two requirements with or")]
pub struct OperationTwice(pub String);

impl Operations {
    /// A table of operations.
    ///
    /// # Errors
    /// An operation is there twice: which requirement holds would depend on the order.
    pub fn new<N: Into<String>>(
        rows: impl IntoIterator<Item = (N, Requirement)>,
    ) -> Result<Self, OperationTwice> {
        let mut needs = HashMap::new();
        for (name, requirement) in rows {
            let name = name.into();
            if needs.insert(name.clone(), requirement).is_some() {
                return Err(OperationTwice(name));
            }
        }
        Ok(Self(needs))
    }

    /// What an operation needs; `None` if it is not in the table.
    pub fn requirement(&self, operation: &str) -> Option<&Requirement> {
        self.0.get(operation)
    }
}

/// Scopes that stand for others: a coarse one covers fine ones.
///
/// ```
/// use oauth_rs::scope::ScopeSet;
/// use resource_guard::Hierarchy;
///
/// let hierarchy = Hierarchy::new([
///     ("files", ["files.read", "files.write"].as_slice()),
///     ("everything", &["files"]),
/// ])
/// .unwrap();
/// let granted = hierarchy.expand(&ScopeSet::parse("everything").unwrap());
/// assert!(granted.contains("files.write"));
/// // A fine scope covers nothing above it.
/// assert!(!hierarchy.expand(&ScopeSet::parse("files.read").unwrap()).contains("files"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Hierarchy {
    /// Each coarse scope with everything below it.
    covers: Vec<(String, ScopeSet)>,
}

impl Hierarchy {
    /// Each coarse scope with those that it covers, and what those cover in turn.
    ///
    /// # Errors
    /// A text is not a scope token, or a scope covers more than a set may hold.
    pub fn new<'a>(
        rows: impl IntoIterator<Item = (&'a str, &'a [&'a str])>,
    ) -> Result<Self, InvalidScope> {
        let mut covers = Vec::new();
        for (coarse, fine) in rows {
            ScopeSet::from_tokens([coarse])?;
            covers.push((coarse.to_owned(), ScopeSet::from_tokens(fine)?));
        }
        let mut hierarchy = Self { covers };
        // Each round reaches one level further down, and there are no more levels than rows.
        for _ in 0..hierarchy.covers.len() {
            let one_level = hierarchy.clone();
            for (_, fine) in &mut hierarchy.covers {
                *fine = ScopeSet::from_tokens(one_level.expand(fine).iter())?;
            }
        }
        Ok(hierarchy)
    }

    /// The scopes, and all that they cover.
    pub fn expand(&self, granted: &ScopeSet) -> ScopeSet {
        let covered = self.below(granted);
        covered.fold(granted.clone(), |all, fine| all.union(fine))
    }

    /// Whether [`expand`](Self::expand) would have this scope; nothing is put together for it.
    pub(crate) fn covers(&self, granted: &ScopeSet, scope: &str) -> bool {
        granted.contains(scope) || self.below(granted).any(|fine| fine.contains(scope))
    }

    /// What the coarse ones among these scopes cover.
    fn below(&self, granted: &ScopeSet) -> impl Iterator<Item = &ScopeSet> {
        let covering = self.covers.iter();
        let covering = covering.filter(|(coarse, _)| granted.contains(coarse));
        covering.map(|(_, fine)| fine)
    }
}

/// What the role of a person allows, whatever the token says.
///
/// A token never allows more than its subject may do: what is granted counts as far as the role goes.
#[derive(Clone, Copy, Debug)]
pub enum Role<'a> {
    /// There are no roles here.
    Unlimited,
    /// These scopes and what they cover.
    May(&'a ScopeSet),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_comes_once() {
        let row = || ("a", Requirement::nothing());
        assert!(Operations::new([row()]).is_ok());
        let twice = Operations::new([row(), row()]).unwrap_err();
        assert_eq!(twice, OperationTwice("a".to_owned()));
    }

    #[test]
    fn coarse_scopes_cover_what_is_below_them_at_any_depth() {
        // The order of the rows makes no difference, and a circle ends.
        let hierarchy = Hierarchy::new([
            ("a", ["b"].as_slice()),
            ("b", &["c", "d"]),
            ("d", &["e"]),
            ("x", &["y"]),
            ("y", &["x"]),
        ])
        .unwrap();
        for (granted, expected) in [
            ("a", "a b c d e"),
            ("b", "b c d e"),
            ("d z", "d z e"),
            ("c", "c"),
            ("x", "x y"),
            ("", ""),
        ] {
            let expanded = hierarchy.expand(&ScopeSet::parse(granted).unwrap());
            assert_eq!(expanded, ScopeSet::parse(expected).unwrap(), "{granted}");
            for scope in ["a", "b", "c", "d", "e", "x", "y", "z"] {
                let is_covered = hierarchy.covers(&ScopeSet::parse(granted).unwrap(), scope);
                assert_eq!(is_covered, expanded.contains(scope), "{granted} {scope}");
            }
        }
    }

    #[test]
    fn a_text_that_is_not_a_scope_is_refused() {
        for (coarse, fine) in [("a b", "c"), ("a", "b c"), ("", "c"), ("a", "")] {
            let hierarchy = Hierarchy::new([(coarse, [fine].as_slice())]);
            assert!(hierarchy.is_err(), "{coarse:?} {fine:?}");
        }
    }
}
