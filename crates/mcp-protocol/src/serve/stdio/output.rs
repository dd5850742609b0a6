//! One bounded queue of messages to one writer.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{self, Permit};
use tokio::sync::watch;

use super::PipeError;
use crate::jsonrpc::Text;
use crate::stdio::encode_pieces;

/// How many messages may wait for a slow client before handlers wait too.
const QUEUE: usize = 32;

/// How many bytes of lines are put together for one write, and kept for the next.
const TOGETHER: usize = 64 * 1024;

/// A message that waits for the writer.
#[derive(Debug)]
pub(super) struct Queued {
    text: Text,
    stopped: Option<watch::Receiver<bool>>,
}

impl From<Text> for Queued {
    fn from(text: Text) -> Self {
        Queued {
            text,
            stopped: None,
        }
    }
}

impl Queued {
    /// MCP-STDIO-03: nothing is sent for a request that is cancelled, even if it waits already.
    fn is_stopped(&self) -> bool {
        self.stopped
            .as_ref()
            .is_some_and(|stopped| *stopped.borrow())
    }
}

/// The way into the queue.
#[derive(Clone, Debug)]
pub(super) struct Output(mpsc::Sender<Queued>);

/// A new queue.
pub(super) fn queue() -> (Output, mpsc::Receiver<Queued>) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    (Output(sender), receiver)
}

impl Output {
    /// Sends a message; when the writer is gone, so is everything else soon.
    pub(super) async fn send(&self, text: impl Into<Text>) {
        drop(self.0.send(Queued::from(text.into())).await);
    }

    /// Sends a message that is left out when its request is cancelled while it waits.
    pub(super) async fn send_unless(&self, stopped: Option<watch::Receiver<bool>>, text: String) {
        let text = text.into();
        drop(self.0.send(Queued { text, stopped }).await);
    }

    /// Waits for room.
    pub(super) async fn room(&self) -> Option<Permit<'_, Queued>> {
        self.0.reserve().await.ok()
    }
}

/// Writes lines until nobody can send any more.
///
/// MCP-STDIO-01: one message is one line, and nothing else is written.
pub(super) async fn write(
    mut queue: mpsc::Receiver<Queued>,
    writer: impl AsyncWrite,
    limit: Duration,
) -> Result<(), PipeError> {
    let mut writer = pin!(writer);
    let mut lines = Vec::new();
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        while let Some(queued) = next {
            if !queued.is_stopped() {
                encode_pieces(queued.text.pieces(), &mut lines);
            }
            next = if lines.len() < TOGETHER {
                queue.try_recv().ok()
            } else {
                None
            };
        }
        let mut rest = lines.as_slice();
        while !rest.is_empty() {
            let written = within(limit, writer.write(rest)).await?;
            if written == 0 {
                return Err(PipeError::Write(io::ErrorKind::WriteZero.into()));
            }
            rest = rest.get(written..).unwrap_or_default();
        }
        within(limit, writer.flush()).await?;
        lines.clear();
        lines.shrink_to(TOGETHER);
    }
    // A socket tells the client that this was all.
    drop(within(limit, writer.shutdown()).await);
    Ok(())
}

async fn within<T>(
    limit: Duration,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, PipeError> {
    tokio::time::timeout(limit, step)
        .await
        .map_err(|_| PipeError::NotRead { waited: limit })?
        .map_err(PipeError::Write)
}
