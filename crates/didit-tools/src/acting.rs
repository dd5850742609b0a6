//! One tool call on behalf of one person: what it needs to reach Didit.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use didit_client::operation::Extra;
use didit_client::send::Sender;
use didit_client::{
    ApiError, Call, Credential, CredentialKind, ErrorCode, File, FileKind, Operation, PathPart,
    operation,
};
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};
use tower_service::Service;

use crate::catalog::Tool;
use crate::date;
use crate::map::{self, Kept, MAX_APPLICATIONS, Reach};
use crate::outcome::{Failure, Outcome};
use crate::place::{Home, Place};
use crate::role::roles_with;
use crate::schema::Checked;
use crate::together::together;

/// An HTTP client that the tools can send over.
///
/// This is a name for its bounds; every service that fulfils them is one.
pub trait Transport:
    Service<Request<Bytes>, Response = Response<Bytes>, Future: Send, Error: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Transport for S where
    S: Service<Request<Bytes>, Response = Response<Bytes>, Future: Send, Error: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// One tool call on behalf of one person.
pub(crate) struct Acting<'a, S> {
    pub(crate) sender: &'a Sender<S>,
    pub(crate) kept: &'a Kept,
    pub(crate) credential: Credential,
    pub(crate) person: Option<String>,
    /// Where calls go that name no place.
    pub(crate) home: Home,
    pub(crate) tool: &'static Tool,
    /// The files of the call by their name on the wire.
    pub(crate) files: Vec<(&'static str, File)>,
    pub(crate) now: u64,
    /// How long between two looks for what is waited for.
    pub(crate) poll: Duration,
}

/// The row of an operation.
pub(crate) fn row(name: &str) -> Result<&'static Operation, Failure> {
    // A test walks all tools, so this does not happen.
    operation::find(name)
        .ok_or_else(|| Failure::new(ErrorCode::Error, format!("there is no operation {name}")))
}

impl<S: Transport> Acting<'_, S> {
    pub(crate) async fn send(&self, call: Call) -> Result<Value, ApiError> {
        self.sender.send(&self.credential, &self.signed(call)).await
    }

    /// A call that is answered with a file.
    pub(crate) async fn send_for_file(&self, call: Call) -> Result<(FileKind, Bytes), ApiError> {
        let call = self.signed(call);
        self.sender.send_for_file(&self.credential, &call).await
    }

    /// The call with the name of the tool that makes it.
    fn signed(&self, call: Call) -> Call {
        let agent = format!(
            "didit-mcp-server/{} tool/{}",
            env!("CARGO_PKG_VERSION"),
            self.tool.name
        );
        match HeaderValue::try_from(agent) {
            Ok(agent) => call.user_agent(agent),
            Err(_) => call,
        }
    }

    /// The first operation of the tool.
    pub(crate) fn operation(&self) -> Result<&'static Operation, Failure> {
        match self.tool.operations.first() {
            Some(name) => row(name),
            None => Err(Failure::new(
                ErrorCode::Error,
                format!("{} has no operation", self.tool.name),
            )),
        }
    }

    /// A tool that is one call.
    pub(crate) async fn once(&self, checked: &Checked) -> Outcome {
        self.run_at_its_place(self.operation()?, checked).await
    }

    /// One operation with every argument that it knows, at the place that it needs.
    pub(crate) async fn run_at_its_place(
        &self,
        operation: &'static Operation,
        checked: &Checked,
    ) -> Outcome {
        let place = match operation.credential {
            // Whoever makes an account is in no organisation yet.
            CredentialKind::Nobody => Place::default(),
            _ => self.place(operation, checked).await?,
        };
        let call = self.call(operation, checked, &place)?;
        self.one(call, &place).await
    }

    /// The call of an operation at a place, with every argument that the operation knows.
    pub(crate) fn call(
        &self,
        operation: &'static Operation,
        checked: &Checked,
        place: &Place,
    ) -> Result<Call, Failure> {
        let mut call = self.at(operation, place);
        for name in operation
            .parts()
            .filter(|name| !matches!(*name, "org" | "app"))
        {
            call = call.part(name, self.path_argument(name, checked)?);
        }
        for (name, value) in checked.iter() {
            call = self.carry(call, operation, name, value);
        }
        for (field, file) in &self.files {
            call = if operation.files.contains(field) {
                call.file(*field, file.clone())
            } else {
                call.field(*field, STANDARD.encode(file.bytes()).into())
            };
        }
        Ok(call)
    }

    /// The call of an operation at a place, without any argument.
    pub(crate) fn at(&self, operation: &'static Operation, place: &Place) -> Call {
        let mut call = Call::new(operation);
        for name in operation.parts() {
            let known = match name {
                "org" => &place.organization,
                "app" => &place.application,
                _ => &None,
            };
            if let Some(part) = known {
                call = call.part(name, part.clone());
            }
        }
        if let Some(organization) = &place.organization {
            call = call.acting_in(organization.clone());
        }
        if let Some(application) = &place.application
            && operation.headers.contains(&Extra::Application)
        {
            call = call.acting_in_application(application.clone());
        }
        call
    }

    /// Puts an argument wherever the operation has its name; what has no place there stays here.
    fn carry(&self, call: Call, operation: &Operation, name: &str, value: &Value) -> Call {
        if self.tool.spreads == Some(name) {
            let members = value.as_object().into_iter().flatten();
            return members.fold(call, |call, (name, value)| {
                call.field(name.clone(), value.clone())
            });
        }
        let (wire, is_list) = self.tool.wire(name);
        let worded = value.as_str().and_then(|word| self.tool.word(name, word));
        let value = worded.map_or_else(|| value.clone(), Value::from);
        if operation.query.contains(&wire) {
            match query_text(&value) {
                Some(text) => call.query(wire, text),
                None => call,
            }
        } else if operation.form.contains(&wire) {
            // A null empties the field.
            call.form_field(wire, query_text(&value).unwrap_or_default())
        } else if operation.body.contains(&wire) && is_list {
            call.field(wire, json!([value]))
        } else if operation.body.contains(&wire)
            || (self.tool.open && self.tool.argument(name).is_none())
        {
            call.field(wire, value)
        } else {
            call
        }
    }

    /// The argument that becomes a part of the path.
    pub(crate) fn path_argument(&self, wire: &str, checked: &Checked) -> Result<PathPart, Failure> {
        let argument = self.tool.argument_of(wire);
        let worded = checked
            .text(argument)
            .and_then(|word| self.tool.word(argument, word));
        let known = match worded {
            Some(word) => PathPart::parse(word).ok(),
            None => path_part(checked, argument)?,
        };
        known.ok_or_else(|| Failure::bad_request(format!("{argument} is missing")).field(argument))
    }

    /// One call, with the reason of a refusal explained.
    pub(crate) async fn one(&self, call: Call, place: &Place) -> Outcome {
        match self.send(call).await {
            Ok(value) => Ok(value),
            Err(error) => Err(self.explained(error, place.organization.as_ref()).await),
        }
    }

    /// What the person can reach, read less than a minute ago.
    pub(crate) async fn reach(&self) -> Result<Arc<Reach>, Failure> {
        if let Some(person) = &self.person
            && let Some(reach) = self.kept.get(person, self.now)
        {
            return Ok(reach);
        }
        let reach = Arc::new(self.read_reach().await?);
        if let Some(person) = &self.person {
            self.kept.put(person, self.now, &reach);
        }
        Ok(reach)
    }

    async fn read_reach(&self) -> Result<Reach, Failure> {
        let mut organizations = self.organizations().await.map_err(own)?;
        let reads: Vec<_> = organizations
            .iter()
            .map(|row| self.applications(row.named.id.clone()))
            .collect();
        let mut left = MAX_APPLICATIONS;
        for (organization, read) in organizations.iter_mut().zip(together(reads).await) {
            organization.applications = read.map(|mut applications| {
                applications.truncate(left);
                left -= applications.len();
                applications
            });
        }
        Ok(Reach { organizations })
    }

    /// The organisations of the person, which everybody may read who is signed in.
    async fn organizations(&self) -> Result<Vec<map::Organization>, Failure> {
        let answer = self.send(Call::new(row("organization.list")?)).await?;
        map::organizations(answer).ok_or_else(not_a_list)
    }

    async fn applications(&self, organization: String) -> Result<Vec<map::Application>, Failure> {
        let part = PathPart::parse(&organization)
            .map_err(|why| Failure::bad_request(format!("the organisation's id {why}")))?;
        let call = Call::new(row("organization.applications")?)
            .part("org", part.clone())
            .acting_in(part);
        map::applications(self.send(call).await?).ok_or_else(not_a_list)
    }

    /// A refusal with what to do about it: which roles may, or which tool finds the right id.
    pub(crate) async fn explained(
        &self,
        error: ApiError,
        organization: Option<&PathPart>,
    ) -> Failure {
        if error.code() != ErrorCode::Forbidden {
            return pointed(error, self.tool);
        }
        // Asked now and not taken from what is kept: the role may have changed a second ago.
        match self.organizations().await {
            Ok(organizations) => {
                role_failure(error, self.tool.permission, &organizations, organization)
            }
            // Neither the tool nor the person's own organisations: it is not about the role.
            Err(own) if own.code() == ErrorCode::Forbidden => Failure::from(error).signed_out(),
            Err(_) => error.into(),
        }
    }

    /// The window of dates that the arguments mean.
    pub(crate) fn window(&self, checked: &Checked) -> (Option<String>, Option<String>) {
        let computed = checked
            .number("last_n_days")
            .and_then(|days| date::window(self.now, days));
        let (from, to) = computed.unzip();
        let given = |name| checked.text(name).map(str::to_owned);
        (given("date_from").or(from), given("date_to").or(to))
    }
}

/// A refusal of what everybody may read who is signed in.
fn own(failure: Failure) -> Failure {
    match failure.code() {
        ErrorCode::Forbidden => failure.signed_out(),
        _ => failure,
    }
}

/// The answer was JSON, but not of the form that a list has.
pub(crate) fn not_a_list() -> Failure {
    Failure::new(
        ErrorCode::Error,
        "the answer of the Didit API is not a list",
    )
}

/// An argument that becomes a path part.
pub(crate) fn path_part(checked: &Checked, argument: &str) -> Result<Option<PathPart>, Failure> {
    let Some(text) = checked.get(argument).and_then(Value::as_str) else {
        return Ok(None);
    };
    PathPart::parse(text).map(Some).map_err(|why| {
        Failure::bad_request(format!("{argument} {why}"))
            .field(argument)
            .hint("Pass the id alone, as Didit gave it.")
    })
}

/// A refusal with the description of the argument that it is about, which names the tool to ask.
fn pointed(error: ApiError, tool: &Tool) -> Failure {
    let says = match error.code() {
        ErrorCode::NotFound => not_found(tool, error.message()),
        ErrorCode::BadRequest | ErrorCode::Unprocessable => {
            let named = error
                .field()
                .and_then(|field| field.split(['.', '[']).next());
            named
                .and_then(|name| tool.argument(name))
                .map(|argument| argument.says.to_owned())
        }
        _ => None,
    };
    match (says, error.code().hint()) {
        (Some(says), Some(hint)) => Failure::from(error).hint(format!("{hint} {says}")),
        _ => error.into(),
    }
}

/// What to look at when something was not found: the ids in the path, or the place in the list.
fn not_found(tool: &Tool, message: &str) -> Option<String> {
    if message.to_lowercase().contains("cursor")
        && let Some(cursor) = tool.argument("cursor")
    {
        return Some(cursor.says.to_owned());
    }
    let operation = operation::find(tool.operations.first()?)?;
    let says: Vec<&str> = operation
        .parts()
        .map(|part| match part {
            "org" => "organization_id",
            "app" => "application_id",
            own => tool.argument_of(own),
        })
        .filter_map(|name| Some(tool.argument(name)?.says))
        .collect();
    (!says.is_empty()).then(|| says.join(" "))
}

fn query_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn role_failure(
    error: ApiError,
    permission: Option<&str>,
    organizations: &[map::Organization],
    at: Option<&PathPart>,
) -> Failure {
    let here: Vec<&map::Organization> = match at {
        Some(at) => organizations
            .iter()
            .filter(|row| row.named.id == at.as_str())
            .collect(),
        None => organizations.iter().collect(),
    };
    if here.is_empty() {
        return Failure::new(
            ErrorCode::Forbidden,
            "the person who is signed in does not belong to this organisation",
        )
        .hint("didit_context_get lists the organisations that can be reached.");
    }
    let roles: Vec<String> = here
        .iter()
        .filter_map(|row| Some(format!("{} in {}", row.role.as_deref()?, row.named.name)))
        .take(10)
        .collect();
    if roles.is_empty() {
        return error.into();
    }
    let needed = permission
        .map(|name| format!(" needs the permission {name} and"))
        .unwrap_or_default();
    let message = format!(
        "the role of the person who is signed in is {}; this tool{needed} was refused by Didit: {}",
        roles.join(", "),
        error.message()
    );
    let failure = Failure::new(ErrorCode::Forbidden, message);
    match permission {
        Some(permission) => failure.hint(format!(
            "Roles that may do it: {}. Somebody with one of them can do it or change the role.",
            roles_with(permission).join(", ")
        )),
        None => failure,
    }
}
