//! What becomes of each line.

use std::sync::Arc;

use http::Extensions;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};

use super::PipeLimits;
use super::flights::{Flight, Flights, Voice};
use super::output::Output;
use crate::jsonrpc::{self, Body, Id, Malformed, Text};
use crate::revision::{Era, Revision, Transport};
use crate::serve::exchange::{Outgoing, Working};
use crate::serve::handler::Handler;
use crate::serve::listen::{self, Hearing};
use crate::serve::request::{Answered, Caller, Message, Notification, Place, Request};
use crate::serve::service::Shared;
use crate::serve::session::{Held, Session};
use crate::serve::{Changes, SessionLimits};
use crate::session::negotiate;
use crate::stdio::LineError;
use crate::violation::Violation;

/// The messages of one request that wait for room in the queue of all.
const WAITING: usize = 1;

/// The dialogue with one client.
pub(super) struct Dialogue<H> {
    pub(super) caller: Caller<H>,
    pub(super) flights: Flights,
    pub(super) output: Output,
    pub(super) opened: Option<Opened>,
    limits: SessionLimits,
    /// Tells that nothing more is read.
    ending: watch::Sender<bool>,
}

/// The dialogue of the older revisions, after `initialize`.
pub(super) struct Opened {
    pub(super) session: Held,
}

/// A request that has been let through, and that no handler works on yet.
pub(super) struct Ready {
    flight: Flight,
    working: Working,
    messages: mpsc::Receiver<Outgoing>,
    /// Only for one that goes on until it is ended.
    ending: Option<watch::Receiver<bool>>,
}

impl Ready {
    pub(super) async fn work(self, output: &Output) -> Option<(Flight, Text)> {
        self.flight
            .work(self.working, self.messages, output, self.ending)
            .await
    }
}

impl<H: Handler> Dialogue<H> {
    pub(super) fn new(shared: Arc<Shared<H>>, limits: &PipeLimits, output: Output) -> Self {
        // Nothing here has an id that must not be guessed, and nothing can be had again.
        let mut session = SessionLimits::new(|_| {});
        session.max_in_flight = limits.max_in_flight;
        session.max_subscriptions = limits.max_subscriptions;
        session.replay_bytes = 0;
        Dialogue {
            caller: Caller {
                shared,
                // MCP-STDIO-06: no authorization here, so nobody in particular.
                extensions: Arc::new(Extensions::new()),
                principal: None,
            },
            flights: Flights::new(limits.max_in_flight),
            output,
            opened: None,
            limits: session,
            ending: watch::channel(false).0,
        }
    }

    /// Nothing more is read: what cannot end by itself does, the rest goes on while what this gives
    /// is kept.
    pub(super) fn end(self) -> Flights {
        self.ending.send_replace(true);
        self.flights
    }

    /// Takes a line.
    pub(super) async fn line(&mut self, line: Result<String, LineError>) {
        let line = match line {
            Ok(line) => line,
            Err(error) => return self.refuse(None, error.into()).await,
        };
        match jsonrpc::read_as(line.as_bytes()) {
            Err(violation) => self.refuse(None, violation).await,
            Ok(Body::Batch(items)) => self.batch(items).await,
            Ok(Body::Single(Err(malformed))) => {
                let text = self.malformed(malformed);
                self.output.send(text).await;
            }
            Ok(Body::Single(Ok(Message::Request(request)))) => self.request(&request).await,
            Ok(Body::Single(Ok(Message::Notification(notification)))) => {
                self.notification(&notification);
            }
            Ok(Body::Single(Ok(Message::Response(response)))) => self.response(response),
        }
    }

    /// What is said to something that is no message.
    ///
    /// The id of a response is one of ours: it is not echoed, and whoever waits for it is told.
    pub(super) fn malformed(&self, malformed: Malformed) -> Text {
        if !malformed.is_response() {
            return Answered::Refused(malformed.violation).into_text(malformed.id.as_ref());
        }
        let error = malformed.violation.error();
        if let (Some(opened), Some(id)) = (&self.opened, &malformed.id) {
            opened.session.0.answered(id, Err(error));
        }
        Answered::Refused(malformed.violation).into_text(None)
    }

    pub(super) async fn refuse(&self, id: Option<&Id>, violation: Violation) {
        let text = Answered::Refused(violation).into_text(id);
        self.output.send(text).await;
    }

    async fn request(&mut self, request: &Request<'_>) {
        let params = &request.params;
        let answered = match &*request.method {
            "initialize" if !params.is_modern() => self.initialize(request),
            "ping" if !params.is_modern() => self.ping(request).await,
            _ => match self.start(request) {
                Ok(ready) => return self.go(ready),
                Err(answered) => Err(answered),
            },
        };
        let text = answered.unwrap_or_else(|answered| answered.into_text(Some(&request.id)));
        self.output.send(text).await;
    }

    fn go(&self, ready: Ready) {
        let output = self.output.clone();
        tokio::spawn(async move {
            if let Some((flight, text)) = ready.work(&output).await {
                flight.land(text, &output).await;
            }
        });
    }

    /// Lets a request through, or not.
    pub(super) fn start(&self, request: &Request<'_>) -> Result<Ready, Answered> {
        let flight = self.flights.begin(&request.id)?;
        let (outbox, messages) = mpsc::channel(WAITING);
        let working = match self.place(request)? {
            None => self.caller.start_modern(request, None, outbox)?,
            Some(place) => {
                self.caller.gate_legacy(request, &place)?;
                let call = self.caller.read_legacy(request, &place)?;
                let cancelled = Some(flight.stopped());
                let id = request.id.clone();
                self.caller
                    .run_legacy(id, call, &request.params, &place, cancelled, outbox)
            }
        };
        let listens = request.method == "subscriptions/listen";
        Ok(Ready {
            flight,
            working,
            messages,
            ending: listens.then(|| self.ending.subscribe()),
        })
    }

    /// Where a request of the older revisions belongs; none for one of 2026-07-28.
    ///
    /// MCP-DUAL-01: modern metadata decides, then whether `initialize` has come. Before it, what only
    /// 2026-07-28 has is judged by its rules: the metadata is missing.
    fn place(&self, request: &Request<'_>) -> Result<Option<Place>, Violation> {
        if request.params.is_modern() {
            return Ok(None);
        }
        if let Some(opened) = &self.opened {
            return Ok(Some(opened.place()));
        }
        let is_of = |era| {
            Revision::over(Transport::Stdio)
                .any(|revision| revision.era() == era && revision.has_request(&request.method))
        };
        if is_of(Era::Modern) && !is_of(Era::Legacy) {
            return Ok(None);
        }
        // MCP-LIFE-01: initialize comes first.
        Err(Violation::NotInitialized)
    }

    /// Answers at once, before `initialize` too, and when there is no room for other requests.
    ///
    /// MCP-LIFE-05.
    async fn ping(&self, request: &Request<'_>) -> Result<Text, Answered> {
        if self.flights.has(&request.id) {
            return Err(Violation::IdInUse.into());
        }
        let place = self.opened.as_ref().map_or(
            Place {
                revision: Revision::NEWEST_LEGACY,
                session: None,
            },
            Opened::place,
        );
        self.caller.gate_legacy(request, &place)?;
        let call = self.caller.read_legacy(request, &place)?;
        let (outbox, _messages) = mpsc::channel(WAITING);
        let id = request.id.clone();
        let pong = self
            .caller
            .run_legacy(id, call, &request.params, &place, None, outbox);
        Ok(pong.await.text.unwrap_or_default())
    }

    /// Opens the dialogue of the older revisions; its answer is there at once.
    fn initialize(&mut self, request: &Request<'_>) -> Result<Text, Answered> {
        if self.flights.has(&request.id) {
            return Err(Violation::IdInUse.into());
        }
        if self.opened.is_some() {
            // MCP-LIFE-01: a dialogue is opened once.
            return Err(Violation::InitializeMisplaced.into());
        }
        let peer = self.caller.read_initialize(request)?;
        let shared = &self.caller.shared;
        // MCP-LIFE-02.
        let revision = negotiate(&peer.protocol_version, shared.transport);
        let wait = shared.options.ask_timeout;
        let session = Session::new(revision, &peer, None, &self.limits, wait, 0);
        self.tell_changes(&session);
        self.opened = Some(Opened {
            session: Held(session),
        });
        let capabilities = shared.capabilities.clone();
        let text = self.caller.initialized(&request.id, revision, capabilities);
        Ok(text.into())
    }

    /// MCP-RPC-05: a notification has no answer, whatever is wrong with it.
    pub(super) fn notification(&self, notification: &Notification<'_>) {
        match &*notification.method {
            "notifications/cancelled" => {
                #[derive(Deserialize)]
                struct Cancelled {
                    #[serde(rename = "requestId")]
                    id: Id,
                }
                // MCP-CANC-02: one that cannot be read is as one that is unknown.
                if let Ok(cancelled) = notification.params.parse::<Cancelled>() {
                    self.flights.cancel(&cancelled.id);
                }
            }
            "notifications/initialized" => {
                if let Some(opened) = &self.opened {
                    opened.session.0.set_ready();
                }
            }
            _ => {}
        }
    }

    /// Tells changes, once the client is ready, until the session ends.
    ///
    /// MCP-LIFE-03.
    fn tell_changes(&self, session: &Arc<Session>) {
        let shared = Arc::clone(&self.caller.shared);
        let may_hear = shared.options.may_hear.clone();
        let hearing = Hearing::new(may_hear, Arc::clone(&self.caller.extensions));
        let listening = session.stream();
        let changes = shared.handler.changes().map(Changes::subscribe);
        let (outbox, mut messages) = mpsc::channel(WAITING);
        let output = self.output.clone();
        tokio::spawn(async move {
            let mut working: Working = Box::pin(async move {
                listen::stream(listening, &shared.capabilities, changes, hearing, outbox).await
            });
            let mut voice = Voice {
                output: &output,
                stopped: None,
                has_spoken: false,
            };
            voice.tell(&mut working, &mut messages, None).await;
        });
    }

    /// MCP-CANC-02: an answer that nobody waits for is ignored.
    pub(super) fn response(&self, response: jsonrpc::Response<'_>) {
        if let (Some(opened), Some(id)) = (&self.opened, response.id) {
            opened.session.0.answered(&id, response.outcome);
        }
    }
}

impl Opened {
    fn place(&self) -> Place {
        Place {
            // MCP-LIFE-04: what was negotiated is spoken.
            revision: self.session.0.revision(),
            session: Some(Arc::clone(&self.session.0)),
        }
    }
}
