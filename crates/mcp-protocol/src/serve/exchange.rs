//! From a handler at work to a response: JSON when it says nothing before its answer, else events.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::Interval;

use super::body::Body;
use crate::sse;

/// How many messages may wait for a slow client before the handler waits too.
pub(super) const OUTBOX: usize = 32;

/// What a handler came to.
#[derive(Debug)]
pub(super) struct Reply {
    /// The HTTP status, if nothing has been sent yet.
    pub(super) status: u16,
    /// The response; none when the request was cancelled.
    pub(super) text: Option<String>,
}

/// A handler at work. Dropping it is how a request of 2026-07-28 is cancelled.
pub(super) type Working = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Waits for the answer or the first message before it, whichever is first.
pub(super) async fn answer(
    mut working: Working,
    mut outbox: mpsc::Receiver<String>,
    keep_alive: Duration,
) -> Response<Body> {
    enum First {
        Reply(Reply),
        Message(String, Option<Reply>),
    }
    let first = std::future::poll_fn(|cx| {
        if let Poll::Ready(reply) = working.as_mut().poll(cx) {
            return Poll::Ready(match outbox.try_recv() {
                Ok(message) => First::Message(message, Some(reply)),
                Err(_) => First::Reply(reply),
            });
        }
        match outbox.poll_recv(cx) {
            Poll::Ready(Some(message)) => Poll::Ready(First::Message(message, None)),
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
        First::Message(message, reply) => {
            let mut stream = EventStream::new(working, outbox, keep_alive);
            stream.ready.push_back(sse::encode(&message, None));
            if let Some(reply) = reply {
                stream.finish(reply);
            }
            events(stream)
        }
    }
}

/// A response with one JSON text.
pub(super) fn json(status: u16, text: String) -> Response<Body> {
    let mut response = Response::new(Body::whole(text));
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
    source: Option<(Working, mpsc::Receiver<String>)>,
    keep_alive: Option<Interval>,
}

impl EventStream {
    pub(super) fn new(working: Working, outbox: mpsc::Receiver<String>, every: Duration) -> Self {
        let mut keep_alive = tokio::time::interval(every.max(Duration::from_secs(1)));
        keep_alive.reset();
        EventStream {
            ready: VecDeque::new(),
            source: Some((working, outbox)),
            keep_alive: Some(keep_alive),
        }
    }

    fn finished() -> Self {
        EventStream {
            ready: VecDeque::new(),
            source: None,
            keep_alive: None,
        }
    }

    /// The answer is there: what is still in the outbox goes before it.
    fn finish(&mut self, reply: Reply) {
        if let Some((_, mut outbox)) = self.source.take() {
            while let Ok(message) = outbox.try_recv() {
                self.ready.push_back(sse::encode(&message, None));
            }
        }
        if let Some(text) = reply.text {
            self.ready.push_back(sse::encode(&text, None));
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
            let Some((working, outbox)) = &mut self.source else {
                return Poll::Ready(None);
            };
            if let Poll::Ready(Some(message)) = outbox.poll_recv(cx) {
                self.ready.push_back(sse::encode(&message, None));
                continue;
            }
            if let Poll::Ready(reply) = working.as_mut().poll(cx) {
                self.finish(reply);
                continue;
            }
            // The handler may have filled the outbox in this very poll.
            if let Poll::Ready(Some(message)) = outbox.poll_recv(cx) {
                self.ready.push_back(sse::encode(&message, None));
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
