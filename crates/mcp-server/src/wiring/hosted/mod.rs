//! `serve`: a guard for tokens of somebody else's issuer in front of the tools.

pub(crate) mod acting;
mod mirror;
mod ready;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt::Display;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use didit_client::operation::Base;
use didit_client::send::Sender;
use didit_tools::{DiditTools, Downloads, Transport};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Extensions, Method, Request, Response, StatusCode};
use mcp_protocol::http::Callers;
use mcp_protocol::serve::{Gate, HttpService, Operation, Options};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::entropy::Entropy;
use oauth_rs::time::Clock;
use oauth_rs::uri::ResourceId;
use resource_guard::fetch::{
    Fetched, HttpClient, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile,
    IntrospectionSource, Introspector, KeyCache, KeyLimits, KeySource, VerifiedTokens,
};
use resource_guard::{
    Decision, Evidence, Guard, GuardLayer, GuardService, KeySnapshot, Principal, Refused,
    TrustedIssuer,
};
use tokio_util::sync::CancellationToken;
use tower_layer::Layer as _;

use super::didit::retries;
use super::downloads::Tickets;
use super::front::{Front, Page, Pages, fleeting, open};
use super::gate;
use super::protect::{browser_clients, of_tools};
use crate::audit::{Audit, Challenge};
use crate::config::{self, Serve, Verify};
use crate::measured::Measured;
use crate::metrics::Metrics;
use acting::Acting;
use mirror::Mirror;
use ready::Probe;

/// The world outside: clock, randomness, and an HTTP client for the issuer and the Didit API.
pub(crate) struct Outside<D> {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) client: D,
    pub(crate) acting: Acting,
    /// Cancelled when the program is asked to stop.
    pub(crate) stop: CancellationToken,
}

/// What is served on the listener.
pub(crate) type Service<D> = Front<GuardService<HttpService<DiditTools<Measured<D>, Acting>>>>;

/// Everything of `serve` but the sockets.
pub(crate) struct Hosted<D> {
    pub(crate) service: Service<D>,
    /// Run once after the socket listens: fetches what is better had before it is asked for.
    pub(crate) warm_up: Page,
}

/// Plugs everything together.
///
/// # Errors
/// The configuration cannot protect anything; the error says why.
pub(crate) fn assemble<D>(config: &Serve, outside: Outside<D>) -> Result<Hosted<D>, Box<dyn Error>>
where
    D: Transport<Error: Display>,
{
    let metrics = Arc::new(Metrics::default());
    let of_issuer = Measured::of_issuer(outside.client.clone(), &metrics);
    let guard = Arc::new(guard(config)?);
    for weakness in guard.weaknesses() {
        tracing::warn!(%weakness, "a guarantee is given up by configuration");
    }
    let (source, probe) = evidence(config, &outside, of_issuer.clone());
    let audit = Audit {
        transport: "http",
        organization: config.tools.organization.clone(),
        metrics: Arc::clone(&metrics),
        challenge: challenge(config, &guard),
    };
    let api = config.tools.api.clone();
    let didit = Measured::of_didit(outside.client, &metrics, api.base(Base::Auth));
    let clock = Arc::clone(&outside.clock);
    let sender = Sender::new(api, didit).with_retries(retries(&outside.entropy));
    let tools = DiditTools::new(sender, outside.acting, move || clock.now().0)
        .at_home_in(
            config.tools.organization.as_deref(),
            config.tools.application.as_deref(),
        )?
        .checking(config.tools.permissions)
        .attended(Arc::new(audit));
    let downloads = Arc::new(Tickets::new(
        config.resource.origin(),
        Arc::clone(&outside.clock),
        Arc::clone(&outside.entropy),
    ));
    let tools = tools
        .with_downloads(Arc::clone(&downloads) as Arc<dyn Downloads>)
        .looking_every(config.tools.webhook_poll);
    let options = Options {
        callers: callers(&config.resource),
        max_body_bytes: config.max_body_bytes,
        gate: Some(gate(&guard, &outside.clock)),
        ..Options::default()
    };
    let layer = GuardLayer::new(guard, source, outside.clock).cors(browser_clients());
    let layer = match config.public_discovery {
        // The body says what is asked; the gate reads it, and asks for a token for everything else.
        true => layer.open(|parts| parts.method == Method::POST),
        false => layer,
    };
    let guarded = layer.layer(HttpService::new(tools, options));

    let scopes = config.scopes.iter().map(str::to_owned).collect();
    let mirror = Arc::new(Mirror::new(config.issuer.clone(), scopes));
    let server_metadata = move || metadata_page(Arc::clone(&mirror), of_issuer.clone());
    let warm_up = server_metadata();
    let stop = outside.stop;
    let pages = Pages {
        ready: Some(Box::new(move || {
            let (probe, stop) = (probe.clone(), stop.clone());
            Box::pin(async move { fleeting(probe.page(&stop).await) })
        })),
        metrics: config.has_metrics.then_some(metrics),
        server_metadata: Some(Box::new(server_metadata)),
        downloads: Some(downloads),
    };
    Ok(Hosted {
        service: Front::new(guarded, pages),
        warm_up,
    })
}

fn guard(config: &Serve) -> Result<Guard, Box<dyn Error>> {
    let issuer = config.issuer.id.clone();
    let mut trusted = match config.verify {
        Verify::Introspection { .. } => TrustedIssuer::introspecting(issuer),
        Verify::Jwks => TrustedIssuer::new(issuer),
    };
    if config.dangerous_accept_any_audience {
        trusted = trusted.dangerous_accept_any_audience();
    }
    if let config::Acting::CallersToken { audience } = &config.credential {
        trusted = trusted.dangerous_pass_token_on_to(audience.clone());
    }
    let resource = &config.resource;
    let mut guarded = of_tools(resource, trusted, &config.scopes)?;
    // What tokens of before name: the origin, although the endpoint is /mcp.
    if resource.origin() != resource.as_str() {
        guarded = guarded.also_accepting(ResourceId::parse(resource.origin())?);
    }
    Ok(Guard::new(guarded)?.remembering(Arc::new(VerifiedTokens::new())))
}

/// Where the guard's evidence comes from, and how to find out whether it can be had.
fn evidence<D>(config: &Serve, outside: &Outside<D>, client: Measured<D>) -> (Fetched, Probe)
where
    D: Transport<Error: Display>,
{
    let http = HttpClient::new(client);
    let issuer = config.issuer.id.clone();
    match &config.verify {
        Verify::Jwks => {
            let at = KeySource::At(config.issuer.jwks_url.clone());
            let keys = KeyCache::reporting(
                [(issuer.clone(), at)],
                http,
                KeyLimits::default(),
                |report| {
                    if let Err(why) = report.outcome {
                        tracing::warn!(issuer = report.issuer.as_str(), %why, "keys not fetched");
                    }
                },
            );
            (Fetched::new(keys.clone()), Probe::Keys(issuer, keys))
        }
        Verify::Introspection {
            url,
            client_id,
            client_secret,
        } => {
            let endpoint = IntrospectionEndpoint {
                issuer,
                source: IntrospectionSource::At(url.clone()),
                client: Client {
                    client_id: client_id.clone(),
                    auth: ClientAuth::Basic(client_secret.clone()),
                },
                profile: IntrospectionProfile::Didit {
                    organization: config.tools.organization.clone(),
                },
            };
            let asked = Introspector::reporting(
                endpoint,
                http.clone(),
                Arc::clone(&outside.clock),
                Arc::clone(&outside.entropy),
                IntrospectionLimits::default(),
                |report| {
                    let why = report.failed;
                    tracing::warn!(issuer = report.issuer.as_str(), %why, "token not asked about");
                },
            );
            let none = KeyCache::new([], http, KeyLimits::default());
            (
                Fetched::new(none).asking(asked.clone()),
                Probe::Introspector(asked),
            )
        }
    }
}

/// The answer to callers whose own token Didit has refused; a credential that is not theirs they cannot renew.
fn challenge(config: &Serve, guard: &Arc<Guard>) -> Option<Challenge> {
    let config::Acting::CallersToken { .. } = config.credential else {
        return None;
    };
    let guard = Arc::clone(guard);
    Some(Arc::new(move |caller: &Extensions| {
        let who = caller.get::<Principal>()?;
        let refused = who.revoked();
        tracing::info!(reason = "Didit refused the token", "refused");
        Some(guard.response(&refused))
    }))
}

/// The gate of each tool, and before it: who came without a token may only ask what there is.
fn gate(guard: &Arc<Guard>, clock: &Arc<dyn Clock>) -> Gate {
    let per_tool = gate::per_tool(guard);
    let (challenged, guard) = (no_token(guard, clock.as_ref()), Arc::clone(guard));
    Arc::new(move |caller: &Extensions, operation: &Operation| {
        let is_open = matches!(operation.method.as_str(), "initialize" | "server/discover");
        match (caller.get::<Principal>(), &challenged) {
            (None, _) if is_open => Ok(()),
            (None, Some(refused)) => Err(Box::new(guard.response(refused))),
            _ => per_tool(caller, operation),
        }
    })
}

/// What the guard says to a request without a token.
fn no_token(guard: &Guard, clock: &dyn Clock) -> Option<Refused> {
    let (parts, ()) = Request::new(()).into_parts();
    let keys = KeySnapshot::default();
    match guard.check(&parts, &Evidence::of(&keys), clock.now()) {
        Decision::Refused(refused) => Some(refused),
        Decision::Granted(_) | Decision::Needs(_) => None,
    }
}

/// Browsers from anywhere, as at the hosted server: nothing is done without a token that the page has to hold.
fn callers(resource: &ResourceId) -> Callers {
    let origin = resource.origin();
    let authority = origin
        .split_once("://")
        .map_or(origin, |(_, authority)| authority);
    Callers {
        hosts: vec![authority.to_owned()],
        dangerous_any_origin: true,
        ..Callers::default()
    }
}

fn metadata_page<D>(mirror: Arc<Mirror>, client: Measured<D>) -> Page
where
    D: Transport<Error: Display>,
{
    Box::pin(async move {
        let document = mirror.document(|url| get(client, url)).await;
        let mut page = Response::new(document);
        let headers = page.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=300"),
        );
        open(page)
    })
}

/// The body of a document.
async fn get<D>(mut client: Measured<D>, url: String) -> Result<Bytes, String>
where
    D: Transport<Error: Display>,
{
    use tower_service::Service as _;
    let request = Request::get(url)
        .header(http::header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|why| why.to_string())?;
    let failed = |why: D::Error| why.to_string();
    poll_fn(|cx| client.poll_ready(cx)).await.map_err(failed)?;
    let answer = client.call(request).await.map_err(failed)?;
    match answer.status() {
        StatusCode::OK => Ok(answer.into_body()),
        status => Err(format!("the answer was {status}")),
    }
}
