//! One conversation with a server: carries the token, and reacts when the server wants another one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use egress_guard::{Client as Egress, Limits as EgressLimits, Policy};
use http::{Request, Response, StatusCode, Uri};
use mcp_protocol::client::{Called, Client, ClientError, Limits, ListedTools, TransportError};
use mcp_protocol::types::Implementation;
use oauth_rs::client::flow::{Access, StoredGrant};
use oauth_rs::scope::ScopeSet;
use oauth_rs::uri::ResourceId;
use serde_json::value::RawValue;
use tower_service::Service;

use super::bearer::{Bearer, Token};
use super::error::CommandError;
use super::grants::Grants;
use super::sign_in::{Settings, SignIn, show};
use super::step::{self, Step, Tried};
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

/// A conversation with one server, over anything that sends requests.
pub(crate) struct Session<S = Egress> {
    url: String,
    client: Client<Bearer<S>>,
    token: Token,
    grants: Grants,
    sign_in: SignIn<S>,
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
        let grants = Grants::open(args.store)?;
        let sign_in = SignIn {
            http: Egress::new(policy.clone(), EgressLimits::default()),
            url: args.url,
            settings,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            key: grants.key()?,
            show: Box::new(move |address| show(address, !args.no_browser)),
        };
        let server = Egress::new(policy, server_limits());
        Ok(Self::over(server, endpoint, sign_in, grants))
    }
}

impl<S> Session<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + 'static,
    S::Error: Into<TransportError>,
{
    fn over(server: S, endpoint: Uri, sign_in: SignIn<S>, grants: Grants) -> Self {
        let token = Token::new(Arc::clone(&sign_in.clock), Arc::clone(&sign_in.entropy));
        let info = Implementation::new("mcp-server", env!("CARGO_PKG_VERSION"));
        Self {
            url: sign_in.url.clone(),
            client: Client::new(Bearer::new(server, token.clone()), endpoint, info)
                .with_limits(list_limits()),
            token,
            grants,
            sign_in,
        }
    }

    /// Signs in anew, whether or not there is a grant, and says so in one line.
    ///
    /// A client is registered anew as well: a server that forgot the old one would only show the person an error page.
    pub(crate) async fn login(&mut self) -> Result<String, CommandError> {
        // Without a token, so that the server says what it wants.
        match self.client.connect().await {
            Ok(_) => Ok(format!("{} asks for no sign-in", self.url)),
            Err(ClientError::Unauthorized { www_authenticate }) => {
                let status = StatusCode::UNAUTHORIZED;
                let grant = self
                    .sign_in
                    .sign_in(status, &www_authenticate, None, &self.grants)
                    .await?;
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
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The tools of the server.
    pub(crate) async fn tools(&mut self) -> Result<ListedTools, CommandError> {
        self.signed_in(async |client| client.list_tools().await)
            .await
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &mut self,
        tool: &str,
        arguments: &RawValue,
    ) -> Result<Called, CommandError> {
        self.signed_in(async |client| client.call_tool(tool, arguments).await)
            .await
    }

    /// Runs `operation`, and again after getting the token that the server wants.
    async fn signed_in<T>(
        &mut self,
        operation: impl AsyncFn(&Client<Bearer<S>>) -> Result<T, ClientError>,
    ) -> Result<T, CommandError> {
        let mut held = self.grants.find(&self.url).await?;
        let mut tried = Tried::default();
        if let Some(grant) = &held
            && grant.is_expired(self.sign_in.now())
        {
            tried.renewed = true;
            held = Some(self.renew(grant, None).await?);
        }
        loop {
            let access = held
                .as_ref()
                .and_then(|grant| Access::new(grant, Some(&self.sign_in.key)).ok());
            self.token.set(access);
            let error = match operation(&self.client).await {
                Ok(done) => {
                    // Agreed already, or nothing could have been done; this asks nobody.
                    if let Ok(revision) = self.client.connect().await {
                        tracing::debug!(revision = revision.as_str(), "spoken");
                    }
                    // The answer is there; a session that stays open ends by itself.
                    if let Err(error) = self.client.close().await {
                        tracing::debug!(%error, "the session was not closed");
                    }
                    return Ok(done);
                }
                Err(error) => error,
            };
            let step = step::after(&error, held.is_some(), &mut tried);
            tracing::debug!(%error, ?step, "refused");
            held = match (step, held, error) {
                (Step::SignIn, _, ClientError::Unauthorized { www_authenticate }) => {
                    let status = StatusCode::UNAUTHORIZED;
                    let sign_in = &self.sign_in;
                    Some(
                        sign_in
                            .sign_in(status, &www_authenticate, None, &self.grants)
                            .await?,
                    )
                }
                (Step::AskForMore, held, ClientError::Forbidden { www_authenticate }) => {
                    let status = StatusCode::FORBIDDEN;
                    let sign_in = &self.sign_in;
                    Some(
                        sign_in
                            .sign_in(status, &www_authenticate, held, &self.grants)
                            .await?,
                    )
                }
                (Step::Renew, Some(grant), ClientError::Unauthorized { www_authenticate }) => {
                    Some(self.renew(&grant, Some(&www_authenticate)).await?)
                }
                (Step::StillRefused, ..) => {
                    return Err(CommandError::StillRefused {
                        url: self.url.clone(),
                    });
                }
                (_, _, error) => return Err(self.failed(error)),
            };
        }
    }

    /// A grant with a fresh access token in place of this one.
    async fn renew(
        &self,
        used: &StoredGrant,
        www_authenticate: Option<&[String]>,
    ) -> Result<StoredGrant, CommandError> {
        let now = self.sign_in.now();
        let renewed = self.grants.renew(&self.url, used, now, async |kept| {
            self.sign_in
                .renew(kept, www_authenticate, &self.grants)
                .await
        });
        renewed.await?.ok_or_else(|| CommandError::SignedOut {
            url: self.url.clone(),
        })
    }

    fn failed(&self, error: ClientError) -> CommandError {
        CommandError::Server {
            url: self.url.clone(),
            error,
        }
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
