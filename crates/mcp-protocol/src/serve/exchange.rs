//! From a handler at work to a response: JSON when it says nothing before its answer, else events.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::Interval;

use super::body::Body;
use super::error::Instead;
use super::options::Ending;
use super::resume::{Connection, Driver};
use super::session::Session;
use super::streams::Room;
use crate::jsonrpc::Text;
use crate::sse;

/// How many messages may wait for a slow client before the handler waits too.
pub(super) const OUTBOX: usize = 32;

/// What a handler came to.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status, if nothing has been sent yet.
    pub(super) status: u16,
    /// The response; none when the request was cancelled.
    pub(super) text: Option<Text>,
    /// Answers the HTTP request in its place, if nothing has been sent yet.
    pub(super) instead: Option<Box<Instead>>,
}

/// A handler at work. Dropping it is how a request of 2026-07-28 is cancelled.
pub(super) type Working = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// What goes to the client before the answer.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// A message.
    Message(String),
    /// Close the connection; the client comes back after this time.
    HangUp(Duration),
}

impl Outgoing {
    /// The event of a stream that cannot be resumed, and so is not closed in the middle.
    fn event(self) -> Option<String> {
        match self {
            Outgoing::Message(message) => Some(sse::encode(&message, None)),
            Outgoing::HangUp(_) => None,
        }
    }
}

/// Waits for the answer or the first message before it, whichever is first.
///
/// In a session the events can be had again.
pub(super) async fn answer(
    mut working: Working,
    mut outbox: mpsc::Receiver<Outgoing>,
    keep_alive: Duration,
    session: Option<Arc<Session>>,
) -> Response<Body> {
    enum First {
        Reply(Reply),
        Outgoing(Outgoing, Option<Reply>),
    }
    let first = std::future::poll_fn(|cx| {
        if let Poll::Ready(reply) = working.as_mut().poll(cx) {
            return Poll::Ready(match outbox.try_recv() {
                Ok(outgoing) => First::Outgoing(outgoing, Some(reply)),
                Err(_) => First::Reply(reply),
            });
        }
        match outbox.poll_recv(cx) {
            Poll::Ready(Some(outgoing)) => Poll::Ready(First::Outgoing(outgoing, None)),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    })
    .await;
    match first {
        First::Reply(Reply {
            instead: Some(instead),
            ..
        }) => instead.into_response().map(Body::whole),
        First::Reply(Reply {
            status,
            text: Some(text),
            ..
        }) => json(status, text),
        First::Reply(Reply { text: None, .. }) => {
            events(EventStream::new(Source::ended(), keep_alive))
        }
        First::Outgoing(outgoing, reply) => {
            let (first, working): (_, Working) = match reply {
                // The answer is there already, so there is nothing to come back for.
                Some(reply) => (
                    Some(outgoing).filter(|outgoing| !matches!(outgoing, Outgoing::HangUp(_))),
                    Box::pin(std::future::ready(reply)),
                ),
                None => (Some(outgoing), working),
            };
            let source = match session.as_ref().and_then(Driver::open) {
                Some((driver, connection)) => {
                    drop(tokio::spawn(driver.run(first, working, outbox)));
                    Source::Session(connection)
                }
                None => Source::Work {
                    ready: first.and_then(Outgoing::event).into_iter().collect(),
                    at_work: Some((working, outbox)),
                },
            };
            events(EventStream::new(source, keep_alive))
        }
    }
}

/// A response with one JSON text.
pub(super) fn json(status: u16, text: impl Into<Text>) -> Response<Body> {
    let mut response = Response::new(Body::text(text.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A response with a stream of events.
pub(super) fn events(stream: EventStream) -> Response<Body> {
    let mut response = Response::new(Body::events(stream));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // MCP-HTTP-06: proxies are asked not to hold the events back.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    response
}

/// Messages as they come, then the answer, then the end.
pub(super) struct EventStream {
    source: Source,
    keep_alive: Interval,
    /// What ends it before its time.
    end: Option<Ending>,
    /// Only for a stream that has no end of its own.
    room: Option<Room>,
}

/// Where events come from.
pub(super) enum Source {
    /// A handler at work, which is dropped with the connection.
    Work {
        ready: VecDeque<String>,
        /// None when it has answered.
        at_work: Option<(Working, mpsc::Receiver<Outgoing>)>,
    },
    /// A stream of a session, which goes on by itself.
    Session(Connection),
}

impl Source {
    /// A handler that has said nothing yet.
    pub(super) fn work(working: Working, outbox: mpsc::Receiver<Outgoing>) -> Self {
        Source::Work {
            ready: VecDeque::new(),
            at_work: Some((working, outbox)),
        }
    }

    /// Nothing, and the end.
    pub(super) fn ended() -> Self {
        Source::Work {
            ready: VecDeque::new(),
            at_work: None,
        }
    }

    /// The next event; none at the end.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let (ready, at_work) = match self {
            Source::Session(connection) => return connection.poll_next(cx),
            Source::Work { ready, at_work } => (ready, at_work),
        };
        loop {
            if let Some(event) = ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            let Some((working, outbox)) = at_work else {
                return Poll::Ready(None);
            };
            if let Poll::Ready(Some(outgoing)) = outbox.poll_recv(cx) {
                ready.extend(outgoing.event());
                continue;
            }
            if let Poll::Ready(reply) = working.as_mut().poll(cx) {
                // What is still in the outbox goes before the answer.
                while let Ok(outgoing) = outbox.try_recv() {
                    ready.extend(outgoing.event());
                }
                ready.extend(
                    reply
                        .text
                        .map(|text| sse::encode(&text.into_string(), None)),
                );
                *at_work = None;
                continue;
            }
            // The handler may have filled the outbox in this very poll.
            match outbox.poll_recv(cx) {
                Poll::Ready(Some(outgoing)) => ready.extend(outgoing.event()),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}

impl EventStream {
    pub(super) fn new(source: Source, every: Duration) -> Self {
        let mut keep_alive = tokio::time::interval(every.max(Duration::from_secs(1)));
        keep_alive.reset();
        EventStream {
            source,
            keep_alive,
            end: None,
            room: None,
        }
    }

    /// A GET stream, which takes room and ends with the authorization of its caller.
    pub(super) fn of_get(mut self, room: Room, end: Option<Ending>) -> Self {
        self.room = Some(room);
        self.end = end;
        self
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // MCP-AUTH-RS-15: nothing is told any more once the authorization has ended.
        if let Some(end) = &mut self.end
            && end.as_mut().poll(cx).is_ready()
        {
            self.source = Source::ended();
            self.end = None;
            self.room = None;
        }
        match self.source.poll_next(cx) {
            Poll::Ready(Some(event)) => {
                self.keep_alive.reset();
                Poll::Ready(Some(Bytes::from(event)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self
                .keep_alive
                .poll_tick(cx)
                .map(|_| Some(Bytes::from_static(sse::KEEP_ALIVE.as_bytes()))),
        }
    }
}
