//! A client for MCP servers over HTTP, both eras, over any tower service of `http` requests (feature `client`).
//!
//! The client asks in the newest form first and falls back to a handshake when the server does not know it.
//! What a server asks back is answered by a [`Host`]; without one nothing is declared and nothing is answered.
//! It knows nothing of OAuth: a token is put into each request by the service that is handed in, and an answer with
//! status 401 or 403 comes back as [`ClientError::Unauthorized`] or [`ClientError::Forbidden`] with its challenges.

mod agreed;
mod answer;
mod body;
mod error;
mod host;
mod lists;
mod mirror;
mod opening;
mod outgoing;
mod prompts;
mod resources;
mod rounds;
mod stream;
mod tools;

use std::future::poll_fn;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::value::RawValue;
use tower_service::Service;

use self::agreed::{Agreed, Next};
use self::answer::{Answered, Form, Meaning, Outcome};
pub use self::body::AnswerBody;
pub use self::error::{Asked, BadAnswer, ClientError, InputRequired, TransportError};
use self::host::{Answers, Nobody};
pub use self::host::{Host, Reply, Replying, form_defaults};
pub use self::lists::Received;
use self::outgoing::{Asker, Outgoing};
pub use self::stream::{Listening, Pause, Pausing};
pub use self::tools::{Called, DroppedTool, ListedTools};
use crate::http::{PROTOCOL_VERSION, SESSION_ID};
use crate::jsonrpc::Id;
use crate::revision::Revision;
use crate::types::Implementation;
use crate::violation::code;

/// What a client reads at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one answer. The service handed in has read them already, so it should have a limit of its own.
    pub max_answer_bytes: usize,
    /// Pages of one list.
    pub max_pages: usize,
    /// Entries of one list.
    pub max_entries: usize,
    /// Rounds of one call in which the server asks for input.
    pub max_rounds: usize,
    /// Questions of the server in the stream of one answer.
    pub max_questions: usize,
    /// Times that a stream is opened again for one answer.
    pub max_reconnections: usize,
    /// The longest wait before that; a server that wants a longer one is not waited for.
    pub max_retry: Duration,
}

impl Default for Limits {
    /// 8 MiB for an answer, 100 pages and 10,000 entries for a list: far above what real servers send.
    /// 8 rounds and 32 questions: more than a person would go through. 8 reconnections of at most 30 seconds each.
    fn default() -> Self {
        Self {
            max_answer_bytes: 8 * 1024 * 1024,
            max_pages: 100,
            max_entries: 10_000,
            max_rounds: 8,
            max_questions: 32,
            max_reconnections: 8,
            max_retry: Duration::from_secs(30),
        }
    }
}

/// A client of one MCP endpoint.
///
/// Calls may run at the same time; ids are never used twice in the life of a client.
///
/// Does not check: who the server is, and whether its texts are harmless to show.
///
/// Not there: `subscriptions/listen`, cancelling and progress, a cache of lists, and the transport of 2024-11-05 with two
/// endpoints.
///
/// Specification: MCP 2026-07-28, transports, Streamable HTTP and its backward compatibility; MCP 2025-11-25, lifecycle.
#[derive(Debug)]
pub struct Client<S> {
    service: S,
    endpoint: Uri,
    info: Implementation,
    limits: Limits,
    answers: Answers,
    pause: Option<stream::Waiting>,
    first: Revision,
    next_id: AtomicI64,
    state: Mutex<State>,
}

/// What a client remembers of the server.
#[derive(Debug, Default)]
struct State {
    agreed: Option<Agreed>,
    params: tools::ParamsByTool,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// A client of `endpoint` over `service`, which sends each request and adds what it knows (a token).
    ///
    /// `info` says who the client is, for display only.
    pub fn new(service: S, endpoint: Uri, info: Implementation) -> Self {
        Self {
            service,
            endpoint,
            info,
            limits: Limits::default(),
            answers: Answers::new(Nobody),
            pause: None,
            first: Revision::NEWEST,
            next_id: AtomicI64::new(1),
            state: Mutex::default(),
        }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same client with somebody who answers what the server asks.
    ///
    /// In the older era a server asks in the middle of an answer and waits: the service must then give bodies that are
    /// read as they arrive ([`AnswerBody::stream`]).
    #[must_use]
    pub fn with_host(mut self, host: impl Host + 'static) -> Self {
        self.answers = Answers::new(host);
        self
    }

    /// The same client with a way to wait, and with it the will to open a broken stream again.
    #[must_use]
    pub fn with_pause(mut self, pause: impl Pause + 'static) -> Self {
        self.pause = Some(stream::Waiting::new(pause));
        self
    }

    /// The same client that speaks this revision first, for a server that is known to be of the older era.
    ///
    /// With a revision of the older era the first message is the handshake; without this it is `server/discover`.
    #[must_use]
    pub fn starting_with(mut self, revision: Revision) -> Self {
        self.first = revision;
        self
    }

    /// Agrees on a revision with the server, if that has not happened yet, and says which.
    ///
    /// Every other call does this by itself; alone it is a way to find out whether the server wants authorization.
    ///
    /// # Errors
    ///
    /// [`ClientError::Unauthorized`] and [`ClientError::Forbidden`] as they come, [`ClientError::NoCommonRevision`] when
    /// there is nothing to agree on, and what carrying the requests brings.
    pub async fn connect(&self) -> Result<Revision, ClientError> {
        self.agreed().await.map(|agreed| agreed.revision)
    }

    /// Ends the session, where the server keeps one. A server that does not let clients end sessions is no error.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] when the server cannot be reached.
    pub async fn close(&self) -> Result<(), ClientError> {
        let agreed = self.lock().agreed.take();
        let Some(agreed) = agreed.filter(|agreed| agreed.session.is_some()) else {
            return Ok(());
        };
        // MCP 2025-11-25, transports, session management: DELETE with the session's id; 405 when that is not allowed.
        let mut request = self.http_request(Bytes::new(), &agreed)?;
        *request.method_mut() = Method::DELETE;
        request.headers_mut().remove(header::CONTENT_TYPE);
        self.exchange(request).await.map(drop)
    }

    /// Asks in the agreed form, and once more after agreeing anew when the server has changed its mind.
    async fn request(&self, outgoing: &Outgoing<'_>) -> Result<Box<RawValue>, ClientError> {
        let agreed = self.agreed().await?;
        let (response, id) = self.send(outgoing, &agreed).await?;
        // Only the answer to the request itself says that it was not taken. What is refused later, when its stream is
        // opened again or a question on it answered, comes when the server may have done it already.
        let not_taken = response.status() == StatusCode::NOT_FOUND;
        let failure = match self.read(response, &id, &agreed).await {
            Ok(answered) => return Ok(answered.result),
            Err(failure) => failure,
        };
        let next = match &failure {
            // MCP 2026-07-28, versioning: choose among the revisions that the error names and ask again.
            ClientError::Rpc { error, .. }
                if agreed.is_modern() && error.code == code::UNSUPPORTED_VERSION =>
            {
                match agreed::common(agreed::supported_of(error.data.as_ref())) {
                    // It names the very revision that it has just refused.
                    Next::Newest => return Err(failure),
                    next => next,
                }
            }
            // MCP 2025-11-25, transports, session management: 404 for a session that has ended; start a new one.
            _ if not_taken && agreed.session.is_some() && answer::is_not_found(&failure) => {
                Next::Handshake(agreed.revision)
            }
            _ => return Err(failure),
        };
        let agreed = self.follow(next).await?;
        self.ask(outgoing, &agreed)
            .await
            .map(|answered| answered.result)
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            info: &self.info,
            capabilities: &self.answers.declared,
        }
    }

    /// One request and its answer.
    async fn ask(&self, outgoing: &Outgoing<'_>, agreed: &Agreed) -> Result<Answered, ClientError> {
        let (response, id) = self.send(outgoing, agreed).await?;
        self.read(response, &id, agreed).await
    }

    /// Sends one request with an id of its own, and has what comes back before it is read.
    async fn send(
        &self,
        outgoing: &Outgoing<'_>,
        agreed: &Agreed,
    ) -> Result<(Response<AnswerBody>, Id), ClientError> {
        let id = Id::Integer(self.next_id.fetch_add(1, Ordering::Relaxed));
        let mut request = self.http_request(outgoing.body(&id, agreed, self.asker()), agreed)?;
        if agreed.is_modern() {
            outgoing.mirror(request.headers_mut());
        }
        Ok((self.exchange(request).await?, id))
    }

    /// Reads the answer to the request with this id.
    ///
    /// 1. Status 401 and 403 are about authorization, whatever the body says.
    /// 2. Any other status that is not a success is the JSON-RPC error in the body, or the status alone.
    /// 3. The body is within the limit, JSON or an event stream, and holds the answer with this id.
    /// 4. In the newest era the result is complete; what else it may be is an error.
    async fn read(
        &self,
        response: Response<AnswerBody>,
        id: &Id,
        agreed: &Agreed,
    ) -> Result<Answered, ClientError> {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        if let Some(error) = ClientError::of_authorization(status, &parts.headers) {
            return Err(error);
        }
        let outcome = match answer::form(&parts.headers) {
            Some(Form::Message) => self.message(body, id, !status.is_success()).await,
            Some(Form::Stream) => self.stream(body, id, agreed).await,
            None => Err(BadAnswer::ContentType.into()),
        };
        let result = match outcome {
            Ok(Err(error)) => return Err(ClientError::Rpc { status, error }),
            Ok(Ok(_)) | Err(ClientError::Answer(_)) if !status.is_success() => {
                return Err(ClientError::Http { status });
            }
            Ok(Ok(result)) => result,
            Err(error) => return Err(error),
        };
        if agreed.is_modern() {
            answer::check_complete(&result)?;
        }
        let session = answer::session(&parts.headers)?;
        Ok(Answered { result, session })
    }

    /// The answer in a body that is one message.
    async fn message(
        &self,
        body: AnswerBody,
        id: &Id,
        failed: bool,
    ) -> Result<Outcome, ClientError> {
        let text = body.whole(self.limits.max_answer_bytes).await?;
        match answer::meaning(&text, Some(id), failed)? {
            Meaning::Outcome(outcome) => Ok(outcome),
            Meaning::Question(_) | Meaning::Nothing => Err(BadAnswer::NoAnswer.into()),
        }
    }

    fn http_request(&self, body: Bytes, agreed: &Agreed) -> Result<Request<Bytes>, ClientError> {
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        let headers = request.headers_mut();
        // MCP 2025-03-26 and later, transports, sending messages: both kinds of answer are acceptable.
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if agreed.sends_revision() {
            let revision = HeaderValue::from_static(agreed.revision.as_str());
            headers.insert(PROTOCOL_VERSION, revision);
        }
        if let Some(session) = &agreed.session {
            let session = HeaderValue::from_str(session).map_err(|_| BadAnswer::SessionId)?;
            headers.insert(SESSION_ID, session);
        }
        Ok(request)
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<AnswerBody>, ClientError> {
        let mut service = self.service.clone();
        poll_fn(|context| service.poll_ready(context))
            .await
            .map_err(|error| ClientError::Transport(error.into()))?;
        let response = service
            .call(request)
            .await
            .map_err(|error| ClientError::Transport(error.into()))?;
        Ok(response.map(Into::into))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and what it guards is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
