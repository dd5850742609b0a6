//! Runs the sign-in machine: sends its requests, opens the browser, waits for it to come back.

use std::io::{self, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use oauth_rs::client::flow::{Event, Flow, FlowOptions, Leniency, Profile, Step, StoredGrant};
use oauth_rs::entropy::Entropy;
use oauth_rs::jose::SigningKey;
use oauth_rs::scope::ScopeSet;
use oauth_rs::time::{Clock, UnixSeconds};
use oauth_rs::uri::RedirectUri;
use tower_service::Service;

use super::browser;
use super::callback::Listener;
use super::error::CommandError;
use super::grants::Grants;
use super::terminal;

/// The name that people see when they are asked to agree.
const CLIENT_NAME: &str = "mcp-server command line";

/// What the command line says about signing in.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// A client of ours that the authorization server knows: an identifier, or the address of a document.
    pub(super) client_id: Option<String>,
    pub(super) scope: Option<ScopeSet>,
    pub(super) callback_port: u16,
}

impl Settings {
    fn options(&self, redirect_uri: RedirectUri, key: Arc<SigningKey>) -> FlowOptions {
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

/// Signs in at the authorization server of one MCP server.
pub(super) struct SignIn<S> {
    pub(super) http: S,
    pub(super) url: String,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// What tokens are bound to wherever a server can.
    pub(super) key: Arc<SigningKey>,
    /// Shows the address of the sign-in page to the person.
    pub(super) show: Box<dyn Fn(&str) + Send + Sync>,
}

impl<S> SignIn<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    pub(super) fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// Takes the person through sign-in after this refusal; with a grant at hand, to get more than it allows.
    pub(super) async fn sign_in(
        &self,
        status: StatusCode,
        www_authenticate: &[String],
        held: Option<StoredGrant>,
        grants: &Grants,
    ) -> Result<StoredGrant, CommandError> {
        let listener = Listener::bind(self.settings.callback_port).await?;
        let redirect_uri = RedirectUri::parse(&listener.redirect_uri())
            .map_err(|error| CommandError::SignIn(error.into()))?;
        let mut flow = self.flow(held, redirect_uri)?;
        flow.handle_challenge(status, &challenges(www_authenticate));
        let grant = self.run(&mut flow, grants, Some(&listener)).await?;
        let grant = grant.ok_or_else(|| CommandError::SignedOut {
            url: self.url.clone(),
        })?;
        if let Some(document) = self
            .settings
            .client_id
            .as_deref()
            .filter(|id| is_document(id))
            && grant.client.client_id != document
        {
            say(&format!(
                "{} does not read client ID metadata documents; a client was registered instead of {document}",
                grant.issuer
            ));
        }
        Ok(grant)
    }

    /// Renews a grant without the person; `None` when the authorization server does not accept it any more.
    pub(super) async fn renew(
        &self,
        held: StoredGrant,
        www_authenticate: Option<&[String]>,
        grants: &Grants,
    ) -> Result<Option<StoredGrant>, CommandError> {
        let mut flow = self.flow(Some(held.clone()), held.redirect_uri.clone())?;
        if let Some(values) = www_authenticate {
            flow.handle_challenge(StatusCode::UNAUTHORIZED, &challenges(values));
        }
        let renewed = self.run(&mut flow, grants, None).await?;
        if renewed.is_none() {
            grants.remove(&held).await?;
        }
        Ok(renewed)
    }

    fn flow(
        &self,
        held: Option<StoredGrant>,
        redirect_uri: RedirectUri,
    ) -> Result<Flow, CommandError> {
        let options = self.settings.options(redirect_uri, Arc::clone(&self.key));
        Flow::new(&self.url, held, options).map_err(|error| CommandError::SignIn(error.into()))
    }

    /// Does what the machine says; `None` when it wants a browser and there is to be none.
    async fn run(
        &self,
        flow: &mut Flow,
        grants: &Grants,
        listener: Option<&Listener>,
    ) -> Result<Option<StoredGrant>, CommandError> {
        loop {
            let step = flow.next_step(self.now(), self.entropy.as_ref());
            for event in flow.take_events() {
                tracing::debug!(?event, "of the sign-in");
                if listener.is_some()
                    && let Some(text) = told(&event)
                {
                    say(&text);
                }
            }
            match step {
                Step::Fetch(request) => {
                    // Renewing is one post; a machine that goes looking for metadata is on its way to the browser.
                    if listener.is_none() && request.method() == Method::GET {
                        return Ok(None);
                    }
                    tracing::debug!(method = %request.method(), uri = %without_query(&request), "sending");
                    match self.send(request).await {
                        Ok(response) => {
                            tracing::debug!(status = %response.status(), "answered");
                            flow.handle_response(&response, self.now());
                        }
                        Err(why) => flow.handle_failure(&why),
                    }
                }
                Step::OpenBrowser { url, state } => {
                    let Some(listener) = listener else {
                        return Ok(None);
                    };
                    (self.show)(&url);
                    let query = listener.wait(state).await?;
                    flow.handle_callback(query.expose());
                }
                Step::Store(grant) => grants.save(&grant).await?,
                Step::Done(_) => return Ok(flow.grant().cloned()),
                Step::Failed(reason) => return Err(CommandError::SignIn(reason.into())),
            }
        }
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
        let mut http = self.http.clone();
        let told = |error: S::Error| super::error::in_one_line(error.into().as_ref());
        std::future::poll_fn(|context| http.poll_ready(context))
            .await
            .map_err(told)?;
        let response = http.call(request.map(Bytes::from)).await.map_err(told)?;
        Ok(response.map(|body| body.to_vec()))
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

/// The fields of a refusal, as they came.
fn challenges(values: &[String]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values
        .iter()
        .filter_map(|value| HeaderValue::from_str(value).ok())
    {
        headers.append(header::WWW_AUTHENTICATE, value);
    }
    headers
}

/// An address without what may be secret in it.
fn without_query(request: &Request<Vec<u8>>) -> String {
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
