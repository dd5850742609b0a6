//! Streamable HTTP as a `tower` service: the verbs, the limits, and everything before the message.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::ALLOW;
use http::request::Parts;
use http::{Extensions, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt as _;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc;

use super::body::Body;
use super::exchange::{self, EventStream, OUTBOX, Source};
use super::handler::Handler;
use super::listen::{self, Hearing};
use super::options::{Ending, Options};
use super::post;
use super::sessions::Sessions;
use super::spoken::Spoken;
use super::streams::Streams;
use super::tasks::Tasks;
use crate::extension::Extension;
use crate::http as rules;
use crate::jsonrpc::{self, Id};
use crate::revision::Transport;
use crate::session::EventId;
use crate::stateless::Params;
use crate::types::{Implementation, SKILLS_EXTENSION, ServerCapabilities};
use crate::violation::Violation;

/// A [`Handler`] behind one HTTP address. Clones share everything.
///
/// For each request, in this order:
///
/// 1. `Host` and `Origin` (403);
/// 2. the verb (405; GET and DELETE only with sessions);
/// 3. content type (415), `Accept` (406), length of the body (413) and its time (408);
/// 4. JSON (-32700) and the envelope (-32600), both 400;
/// 5. the era, then its own order: see [`crate::stateless::admit`] for 2026-07-28;
/// 6. the gate;
/// 7. the parameters, then the handler.
///
/// Does not check: the path, who the caller is (put a layer in front that does, and leave what it
/// found in the extensions), the rate of requests.
///
/// # Panics
/// A panic of the handler passes through, except in a session, where it becomes -32603. It needs a
/// tokio runtime with timers.
pub struct HttpService<H> {
    shared: Arc<Shared<H>>,
}

/// What all requests share.
pub(super) struct Shared<H> {
    pub(super) handler: H,
    pub(super) options: Options,
    pub(super) transport: Transport,
    pub(super) sessions: Option<Sessions>,
    pub(super) tasks: Option<Arc<Tasks>>,
    pub(super) info: Implementation,
    /// The same, as it is in each response of 2026-07-28.
    pub(super) written_info: Box<RawValue>,
    pub(super) capabilities: ServerCapabilities,
    /// The extensions whose methods are served.
    pub(super) extensions: Vec<Extension>,
    pub(super) streams: Arc<Streams>,
}

impl<H: Handler> HttpService<H> {
    /// A service for this handler.
    pub fn new(handler: H, options: Options) -> Self {
        let shared = Shared::new(handler, options, Transport::StreamableHttp);
        HttpService {
            shared: Arc::new(shared),
        }
    }
}

impl<H> Clone for HttpService<H> {
    fn clone(&self) -> Self {
        HttpService {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<H> fmt::Debug for HttpService<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpService")
            .field("options", &self.shared.options)
            .finish_non_exhaustive()
    }
}

impl<H, B> tower_service::Service<Request<B>> for HttpService<H>
where
    H: Handler,
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            Ok(serve(shared, parts, body)
                .await
                .unwrap_or_else(|violation| refuse(None, &violation)))
        })
    }
}

async fn serve<H: Handler, B: http_body::Body<Data = Bytes>>(
    shared: Arc<Shared<H>>,
    mut parts: Parts,
    body: B,
) -> Result<Response<Body>, Violation> {
    shared.options.callers.check(&parts)?;
    if let Some(sessions) = &shared.sessions {
        sessions.sweep();
    }
    if parts.method == Method::POST {
        rules::check_content_type(&parts.headers)?;
        rules::check_accept(&parts.headers, &["application/json", "text/event-stream"])?;
        let time = shared.options.body_timeout;
        let bytes = tokio::time::timeout(time, read_body(body, shared.options.max_body_bytes))
            .await
            .map_err(|_| Violation::BodyIncomplete)??;
        return Ok(post::serve(shared, parts, &bytes).await);
    }
    // MCP-HTTP-01: the newest revision has POST only, and so has a server without sessions.
    let Some(sessions) = &shared.sessions else {
        return Ok(not_allowed("POST"));
    };
    if parts.method != Method::GET && parts.method != Method::DELETE {
        return Ok(not_allowed("GET, POST, DELETE"));
    }
    if let Spoken::Modern = Spoken::read(&parts.headers, &Params::default())? {
        return Ok(not_allowed("POST"));
    }
    let principal = shared.principal(&parts);
    let id = rules::session_id(&parts.headers);
    if parts.method == Method::DELETE {
        sessions.close(id, principal.as_deref())?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::NO_CONTENT;
        return Ok(response);
    }
    rules::check_accept(&parts.headers, &["text/event-stream"])?;
    let session = sessions.find(id, principal.as_deref())?;
    let room = shared
        .streams
        .enter(principal.as_deref())
        .ok_or(Violation::TooManyStreams)?;
    let end_of_id = sessions
        .time_left(id, principal.as_deref())?
        .map(|left| Box::pin(tokio::time::sleep(left)) as Ending);
    let end = first_of(shared.authorization_end(&parts.extensions), end_of_id);
    let (sender, outbox) = mpsc::channel(OUTBOX);
    let keep_alive = shared.options.keep_alive;
    if let Some(last) = rules::last_event_id(&parts.headers) {
        let last = EventId::parse(last).ok_or(Violation::EventUnknown)?;
        let connection = session.resume(last).map_err(|_| Violation::EventUnknown)?;
        let stream = EventStream::new(Source::Session(connection), keep_alive);
        return Ok(exchange::events(stream.of_get(room, end)));
    }
    let changes = shared.handler.changes().map(super::Changes::subscribe);
    let listening = session.stream();
    let extensions = Arc::new(std::mem::take(&mut parts.extensions));
    let hearing = Hearing::new(shared.options.may_hear.clone(), extensions);
    let working = Box::pin(async move {
        listen::stream(listening, &shared.capabilities, changes, hearing, sender).await
    });
    let stream = EventStream::new(Source::work(working, outbox), keep_alive);
    Ok(exchange::events(stream.of_get(room, end)))
}

impl<H: Handler> Shared<H> {
    pub(super) fn new(handler: H, options: Options, transport: Transport) -> Self {
        let sessions = options
            .sessions
            .clone()
            .map(|limits| Sessions::new(limits, options.ask_timeout));
        let streams = Streams::new(options.max_streams, options.max_streams_per_principal);
        let tasks = options.tasks.clone().map(Tasks::new).map(Arc::new);
        let (info, mut capabilities) = (handler.info(), handler.capabilities());
        if handler.changes().is_none() {
            capabilities = listen::without_changes(capabilities);
        }
        let mut extensions = Vec::new();
        extensions.extend(tasks.as_ref().map(|_| Extension::tasks()));
        extensions.extend(skills(&mut capabilities));
        extensions.extend(handler.extensions());
        Shared {
            handler,
            options,
            transport,
            sessions,
            tasks,
            // Texts can always be written.
            written_info: to_raw_value(&info).unwrap_or_default(),
            info,
            capabilities,
            extensions,
            streams,
        }
    }
}

impl<H> Shared<H> {
    pub(super) fn principal(&self, parts: &Parts) -> Option<String> {
        self.options
            .principal
            .as_ref()
            .and_then(|key| key(&parts.extensions))
    }

    /// When the authorization ends that came with a request.
    pub(super) fn authorization_end(&self, extensions: &Extensions) -> Option<Ending> {
        let tell = self.options.authorization_end.as_ref()?;
        tell(extensions)
    }
}

/// What ends first.
fn first_of(one: Option<Ending>, other: Option<Ending>) -> Option<Ending> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Box::pin(async move {
            tokio::select! {
                () = one => {}
                () = other => {}
            }
        })),
        (one, other) => one.or(other),
    }
}

/// Takes the declaration of skills, which the older revisions do not have, out of the capabilities.
// MCP-SKILL-02: with it goes that of resources.
fn skills(capabilities: &mut ServerCapabilities) -> Option<Extension> {
    let settings = capabilities.extensions.remove(SKILLS_EXTENSION)?;
    capabilities.resources.get_or_insert_default();
    let settings = settings.as_object().cloned().unwrap_or_default();
    Some(Extension::skills(settings))
}

/// Reads a body; one that came in one piece is not copied.
async fn read_body<B: http_body::Body<Data = Bytes>>(
    body: B,
    limit: usize,
) -> Result<Bytes, Violation> {
    let too_large = Violation::BodyTooLarge { limit };
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > limit) {
        return Err(too_large);
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut whole = Vec::new();
    while !body.is_end_stream()
        && let Some(frame) = body.as_mut().frame().await
    {
        let frame = frame.map_err(|_| Violation::BodyIncomplete)?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if (first.len() + whole.len()).saturating_add(data.len()) > limit {
            return Err(too_large);
        }
        if first.is_empty() && whole.is_empty() {
            first = data;
        } else {
            whole.extend_from_slice(&std::mem::take(&mut first));
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() {
        first
    } else {
        Bytes::from(whole)
    })
}

/// The response to a violation.
pub(super) fn refuse(id: Option<&Id>, violation: &Violation) -> Response<Body> {
    exchange::json(
        violation.status(),
        jsonrpc::error_text(id, &violation.error()),
    )
}

fn not_allowed(allow: &'static str) -> Response<Body> {
    let mut response = refuse(None, &Violation::MethodNotAllowed);
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allow));
    response
}

#[cfg(test)]
mod refusals;
#[cfg(test)]
mod tests;
