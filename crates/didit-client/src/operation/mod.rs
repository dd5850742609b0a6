//! The rows: one per operation of the API, as plain data.

mod account;
mod case;
mod list;
mod report;
mod session;
mod transaction;
mod vendor;
mod webhook;
mod workflow;

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
    /// Whether it may be sent again when it is not known whether it arrived.
    pub repeatable: bool,
    /// The fields of its JSON body; empty when it has no body.
    pub body: &'static [&'static str],
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
    /// Whether sending it twice does no more than sending it once: reads, and the rows that say so.
    pub fn may_be_repeated(&self) -> bool {
        self.repeatable || self.method == Verb::Get
    }

    /// Whether its body is a form.
    pub fn is_form(&self) -> bool {
        !self.form.is_empty() || !self.files.is_empty()
    }
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
        repeatable: false,
        query: &[],
        body: &[],
        form: &[],
        files: &[],
        headers: &[],
        credential: CredentialKind::Bearer,
        permission: None,
        mask: Mask::Nothing,
    }
}

impl Operation {
    const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }

    const fn body(mut self, names: &'static [&'static str]) -> Self {
        self.body = names;
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

const AREAS: &[&[Operation]] = &[
    account::ROWS,
    session::ROWS,
    workflow::ROWS,
    vendor::ROWS,
    case::ROWS,
    transaction::ROWS,
    report::ROWS,
    webhook::ROWS,
    list::ROWS,
];

/// All rows, area by area.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    AREAS.iter().flat_map(|area| area.iter())
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
    fn names_are_unique_and_start_with_their_area() {
        let mut seen = HashSet::new();
        for operation in all() {
            assert!(seen.insert(operation.name), "{} twice", operation.name);
            assert!(operation.name.contains('.'), "{}", operation.name);
            assert!(std::ptr::eq(find(operation.name).unwrap(), operation));
        }
        assert_eq!(seen.len(), 22);
        assert!(find("session.nothing").is_none());
    }

    #[test]
    fn paths_start_and_end_with_a_slash() {
        for operation in all() {
            assert!(operation.path.starts_with('/'), "{}", operation.name);
            assert!(operation.path.ends_with('/'), "{}", operation.name);
            assert!(!operation.path.contains("//"), "{}", operation.name);
        }
    }

    #[test]
    fn only_what_writes_has_a_body() {
        for operation in all() {
            if matches!(operation.method, Verb::Get | Verb::Delete) {
                assert!(operation.body.is_empty(), "{}", operation.name);
            } else {
                assert!(!operation.body.is_empty(), "{}", operation.name);
                assert!(operation.query.is_empty(), "{}", operation.name);
            }
        }
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
