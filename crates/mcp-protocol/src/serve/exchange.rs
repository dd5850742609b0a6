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
use super::resume::Track;
use super::sessions::Session;
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
    /// An event as it stands, which has its id already.
    Event(String),
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
            status,
            text: Some(text),
        }) => json(status, text),
        First::Reply(Reply { text: None, .. }) => events(EventStream::finished()),
        First::Outgoing(outgoing, reply) => {
            let mut stream = EventStream::new(working, outbox, keep_alive);
            if let Some((track, opening)) = session.as_ref().and_then(Track::open) {
                stream.track = Some(track);
                stream.ready.extend(opening);
            }
            match reply {
                Some(reply) => {
                    // The answer is there already, so there is nothing to come back for.
                    if !matches!(outgoing, Outgoing::HangUp(_)) {
                        stream.take(outgoing);
                    }
                    stream.finish(reply);
                }
                None => stream.take(outgoing),
            }
            events(stream)
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
    ready: VecDeque<String>,
    source: Option<(Working, mpsc::Receiver<Outgoing>)>,
    /// Only for a stream that can be resumed.
    track: Option<Track>,
    keep_alive: Option<Interval>,
}

impl EventStream {
    pub(super) fn new(working: Working, outbox: mpsc::Receiver<Outgoing>, every: Duration) -> Self {
        let mut keep_alive = tokio::time::interval(every.max(Duration::from_secs(1)));
        keep_alive.reset();
        EventStream {
            ready: VecDeque::new(),
            source: Some((working, outbox)),
            track: None,
            keep_alive: Some(keep_alive),
        }
    }

    fn finished() -> Self {
        EventStream {
            ready: VecDeque::new(),
            source: None,
            track: None,
            keep_alive: None,
        }
    }

    fn write(&self, message: &str) -> String {
        match &self.track {
            Some(track) => track.event(message),
            None => sse::encode(message, None),
        }
    }

    fn take(&mut self, outgoing: Outgoing) {
        match outgoing {
            Outgoing::Message(message) => self.ready.push_back(self.write(&message)),
            Outgoing::Event(event) => self.ready.push_back(event),
            // MCP-LHTTP-09: the time to wait, and then the end of the connection.
            Outgoing::HangUp(wait) if self.track.as_ref().is_some_and(Track::may_hang_up) => {
                let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                self.ready.push_back(sse::encode_retry(wait));
                self.detach();
            }
            Outgoing::HangUp(_) => {}
        }
    }

    /// The answer is there: what is still in the outbox goes before it.
    fn finish(&mut self, reply: Reply) {
        if let Some((_, mut outbox)) = self.source.take() {
            while let Ok(outgoing) = outbox.try_recv() {
                match outgoing {
                    Outgoing::HangUp(_) => {}
                    outgoing => self.take(outgoing),
                }
            }
        }
        if let Some(text) = reply.text {
            self.ready.push_back(self.write(&text.into_string()));
        }
        if let Some(track) = self.track.take() {
            track.end();
        }
    }

    /// Lets a stream that can be resumed go on without this connection.
    fn detach(&mut self) {
        if let (Some(track), Some((working, outbox))) = (self.track.take(), self.source.take()) {
            track.detach(working, outbox);
        }
    }

    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                if let Some(keep_alive) = &mut self.keep_alive {
                    keep_alive.reset();
                }
                return Poll::Ready(Some(Bytes::from(event)));
            }
            if let Some(track) = &mut self.track
                && Pin::new(&mut track.taken_over).poll(cx).is_ready()
            {
                // MCP-LHTTP-07: a message is on one connection only, and that is the newer one.
                self.detach();
            }
            let Some((working, outbox)) = &mut self.source else {
                return Poll::Ready(None);
            };
            if let Poll::Ready(Some(outgoing)) = outbox.poll_recv(cx) {
                self.take(outgoing);
                continue;
            }
            if let Poll::Ready(reply) = working.as_mut().poll(cx) {
                self.finish(reply);
                continue;
            }
            // The handler may have filled the outbox in this very poll.
            if let Poll::Ready(Some(outgoing)) = outbox.poll_recv(cx) {
                self.take(outgoing);
                continue;
            }
            let quiet = self
                .keep_alive
                .as_mut()
                .map(|keep_alive| keep_alive.poll_tick(cx));
            return match quiet {
                Some(Poll::Ready(_)) => {
                    Poll::Ready(Some(Bytes::from_static(sse::KEEP_ALIVE.as_bytes())))
                }
                Some(Poll::Pending) | None => Poll::Pending,
            };
        }
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        // MCP-LHTTP-10: the client may come back for the rest.
        self.detach();
    }
}
