//! One conversation with a server: carries the token, and reacts when the server wants another one.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use egress_guard::{Client as Egress, Limits as EgressLimits, Policy};
use http::{Request, Response, Uri};
use mcp_protocol::client::{Called, Client, ClientError, Limits, ListedTools, TransportError};
use mcp_protocol::types::Implementation;
use oauth_rs::client::store::TokenStore;
use oauth_rs::entropy::Entropy;
use oauth_rs::jose::SigningKey;
use oauth_rs::scope::ScopeSet;
use oauth_rs::send::{CallFailed, Seams, SignInFailed, SignInLayer, SignedIn, Waits};
use oauth_rs::time::Clock;
use oauth_rs::uri::{RedirectUri, ResourceId};
use serde_json::value::RawValue;
use tower_layer::Layer as _;
use tower_service::Service;

use super::error::CommandError;
use super::sign_in::{AtThisMachine, Settings, Show, Traced, compare, heard, show};
use super::{callback, grants};
use crate::system::{SystemClock, SystemEntropy};

/// How to reach a server and how to sign in there.
#[derive(clap::Args, Debug)]
pub(crate) struct ConnectionArgs {
    /// The address of the MCP server
    #[arg(value_name = "URL")]
    url: String,
    /// Use this client instead of registering one; an https address is a client ID metadata document
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Ask for these scopes, separated by spaces, instead of those that the server names
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// Print the address of the sign-in page and open no browser
    #[arg(long)]
    no_browser: bool,
    /// Port of 127.0.0.1 that the browser comes back to; 0 takes any free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    callback_port: u16,
    /// Keep grants in this file [default: mcp-server/grants.json in the user's data folder]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// How much one answer of the server may be, and how long it may take: a tool may be slow, a list long.
fn server_limits() -> EgressLimits {
    EgressLimits {
        total: Duration::from_secs(60),
        headers: Duration::from_secs(60),
        body_bytes: 8 * 1024 * 1024,
        // It is the only host.
        in_flight_per_host: EgressLimits::default().in_flight,
        ..EgressLimits::default()
    }
}

/// How much of a list is read: 32 pages of the largest answer are a quarter of a gigabyte, which a machine survives.
fn list_limits() -> Limits {
    Limits {
        max_pages: 32,
        ..Limits::default()
    }
}

/// Where the browser comes back to, but for the port.
const CALLBACK: &str = "http://127.0.0.1/callback";

/// A conversation with one server, over anything that sends requests.
pub(crate) struct Session<S = Egress> {
    url: String,
    client: Client<SignedIn<S>>,
    layer: SignInLayer,
    settings: Settings,
    /// Whether a person was sent to the browser.
    shown: Arc<AtomicBool>,
}

impl Session {
    /// Prepares a conversation; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When an argument cannot be used, or there is no place to keep grants.
    pub(crate) fn open(args: ConnectionArgs) -> Result<Self, CommandError> {
        let endpoint = endpoint(&args.url)?;
        let settings = Settings {
            scope: args
                .scope
                .as_deref()
                .map(ScopeSet::parse)
                .transpose()
                .map_err(|error| {
                    CommandError::Usage(format!("the scopes cannot be used: {error}"))
                })?,
            client_id: args.client_id,
            callback_port: args.callback_port,
        };
        // A server on this machine may have its authorization server here too; any other server may not point here.
        let policy = if is_loopback(&endpoint) {
            tracing::debug!(
                "the server is on this machine, so addresses of this machine are allowed"
            );
            Policy::dangerous_allow_loopback()
        } else {
            Policy::strict()
        };
        let oauth = Egress::new(policy.clone(), EgressLimits::default());
        let store = grants::open(args.store)?;
        let outside = Outside {
            key: grants::key(&store)?,
            store: Arc::new(store),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            show: Arc::new(move |address| show(address, !args.no_browser)),
        };
        let server = Egress::new(policy, server_limits());
        Self::over(server, oauth, &args.url, settings, outside)
    }
}

/// What a conversation is handed.
pub(crate) struct Outside {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    /// What tokens are bound to wherever a server can.
    pub(crate) key: Arc<SigningKey>,
    pub(crate) show: Show,
}

impl<S> Session<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
    S::Error: Into<TransportError>,
    S::Future: Send,
{
    /// A conversation over these two ways out: to the MCP server, and to authorization servers.
    pub(crate) fn over<E>(
        server: S,
        oauth: E,
        url: &str,
        settings: Settings,
        outside: Outside,
    ) -> Result<Self, CommandError>
    where
        E: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
        E::Error: Into<TransportError>,
        E::Future: Send,
    {
        let endpoint = endpoint(url)?;
        let shown = Arc::new(AtomicBool::new(false));
        let shows = Arc::clone(&shown);
        let browser = AtThisMachine {
            callback_port: settings.callback_port,
            show: Arc::new(move |address| {
                shows.store(true, Ordering::SeqCst);
                (outside.show)(address);
            }),
        };
        let seams = Seams {
            store: outside.store,
            egress: oauth_rs::send::Egress::new(Traced(oauth)),
            browser: Some(Arc::new(browser)),
            clock: outside.clock,
            entropy: outside.entropy,
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
        };
        let waits = Waits {
            // The listener gives up first, and says it better.
            browser: callback::WAIT + Duration::from_secs(10),
            ..Waits::default()
        };
        let usage = |error: &dyn std::fmt::Display| CommandError::Usage(error.to_string());
        let redirect_uri = RedirectUri::parse(CALLBACK).map_err(|error| usage(&error))?;
        let layer = SignInLayer::new(url, settings.options(redirect_uri, outside.key), seams)
            .map_err(|error| usage(&error))?
            .with_waits(waits)
            .with_notices(|notice| heard(&notice));
        let info = Implementation::new("mcp-server", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            url: url.to_owned(),
            client: Client::new(layer.layer(server), endpoint, info).with_limits(list_limits()),
            layer,
            settings,
            shown,
        })
    }

    /// Signs in anew, whether or not there is a grant, and says so in one line.
    ///
    /// A client is registered anew as well: a server that forgot the old one would only show the person an error page.
    pub(crate) async fn login(&mut self) -> Result<String, CommandError> {
        // Without a token, so that the server says what it wants.
        self.layer.sign_in_anew();
        let connected = self.client.connect().await;
        self.done(connected)?;
        let Some(grant) = self.layer.grant() else {
            return Ok(format!("{} asks for no sign-in", self.url));
        };
        let scopes = grant.scope().map_or_else(String::new, ToString::to_string);
        Ok(format!(
            "signed in to {} as client {}, scopes {}",
            self.url,
            grant.client.client_id,
            if scopes.is_empty() {
                "(none named)"
            } else {
                &scopes
            }
        ))
    }

    /// The tools of the server.
    pub(crate) async fn tools(&mut self) -> Result<ListedTools, CommandError> {
        let listed = self.client.list_tools().await;
        let listed = self.done(listed)?;
        self.leave().await;
        Ok(listed)
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &mut self,
        tool: &str,
        arguments: &RawValue,
    ) -> Result<Called, CommandError> {
        let called = self.client.call_tool(tool, arguments).await;
        let called = self.done(called)?;
        self.leave().await;
        Ok(called)
    }

    /// What came of it, and what is to be said of a sign-in on the way.
    fn done<T>(&self, outcome: Result<T, ClientError>) -> Result<T, CommandError> {
        if self.shown.swap(false, Ordering::SeqCst)
            && let Some(grant) = self.layer.grant()
        {
            compare(&self.settings, &grant);
        }
        outcome.map_err(|error| failed(&self.url, error))
    }

    async fn leave(&self) {
        // Agreed already, or nothing could have been done; this asks nobody.
        if let Ok(revision) = self.client.connect().await {
            tracing::debug!(revision = revision.as_str(), "spoken");
        }
        // The answer is there; a session that stays open ends by itself.
        if let Err(error) = self.client.close().await {
            tracing::debug!(%error, "the session was not closed");
        }
    }
}

/// Whose fault it is, for the person.
fn failed(url: &str, error: ClientError) -> CommandError {
    let url = url.to_owned();
    match error {
        // The layer signs in and asks once more; what is still refused then is refused for good.
        ClientError::Unauthorized { .. } => CommandError::StillRefused { url },
        ClientError::Transport(error) => match error.downcast::<CallFailed>() {
            Ok(failed) => match *failed {
                CallFailed::SignIn(SignInFailed::Store(error)) => CommandError::Store(error.into()),
                CallFailed::SignIn(SignInFailed::Flow(reason)) => {
                    CommandError::SignIn(reason.into())
                }
                CallFailed::SignIn(reason) => CommandError::SignIn(reason.into()),
                CallFailed::Inner(error) => CommandError::Server {
                    url,
                    error: ClientError::Transport(error),
                },
                other => CommandError::SignIn(other.into()),
            },
            Err(error) => CommandError::Server {
                url,
                error: ClientError::Transport(error),
            },
        },
        error => CommandError::Server { url, error },
    }
}

/// The address as a request names it, checked to be one that a token may be sent to.
fn endpoint(url: &str) -> Result<Uri, CommandError> {
    let refused = |why: &dyn std::fmt::Display| {
        CommandError::Usage(format!("the address {url:?} cannot be used: {why}"))
    };
    ResourceId::parse(url).map_err(|error| refused(&error))?;
    url.parse()
        .map_err(|error: http::uri::InvalidUri| refused(&error))
}

/// Whether an address is one of this machine.
fn is_loopback(uri: &Uri) -> bool {
    match uri.host() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests;
