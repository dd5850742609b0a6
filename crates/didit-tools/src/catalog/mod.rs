//! The rows: one per tool, as plain data.

mod account;
mod case;
mod list;
mod report;
mod session;
mod transaction;
mod vendor;
mod webhook;
mod workflow;

use crate::schema::Argument;

/// One tool.
///
/// How an argument travels follows from the row of its operation: a name in braces of the path, a query parameter or a body field of the same name.
/// `organization_id` and `application_id` fill `{org}` and `{app}`; what the operation does not name stays here.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) category: &'static str,
    /// What it does, for a model.
    pub(crate) says: &'static str,
    pub(crate) effect: Effect,
    pub(crate) open_world: bool,
    /// OAuth scopes; any one of them is enough.
    pub(crate) scopes: &'static [&'static str],
    /// What Didit asks of the person's role, to name the roles when it refuses.
    pub(crate) permission: Option<&'static str>,
    pub(crate) arguments: &'static [Argument],
    /// The argument that must be true, and what it agrees to.
    pub(crate) confirm: Option<(&'static str, &'static str)>,
    /// Arguments that may hold an address which Didit will fetch.
    pub(crate) fetched: &'static [&'static str],
    pub(crate) run: Run,
}

/// What a tool does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Read,
    Write,
    Destroy,
}

/// How a tool is run; operations by their name in `didit_client::operation`.
#[derive(Debug)]
pub(crate) enum Run {
    /// The map of organisations and applications.
    Context,
    /// One call.
    One(&'static str),
    /// One call when the place is known, else the same question in many places.
    Span(Span),
    /// Counts summed over applications.
    Analytics(&'static str),
}

/// A question that can be asked in many places.
#[derive(Debug)]
pub(crate) struct Span {
    /// The operation in one application.
    pub(crate) application: &'static str,
    /// The operation for a whole organisation, if there is one.
    pub(crate) organization: Option<&'static str>,
    pub(crate) style: Style,
    pub(crate) order: Order,
    pub(crate) limit: u64,
}

/// Whether a question is for one place or for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For one application; across several only when the place is not known.
    List,
    /// Across all, unless both ids are given.
    Search,
}

/// What merged rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    AsTheyCame,
}

const MANAGEMENT: &[&str] = &["didit:management"];
const VERIFICATION: &[&str] = &["didit:verification"];
const EITHER: &[&str] = &["didit:management", "didit:verification"];

const ORGANIZATION: Argument = Argument::text(
    "organization_id",
    "Id of the organisation. Leave it out when there is only one; didit_context_get lists them.",
);
const APPLICATION: Argument = Argument::text(
    "application_id",
    "Id of the application. Leave it out when the organisation has only one; didit_context_get lists them.",
);
/// In searches, the ids narrow and are not needed.
const ONLY_ORGANIZATION: Argument = Argument::text(
    "organization_id",
    "Look in this organisation only; without it in all. didit_context_get lists them.",
);
const ONLY_APPLICATION: Argument = Argument::text(
    "application_id",
    "Look in this application only; without it in all. didit_context_get lists them.",
);
const FIRST_DAY: Argument = Argument::text("date_from", "First day (UTC), as YYYY-MM-DD.");
const LAST_DAY: Argument = Argument::text("date_to", "Last day (UTC), as YYYY-MM-DD.");
const DATE_FROM: Argument = Argument::text(
    "date_from",
    "First day (UTC), as YYYY-MM-DD. Wins over last_n_days.",
);
const DATE_TO: Argument = Argument::text(
    "date_to",
    "Last day (UTC), as YYYY-MM-DD. Wins over last_n_days.",
);
const LAST_N_DAYS: Argument = Argument::number(
    "last_n_days",
    "The last days up to today (UTC), such as 7, instead of two dates.",
);
const LIMIT: Argument = Argument::count_text(
    "limit",
    "How many rows, as text, such as \"20\"; 200 at most.",
);
const OFFSET: Argument = Argument::count_text(
    "offset",
    "How many rows to skip, as text, for the next page; works within one application only.",
);
const SEARCH_LIMIT: Argument = Argument::number(
    "limit",
    "How many rows at most: 20 unless said, held to 1 to 200.",
);

const fn tool(
    name: &'static str,
    title: &'static str,
    category: &'static str,
    scopes: &'static [&'static str],
    run: Run,
) -> Tool {
    Tool {
        name,
        title,
        category,
        says: "",
        effect: Effect::Read,
        open_world: false,
        scopes,
        permission: None,
        arguments: &[],
        confirm: None,
        fetched: &[],
        run,
    }
}

const fn span(application: &'static str, organization: Option<&'static str>, style: Style) -> Run {
    let order = Order::NewestFirst;
    Run::Span(Span {
        application,
        organization,
        style,
        order,
        limit: 20,
    })
}

impl Tool {
    /// The argument of this name.
    pub(crate) fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    const fn says(mut self, says: &'static str) -> Self {
        self.says = says;
        self
    }

    const fn takes(mut self, arguments: &'static [Argument]) -> Self {
        self.arguments = arguments;
        self
    }

    const fn needs(mut self, permission: &'static str) -> Self {
        self.permission = Some(permission);
        self
    }

    const fn writes(mut self) -> Self {
        self.effect = Effect::Write;
        self
    }

    const fn destroys(mut self) -> Self {
        self.effect = Effect::Destroy;
        self
    }

    const fn reaches_people(mut self) -> Self {
        self.open_world = true;
        self
    }

    const fn confirmed(mut self, argument: &'static str, what: &'static str) -> Self {
        self.confirm = Some((argument, what));
        self
    }

    const fn fetches(mut self, arguments: &'static [&'static str]) -> Self {
        self.fetched = arguments;
        self
    }
}

const AREAS: &[&[Tool]] = &[
    account::TOOLS,
    session::TOOLS,
    workflow::TOOLS,
    vendor::TOOLS,
    case::TOOLS,
    transaction::TOOLS,
    report::TOOLS,
    webhook::TOOLS,
    list::TOOLS,
];

/// All rows, area by area.
pub(crate) fn all() -> impl Iterator<Item = &'static Tool> {
    AREAS.iter().flat_map(|area| area.iter())
}

/// The row with this name.
pub(crate) fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name)
}

/// The names of all tools, in the order in which they are listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|tool| tool.name)
}

/// The OAuth scopes of a tool, any one of which is enough; `None` for a tool that does not exist.
pub fn oauth_scopes(name: &str) -> Option<&'static [&'static str]> {
    find(name).map(|tool| tool.scopes)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use didit_client::Operation;

    use super::*;
    use crate::acting::row;

    /// The operations of a tool.
    fn operations(tool: &Tool) -> Vec<&'static Operation> {
        let names = match &tool.run {
            Run::Context => vec!["organization.list", "organization.applications"],
            Run::One(name) | Run::Analytics(name) => vec![*name],
            Run::Span(span) => [Some(span.application), span.organization]
                .into_iter()
                .flatten()
                .collect(),
        };
        names.into_iter().map(|name| row(name).unwrap()).collect()
    }

    #[test]
    fn names_are_unique_and_found() {
        let mut seen = HashSet::new();
        for tool in all() {
            assert!(seen.insert(tool.name), "{} twice", tool.name);
            assert!(std::ptr::eq(find(tool.name).unwrap(), tool));
        }
    }

    #[test]
    fn every_argument_is_used() {
        const OURS: &[&str] = &[
            "organization_id",
            "application_id",
            "last_n_days",
            "include_timeseries",
            "include_age_assurance",
        ];
        for tool in all() {
            for argument in tool.arguments {
                let name = argument.name;
                let travels = operations(tool).iter().any(|operation| {
                    operation.query.contains(&name)
                        || operation.body.contains(&name)
                        || operation.parts().any(|part| part == name)
                });
                let confirms = tool.confirm.is_some_and(|(argument, _)| argument == name);
                assert!(
                    travels || confirms || OURS.contains(&name),
                    "{} {name}",
                    tool.name
                );
            }
        }
    }

    #[test]
    fn every_path_part_is_a_required_argument_or_a_place() {
        for tool in all() {
            for operation in operations(tool) {
                for part in operation
                    .parts()
                    .filter(|part| !matches!(*part, "org" | "app"))
                {
                    assert!(
                        tool.arguments
                            .iter()
                            .any(|argument| argument.name == part && argument.required),
                        "{} {part}",
                        tool.name
                    );
                }
            }
        }
    }

    #[test]
    fn roles_are_named_for_the_permission_that_didit_checks() {
        for tool in all() {
            for operation in operations(tool) {
                if let Some(permission) = operation.permission {
                    assert_eq!(tool.permission, Some(permission), "{}", tool.name);
                }
            }
        }
    }
}
