//! The rows: one per operation of the API, as plain data.
//!
//! They are generated from `operations/*.toml` of this crate by `cargo xtask codegen`; the page with all of them is `docs/crates/didit-operations.md`.

pub(crate) mod rows;

use http::Method;

pub use crate::api::Base;
use crate::api::{APPLICATION_HEADER, IDEMPOTENCY_KEY_HEADER};
pub use crate::credential::CredentialKind;
use crate::redact::Mask;

/// One operation of the Didit API.
///
/// Everything that a request needs is in the row: nothing about an operation is decided in code.
/// Names in braces in `path` are path parts, given by [`crate::Call::part`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Operation {
    /// Our name for it, area first: `session.create`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: Verb,
    /// The base address that `path` is appended to.
    pub base: Base,
    /// The path template; the slash at its end matters, a redirect would drop the credential.
    pub path: &'static str,
    /// The query parameters it understands.
    pub query: &'static [&'static str],
    /// What it does to the world.
    pub kind: Kind,
    /// The coarse OAuth scopes that it is part of, any one of which is enough.
    pub scopes: &'static [&'static str],
    /// The scope for this operation alone: `didit.` and its name.
    pub fine_scope: &'static str,
    /// Whether it may be sent again when it is not known whether it arrived: reads, and what does no more when it is done twice.
    pub repeatable: bool,
    /// What a person agrees to, as the end of a sentence; every destructive row says it.
    pub confirm: Option<&'static str>,
    /// The fields of its JSON body; empty when it has no body.
    pub body: &'static [&'static str],
    /// Whether its JSON body may have further fields.
    pub open: bool,
    /// The text fields of its form; a row has a JSON body or a form.
    pub form: &'static [&'static str],
    /// The file fields of its form.
    pub files: &'static [&'static str],
    /// The headers it takes beside the usual ones.
    pub headers: &'static [Extra],
    /// The kind of credential it takes.
    pub credential: CredentialKind,
    /// The permission that Didit checks for it, where that is known.
    pub permission: Option<&'static str>,
    /// What is masked in its successful answer.
    pub mask: Mask,
}

impl Operation {
    /// The names in braces in the path, in order.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl Operation {
    /// Whether its body is a form.
    pub fn is_form(&self) -> bool {
        !self.form.is_empty() || !self.files.is_empty()
    }
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Changes nothing.
    Read,
    /// Adds or changes something.
    Write,
    /// Removes something, or changes what others rely on.
    Destructive,
}

/// A header that only some operations take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extra {
    /// The application, where the path does not name it.
    Application,
    /// A key under which the call takes effect once.
    IdempotencyKey,
}

impl Extra {
    /// The header's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => APPLICATION_HEADER,
            Self::IdempotencyKey => IDEMPOTENCY_KEY_HEADER,
        }
    }
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Verb {
    /// The method as the `http` crate names it.
    pub fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

/// A row with the commonest values, changed by the methods below.
pub(crate) const fn row(
    name: &'static str,
    method: Verb,
    base: Base,
    path: &'static str,
) -> Operation {
    Operation {
        name,
        method,
        base,
        path,
        kind: Kind::Read,
        scopes: &[],
        fine_scope: "",
        repeatable: false,
        confirm: None,
        query: &[],
        body: &[],
        open: false,
        form: &[],
        files: &[],
        headers: &[],
        credential: CredentialKind::Bearer,
        permission: None,
        mask: Mask::Nothing,
    }
}

impl Operation {
    const fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    const fn fine_scope(mut self, fine_scope: &'static str) -> Self {
        self.fine_scope = fine_scope;
        self
    }

    const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    const fn confirm(mut self, what: &'static str) -> Self {
        self.confirm = Some(what);
        self
    }

    const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    const fn body(mut self, names: &'static [&'static str]) -> Self {
        self.body = names;
        self
    }

    const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    const fn form(mut self, names: &'static [&'static str]) -> Self {
        self.form = names;
        self
    }

    const fn files(mut self, names: &'static [&'static str]) -> Self {
        self.files = names;
        self
    }

    const fn headers(mut self, headers: &'static [Extra]) -> Self {
        self.headers = headers;
        self
    }

    const fn credential(mut self, kind: CredentialKind) -> Self {
        self.credential = kind;
        self
    }

    const fn permission(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    const fn mask(mut self, mask: Mask) -> Self {
        self.mask = mask;
        self
    }
}

/// All rows, area by area.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    rows::AREAS.iter().flat_map(|area| area.iter().copied())
}

/// The row with this name.
pub fn find(name: &str) -> Option<&'static Operation> {
    all().find(|operation| operation.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_fine_scopes_are_unique_and_start_with_their_area() {
        let mut seen = HashSet::new();
        for operation in all() {
            assert!(seen.insert(operation.name), "{} twice", operation.name);
            assert!(seen.insert(operation.fine_scope), "{}", operation.name);
            assert_eq!(operation.fine_scope, format!("didit.{}", operation.name));
            assert_eq!(operation.name.matches('.').count(), 1, "{}", operation.name);
            assert!(std::ptr::eq(find(operation.name).unwrap(), operation));
        }
        assert_eq!(seen.len(), 2 * (158 + 48));
        assert!(find("session.nothing").is_none());
    }

    #[test]
    fn only_the_four_known_paths_have_no_slash_at_the_end() {
        let mut without = Vec::new();
        for operation in all() {
            assert!(operation.path.starts_with('/'), "{}", operation.name);
            assert!(!operation.path.contains("//"), "{}", operation.name);
            if !operation.path.ends_with('/') {
                without.push(operation.name);
            }
        }
        assert_eq!(
            without,
            [
                "organization.update_member",
                "organization.remove_member",
                "session.resend_webhook",
                "rest.session_pdf",
            ]
        );
    }

    #[test]
    fn a_get_has_no_body_and_a_body_is_json_or_a_form() {
        for operation in all() {
            let json = !operation.body.is_empty() || operation.open;
            assert!(!(json && operation.is_form()), "{}", operation.name);
            if operation.method == Verb::Get {
                assert!(!json && !operation.is_form(), "{}", operation.name);
            } else {
                assert!(operation.query.is_empty(), "{}", operation.name);
            }
        }
    }

    #[test]
    fn what_is_destructive_says_what_is_agreed_to() {
        for operation in all() {
            let destructive = operation.kind == Kind::Destructive;
            assert_eq!(
                destructive,
                operation.confirm.is_some(),
                "{}",
                operation.name
            );
        }
    }

    #[test]
    fn what_changes_something_is_not_repeated_unless_it_may_be() {
        let changes: Vec<&str> = all()
            .filter(|one| one.repeatable && one.kind != Kind::Read)
            .map(|one| one.name)
            .collect();
        assert_eq!(
            changes,
            [
                "organization.reveal_key",
                "session.delete",
                "session.pdf",
                "rest.session_delete"
            ]
        );
        let mut reads = all().filter(|one| one.kind == Kind::Read);
        assert!(reads.all(|one| one.repeatable));
    }

    #[test]
    fn the_area_says_which_credential_is_taken_and_only_a_persons_token_has_scopes() {
        for operation in all() {
            let (area, _) = operation.name.split_once('.').unwrap();
            let takes = match area {
                "account" => CredentialKind::Nobody,
                "rest" => CredentialKind::ApiKey,
                _ => CredentialKind::Bearer,
            };
            assert_eq!(operation.credential, takes, "{}", operation.name);
            let token = takes == CredentialKind::Bearer;
            assert_eq!(token, !operation.scopes.is_empty(), "{}", operation.name);
        }
    }

    #[test]
    fn what_takes_a_key_names_no_place_and_asks_for_no_role() {
        let with_key = || all().filter(|one| one.credential == CredentialKind::ApiKey);
        // The key belongs to one application, so that a path through another one would be a mistake.
        for operation in with_key() {
            assert_eq!(operation.base, Base::Api, "{}", operation.name);
            assert!(
                !operation.parts().any(|part| part == "org" || part == "app"),
                "{}",
                operation.name
            );
            assert_eq!(operation.permission, None, "{}", operation.name);
        }
        let once: Vec<&str> = all()
            .filter(|one| one.headers.contains(&Extra::IdempotencyKey))
            .map(|one| one.name)
            .collect();
        assert_eq!(once, ["rest.aml"]);
    }

    #[test]
    fn permissions_have_the_documented_form() {
        for operation in all() {
            let Some((verb, object)) = operation.permission.and_then(|text| text.split_once(':'))
            else {
                assert_eq!(operation.permission, None);
                continue;
            };
            assert!(["read", "write", "delete", "list", "create", "approve"].contains(&verb));
            assert!(object.chars().all(|c| c.is_ascii_lowercase() || c == '-'));
        }
    }

    #[test]
    fn parts_are_read_from_the_template() {
        let row = find("workflow.get").unwrap();
        assert_eq!(
            row.parts().collect::<Vec<_>>(),
            ["org", "app", "workflow_id"]
        );
    }
}
