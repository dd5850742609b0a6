//! The rows: one per tool, as plain data.
//!
//! They are generated from the data beside `didit-client` by `cargo xtask codegen`.

mod rows;
mod search;
#[cfg(test)]
mod tests;

use didit_client::operation::Kind;

use crate::schema::Argument;
use crate::selection::today;
pub(crate) use search::SEARCH;

/// One tool.
///
/// How an argument travels follows from the row of its first operation: to a name in braces of the path, a query parameter, a body or form field of the same name, to each of them that the row has.
/// `organization_id` and `application_id` fill `{org}` and `{app}`; what the operation does not name stays here.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) category: &'static str,
    /// What it does, for a model.
    pub(crate) says: &'static str,
    pub(crate) kind: Kind,
    pub(crate) open_world: bool,
    /// OAuth scopes; any one of them is enough.
    pub(crate) scopes: &'static [&'static str],
    /// The scope for this tool, and what else runs its first operation, alone.
    pub(crate) fine_scope: &'static str,
    /// What Didit asks of the person's role, to name the roles when it refuses.
    pub(crate) permission: Option<&'static str>,
    pub(crate) toolsets: &'static [&'static str],
    /// Whether it is in the toolset `core` too.
    pub(crate) core: bool,
    pub(crate) visibility: Visibility,
    /// The operations that it runs; the first is the one that it is for.
    pub(crate) operations: &'static [&'static str],
    pub(crate) arguments: &'static [Argument],
    /// Whether arguments that are not listed go out as they are.
    pub(crate) open: bool,
    /// One of these must be given, as the schema says.
    pub(crate) any_of: &'static [&'static str],
    /// One of these must say something.
    pub(crate) one_given: &'static [&'static str],
    /// One of these must be given, and no other.
    pub(crate) exactly_one: &'static [&'static str],
    /// The argument whose members are the body.
    pub(crate) spreads: Option<&'static str>,
    /// Arguments that have another name on the wire; `name[]` is a list of one.
    pub(crate) sends: &'static [(&'static str, &'static str)],
    /// Arguments whose words are others on the wire.
    pub(crate) words: &'static [(&'static str, &'static [(&'static str, &'static str)])],
    pub(crate) uploads: &'static [Upload],
    pub(crate) confirm: Option<Confirm>,
    /// Arguments that are an address which Didit will fetch.
    pub(crate) fetches: &'static [&'static str],
    /// Arguments that may be one, or hold the data itself.
    pub(crate) fetches_or_holds: &'static [&'static str],
    /// A member of the answer that says true.
    pub(crate) marks: Option<&'static str>,
    pub(crate) run: Run,
}

/// Where a tool is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visibility {
    Everywhere,
    /// Over standard input and output alone: it is about credentials, or money.
    Stdio,
}

/// What must be agreed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confirm {
    /// The argument that must be true.
    pub(crate) argument: &'static str,
    /// The argument beside which it must be; without one, always.
    pub(crate) beside: Option<&'static str>,
}

/// A file among the arguments.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Its name on the wire.
    pub(crate) field: &'static str,
    pub(crate) path: &'static str,
    pub(crate) base64: &'static str,
    pub(crate) required: bool,
}

/// How a tool is run.
#[derive(Debug)]
pub(crate) enum Run {
    /// The first operation, once.
    One,
    /// The map of organisations and applications.
    Context,
    /// One call when the place is known, else the same question in many places.
    Span(Span),
    /// Counts summed over applications.
    Analytics,
    /// The first operation, once, for a file.
    Report,
    /// Code of its own, by name; see `crate::run`.
    Special(&'static str),
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

/// A row with the commonest values, changed by the methods below.
const fn tool(name: &'static str, title: &'static str, category: &'static str) -> Tool {
    Tool {
        name,
        title,
        category,
        says: "",
        kind: Kind::Read,
        open_world: false,
        scopes: &[],
        fine_scope: "",
        permission: None,
        toolsets: &[],
        core: false,
        visibility: Visibility::Everywhere,
        operations: &[],
        arguments: &[],
        open: false,
        any_of: &[],
        one_given: &[],
        exactly_one: &[],
        spreads: None,
        sends: &[],
        words: &[],
        uploads: &[],
        confirm: None,
        fetches: &[],
        fetches_or_holds: &[],
        marks: None,
        run: Run::One,
    }
}

/// Methods that set one value of a row.
macro_rules! set {
    ($($(#[$doc:meta])* $method:ident($name:ident: $kind:ty) => $field:ident = $value:expr;)*) => {
        impl Tool {
            $(
                const fn $method(mut self, $name: $kind) -> Self {
                    self.$field = $value;
                    self
                }
            )*
        }
    };
}

set! {
    says(text: &'static str) => says = text;
    kind(kind: Kind) => kind = kind;
    needs(permission: &'static str) => permission = Some(permission);
    toolsets(names: &'static [&'static str]) => toolsets = names;
    visible(visibility: Visibility) => visibility = visibility;
    operations(names: &'static [&'static str]) => operations = names;
    takes(arguments: &'static [Argument]) => arguments = arguments;
    any_of(names: &'static [&'static str]) => any_of = names;
    one_given(names: &'static [&'static str]) => one_given = names;
    exactly_one(names: &'static [&'static str]) => exactly_one = names;
    spreads(name: &'static str) => spreads = Some(name);
    sends(pairs: &'static [(&'static str, &'static str)]) => sends = pairs;
    words(lists: &'static [(&'static str, &'static [(&'static str, &'static str)])]) => words = lists;
    uploads(uploads: &'static [Upload]) => uploads = uploads;
    confirmed(confirm: Confirm) => confirm = Some(confirm);
    fetches(names: &'static [&'static str]) => fetches = names;
    fetches_or_holds(names: &'static [&'static str]) => fetches_or_holds = names;
    marks(member: &'static str) => marks = Some(member);
    run(run: Run) => run = run;
}

impl Tool {
    const fn scopes(mut self, any_of: &'static [&'static str], fine: &'static str) -> Self {
        self.scopes = any_of;
        self.fine_scope = fine;
        self
    }

    const fn reaches_people(mut self) -> Self {
        self.open_world = true;
        self
    }

    const fn core(mut self) -> Self {
        self.core = true;
        self
    }

    const fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// The argument of this name.
    pub(crate) fn argument(&self, name: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// The argument that has this name on the wire.
    pub(crate) fn argument_of<'a>(&self, wire: &'a str) -> &'a str {
        let sent = self.sends.iter().find(|(_, name)| *name == wire);
        sent.map_or(wire, |(argument, _)| argument)
    }

    /// The word on the wire for a word of an argument.
    pub(crate) fn word(&self, argument: &str, word: &str) -> Option<&'static str> {
        let (_, words) = self.words.iter().find(|(name, _)| *name == argument)?;
        let (_, other) = words.iter().find(|(one, _)| *one == word)?;
        Some(other)
    }

    /// The name of an argument on the wire, and whether it is a list of one there.
    pub(crate) fn wire<'a>(&self, argument: &'a str) -> (&'a str, bool) {
        let sent = self.sends.iter().find(|(name, _)| *name == argument);
        match sent {
            Some((_, wire)) => match wire.strip_suffix("[]") {
                Some(list) => (list, true),
                None => (wire, false),
            },
            None => (argument, false),
        }
    }
}

/// All rows, area by area.
pub(crate) fn all() -> impl Iterator<Item = &'static Tool> {
    rows::AREAS.iter().flat_map(|area| area.iter())
}

/// The row with this name.
pub(crate) fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name == name)
}

/// The row with this name, or which had it first, or of the tool that searches.
pub(crate) fn named(name: &str) -> Option<&'static Tool> {
    match name == SEARCH.name {
        true => Some(&SEARCH),
        false => find(today(name)),
    }
}

/// The names of all tools, in the order in which they are listed.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|tool| tool.name)
}

/// The coarse OAuth scopes of a tool, any one of which is enough; `None` for a tool that does not exist.
///
/// The tools that make an account have none: they are offered over standard input and output alone.
pub fn oauth_scopes(name: &str) -> Option<&'static [&'static str]> {
    find(today(name)).map(|tool| tool.scopes)
}

/// The scope for one tool alone, `didit.area.verb`; `None` for a tool that does not exist.
///
/// Tools that ask the same of Didit share it: who may list sessions may search them.
/// A token may call a tool that has one of its coarse scopes or this one; [`scopes`] says which coarse ones include it.
pub fn fine_scope(name: &str) -> Option<&'static str> {
    find(today(name)).map(|tool| tool.fine_scope)
}

/// Each coarse scope with a fine scope that it includes, for every tool; in the order of the list, each pair once.
pub fn scopes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut seen = std::collections::HashSet::new();
    all()
        .flat_map(|tool| tool.scopes.iter().map(|coarse| (*coarse, tool.fine_scope)))
        .filter(move |pair| seen.insert(*pair))
}
