//! The tools as one value, independent of any protocol.

use std::sync::Arc;

use didit_client::send::Sender;
use http::Extensions;
use serde_json::{Map, Value};

use crate::acting::{Acting, Transport};
use crate::attend::Attendant;
use crate::catalog::{self, Run, Tool, Visibility};
use crate::credential::Credentials;
use crate::map::Kept;
use crate::outcome::{Failure, Outcome};
use crate::place::Home;
use crate::precheck::{self, Ready};
use crate::schema::{Checked, Reading};
use didit_client::operation::Kind;
use didit_client::{Credential, CredentialKind, InvalidPathPart, PathPart, Secret};

/// How the caller is connected, which decides what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Over a network: what a tool would read from a file system is the server's.
    Http,
    /// As a child process of the caller.
    Stdio,
}

impl Surface {
    /// Whether a tool is listed, and may be called: one answer for both.
    pub(crate) fn offers(self, tool: &Tool) -> bool {
        self == Self::Stdio || tool.visibility == Visibility::Everywhere
    }
}

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
    pub(crate) surface: Surface,
    pub(crate) attendant: Option<Arc<dyn Attendant>>,
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
        Self {
            sender,
            credentials,
            clock: Arc::new(clock),
            kept: Kept::default(),
            home: Home::default(),
            surface: Surface::Http,
            attendant: None,
        }
    }

    /// For a caller on standard input and output, whose own machine this is: the tools about accounts, keys and money are offered too, and files by their path.
    #[must_use]
    pub fn over_stdio(mut self) -> Self {
        self.surface = Surface::Stdio;
        self
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
    /// Checked before anything is sent: the arguments against the schema, the confirmation, ids that become path parts, addresses that Didit would fetch, files.
    /// Not checked: the OAuth scopes of the caller; a gate in front does that with [`crate::oauth_scopes`].
    pub async fn call(
        &self,
        extensions: &Extensions,
        name: &str,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Result<Value, Failure>> {
        let tool = catalog::find(name).filter(|tool| self.surface.offers(tool))?;
        Some(self.run(extensions, tool, arguments).await)
    }

    async fn run(
        &self,
        extensions: &Extensions,
        tool: &'static Tool,
        arguments: Option<&Map<String, Value>>,
    ) -> Outcome {
        let reading = Reading {
            drop_blank: tool.kind == Kind::Read,
            open: tool.open,
        };
        precheck::surface(tool, arguments, self.surface)?;
        let checked = Checked::new(tool.arguments, arguments, reading)?;
        let ready = precheck::ready(tool, &checked, self.surface)?;
        let (credential, person) = self.credential(extensions, &ready, &checked).await?;
        let acting = Acting {
            sender: &self.sender,
            kept: &self.kept,
            credential,
            person,
            home: self.home_of(extensions),
            tool,
            files: ready.files,
            now: (self.clock)(),
        };
        let mut value = match &tool.run {
            Run::Context => acting.reach().await?.to_value(),
            Run::One => acting.once(&checked).await?,
            Run::Span(span) => acting.span(span, &checked).await?,
            Run::Analytics => acting.analytics(&checked).await?,
            Run::Special(name) => acting.named(name, &checked).await?,
        };
        if let (Some(mark), Value::Object(answer)) = (tool.marks, &mut value) {
            answer.insert(mark.to_owned(), true.into());
        }
        if acting.credential.kind() == CredentialKind::Nobody
            && let Some(token) = value.get("access_token").and_then(Value::as_str)
        {
            self.credentials.keep(extensions, Secret::new(token));
        }
        Ok(value)
    }

    /// What the call is made with, and under which name what is read is kept.
    async fn credential(
        &self,
        extensions: &Extensions,
        ready: &Ready,
        checked: &Checked,
    ) -> Result<(Credential, Option<String>), Failure> {
        if ready.takes == CredentialKind::Nobody {
            return Ok((Credential::Nobody, None));
        }
        if let Some(own) = checked.text("access_token") {
            return Ok((Credential::bearer(own), None));
        }
        let token = self.credentials.credential(extensions).await?;
        Ok((
            Credential::Bearer(token),
            self.credentials.person(extensions),
        ))
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
