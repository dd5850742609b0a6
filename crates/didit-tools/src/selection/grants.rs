//! What a caller's token allows.

use super::set::{SETS, ToolSet};

/// What a caller's token allows, as far as the tools ask for it.
///
/// Two tokens that open the same tools are equal, whatever else is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Grants {
    /// What the scopes open; none is everything.
    scopes: Option<ToolSet>,
    /// What the permissions of a role allow, for a token that carries any.
    permissions: Option<ToolSet>,
}

impl Grants {
    /// Whatever there is: where somebody else has decided, or there is no token.
    pub const EVERYTHING: Self = Self {
        scopes: None,
        permissions: None,
    };

    /// What these words of a token stand for: scopes (`didit:verification`, `didit.session.list`) and permissions of the
    /// person's role in the organisation of the token (`write:sessions`).
    ///
    /// A token without any permission is of an issuer that leaves it to the role, which Didit checks.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scopes = ToolSet::default();
        let mut permissions = None;
        for word in words {
            if let Some(opened) = SETS.by_scope.get(word) {
                scopes = scopes.or(*opened);
            } else if is_permission(word) {
                let allowed = SETS.by_permission.get(word).copied().unwrap_or_default();
                permissions = Some(permissions.unwrap_or(SETS.permitted).or(allowed));
            }
        }
        Self {
            scopes: Some(scopes),
            permissions,
        }
    }

    pub(super) fn scopes(self) -> Option<ToolSet> {
        self.scopes
    }

    pub(super) fn permissions(self) -> Option<ToolSet> {
        self.permissions
    }
}

/// Whether a word is a permission of a role: `write:sessions`.
fn is_permission(word: &str) -> bool {
    let verbs = ["read", "write", "delete", "list", "create", "approve"];
    word.split_once(':').is_some_and(|(verb, object)| {
        let is_word = object
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        verbs.contains(&verb) && is_word && !object.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_are_told_from_scopes() {
        for permission in ["read:sessions", "approve:api-keys", "list:a"] {
            assert!(is_permission(permission), "{permission}");
        }
        for scope in [
            "didit:management",
            "read",
            "read:",
            "read:Sessions",
            "own:sessions",
            "openid",
        ] {
            assert!(!is_permission(scope), "{scope}");
        }
    }

    #[test]
    fn words_that_open_the_same_are_equal() {
        let of = |words: &str| Grants::of(words.split(' '));
        assert_eq!(of("didit:management openid x"), of("didit:management"));
        assert_ne!(of("didit:management"), of("didit:verification"));
        assert_ne!(of("didit:management read:sessions"), of("didit:management"));
        // A permission that no tool asks for is one all the same: the token carries permissions.
        let odd = of("didit:management approve:nothing");
        assert_eq!(odd.permissions(), Some(SETS.permitted));
        assert_eq!(of("openid"), of(""));
        assert_ne!(of(""), Grants::EVERYTHING);
    }
}
