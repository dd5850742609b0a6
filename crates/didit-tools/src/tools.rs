//! The tools as one value, independent of any protocol.

use std::sync::Arc;
use std::time::Duration;

use didit_client::send::Sender;
use http::Extensions;
use serde_json::{Map, Value};

use crate::acting::{Acting, Transport};
use crate::attend::{Attendant, PermissionCheck};
use crate::catalog::{self, Run, SEARCH, Tool};
use crate::credential::Credentials;
use crate::download::Downloads;
use crate::map::Kept;
use crate::outcome::{Failure, Given};
use crate::place::Home;
use crate::precheck::{self, Ready};
use crate::schema::{Checked, Reading};
use crate::selection::{InvalidWish, Permissions, Selection, Where, Wish, search};
use didit_client::operation::Kind;
use didit_client::{Credential, CredentialKind, InvalidPathPart, PathPart, Secret};

/// How the caller is connected, which decides what is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Surface {
    /// Over a network: what a tool would read from a file system is the server's.
    Http,
    /// As a child process of the caller.
    Stdio,
}

/// How long between two looks for the delivery of a webhook, when nothing else is chosen.
pub const DEFAULT_POLL: Duration = Duration::from_secs(3);

/// The shortest time between two looks: somebody who waits a minute asks Didit 240 times at most.
pub const MIN_POLL: Duration = Duration::from_millis(250);

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
    surface: Surface,
    wish: Wish,
    permissions: Permissions,
    pub(crate) attendant: Option<Arc<dyn Attendant>>,
    downloads: Option<Arc<dyn Downloads>>,
    poll: Duration,
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
            wish: Wish::default(),
            permissions: Permissions::default(),
            attendant: None,
            downloads: None,
            poll: DEFAULT_POLL,
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

    /// What is offered to callers whose address asks for nothing in particular, such as those over standard input and output.
    #[must_use]
    pub fn offering(mut self, wish: Wish) -> Self {
        self.wish = wish;
        self
    }

    /// What is done with the permissions that a token carries ([`Credentials::grants`]); at first nothing.
    #[must_use]
    pub fn checking(mut self, permissions: Permissions) -> Self {
        self.permissions = permissions;
        self
    }

    /// Answers with a link where a tool makes a file, and keeps the file here until it is fetched.
    ///
    /// Without it the file is enclosed in the answer as an embedded resource, up to 4 MiB, and a larger one is refused.
    #[must_use]
    pub fn with_downloads(mut self, downloads: Arc<dyn Downloads>) -> Self {
        self.downloads = Some(downloads);
        self
    }

    /// How long to wait between two looks for the delivery of a webhook; less than [`MIN_POLL`] is [`MIN_POLL`].
    #[must_use]
    pub fn looking_every(mut self, poll: Duration) -> Self {
        self.poll = poll.max(MIN_POLL);
        self
    }

    /// Tells the attendant of each call over MCP, how it began and how it ended.
    #[must_use]
    pub fn attended(mut self, attendant: Arc<dyn Attendant>) -> Self {
        self.attendant = Some(attendant);
        self
    }

    /// Runs one tool, by its name of today or its first one; `None` if there is no tool of this name.
    ///
    /// Checked before anything is sent: whether the caller has the tool ([`DiditTools::selection`]), the arguments against the schema, the confirmation, ids that become path parts, addresses that Didit would fetch, files.
    /// A gate in front that asks for the scopes with [`crate::oauth_scopes`] can answer with a challenge; here it is an error.
    ///
    /// A file that is enclosed in the answer is its member `blob`, in base64.
    pub async fn call(
        &self,
        extensions: &Extensions,
        name: &str,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Result<Value, Failure>> {
        let given = self.given(extensions, name, arguments).await?;
        Some(given.map(Given::into_value))
    }

    /// The same, with a file apart from the answer.
    pub(crate) async fn given(
        &self,
        extensions: &Extensions,
        name: &str,
        arguments: Option<&Map<String, Value>>,
    ) -> Option<Result<Given, Failure>> {
        let tool = catalog::named(name)?;
        Some(self.run(extensions, tool, arguments).await)
    }

    async fn run(
        &self,
        extensions: &Extensions,
        tool: &'static Tool,
        arguments: Option<&Map<String, Value>>,
    ) -> Result<Given, Failure> {
        let selection = self.selection(extensions).map_err(unreadable)?;
        let is_search = std::ptr::eq(tool, &SEARCH);
        if !is_search {
            selection.admits(tool, self.whereabouts(extensions, arguments))?;
        }
        let reading = Reading {
            drop_blank: tool.kind == Kind::Read,
            open: tool.open,
        };
        precheck::surface(tool, arguments, self.surface)?;
        let checked = Checked::new(tool.arguments, arguments, reading)?;
        if is_search {
            return Ok(Given::from(search::run(&selection, &checked)));
        }
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
            poll: self.poll,
        };
        let mut value = match &tool.run {
            Run::Context => acting.reach().await?.to_value(),
            Run::One => acting.once(&checked).await?,
            Run::Span(span) => acting.span(span, &checked).await?,
            Run::Analytics => acting.analytics(&checked).await?,
            Run::Report => return acting.report(&checked, self.downloads.as_deref()).await,
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
        Ok(Given::from(value))
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
    /// Which tools the caller has: by the way the caller is connected, the address, and the token.
    ///
    /// # Errors
    /// The query of the address was not understood; then nothing is listed and nothing called.
    pub fn selection(&self, extensions: &Extensions) -> Result<Selection, InvalidWish> {
        Ok(Selection {
            surface: self.surface,
            wish: Wish::left(extensions)?.unwrap_or(self.wish),
            grants: self.credentials.grants(extensions),
            permissions: self.permissions,
        })
    }

    /// What the permissions of the token say of a call.
    pub(crate) fn permission_check(
        &self,
        extensions: &Extensions,
        tool: Option<&'static Tool>,
        arguments: &Map<String, Value>,
    ) -> PermissionCheck {
        let place = self.whereabouts(extensions, Some(arguments));
        match (self.selection(extensions), tool) {
            (Ok(selection), Some(tool)) => selection.permission_check(tool, place),
            _ => PermissionCheck::None,
        }
    }

    /// Whether a call names another organisation than the one that the token's permissions are about.
    fn whereabouts(
        &self,
        extensions: &Extensions,
        arguments: Option<&Map<String, Value>>,
    ) -> Where {
        let named = arguments.and_then(|arguments| arguments.get("organization_id")?.as_str());
        let Some(named) = named else {
            return Where::Home;
        };
        let of_token = self.credentials.organization(extensions);
        let home = self.home.organization.as_ref().map(PathPart::as_str);
        match of_token.as_deref().or(home) {
            Some(own) if own == named => Where::Home,
            _ => Where::Elsewhere,
        }
    }

    fn home_of(&self, extensions: &Extensions) -> Home {
        let own = self.credentials.organization(extensions);
        // An id that may not stand in a path is none; the issuer of the token made it up.
        self.home.of(own.and_then(|id| PathPart::parse(&id).ok()))
    }
}

/// A query that may have asked for less than everything gets nothing.
fn unreadable(why: InvalidWish) -> Failure {
    Failure::bad_request(why.to_string())
        .hint("The address of this server has to be corrected, where it was configured.")
}

/// A default place that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument} {reason}")]
pub struct InvalidHome {
    argument: &'static str,
    reason: InvalidPathPart,
}
