//! Who waits for what on a pipe, and where each line goes. No I/O.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::error::PipeError;
use super::incoming::{self, Addressee};
use super::mailbox::Mailbox;
use super::{PipeLimits, Skipped};
use crate::jsonrpc::{self, Body, Id, Malformed, Message, Notification, Request, RpcError};
use crate::revision::{Era, Feature, Revision};
use crate::stdio::LineError;
use crate::types::Empty;

/// Where an answer is awaited; places are never used twice.
pub(super) type Place = u64;

/// Lines of the pipe's own that wait to be written; a server that does not read gets no more than these.
const MAX_OWN_LINES: usize = 1024;

/// What a request is to the pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `server/discover` and `initialize`: not cancelled, and nothing that names no request belongs to it.
    Opening,
    /// `subscriptions/listen`: only what has its id belongs to it.
    Listening,
    /// Any other.
    Call,
}

/// A request whose answer somebody reads.
#[derive(Debug)]
struct Entry {
    id: Id,
    token: Option<Id>,
    kind: Kind,
    is_written: bool,
    /// Nothing is to be cancelled any more: it was answered, or cancelled by a message.
    is_settled: bool,
    mail: Mailbox,
}

impl Entry {
    /// Whether messages for it are still expected.
    fn is_awaited(&self) -> bool {
        !self.is_settled && !self.mail.has_ended()
    }
}

/// Everything that a pipe remembers.
#[derive(Debug)]
pub(super) struct Board {
    limits: PipeLimits,
    entries: BTreeMap<Place, Entry>,
    standing: Option<(Place, Mailbox)>,
    next_place: Place,
    /// The revision of the newest request; none before there was one.
    revision: Option<Revision>,
    own: VecDeque<String>,
    writer: Option<Waker>,
    #[cfg(feature = "process")]
    supervisor: Option<Waker>,
    closing: bool,
    refused: Option<PipeError>,
    skipped: Skipped,
}

impl Board {
    pub(super) fn new(limits: PipeLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            standing: None,
            next_place: 0,
            revision: None,
            own: VecDeque::new(),
            writer: None,
            #[cfg(feature = "process")]
            supervisor: None,
            closing: false,
            refused: None,
            skipped: Skipped::default(),
        }
    }

    pub(super) fn limits(&self) -> PipeLimits {
        self.limits
    }

    pub(super) fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// Why nothing can be sent any more, if that is so.
    pub(super) fn refusal(&self) -> Option<PipeError> {
        let here = || self.closing.then_some(PipeError::ClosedHere);
        self.refused.clone().or_else(here)
    }

    pub(super) fn check_open(&self) -> Result<(), PipeError> {
        self.refusal().map_or(Ok(()), Err)
    }

    /// Gives a request a place.
    pub(super) fn open(
        &mut self,
        request: &Request<'_>,
        revision: Option<Revision>,
    ) -> Result<Place, PipeError> {
        self.check_open()?;
        if self.entries.len() >= self.limits.max_in_flight {
            return Err(PipeError::TooManyInFlight(self.limits.max_in_flight));
        }
        // MCP-RPC-02: different from every id in flight.
        if self.entries.values().any(|entry| entry.id == request.id) {
            return Err(PipeError::IdInUse);
        }
        let kind = match request.method.as_ref() {
            "server/discover" | "initialize" => Kind::Opening,
            "subscriptions/listen" => Kind::Listening,
            _ => Kind::Call,
        };
        self.revision = revision.or(self.revision);
        let place = self.new_place();
        let entry = Entry {
            id: request.id.clone(),
            token: incoming::token(request.params),
            kind,
            is_written: false,
            is_settled: false,
            mail: Mailbox::default(),
        };
        self.entries.insert(place, entry);
        Ok(place)
    }

    /// Opens the stream for what belongs to no request; none where it is open already.
    pub(super) fn stand(&mut self) -> Result<Option<Place>, PipeError> {
        self.check_open()?;
        if self.standing.is_some() {
            return Ok(None);
        }
        let place = self.new_place();
        self.standing = Some((place, Mailbox::default()));
        Ok(Some(place))
    }

    /// Whether a notification of ours is to be written.
    // MCP-CANC-02: a cancellation of what is not in flight says nothing; the pipe may have sent its own already.
    pub(super) fn lets_out(&mut self, notification: &Notification<'_>) -> Result<bool, PipeError> {
        self.check_open()?;
        if notification.method != "notifications/cancelled" {
            return Ok(true);
        }
        let Some(id) = incoming::cancelled(notification) else {
            return Ok(true);
        };
        let entry = self.awaited(|entry| entry.id == id && entry.is_written);
        if let Some(entry) = entry {
            entry.is_settled = true;
            return Ok(true);
        }
        Ok(false)
    }

    /// Whether the request at this place is to be written now: somebody still waits for its answer.
    pub(super) fn goes_out(&mut self, place: Place) -> bool {
        let entry = self.entries.get_mut(&place);
        entry.map(|entry| entry.is_written = true).is_some()
    }

    /// The request at this place, if there is one, cannot be written any more.
    pub(super) fn give_up(&mut self, place: Option<Place>) {
        let why = self.refusal().unwrap_or(PipeError::Closed);
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(&place)) {
            entry.mail.end(Some(why));
        }
    }

    /// The next message for the reader at this place, or the end.
    pub(super) fn poll(
        &mut self,
        place: Place,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, PipeError>>> {
        let mail = match &mut self.standing {
            Some((standing, mail)) if *standing == place => Some(mail),
            _ => self.entries.get_mut(&place).map(|entry| &mut entry.mail),
        };
        mail.map_or(Poll::Ready(None), |mail| mail.poll(context))
    }

    /// Nobody reads at this place any more.
    // MCP-STDIO-03; MCP-LIFE-06: `initialize` is never cancelled.
    pub(super) fn leave(&mut self, place: Place) {
        if (self.standing.as_ref()).is_some_and(|(standing, _)| *standing == place) {
            self.standing = None;
            return;
        }
        let Some(entry) = self.entries.remove(&place) else {
            return;
        };
        if entry.is_written && !entry.is_settled && entry.kind != Kind::Opening {
            #[derive(Serialize)]
            #[serde(rename_all = "camelCase")]
            struct Params<'a> {
                request_id: &'a Id,
            }
            let params = Params {
                request_id: &entry.id,
            };
            self.say(jsonrpc::notification_text(
                "notifications/cancelled",
                Some(params),
            ));
        }
    }

    /// Takes a line of the server.
    pub(super) fn take(&mut self, line: Result<String, LineError>) {
        let line = match line {
            Ok(line) => line,
            Err(LineError::TooLong { limit }) => {
                return self.lost(&PipeError::LineTooLong { limit });
            }
            Err(LineError::NotUtf8) => return self.skip_line(),
        };
        match jsonrpc::read(line.as_bytes()) {
            Ok(Body::Single(message)) => self.message(message, &line),
            // MCP-RPC-06: batches only where the revision has them.
            Ok(Body::Batch(_)) if self.revision.is_some_and(|it| it.has(Feature::Batches)) => {
                let items: Vec<&RawValue> = serde_json::from_str(&line).unwrap_or_default();
                for item in items {
                    self.message(jsonrpc::message(item.get()), item.get());
                }
            }
            Ok(Body::Batch(_)) | Err(_) => self.skip_line(),
        }
    }

    fn message(&mut self, message: Result<Message<'_>, Malformed>, text: &str) {
        match message {
            Ok(Message::Response(response)) => match (response.id, response.outcome) {
                (Some(id), _) => self.answer(&id, text),
                (None, Err(error)) => self.answer_only(&error),
                (None, Ok(_)) => self.skip_line(),
            },
            Ok(Message::Request(request)) => self.question(&request, text),
            Ok(Message::Notification(notification)) => self.notification(&notification, text),
            // Whoever waits for it learns that it cannot be read.
            Err(Malformed { id: Some(id), .. }) => self.answer(&id, text),
            Err(Malformed { id: None, .. }) => self.skip_line(),
        }
    }

    fn answer(&mut self, id: &Id, text: &str) {
        match self.awaited(|entry| entry.id == *id) {
            Some(entry) => {
                entry.is_settled = true;
                entry.mail.push_last(text);
            }
            None => self.skip_message(),
        }
    }

    /// An error without an id belongs to the only request that it can belong to.
    // JSON-RPC 2.0 section 5: the id is null where the server could not read it.
    fn answer_only(&mut self, error: &RpcError) {
        let mut awaited = self.entries.values().filter(|entry| entry.is_awaited());
        let (Some(only), None) = (awaited.next(), awaited.next()) else {
            return self.skip_message();
        };
        let id = only.id.clone();
        self.answer(&id, &jsonrpc::error_text(Some(&id), error));
    }

    fn question(&mut self, request: &Request<'_>, text: &str) {
        // MCP-STDIO-02, MCP-RPC-10: in the newest era a server asks in its results, and a client writes no responses.
        if self.revision.is_none_or(|it| it.era() == Era::Modern) {
            return self.skip_message();
        }
        // MCP-LIFE-05: promptly, whatever the host is doing.
        if request.method == "ping" {
            return self.say(jsonrpc::result_text(&request.id, Empty {}));
        }
        let limit = self.limits.max_waiting_bytes;
        let refused = match self.listener().map(|mail| mail.push(text, limit)) {
            Some(Ok(())) => return,
            Some(Err(_)) => "the client is busy with other questions",
            None => "nobody listens for questions outside of a request",
        };
        let error = RpcError::internal(refused);
        self.say(jsonrpc::error_text(Some(&request.id), &error));
    }

    fn notification(&mut self, notification: &Notification<'_>, text: &str) {
        let limit = self.limits.max_waiting_bytes;
        let pushed = match incoming::addressee(notification) {
            Addressee::Token(token) => self
                .awaited(|entry| entry.token.as_ref() == Some(&token))
                .map(|entry| entry.mail.push(text, limit)),
            Addressee::Subscription(id) => self.subscription(&id).map(|entry| {
                entry.mail.push(text, limit).or_else(|_| {
                    entry.mail.end(Some(PipeError::TooSlow { limit }));
                    Ok(())
                })
            }),
            // MCP 2026-07-28, subscriptions, ending: the closing result may come after it or not; then it is skipped.
            Addressee::Ended(id) => self.subscription(&id).map(|entry| {
                entry.is_settled = true;
                entry.mail.push_last(text);
                Ok(())
            }),
            Addressee::Anybody => self.listener().map(|mail| mail.push(text, limit)),
            Addressee::Nobody => None,
        };
        match pushed {
            Some(Ok(())) => {}
            Some(Err(_)) => self.skipped.overflowed += 1,
            None => self.skip_message(),
        }
    }

    fn subscription(&mut self, id: &Id) -> Option<&mut Entry> {
        self.awaited(|entry| entry.kind == Kind::Listening && entry.id == *id)
    }

    /// Who reads what names no request.
    fn listener(&mut self) -> Option<&mut Mailbox> {
        if let Some((_, mail)) = &mut self.standing {
            return Some(mail);
        }
        let mut calls = self.entries.values_mut();
        calls
            .find(|entry| entry.kind == Kind::Call && entry.is_awaited())
            .map(|entry| &mut entry.mail)
    }

    fn awaited(&mut self, is_it: impl Fn(&Entry) -> bool) -> Option<&mut Entry> {
        self.entries
            .values_mut()
            .find(|entry| entry.is_awaited() && is_it(entry))
    }

    /// Something was lost that may have been the answer to any request.
    fn lost(&mut self, why: &PipeError) {
        for entry in self.entries.values_mut() {
            if entry.kind != Kind::Listening {
                entry.mail.end(Some(why.clone()));
            }
        }
        self.skip_line();
    }

    /// Nothing more is written once what waits is written.
    pub(super) fn close(&mut self) {
        self.closing = true;
        self.wake_writer();
        #[cfg(feature = "process")]
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.wake();
        }
    }

    /// Is ready when this side has closed the pipe.
    #[cfg(feature = "process")]
    pub(super) fn poll_closing(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.closing {
            return Poll::Ready(());
        }
        self.supervisor = Some(context.waker().clone());
        Poll::Pending
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Nothing can be sent any more, for this reason; what is in flight may still be answered.
    pub(super) fn refuse(&mut self, why: PipeError) {
        self.refused.get_or_insert(why);
    }

    /// Nothing comes any more.
    pub(super) fn end(&mut self, why: &PipeError) {
        self.refuse(why.clone());
        for entry in self.entries.values_mut() {
            entry.is_settled = true;
            entry.mail.end(Some(why.clone()));
        }
        if let Some((_, mail)) = &mut self.standing {
            mail.end(Some(why.clone()));
        }
    }

    /// The next line of the pipe's own.
    pub(super) fn next_own(&mut self, context: &mut Context<'_>) -> Option<String> {
        let own = self.own.pop_front();
        if own.is_none() {
            self.writer = Some(context.waker().clone());
        }
        own
    }

    fn say(&mut self, line: String) {
        if self.own.len() < MAX_OWN_LINES {
            self.own.push_back(line);
            self.wake_writer();
        }
    }

    fn wake_writer(&mut self) {
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }

    fn new_place(&mut self) -> Place {
        self.next_place += 1;
        self.next_place
    }

    fn skip_line(&mut self) {
        self.skipped.not_messages += 1;
    }

    fn skip_message(&mut self) {
        self.skipped.unclaimed += 1;
    }
}
