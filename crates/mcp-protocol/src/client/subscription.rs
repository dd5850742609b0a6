//! Hearing that something has changed, in the newest era: `subscriptions/listen`.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tower_service::Service;

use super::answer::{self, Form, Meaning};
use super::error::{BadAnswer, ClientError, TransportError};
use super::notice::{Change, Note};
use super::outgoing::{Outgoing, Params};
use super::patience::{Pausing, within};
use super::request::Flight;
use super::stream::is_message;
use super::{AnswerBody, Client};
use crate::jsonrpc::Id;
use crate::revision::Revision;
use crate::sse::{Decoder, Event};
use crate::stateless::key;

/// Of which changes to hear.
///
/// Specification: MCP 2026-07-28, subscriptions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// The list of tools.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tools_list_changed: bool,
    /// The list of prompts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prompts_list_changed: bool,
    /// The lists of resources and of their templates.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub resources_list_changed: bool,
    /// The resources at these addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_subscriptions: Vec<String>,
}

impl Filter {
    /// Every list.
    #[must_use]
    pub fn lists() -> Self {
        Self {
            tools_list_changed: true,
            prompts_list_changed: true,
            resources_list_changed: true,
            resource_subscriptions: Vec::new(),
        }
    }

    /// And the resource at this address.
    #[must_use]
    pub fn and_resource(mut self, uri: impl Into<String>) -> Self {
        self.resource_subscriptions.push(uri.into());
        self
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What is here and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.select(other, false)
    }

    /// What is here and in the other too.
    fn and(&self, other: &Self) -> Self {
        self.select(other, true)
    }

    fn select(&self, other: &Self, there: bool) -> Self {
        let of = |uri: &&String| other.resource_subscriptions.contains(*uri) == there;
        let uris = self.resource_subscriptions.iter().filter(of);
        Self {
            tools_list_changed: self.tools_list_changed && other.tools_list_changed == there,
            prompts_list_changed: self.prompts_list_changed && other.prompts_list_changed == there,
            resources_list_changed: self.resources_list_changed
                && other.resources_list_changed == there,
            resource_subscriptions: uris.cloned().collect(),
        }
    }

    /// Whether a change is of what is wanted. A resource may be a part of one whose address is in the filter, so which address
    /// it is does not matter.
    fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools_list_changed,
            Change::Prompts => self.prompts_list_changed,
            Change::Resources => self.resources_list_changed,
            Change::Resource(_) => !self.resource_subscriptions.is_empty(),
        }
    }

    /// Every change that may have been missed.
    fn changes(&self) -> impl Iterator<Item = Change> {
        let lists = [
            (self.tools_list_changed, Change::Tools),
            (self.prompts_list_changed, Change::Prompts),
            (self.resources_list_changed, Change::Resources),
        ];
        let lists = lists.into_iter().filter(|(wanted, _)| *wanted);
        let uris = self.resource_subscriptions.iter().cloned();
        lists
            .map(|(_, change)| change)
            .chain(uris.map(Change::Resource))
    }
}

/// What comes of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Heard {
    /// Something has changed; it is no longer kept.
    Changed(Change),
    /// The subscription broke off and is open again: everything in it may have changed in between, and is no longer kept.
    /// What the server agreed to may be something else now.
    Reopened,
}

/// A subscription; made by [`Client::subscribe`]. Dropping it ends it.
///
/// Does not check: how long nothing comes. A quiet stream is a good one.
pub struct Subscription<'a, S> {
    client: &'a Client<S>,
    wanted: Filter,
    honoured: Filter,
    state: State,
    /// Times in a row that it broke off with nothing heard.
    broken: usize,
}

enum State {
    Open(Box<Open>),
    /// It is opened again after this wait; none before that has begun.
    Broken(Option<Pausing>),
    Ended,
}

/// A stream that has been acknowledged, or is about to be.
struct Open {
    id: Id,
    body: AnswerBody,
    decoder: Decoder,
    events: VecDeque<Event>,
    limit: usize,
}

/// What one message of the stream says.
enum Said {
    Note(Note),
    End,
}

impl<S> fmt::Debug for Subscription<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("honoured", &self.honoured)
            .finish_non_exhaustive()
    }
}

impl Open {
    /// The next message of this subscription; none where the stream is over.
    async fn next(&mut self) -> Result<Option<Said>, ClientError> {
        loop {
            while let Some(event) = self.events.pop_front() {
                if let Some(said) = self.read(&event)? {
                    return Ok(Some(said));
                }
            }
            let Some(piece) = self.body.piece().await.map_err(ClientError::Transport)? else {
                return Ok(None);
            };
            let limit = self.limit;
            let events = self.decoder.push(&piece);
            self.events
                .extend(events.map_err(|_| BadAnswer::TooLarge { limit })?);
        }
    }

    fn read(&self, event: &Event) -> Result<Option<Said>, ClientError> {
        if !is_message(event) {
            return Ok(None);
        }
        let meanings = answer::meanings(
            event.data.as_bytes(),
            Some(&self.id),
            false,
            Revision::NEWEST,
        )?;
        for meaning in meanings {
            match meaning {
                // MCP-SUB-04: a result is the end.
                Meaning::Outcome(Ok(_)) => return Ok(Some(Said::End)),
                Meaning::Outcome(Err(error)) => {
                    return Err(ClientError::Rpc {
                        status: StatusCode::OK,
                        error,
                    });
                }
                Meaning::Note(note) if self.ends(&note) => return Ok(Some(Said::End)),
                Meaning::Note(note) if self.is_tagged(&note) => return Ok(Some(Said::Note(note))),
                Meaning::Note(_) | Meaning::Question(_) | Meaning::Nothing => {}
            }
        }
        Ok(None)
    }

    // MCP-CANC-01: the server tears a subscription down by taking its request back.
    fn ends(&self, note: &Note) -> bool {
        note.method == "notifications/cancelled" && self.is(note.params.get("requestId"))
    }

    // MCP-SUB-03, MCP-STDIO-04: the tag is the id with its type; what has another is of another subscription.
    fn is_tagged(&self, note: &Note) -> bool {
        let meta = note.params.get("_meta").and_then(Value::as_object);
        self.is(meta.and_then(|meta| meta.get(key::SUBSCRIPTION_ID)))
    }

    fn is(&self, named: Option<&Value>) -> bool {
        named
            .and_then(|named| Id::deserialize(named).ok())
            .is_some_and(|named| named == self.id)
    }
}

/// How long to wait before the nth time that it is opened again: a second, and twice as long each time.
fn back_off(n: usize, longest: Duration) -> Duration {
    let doubled = u32::try_from(n)
        .ok()
        .and_then(|n| 2_u32.checked_pow(n.saturating_sub(1)))
        .unwrap_or(u32::MAX);
    Duration::from_secs(1).saturating_mul(doubled).min(longest)
}

/// Whether it may go well another time.
fn may_pass(error: &ClientError) -> bool {
    match error {
        ClientError::Transport(_) | ClientError::TimedOut(_) => true,
        ClientError::Http { status } => {
            status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
        }
        _ => false,
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Opens a stream on which a server of the newest era tells what has changed.
    ///
    /// It is open when this returns, and the server has said what it agrees to: [`Subscription::honoured`].
    /// The service below must hand bodies on as they arrive ([`AnswerBody::stream`]), and not limit their time.
    ///
    /// # Errors
    ///
    /// [`ClientError::NotSpoken`] in the older era, which has [`listen`](Self::listen);
    /// [`BadAnswer::NotAcknowledged`]; otherwise as any request.
    ///
    /// Specification: MCP 2026-07-28, subscriptions.
    pub async fn subscribe(&self, wanted: Filter) -> Result<Subscription<'_, S>, ClientError> {
        let (open, honoured) = self.subscribed(&wanted).await?;
        Ok(Subscription {
            client: self,
            wanted,
            honoured,
            state: State::Open(open),
            broken: 0,
        })
    }

    async fn subscribed(&self, wanted: &Filter) -> Result<(Box<Open>, Filter), ClientError> {
        const METHOD: &str = "subscriptions/listen";
        let agreed = self.agreed().await?;
        if !agreed.is_modern() {
            return Err(ClientError::NotSpoken {
                method: METHOD,
                revision: agreed.revision,
            });
        }
        let outgoing = Outgoing::new(METHOD, Params::subscription(wanted));
        let flight = self.flight(&outgoing, &agreed);
        let work = self.acknowledged(&flight, wanted);
        let patience = self.patience(None, None);
        within(self.pause.as_ref(), patience, &flight.pulse, work).await
    }

    // MCP-SUB-02: the first message is the acknowledgement, with what the server honours of what was asked for.
    async fn acknowledged(
        &self,
        flight: &Flight<'_>,
        wanted: &Filter,
    ) -> Result<(Box<Open>, Filter), ClientError> {
        let response = self.send(flight).await?;
        let is_stream = answer::form(response.headers()) == Some(Form::Stream);
        if !is_stream || !response.status().is_success() {
            self.read(response, flight).await?;
            return Err(BadAnswer::NotAcknowledged.into());
        }
        let limit = self.limits.max_answer_bytes;
        let mut open = Box::new(Open {
            id: flight.id.clone(),
            body: response.into_body(),
            decoder: Decoder::new(limit),
            events: VecDeque::new(),
            limit,
        });
        match open.next().await? {
            Some(Said::Note(note)) if note.method == ACKNOWLEDGED => {
                let honoured = acknowledged(note.params).ok_or(BadAnswer::NotAcknowledged)?;
                Ok((open, wanted.and(&honoured)))
            }
            _ => Err(BadAnswer::NotAcknowledged.into()),
        }
    }
}

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// What the server honours; without a filter nothing.
fn acknowledged(mut params: Map<String, Value>) -> Option<Filter> {
    match params.remove("notifications") {
        None => Some(Filter::default()),
        Some(filter) => serde_json::from_value(filter).ok(),
    }
}

impl<S, B> Subscription<'_, S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// What the server agreed to, of what was asked for.
    #[must_use]
    pub fn honoured(&self) -> &Filter {
        &self.honoured
    }

    /// What was asked for and the server did not agree to. Whoever needs it asks from time to time, or does without.
    // MCP-SUB-07.
    #[must_use]
    pub fn refused(&self) -> Filter {
        self.wanted.without(&self.honoured)
    }

    /// The next of what is heard; none when the server has ended the subscription.
    ///
    /// Where the stream breaks off it is opened again, if the client has a way to wait: after one second, two, four and so on
    /// up to [`Limits::max_retry`](super::Limits::max_retry), and
    /// [`Limits::max_reconnections`](super::Limits::max_reconnections) times in a row. Without one, a stream that
    /// is just closed has ended.
    ///
    /// May be dropped before it is done, and nothing is lost: a wait goes on when it is called again.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] when it breaks off for good; what is not a message; otherwise as any request. After an
    /// error there is nothing more to hear.
    pub async fn next(&mut self) -> Result<Option<Heard>, ClientError> {
        loop {
            let heard = match &mut self.state {
                State::Ended => return Ok(None),
                State::Broken(_) => return self.reopened().await,
                State::Open(open) => open.next().await,
            };
            match heard {
                Ok(Some(Said::Note(note))) => {
                    // MCP-SUB-01: what was not agreed to does not count.
                    let wanted = note.change().filter(|change| self.honoured.wants(change));
                    if let Some(change) = wanted {
                        self.broken = 0;
                        self.client.forget(&change);
                        return Ok(Some(Heard::Changed(change)));
                    }
                }
                Ok(Some(Said::End)) => self.state = State::Ended,
                // MCP-SUB-04: without a result it was not the server's wish.
                Ok(None) if self.client.pause.is_some() => self.state = State::Broken(None),
                Ok(None) => self.state = State::Ended,
                Err(ClientError::Transport(_)) if self.client.pause.is_some() => {
                    self.state = State::Broken(None);
                }
                Err(error) => return self.failed(error),
            }
        }
    }

    async fn reopened(&mut self) -> Result<Option<Heard>, ClientError> {
        let limits = &self.client.limits;
        loop {
            let (Some(pause), State::Broken(wait)) = (&self.client.pause, &mut self.state) else {
                self.state = State::Ended;
                return Ok(None);
            };
            if self.broken >= limits.max_reconnections {
                let given_up = ClientError::Transport("the subscription broke off".into());
                return self.failed(given_up);
            }
            let time = back_off(self.broken + 1, limits.max_retry);
            // Kept where it is not lost when nobody waits for a while.
            wait.get_or_insert_with(|| pause.pause(time)).await;
            *wait = None;
            self.broken += 1;
            match self.client.subscribed(&self.wanted).await {
                Ok((open, honoured)) => {
                    self.state = State::Open(open);
                    self.honoured = honoured;
                    for change in self.wanted.changes() {
                        self.client.forget(&change);
                    }
                    return Ok(Some(Heard::Reopened));
                }
                Err(error) if may_pass(&error) => {}
                Err(error) => return self.failed(error),
            }
        }
    }

    fn failed(&mut self, error: ClientError) -> Result<Option<Heard>, ClientError> {
        self.state = State::Ended;
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let longest = Duration::from_secs(30);
        let waits: Vec<u64> = (1..8).map(|n| back_off(n, longest).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(back_off(usize::MAX, longest), longest);
    }

    #[test]
    fn a_filter_is_what_was_agreed_to_and_what_was_not() {
        let wanted = Filter::lists().and_resource("a:1").and_resource("a:2");
        let offered = Filter {
            tools_list_changed: true,
            ..Filter::default()
        };
        let offered = offered.and_resource("a:2").and_resource("a:3");
        let agreed = wanted.and(&offered);
        assert_eq!(agreed.resource_subscriptions, ["a:2"]);
        assert!(agreed.tools_list_changed && !agreed.prompts_list_changed);
        let refused = wanted.without(&offered);
        assert_eq!(refused.resource_subscriptions, ["a:1"]);
        assert!(!refused.tools_list_changed && refused.prompts_list_changed);
        assert!(wanted.without(&wanted).is_empty());
        assert_eq!(wanted.changes().count(), 5);
    }
}
