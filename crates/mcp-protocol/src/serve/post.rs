//! A POST: which era, which session, and then the message.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

use super::body::Body;
use super::dispatch::{self, Call};
use super::exchange::{self, OUTBOX, Outgoing, Reply, Working};
use super::handler::Handler;
use super::listen;
use super::request::{Answered, Caller, Message, Notification, Place, Request};
use super::service::{Shared, refuse};
use super::session::InFlight;
use super::spoken::Spoken;
use crate::http as rules;
use crate::jsonrpc::{self, Id, Malformed, RpcError};
use crate::revision::{Era, Revision};
use crate::session::negotiate;
use crate::stateless::{self, Params};
use crate::violation::Violation;

/// Serves the body of a POST.
pub(super) async fn serve<H: Handler>(
    shared: Arc<Shared<H>>,
    mut parts: Parts,
    bytes: &[u8],
) -> Response<Body> {
    let body = match jsonrpc::read_as(bytes) {
        Ok(body) => body,
        Err(violation) => return refuse(None, &violation),
    };
    let principal = shared.principal(&parts);
    let extensions = Arc::new(std::mem::take(&mut parts.extensions));
    let caller = Caller {
        shared,
        extensions,
        principal,
    };
    let post = Post { caller, parts };
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
    pub(super) caller: Caller<H>,
    parts: Parts,
}

impl<H: Handler> Post<H> {
    pub(super) fn spoken(&self, params: &Params<'_>) -> Result<Spoken, Violation> {
        Spoken::read(&self.parts.headers, params)
    }

    /// Finds the session of a message of the older revisions, if this server has sessions.
    pub(super) fn place(&self, revision: Revision) -> Result<Place, Violation> {
        let Some(sessions) = &self.caller.shared.sessions else {
            return Ok(Place {
                revision,
                session: None,
            });
        };
        let id = rules::session_id(&self.parts.headers);
        let session = sessions.find(id, self.caller.principal.as_deref())?;
        // MCP-LIFE-04: what was negotiated is spoken.
        Ok(Place {
            revision: session.revision(),
            session: Some(session),
        })
    }

    async fn request(self, request: Request<'_>) -> Response<Body> {
        if request.method == "initialize" && !request.params.is_modern() {
            return self.initialize(&request);
        }
        let (outbox, messages) = mpsc::channel(OUTBOX);
        let mut session = None;
        let started = match self.spoken(&request.params) {
            Ok(Spoken::Modern) => {
                let headers = Some(&self.parts.headers);
                self.caller.start_modern(&request, headers, outbox)
            }
            Ok(Spoken::Legacy(revision)) => match self.place(revision) {
                Ok(place) => {
                    session.clone_from(&place.session);
                    self.caller
                        .gate_legacy(&request, &place)
                        .and_then(|()| self.start_legacy(&request, &place, outbox))
                }
                Err(violation) => Err(violation.into()),
            },
            Err(violation) => Err(violation.into()),
        };
        match started {
            Ok(working) => {
                let keep_alive = self.caller.shared.options.keep_alive;
                exchange::answer(working, messages, keep_alive, session).await
            }
            Err(answered) => whole(Some(&request.id), answered),
        }
    }

    /// Starts a request that the gate has let through.
    pub(super) fn start_legacy(
        &self,
        request: &Request<'_>,
        place: &Place,
        outbox: mpsc::Sender<Outgoing>,
    ) -> Result<Working, Answered> {
        let call = self.caller.read_legacy(request, place)?;
        let begun = place
            .session
            .as_ref()
            .map(|session| session.begin(&request.id))
            .transpose();
        let in_flight = match begun {
            // MCP-LIFE-05: a ping is answered at once, so it needs no room.
            Err(Violation::TooManyInFlight) if matches!(call, Call::Ping) => None,
            begun => begun?,
        };
        let id = request.id.clone();
        let cancelled = in_flight.as_ref().map(InFlight::cancelled);
        let working =
            self.caller
                .run_legacy(id.clone(), call, &request.params, place, cancelled, outbox);
        Ok(match in_flight {
            Some(in_flight) => detached(working, in_flight, id),
            None => working,
        })
    }

    /// Opens the dialogue of the older revisions.
    fn initialize(&self, request: &Request<'_>) -> Response<Body> {
        let peer = match self.caller.read_initialize(request) {
            Ok(peer) => peer,
            Err(answered) => return whole(Some(&request.id), answered),
        };
        let revision = negotiate(&peer.protocol_version, self.caller.shared.transport);
        let mut session_id = None;
        if let Some(sessions) = &self.caller.shared.sessions {
            if self.parts.headers.contains_key(rules::SESSION_ID) {
                // MCP-LIFE-01: a session is opened once.
                return refuse(Some(&request.id), &Violation::InitializeMisplaced);
            }
            let principal = self.caller.principal.clone();
            let Some(id) = sessions.new_id(revision, &peer, principal.as_deref()) else {
                let error = RpcError::invalid_params("initialize is too long");
                let reply = dispatch::refusal(&request.id, error, Era::Legacy);
                return whole(Some(&request.id), Answered::Replied(reply));
            };
            if let Err(violation) = sessions.open(id.clone(), revision, peer, principal) {
                return refuse(Some(&request.id), &violation);
            }
            session_id = Some(id);
        }
        let mut capabilities = self.caller.shared.capabilities.clone();
        if session_id.is_none() {
            // Without a session there is no stream to tell changes on.
            capabilities = listen::without_changes(capabilities);
        }
        let text = self.caller.initialized(&request.id, revision, capabilities);
        let mut response = exchange::json(200, text);
        if let Some(id) = session_id.and_then(|id| HeaderValue::from_str(&id).ok()) {
            response.headers_mut().insert(rules::SESSION_ID, id);
        }
        response
    }

    pub(super) fn notification(&self, notification: &Notification<'_>) -> Result<(), Violation> {
        let params = &notification.params;
        match self.spoken(params)? {
            Spoken::Modern => {
                // Requirements section 14.3: the headers may be absent, but they may not lie.
                let headers = rules::mirrored(&self.parts.headers);
                if rules::contradicts(&headers.method, &notification.method) {
                    return Err(differs(&rules::METHOD));
                }
                if let Some(version) = params.text(stateless::key::PROTOCOL_VERSION)
                    && rules::contradicts(&headers.version, &version)
                {
                    return Err(differs(&rules::PROTOCOL_VERSION));
                }
                Ok(())
            }
            Spoken::Legacy(revision) => {
                let place = self.place(revision)?;
                if let (Some(session), "notifications/initialized") =
                    (&place.session, &*notification.method)
                {
                    session.set_ready();
                }
                if let (Some(session), "notifications/cancelled") =
                    (&place.session, &*notification.method)
                {
                    #[derive(Deserialize)]
                    struct Cancelled {
                        #[serde(rename = "requestId")]
                        id: Id,
                    }
                    // MCP-CANC-02: one that cannot be read is as one that is unknown.
                    if let Ok(cancelled) = params.parse::<Cancelled>() {
                        session.cancel(&cancelled.id);
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn response(&self, response: jsonrpc::Response<'_>) -> Result<(), Violation> {
        match self.spoken(&Params::default())? {
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
}

/// The response to a request that no handler works on.
pub(super) fn whole(id: Option<&Id>, answered: Answered) -> Response<Body> {
    match answered {
        Answered::Refused(violation) => refuse(id, &violation),
        Answered::Replied(Reply {
            instead: Some(instead),
            ..
        }) => instead.into_response().map(Body::whole),
        Answered::Replied(reply) => exchange::json(reply.status, reply.text.unwrap_or_default()),
        Answered::Gated(response) => response.map(Body::whole),
    }
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
            _ = cancelled.wait_for(|cancelled| *cancelled) => Reply { status: 200, text: None, instead: None },
            () = session.closed() => Reply { status: 200, text: None, instead: None },
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
