//! A POST: which era, which session, and then the message.

use std::sync::{Arc, Mutex};

use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::body::Body;
use super::context::Context;
use super::dispatch::{self, Call};
use super::exchange::{self, OUTBOX, Outgoing, Reply, Working};
use super::handler::Handler;
use super::listen;
use super::options::Operation;
use super::round::Round;
use super::service::{Shared, refuse};
use super::sessions::{InFlight, Session, Sessions};
use super::spoken::Spoken;
use crate::http as rules;
use crate::jsonrpc::{self, Id, Malformed, Message, Notification, Request, RpcError};
use crate::revision::{Era, Revision};
use crate::session::negotiate;
use crate::stateless::{self, AnyMeta};
use crate::types::{Initialize, Initialized, TASKS_EXTENSION};
use crate::violation::Violation;

/// Serves the body of a POST.
pub(super) async fn serve<H: Handler>(
    shared: Arc<Shared<H>>,
    mut parts: Parts,
    bytes: &[u8],
) -> Response<Body> {
    let body = match jsonrpc::read(bytes) {
        Ok(body) => body,
        Err(violation) => return refuse(None, &violation),
    };
    let principal = shared.principal(&parts);
    let extensions = Arc::new(std::mem::take(&mut parts.extensions));
    let post = Post {
        shared,
        parts,
        extensions,
        principal,
    };
    match body {
        jsonrpc::Body::Batch(items) => post.batch(items).await,
        jsonrpc::Body::Single(Err(Malformed { id, violation })) => refuse(id.as_ref(), &violation),
        jsonrpc::Body::Single(Ok(Message::Request(request))) => post.request(request).await,
        jsonrpc::Body::Single(Ok(Message::Notification(notification))) => {
            match post.notification(&notification) {
                Ok(()) => accepted(),
                Err(violation) => refuse(None, &violation),
            }
        }
        jsonrpc::Body::Single(Ok(Message::Response(response))) => match post.response(response) {
            Ok(()) => accepted(),
            Err(violation) => refuse(None, &violation),
        },
    }
}

pub(super) struct Post<H> {
    pub(super) shared: Arc<Shared<H>>,
    parts: Parts,
    extensions: Arc<Extensions>,
    principal: Option<String>,
}

/// Where a message of the older revisions belongs.
pub(super) struct Place {
    pub(super) revision: Revision,
    pub(super) session: Option<Arc<Session>>,
}

/// A handler at work, or the response that is there already.
pub(super) enum Start {
    Working(Working),
    Refused(Violation),
    Replied(Reply),
    Gated(Box<Response<Body>>),
}

impl<H: Handler> Post<H> {
    pub(super) fn spoken(&self, meta: &AnyMeta) -> Result<Spoken, Violation> {
        Spoken::read(&self.parts.headers, meta)
    }

    /// Finds the session of a message of the older revisions, if this server has sessions.
    pub(super) fn place(&self, revision: Revision) -> Result<Place, Violation> {
        let Some(sessions) = &self.shared.sessions else {
            return Ok(Place {
                revision,
                session: None,
            });
        };
        let id = rules::session_id(&self.parts.headers);
        let session = sessions.find(id, self.principal.as_deref())?;
        // MCP-LIFE-04: what was negotiated is spoken.
        Ok(Place {
            revision: session.revision(),
            session: Some(session),
        })
    }

    async fn request(self, request: Request<'_>) -> Response<Body> {
        let meta = AnyMeta::read(request.params);
        if request.method == "initialize" && !meta.is_modern() {
            return self.initialize(&request);
        }
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut session = None;
        let start = match self.spoken(&meta) {
            Ok(Spoken::Modern) => self.start_modern(&request, &meta, outbox),
            Ok(Spoken::Legacy(revision)) => match self.place(revision) {
                Ok(place) => match self.gate_legacy(&request, &place) {
                    Ok(()) => {
                        session.clone_from(&place.session);
                        self.start_legacy(&request, &meta, &place, outbox)
                    }
                    Err(response) => Start::Gated(response),
                },
                Err(violation) => Start::Refused(violation),
            },
            Err(violation) => Start::Refused(violation),
        };
        match start {
            Start::Working(working) => {
                exchange::answer(working, messages, self.shared.options.keep_alive, session).await
            }
            Start::Refused(violation) => refuse(Some(&request.id), &violation),
            Start::Replied(reply) => exchange::json(reply.status, reply.text.unwrap_or_default()),
            Start::Gated(response) => *response,
        }
    }

    /// The way of a request of 2026-07-28, in the order of requirements section 14.5.
    fn start_modern(
        &self,
        request: &Request<'_>,
        meta: &AnyMeta,
        outbox: mpsc::Sender<Outgoing>,
    ) -> Start {
        let headers = rules::mirrored(&self.parts.headers);
        let admitted =
            match stateless::admit(request, meta, Some(&headers), self.shared.extensions()) {
                Ok(admitted) => admitted,
                Err(violation) => return Start::Refused(violation),
            };
        if let Err(response) = self.gate(request) {
            return Start::Gated(response);
        }
        let refused = |error| Start::Replied(dispatch::refusal_of(&request.id, error, Era::Modern));
        let revision = admitted.revision();
        let round = if stateless::MAY_ASK.contains(&&*request.method) {
            match Round::read(request.params) {
                Ok(round) => round,
                Err(error) => return refused(error),
            }
        } else {
            Round::closed()
        };
        let extensions = self.shared.extensions();
        let call = match Call::read(revision, extensions, &request.method, request.params) {
            Ok(call) => call,
            Err(error) => return refused(error),
        };
        if let Call::UseTool(call) = &call {
            let params = self.shared.handler.header_params(&call.name);
            if !params.is_empty() {
                // JSON that no value can hold (1e999, half a surrogate pair) would otherwise look like
                // no arguments here, and like some to a handler that skips what it does not know.
                let arguments: Value = match serde_json::from_str(call.arguments_text()) {
                    Ok(arguments) => arguments,
                    Err(_) => {
                        return refused(super::Error::invalid_params("arguments: unreadable"));
                    }
                };
                let checked = rules::check_params(&params, &self.parts.headers, &arguments);
                if let Err(violation) = checked {
                    return Start::Refused(violation);
                }
            }
        }
        // MCP-TASK-01, MCP-TASK-03: only a tool call, and only if the request itself declares it.
        let meta = admitted.into_meta();
        let follows_tasks = meta.capabilities.extension(TASKS_EXTENSION);
        let may_be_task = matches!(call, Call::UseTool(_)) && follows_tasks;
        // MCP-TASK-10: to listen for tasks needs the extension too.
        if let (Call::Listen(listen), true, false) =
            (&call, self.shared.tasks.is_some(), follows_tasks)
            && listen.wants_tasks()
        {
            return Start::Refused(Violation::ExtensionNotDeclared {
                extension: TASKS_EXTENSION,
            });
        }
        let context = Context {
            revision,
            extensions: Arc::clone(&self.extensions),
            capabilities: meta.capabilities,
            client: meta.client_info,
            progress_token: meta.progress_token,
            log_level: meta.log_level,
            outbox,
            session: None,
            cancelled: None,
            round,
            progressed: Mutex::default(),
            principal: self.principal.clone(),
            tasks: self.shared.tasks.clone().filter(|_| may_be_task),
        };
        Start::Working(dispatch::run(
            Arc::clone(&self.shared),
            context,
            request.id.clone(),
            call,
        ))
    }

    /// Starts a request that the gate has let through.
    pub(super) fn start_legacy(
        &self,
        request: &Request<'_>,
        meta: &AnyMeta,
        place: &Place,
        outbox: mpsc::Sender<Outgoing>,
    ) -> Start {
        let refused = |error| Start::Replied(dispatch::refusal_of(&request.id, error, Era::Legacy));
        if meta.is_unreadable() {
            return refused(super::Error::invalid_params("_meta must be an object"));
        }
        let call = match Call::read(place.revision, &[], &request.method, request.params) {
            Ok(call) => call,
            Err(error) => return refused(error),
        };
        let in_flight = match place
            .session
            .as_ref()
            .map(|session| session.begin(&request.id))
        {
            None => None,
            Some(Ok(in_flight)) => Some(in_flight),
            Some(Err(violation)) => return Start::Refused(violation),
        };
        let peer = place.session.as_ref().map(|session| session.peer());
        let context = Context {
            revision: place.revision,
            extensions: Arc::clone(&self.extensions),
            capabilities: peer
                .map(|peer| peer.capabilities.clone())
                .unwrap_or_default(),
            client: peer.map(|peer| peer.client_info.clone()),
            progress_token: meta.progress_token(),
            log_level: None,
            outbox,
            session: place.session.clone(),
            cancelled: in_flight.as_ref().map(InFlight::cancelled),
            round: Round::closed(),
            progressed: Mutex::default(),
            principal: self.principal.clone(),
            tasks: None,
        };
        let id = request.id.clone();
        let working = dispatch::run(Arc::clone(&self.shared), context, id.clone(), call);
        Start::Working(match in_flight {
            Some(in_flight) => detached(working, in_flight, id),
            None => working,
        })
    }

    /// Opens the dialogue of the older revisions.
    fn initialize(&self, request: &Request<'_>) -> Response<Body> {
        let refused = |error: RpcError| {
            let reply = dispatch::refusal(&request.id, error, Era::Legacy);
            exchange::json(reply.status, reply.text.unwrap_or_default())
        };
        let params = request.params.map_or("{}", |params| params.get());
        let peer: Initialize = match serde_json::from_str(params) {
            Ok(peer) => peer,
            Err(error) => {
                return refused(RpcError::invalid_params(stateless::clip(&format!(
                    "params: {error}"
                ))));
            }
        };
        if let Err(response) = self.gate(request) {
            return *response;
        }
        let revision = negotiate(&peer.protocol_version);
        let mut session_id = None;
        if let Some(sessions) = &self.shared.sessions {
            if self.parts.headers.contains_key(rules::SESSION_ID) {
                // MCP-LIFE-01: a session is opened once.
                return refuse(Some(&request.id), &Violation::InitializeMisplaced);
            }
            if !Sessions::keeps(&peer) {
                return refused(RpcError::invalid_params("initialize is too long"));
            }
            match sessions.open(revision, peer, self.principal.clone()) {
                Ok((id, _)) => session_id = Some(id),
                Err(violation) => return refuse(Some(&request.id), &violation),
            }
        }
        let mut capabilities = self.shared.capabilities.clone();
        if session_id.is_none() {
            // Without a session there is no stream to tell changes on.
            capabilities = listen::without_changes(capabilities);
        }
        let result = Initialized {
            protocol_version: revision.to_string(),
            capabilities,
            server_info: self.shared.info.clone(),
            instructions: self.shared.handler.instructions(),
        };
        let mut response = exchange::json(200, jsonrpc::result_text(&request.id, result));
        if let Some(id) = session_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
            response.headers_mut().insert(rules::SESSION_ID, id);
        }
        response
    }

    pub(super) fn notification(&self, notification: &Notification<'_>) -> Result<(), Violation> {
        let meta = AnyMeta::read(notification.params);
        match self.spoken(&meta)? {
            Spoken::Modern => {
                // Requirements section 14.3: the headers may be absent, but they may not lie.
                let headers = rules::mirrored(&self.parts.headers);
                if rules::contradicts(&headers.method, &notification.method) {
                    return Err(differs(&rules::METHOD));
                }
                if let Some(Value::String(version)) = meta.get(stateless::key::PROTOCOL_VERSION)
                    && rules::contradicts(&headers.version, version)
                {
                    return Err(differs(&rules::PROTOCOL_VERSION));
                }
                Ok(())
            }
            Spoken::Legacy(revision) => {
                let place = self.place(revision)?;
                if let (Some(session), "notifications/cancelled") =
                    (&place.session, &*notification.method)
                {
                    #[derive(Deserialize)]
                    struct Cancelled {
                        #[serde(rename = "requestId")]
                        id: Id,
                    }
                    let params = notification.params.map_or("{}", |params| params.get());
                    // MCP-CANC-02: one that cannot be read is as one that is unknown.
                    if let Ok(cancelled) = serde_json::from_str::<Cancelled>(params) {
                        session.cancel(&cancelled.id);
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn response(&self, response: jsonrpc::Response<'_>) -> Result<(), Violation> {
        match self.spoken(&AnyMeta::default())? {
            // MCP-RPC-10: a client sends no responses in 2026-07-28.
            Spoken::Modern => Err(Violation::ResponseRefused),
            Spoken::Legacy(revision) => match (self.place(revision)?.session, response.id) {
                (Some(session), Some(id)) => {
                    session.answered(&id, response.outcome);
                    Ok(())
                }
                // Without sessions nothing was ever asked.
                _ => Err(Violation::ResponseRefused),
            },
        }
    }

    /// Asks the gate, unless the method is unknown and will be refused anyway.
    pub(super) fn gate_legacy(
        &self,
        request: &Request<'_>,
        place: &Place,
    ) -> Result<(), Box<Response<Body>>> {
        if place.revision.has_request(&request.method) {
            self.gate(request)
        } else {
            Ok(())
        }
    }

    /// Asks the gate.
    fn gate(&self, request: &Request<'_>) -> Result<(), Box<Response<Body>>> {
        let Some(gate) = &self.shared.options.gate else {
            return Ok(());
        };
        let operation = Operation {
            method: request.method.clone().into_owned(),
            name: subject(request),
        };
        gate(&self.extensions, &operation).map_err(|response| Box::new(response.map(Body::whole)))
    }
}

/// What a request is about, for the gate.
fn subject(request: &Request<'_>) -> Option<String> {
    // These two have no `Mcp-Name`, but they are about a resource as much as reading it is.
    let method = match &*request.method {
        "resources/subscribe" | "resources/unsubscribe" => "resources/read",
        method => method,
    };
    stateless::mirrored_name(method, request.params)
}

fn differs(header: &HeaderName) -> Violation {
    Violation::Header {
        header: header.to_string(),
        problem: "does not match the body",
    }
}

/// Lets a request of a session go on when the client's connection breaks, until it is cancelled or
/// the session ends.
///
/// MCP-LHTTP-10: a disconnect is not a cancellation in the older revisions.
fn detached(working: Working, in_flight: InFlight, id: Id) -> Working {
    let mut cancelled: watch::Receiver<bool> = in_flight.cancelled();
    let session = in_flight.session();
    let task = tokio::spawn(async move {
        let reply = tokio::select! {
            reply = working => reply,
            _ = cancelled.wait_for(|cancelled| *cancelled) => Reply { status: 200, text: None },
            () = session.closed() => Reply { status: 200, text: None },
        };
        drop(in_flight);
        reply
    });
    Box::pin(async move {
        task.await.unwrap_or_else(|_| {
            dispatch::refusal(
                &id,
                RpcError::internal("the handler broke off"),
                Era::Legacy,
            )
        })
    })
}

pub(super) fn accepted() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}
