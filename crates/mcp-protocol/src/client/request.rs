//! One request and its answer: sending, reading, and asking again where the answer says how.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use serde_json::value::RawValue;
use tower_service::Service;

use super::agreed::{self, Agreed, Next};
use super::answer::{self, Answered, Form, Meaning, Outcome};
use super::error::{BadAnswer, ClientError, TransportError};
use super::farewell::Guard;
use super::notice::{Note, Notice};
use super::outgoing::Outgoing;
use super::patience::{Patience, Pulse, within};
use super::{AnswerBody, Client, Wire};
use crate::http::{PROTOCOL_VERSION, SESSION_ID};
use crate::jsonrpc::Id;
use crate::violation::code;

/// One request on its way.
#[derive(Debug)]
pub(super) struct Flight<'a> {
    pub(super) id: Id,
    pub(super) agreed: &'a Agreed,
    outgoing: &'a Outgoing<'a>,
    pub(super) pulse: Pulse,
    wants_logs: bool,
    /// The server has said what comes of it, so that there is nothing to take back.
    answered: AtomicBool,
    /// The answer began and did not end.
    pub(super) broke_off: AtomicBool,
    /// How far it was when it was last heard of.
    told: Mutex<Option<f64>>,
}

impl Flight<'_> {
    // MCP-PROG-01: only while the request is active, and only forward.
    fn hear(&self, note: &Note) {
        let Some(hearer) = self.outgoing.manner.progress else {
            return;
        };
        let Some(progress) = note.progress(&self.id) else {
            return;
        };
        if self.answered.load(Ordering::Relaxed) {
            return;
        }
        {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.is_some_and(|told| progress.progress <= told) {
                return;
            }
            *told = Some(progress.progress);
        }
        self.pulse.beat();
        (hearer.0)(progress);
    }
}

/// What came of trying a request once.
struct Tried {
    /// The status of the answer, if there was one.
    status: Option<StatusCode>,
    broke_off: bool,
    outcome: Result<Answered, ClientError>,
}

/// How long telling a server what is no longer wanted may hold up what is wanted.
const FLUSH_TIME: Duration = Duration::from_secs(1);

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Tells the server which calls nobody waits for any more (the older era, without a spawner).
    ///
    /// Each request does this first; alone it is for a client that dropped a call and has nothing else to ask. What cannot
    /// be told is forgotten: the server goes on for nobody. With a [`Pause`](super::Pause) it takes at most a second.
    pub async fn flush(&self) {
        let work = async {
            while let Some(farewell) = self.outbox.next() {
                let request = self.http_request(farewell.body(), &farewell.agreed)?;
                drop(self.exchange(request).await);
            }
            Ok(())
        };
        let patience = Patience {
            quiet: FLUSH_TIME,
            at_most: FLUSH_TIME,
        };
        drop(within(self.pause.as_ref(), patience, &Pulse::default(), work).await);
    }

    /// Asks in the agreed form, and once more after agreeing anew when the server has changed its mind.
    pub(super) async fn request(
        &self,
        outgoing: &Outgoing<'_>,
    ) -> Result<Box<RawValue>, ClientError> {
        self.flush().await;
        let agreed = self.agreed().await?;
        let tried = self.attempt(outgoing, &agreed).await;
        let failure = match tried.outcome {
            Ok(answered) => return Ok(answered.result),
            Err(failure) => failure,
        };
        // MCP-HTTP-08: what broke off is lost; it is asked again with a new id where that does no harm.
        if tried.broke_off
            && agreed.is_modern()
            && self.wire == Wire::Http
            && outgoing.is_repeatable()
        {
            let again = self.ask(outgoing, &agreed).await;
            return again.map(|answered| answered.result);
        }
        // Only the answer to the request itself says that it was not taken. What is refused later, when its stream is
        // opened again or a question on it answered, comes when the server may have done it already.
        // Over lines the status is a success wherever the request was written, and then only an error in its answer
        // refuses it: a question may find another process than the one that asked it.
        let refused = tried.status.is_some_and(|status| status.is_client_error())
            || (self.wire == Wire::Lines && matches!(failure, ClientError::Rpc { .. }));
        let next = match &failure {
            // MCP 2026-07-28, versioning: choose among the revisions that the error names and ask again.
            ClientError::Rpc { error, .. }
                if agreed.is_modern() && error.code == code::UNSUPPORTED_VERSION =>
            {
                match agreed::common(agreed::supported_of(error.data.as_ref()), self.wire) {
                    // It names the very revision that it has just refused.
                    Next::Newest => return Err(failure),
                    next => next,
                }
            }
            // MCP 2025-11-25, transports, session management: 404 for a session that has ended; start a new one.
            _ if refused && agreed.session.is_some() && answer::is_not_found(&failure) => {
                Next::Handshake(agreed.revision)
            }
            // MCP-DUAL-04: the server may have been replaced by one of the other era.
            _ if refused && agreed::in_doubt(&failure, &agreed) => match self.probe().await {
                next if next.era().is_some_and(|era| era != agreed.revision.era()) => next,
                _ => return Err(failure),
            },
            _ => return Err(failure),
        };
        let agreed = Box::pin(self.agreed_anew(&agreed, next)).await?;
        self.ask(outgoing, &agreed)
            .await
            .map(|answered| answered.result)
    }

    /// One request and its answer.
    pub(super) async fn ask(
        &self,
        outgoing: &Outgoing<'_>,
        agreed: &Agreed,
    ) -> Result<Answered, ClientError> {
        self.attempt(outgoing, agreed).await.outcome
    }

    async fn attempt(&self, outgoing: &Outgoing<'_>, agreed: &Agreed) -> Tried {
        let flight = self.flight(outgoing, agreed);
        let guard = Guard::new(
            &self.outbox,
            self.pause.as_ref(),
            outgoing.method(),
            &flight.id,
            agreed,
            &flight.answered,
        );
        let mut status = None;
        // On the heap: this is by far the largest part of a request, and it is in each of them several times.
        let work = Box::pin(async {
            let response = self.send(&flight).await?;
            status = Some(response.status());
            self.read(response, &flight).await
        });
        let patience = self.patience(outgoing.manner.quiet, outgoing.manner.at_most);
        let outcome = within(self.pause.as_ref(), patience, &flight.pulse, work).await;
        drop(guard);
        // MCP-RPC-12: what is no longer waited for is taken back.
        if let Err(ClientError::TimedOut(_)) = &outcome {
            self.flush().await;
        }
        Tried {
            status,
            broke_off: flight.broke_off.load(Ordering::Relaxed),
            outcome,
        }
    }

    /// A request with an id of its own.
    pub(super) fn flight<'a>(&self, outgoing: &'a Outgoing<'a>, agreed: &'a Agreed) -> Flight<'a> {
        Flight {
            id: Id::Integer(self.next_id.fetch_add(1, Ordering::Relaxed)),
            agreed,
            outgoing,
            pulse: Pulse::default(),
            wants_logs: outgoing.log_level(self.asker()).is_some(),
            answered: AtomicBool::new(false),
            broke_off: AtomicBool::new(false),
            told: Mutex::default(),
        }
    }

    /// How long a request is waited for: the caller's times within the client's.
    pub(super) fn patience(&self, quiet: Option<Duration>, at_most: Option<Duration>) -> Patience {
        Patience {
            quiet: quiet.unwrap_or(self.limits.max_quiet),
            at_most: at_most.unwrap_or(self.limits.max_request_time),
        }
    }

    /// Sends one request, and has what comes back before it is read.
    pub(super) async fn send(
        &self,
        flight: &Flight<'_>,
    ) -> Result<Response<AnswerBody>, ClientError> {
        let body = flight
            .outgoing
            .body(&flight.id, flight.agreed, self.asker());
        let mut request = self.http_request(body, flight.agreed)?;
        if flight.agreed.is_modern() {
            flight.outgoing.mirror(request.headers_mut());
        }
        self.exchange(request).await
    }

    /// Reads the answer to a request.
    ///
    /// 1. Status 401 and 403 are about authorization, whatever the body says.
    /// 2. Any other status that is not a success is the JSON-RPC error in the body, or the status alone.
    /// 3. The body is within the limit, JSON or an event stream, and holds the answer with this id.
    /// 4. In the newest era the result is complete; what else it may be is an error.
    pub(super) async fn read(
        &self,
        response: Response<AnswerBody>,
        flight: &Flight<'_>,
    ) -> Result<Answered, ClientError> {
        let (parts, body) = response.into_parts();
        let status = parts.status;
        if !status.is_success() {
            flight.answered.store(true, Ordering::Relaxed);
        }
        if let Some(error) = ClientError::of_authorization(status, &parts.headers) {
            return Err(error);
        }
        let outcome = match answer::form(&parts.headers) {
            Some(Form::Message) => self.message(body, flight, !status.is_success()).await,
            Some(Form::Stream) => self.stream(body, flight).await,
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
        if flight.agreed.is_modern() {
            // MCP-TASK-01: only a tool call, and only where the extension was declared.
            let may_be_task = self.follows_tasks && flight.outgoing.method() == "tools/call";
            answer::check_complete(&result, may_be_task, &self.extensions)?;
        }
        let session = answer::session(&parts.headers)?;
        Ok(Answered { result, session })
    }

    /// The answer in a body that is one message, or a batch where the revision has them.
    async fn message(
        &self,
        body: AnswerBody,
        flight: &Flight<'_>,
        failed: bool,
    ) -> Result<Outcome, ClientError> {
        let text = match body.whole(self.limits.max_answer_bytes).await {
            Err(error @ ClientError::Transport(_)) => {
                flight.broke_off.store(true, Ordering::Relaxed);
                return Err(error);
            }
            read => read?,
        };
        let meanings = answer::meanings(&text, Some(&flight.id), failed, flight.agreed.revision)?;
        let alone = meanings.len() == 1;
        let mut answered = None;
        let mut questions = 0_usize;
        for meaning in meanings {
            match meaning {
                Meaning::Outcome(outcome) => answered = answered.or(Some(flight.end(outcome))),
                // Among others in a batch, a question has its place; alone it is no answer.
                Meaning::Question(question) if !alone => {
                    self.asked(question, Some(flight), flight.agreed, &mut questions)
                        .await?;
                }
                Meaning::Note(note) => self.hear(note, Some(flight), flight.agreed),
                Meaning::Question(_) | Meaning::Nothing => {}
            }
        }
        answered.ok_or_else(|| BadAnswer::NoAnswer.into())
    }

    /// Passes on what a server tells by itself.
    pub(super) fn hear(&self, note: Note, flight: Option<&Flight<'_>>, agreed: &Agreed) {
        if let Some(flight) = flight {
            flight.hear(&note);
            // MCP-LOG-01: in the newest era a request has the log messages that it asked for; changes are in
            // subscriptions and nowhere else.
            if agreed.is_modern() && !flight.wants_logs {
                return;
            }
        }
        if let Some(change) = note.change() {
            if !agreed.is_modern() {
                self.changed(change);
            }
        } else if let (Some(ears), Some(log)) = (&self.ears, note.log()) {
            ears.hear(Notice::Log(log));
        }
    }

    pub(super) fn http_request(
        &self,
        body: Bytes,
        agreed: &Agreed,
    ) -> Result<Request<Bytes>, ClientError> {
        post(&self.endpoint, body, agreed)
    }

    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<AnswerBody>, ClientError> {
        exchange(self.service.clone(), request).await
    }
}

impl Flight<'_> {
    /// Takes note that the answer is there.
    pub(super) fn end(&self, outcome: Outcome) -> Outcome {
        self.answered.store(true, Ordering::Relaxed);
        outcome
    }
}

/// A request with what every one has.
pub(super) fn post(
    endpoint: &Uri,
    body: Bytes,
    agreed: &Agreed,
) -> Result<Request<Bytes>, ClientError> {
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.clone();
    request.extensions_mut().insert(agreed.revision);
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

/// Sends a request by a service that is there for nothing else.
pub(super) async fn exchange<S, B>(
    mut service: S,
    request: Request<Bytes>,
) -> Result<Response<AnswerBody>, ClientError>
where
    S: Service<Request<Bytes>, Response = Response<B>>,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(|error| ClientError::Transport(error.into()))?;
    let response = service
        .call(request)
        .await
        .map_err(|error| ClientError::Transport(error.into()))?;
    Ok(response.map(Into::into))
}
