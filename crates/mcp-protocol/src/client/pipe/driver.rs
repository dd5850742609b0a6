//! Reads and writes lines until there is nobody left to do it for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::error::PipeError;
use super::{Line, SharedBoard};
use crate::stdio::{self, Decoder};

/// Bytes that are read at once.
const PIECE: usize = 16 * 1024;

/// Carries lines both ways, and says why it stopped.
///
/// When writing fails or this side closes the pipe, what the server still writes is read to its end.
pub(in crate::client) async fn carry<R, W>(
    reader: R,
    writer: W,
    board: &SharedBoard,
    lines: mpsc::Receiver<Line>,
) -> PipeError
where
    R: AsyncRead,
    W: AsyncWrite,
{
    let mut reading = pin!(read(reader, board));
    let mut writing = pin!(async {
        let mut lines = lines;
        if let Some(why) = write(writer, board, &mut lines).await {
            board.lock().refuse(why);
        }
        // What comes too late is told so, until there is nobody left who could send.
        while let Some(line) = lines.recv().await {
            board.lock().give_up(line.place);
        }
    });
    poll_fn(|context| match reading.as_mut().poll(context) {
        Poll::Pending => writing.as_mut().poll(context).map(|()| PipeError::Closed),
        end => end,
    })
    .await
}

async fn read<R: AsyncRead>(reader: R, board: &SharedBoard) -> PipeError {
    let mut reader = pin!(reader);
    let mut decoder = Decoder::new(board.lock().limits().max_line_bytes);
    let mut piece = vec![0; PIECE];
    loop {
        let read = match reader.read(&mut piece).await {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => return PipeError::Broken(Arc::new(error)),
        };
        let mut rest = piece.get(..read).unwrap_or_default();
        while let Some(line) = decoder.next_line(&mut rest) {
            board.lock().take(line);
        }
    }
    // The end of the stream ends the last line too.
    if let Some(line) = decoder.finish() {
        board.lock().take(line);
    }
    PipeError::Closed
}

/// Writes until this side closes the pipe or every handle is gone, or until it fails; then closes the writer.
async fn write<W: AsyncWrite>(
    writer: W,
    board: &SharedBoard,
    lines: &mut mpsc::Receiver<Line>,
) -> Option<PipeError> {
    let mut writer = pin!(writer);
    let mut out = Vec::new();
    while let Some(text) = poll_fn(|context| next(board, lines, context)).await {
        out.clear();
        stdio::encode(&text, &mut out);
        let written = async {
            writer.write_all(&out).await?;
            writer.flush().await
        };
        if let Err(error) = written.await {
            return Some(PipeError::Broken(Arc::new(error)));
        }
        // A long line is rare; its room is not kept.
        out.shrink_to(PIECE);
    }
    // Of a process it is dropping the writer that closes it; this is for sockets.
    drop(writer.shutdown().await);
    None
}

/// The next line to be written, the pipe's own first; none at the end.
fn next(
    board: &SharedBoard,
    lines: &mut mpsc::Receiver<Line>,
    context: &mut Context<'_>,
) -> Poll<Option<String>> {
    loop {
        let own = board.lock().next_own(context);
        if own.is_some() {
            return Poll::Ready(own);
        }
        match lines.poll_recv(context) {
            Poll::Ready(Some(Line { text, place })) => {
                if place.is_some_and(|place| !board.lock().goes_out(place)) {
                    continue;
                }
                // It was read as JSON, so it is UTF-8.
                return Poll::Ready(Some(String::from_utf8_lossy(&text).into_owned()));
            }
            // A last cancellation may have come with the last handle.
            Poll::Ready(None) => return Poll::Ready(board.lock().next_own(context)),
            Poll::Pending if board.lock().is_closing() => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        }
    }
}
