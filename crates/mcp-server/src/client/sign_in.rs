//! Runs the sign-in machine: sends its requests, opens the browser, waits for it to come back.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use oauth_rs::client::flow::{Event, FlowOptions, Leniency, Profile, StoredGrant};
use oauth_rs::jose::SigningKey;
use oauth_rs::scope::ScopeSet;
use oauth_rs::secret::Secret;
use oauth_rs::send::{Browser, Notice, Pending, Visit};
use oauth_rs::uri::RedirectUri;
use tower_service::Service;

use super::browser;
use super::callback::Listener;
use super::terminal;

/// The name that people see when they are asked to agree.
const CLIENT_NAME: &str = "mcp-server command line";

/// What the command line says about signing in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// A client of ours that the authorization server knows: an identifier, or the address of a document.
    pub(crate) client_id: Option<String>,
    pub(crate) scope: Option<ScopeSet>,
    pub(crate) callback_port: u16,
}

impl Settings {
    /// What the flow is to do; where the browser comes back to is decided when it is opened.
    pub(super) fn options(&self, redirect_uri: RedirectUri, key: Arc<SigningKey>) -> FlowOptions {
        let mut options = FlowOptions::new(CLIENT_NAME, redirect_uri);
        // Whoever names a server on the command line wants to reach it, however old it is, and is told of it.
        options.profile = Profile::V2025_03_26;
        options.dpop_key = Some(key);
        match &self.client_id {
            Some(id) if is_document(id) => options.client_id_document = Some(id.clone()),
            Some(id) => options.client_id = Some(id.clone()),
            None => {}
        }
        options.scope.clone_from(&self.scope);
        options
    }
}

/// Whether a client ID is the address of a client ID metadata document.
fn is_document(client_id: &str) -> bool {
    client_id.starts_with("https://") || client_id.starts_with("http://")
}

/// What to do with the address of the sign-in page.
pub(crate) type Show = Arc<dyn Fn(&str) + Send + Sync>;

/// A person at this machine, whose browser comes back to a loopback port.
pub(super) struct AtThisMachine {
    pub(super) callback_port: u16,
    /// Shows the address of the sign-in page to the person.
    pub(super) show: Show,
}

impl Browser for AtThisMachine {
    fn prepare(&self) -> Pending<'_, Box<dyn Visit>> {
        Box::pin(async move {
            let listener = Listener::bind(self.callback_port).await?;
            let redirect_uri = RedirectUri::parse(&listener.redirect_uri())?;
            let show = Arc::clone(&self.show);
            let visit = Visiting {
                listener,
                redirect_uri,
                show,
            };
            Ok(Box::new(visit) as Box<dyn Visit>)
        })
    }
}

/// One visit to the sign-in page.
struct Visiting {
    listener: Listener,
    redirect_uri: RedirectUri,
    show: Show,
}

impl Visit for Visiting {
    fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    fn visit<'a>(&'a mut self, url: &'a str, state: &'a Secret) -> Pending<'a, Secret> {
        (self.show)(url);
        Box::pin(async move { Ok(self.listener.wait(state.clone()).await?) })
    }
}

/// Tells on the way out what is sent, for `--verbose` and the like.
#[derive(Clone, Debug)]
pub(super) struct Traced<S>(pub(super) S);

impl<S> Service<Request<Bytes>> for Traced<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
{
    type Response = Response<Bytes>;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Bytes>) -> S::Future {
        tracing::debug!(method = %request.method(), uri = %without_query(&request), "sending");
        self.0.call(request)
    }
}

/// What there is to say of a sign-in while it goes on.
pub(super) fn heard(notice: &Notice) {
    match notice {
        Notice::NotSaved(reason) => say(&format!(
            "The sign-in could not be kept, and ends with this command: {reason}"
        )),
        Notice::RenewedNotSaved => {
            say("The renewed sign-in could not be kept, and ends with this command")
        }
        Notice::Flow(event) => {
            tracing::debug!(?event, "of the sign-in");
            if let Some(text) = told(event) {
                say(&text);
            }
        }
        other => tracing::debug!(notice = ?other, "heard"),
    }
}

/// What a person should know of it.
fn told(event: &Event) -> Option<String> {
    match event {
        // Every server whose identifier is its origin does that, and nothing is lost by it.
        Event::Lenient(Leniency::ParentResource) => None,
        Event::Lenient(leniency) => Some(format!(
            "note: this server follows an older revision of the protocol: {leniency}"
        )),
        Event::ServerChanged { before, now } => Some(format!(
            "note: the server now leaves signing in to {now}; until now it was {before}"
        )),
        Event::KeyMissing => {
            Some("note: the key of the kept tokens is gone, so they are of no more use".to_owned())
        }
        _ => None,
    }
}

/// What is to be said of the client that was used, once a person has signed in.
pub(super) fn compare(settings: &Settings, grant: &StoredGrant) {
    if let Some(document) = settings.client_id.as_deref().filter(|id| is_document(id))
        && grant.client.client_id != document
    {
        say(&format!(
            "{} does not read client ID metadata documents; a client was registered instead of {document}",
            grant.issuer
        ));
    }
}

/// Prints the address always, since the browser may be another than the one that opens, and opens it if asked to.
pub(super) fn show(address: &str, open_browser: bool) {
    say(&format!(
        "To sign in, open this address in a browser on this machine:\n\n  {address}\n"
    ));
    if open_browser && let Err(error) = browser::open(address) {
        tracing::debug!(%error, "no browser was opened");
    }
}

/// An address without what may be secret in it.
fn without_query(request: &Request<Bytes>) -> String {
    let uri = request.uri();
    format!(
        "{}{}",
        uri.authority().map_or("", |authority| authority.as_str()),
        uri.path()
    )
}

/// Tells the person something that is not the result of the command.
fn say(text: &str) {
    if let Err(error) = writeln!(io::stderr(), "{}", terminal::lines(text)) {
        tracing::debug!(%error, "standard error cannot be written");
    }
}
