//! The tools as one value, independent of any protocol.

use std::sync::Arc;

use didit_client::send::Sender;
use http::Extensions;
use serde_json::{Map, Value};

use crate::acting::{Acting, Transport, row};
use crate::attend::Attendant;
use crate::catalog::{self, Effect, Run, Tool};
use crate::credential::Credentials;
use crate::fetched;
use crate::map::Kept;
use crate::outcome::{Failure, Outcome};
use crate::place::Home;
use crate::schema::Checked;
use didit_client::{Credential, ErrorCode, InvalidPathPart, PathPart};
use mcp_protocol::types::{Items, Tool as Listed};

/// Didit's operations as tools.
///
/// `S` is the HTTP client for the Didit API, `C` supplies the credential for the person who calls.
/// As a [`mcp_protocol::serve::Handler`] it can be given to any MCP server.
pub struct DiditTools<S, C> {
    sender: Sender<S>,
    credentials: C,
    clock: Arc<dyn Fn() -> u64 + Send + Sync>,
    kept: Kept,
    home: Home,
    pub(crate) attendant: Option<Arc<dyn Attendant>>,
    pub(crate) listed: Items<Listed>,
}

impl<S, C> std::fmt::Debug for DiditTools<S, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiditTools").finish_non_exhaustive()
    }
}

impl<S: Transport, C: Credentials> DiditTools<S, C> {
    /// The tools over this client; `clock` gives seconds since 1970.
    pub fn new(
        sender: Sender<S>,
        credentials: C,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let listed = crate::handler::listed();
        Self {
            sender,
            credentials,
            clock: Arc::new(clock),
            kept: Kept::default(),
            home: Home::default(),
            attendant: None,
            listed,
        }
    }

    /// Where calls go that name no place, for callers whose token names none either.
    ///
    /// # Errors
    /// One of the two is no id: the reason, with the name of the argument.
    pub fn at_home_in(
        mut self,
        organization: Option<&str>,
        application: Option<&str>,
    ) -> Result<Self, InvalidHome> {
        let read = |argument, id: Option<&str>| {
            let part = id.map(PathPart::parse).transpose();
            part.map_err(|reason| InvalidHome { argument, reason })
        };
        self.home = Home {
            organization: read("organization_id", organization)?,
            application: read("application_id", application)?,
        };
        Ok(self)
    }

    /// Tells the attendant of each call over MCP, how it began and how it ended.
    #[must_use]
    pub fn attended(mut self, attendant: Arc<dyn Attendant>) -> Self {
        self.attendant = Some(attendant);
        self
    }

    /// Runs one tool; `None` if there is no tool of this name.
    ///
    /// Checked before anything is sent: the arguments against the schema, the confirmation, ids that become path parts, addresses that Didit would fetch.
    /// Not checked: the OAuth scopes of the caller; a gate in front does that with [`crate::oauth_scopes`].
    pub async fn call(
        &self,
        extensions: &Extensions,
        name: &str,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Result<Value, Failure>> {
        let tool = catalog::find(name)?;
        Some(self.run(extensions, tool, arguments).await)
    }

    async fn run(
        &self,
        extensions: &Extensions,
        tool: &'static Tool,
        arguments: Option<&Map<String, Value>>,
    ) -> Outcome {
        let checked = Checked::new(tool.arguments, arguments, tool.effect == Effect::Read)?;
        check_confirmed(tool, &checked)?;
        check_fetched(tool, &checked)?;
        check_available(&checked)?;
        check_parts(tool, &checked)?;
        let acting = Acting {
            sender: &self.sender,
            kept: &self.kept,
            credential: Credential::Bearer(self.credentials.credential(extensions).await?),
            person: self.credentials.person(extensions),
            home: self.home_of(extensions),
            tool,
            now: (self.clock)(),
        };
        match &tool.run {
            Run::Context => Ok(acting.reach().await?.to_value()),
            Run::One(operation) => {
                let operation = row(operation)?;
                let place = acting.place(operation, &checked).await?;
                let call = acting.call(operation, &checked, &place)?;
                acting.one(call, &place).await
            }
            Run::Span(span) => acting.span(span, &checked).await,
            Run::Analytics(operation) => acting.analytics(operation, &checked).await,
        }
    }
}

impl<S, C: Credentials> DiditTools<S, C> {
    fn home_of(&self, extensions: &Extensions) -> Home {
        let own = self.credentials.organization(extensions);
        // An id that may not stand in a path is none; the issuer of the token made it up.
        self.home.of(own.and_then(|id| PathPart::parse(&id).ok()))
    }
}

/// A default place that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument} {reason}")]
pub struct InvalidHome {
    argument: &'static str,
    reason: InvalidPathPart,
}

/// What is dangerous needs a real `true`.
fn check_confirmed(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    match tool.confirm {
        Some((argument, what)) if !checked.is_true(argument) => Err(Failure::new(
            ErrorCode::UnsafeOperation,
            format!("{} was not done: {what}", tool.name),
        )
        .field(argument)
        .hint(format!(
            "Ask the person first, then call again with {argument}: true."
        ))),
        _ => Ok(()),
    }
}

/// An address that Didit's servers will fetch must not point inside a network.
fn check_fetched(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    for argument in tool.fetched {
        let Some(text) = checked
            .text(argument)
            .filter(|text| fetched::is_address(text))
        else {
            continue;
        };
        fetched::check(text).map_err(|why| {
            Failure::new(ErrorCode::UnsafeOperation, format!("{argument} {why}"))
                .field(*argument)
                .hint("Send the data itself, or an address that anybody can reach.")
        })?;
    }
    Ok(())
}

/// What is in the schema and cannot be done yet is refused rather than ignored.
fn check_available(checked: &Checked) -> Result<(), Failure> {
    if checked.is_true("include_age_assurance") {
        return Err(
            Failure::unprocessable("include_age_assurance is not available yet")
                .field("include_age_assurance")
                .hint("Leave it out; didit_workflow_get shows the settings of one workflow."),
        );
    }
    Ok(())
}

/// Ids are checked before a credential is asked for or anything is read.
fn check_parts(tool: &Tool, checked: &Checked) -> Result<(), Failure> {
    let operation = match &tool.run {
        Run::One(name) | Run::Analytics(name) => row(name)?,
        Run::Span(span) => row(span.application)?,
        Run::Context => return Ok(()),
    };
    let own = operation
        .parts()
        .filter(|name| !matches!(*name, "org" | "app"));
    for argument in own.chain(["organization_id", "application_id"]) {
        crate::acting::path_part(checked, argument).map_err(|failure| {
            match tool.argument(argument) {
                Some(known) => failure.hint(format!(
                    "Pass the id alone, as Didit gave it. {}",
                    known.says
                )),
                None => failure,
            }
        })?;
    }
    Ok(())
}
