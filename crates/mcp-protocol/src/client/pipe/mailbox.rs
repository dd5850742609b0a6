//! What waits for one reader.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use super::error::PipeError;
use crate::sse;

/// Bytes that a waiting message takes beside its text, so that empty ones are not free.
const PER_MESSAGE: usize = 64;

/// Messages for one reader, as events, and how they end.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    waiting: VecDeque<Bytes>,
    bytes: usize,
    end: Option<Option<PipeError>>,
    waker: Option<Waker>,
}

/// There is no room left for a message.
#[derive(Debug)]
pub(super) struct Full;

impl Mailbox {
    /// Puts a message at the end, if there is room; one always fits into an empty box.
    pub(super) fn push(&mut self, message: &str, limit: usize) -> Result<(), Full> {
        let size = message.len().saturating_add(PER_MESSAGE);
        let after = self.bytes.saturating_add(size);
        if after > limit && !self.waiting.is_empty() {
            return Err(Full);
        }
        self.bytes = after;
        self.put(message);
        Ok(())
    }

    /// Puts the last message at the end, room or not.
    pub(super) fn push_last(&mut self, message: &str) {
        self.put(message);
        self.end(None);
    }

    /// After what waits already comes the end; the first end counts.
    pub(super) fn end(&mut self, why: Option<PipeError>) {
        self.end.get_or_insert(why);
        self.wake();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// The next event, or how it ends: none after the answer.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, PipeError>>> {
        if let Some(event) = self.waiting.pop_front() {
            if self.waiting.is_empty() {
                self.bytes = 0;
                self.waiting = VecDeque::new();
            } else {
                self.bytes = self.bytes.saturating_sub(event.len() + PER_MESSAGE - EVENT);
            }
            return Poll::Ready(Some(Ok(event)));
        }
        match &mut self.end {
            Some(why) => Poll::Ready(why.take().map(Err)),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn put(&mut self, message: &str) {
        self.waiting.push_back(sse::encode(message, None).into());
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// What an event is longer than its message of one line: `data: ` and two line ends.
const EVENT: usize = 8;
