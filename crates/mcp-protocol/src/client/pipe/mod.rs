//! A pipe to a server: one message per line, over any pair of byte streams.
//!
//! [`Pipe`] carries the requests of a [`Client`] as a `tower` service, so that eras, rounds, lists and
//! hosts are the same as over HTTP: a POST writes its message as a line, and the answer is a stream of the messages that
//! belong to it, which ends with the response.

mod board;
mod body;
mod driver;
mod error;
mod incoming;
mod mailbox;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tower_service::Service;

use self::board::{Board, Place};
pub use self::body::PipeBody;
pub(super) use self::driver::carry;
pub use self::error::PipeError;
use super::{AnswerBody, Client, Pausing, Wire};
use crate::jsonrpc::{self, Body, Message};
use crate::revision::Revision;
use crate::types::Implementation;

/// What a [`Pipe`] keeps and reads at most.
#[derive(Clone, Copy, Debug)]
pub struct PipeLimits {
    /// Bytes of one line that the server writes.
    pub max_line_bytes: usize,
    /// Bytes of the messages that wait for one reader; the answer itself is not among them.
    pub max_waiting_bytes: usize,
    /// Requests whose answers are read at the same time.
    pub max_in_flight: usize,
}

impl Default for PipeLimits {
    /// 8 MiB for a line, as for an answer over HTTP. 1 MiB of waiting messages: thousands of progress notifications.
    /// 1,024 requests: more than one process serves at a time.
    fn default() -> Self {
        Self {
            max_line_bytes: 8 * 1024 * 1024,
            max_waiting_bytes: 1024 * 1024,
            max_in_flight: 1024,
        }
    }
}

/// What was read on a pipe and given to nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Lines that are not a message: output that belongs on standard error, most of the time.
    pub not_messages: u64,
    /// Messages that belong to no request in flight: late answers, second answers, answers to nothing.
    pub unclaimed: u64,
    /// Notifications for a reader that is too slow for them.
    pub overflowed: u64,
}

/// Runs a pipe: reads and writes until the server has closed its end or every handle is gone.
pub type Driving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A handle of a pipe; clones are handles of the same one. One [`Client`] uses it, because ids must be unique.
///
/// What the server writes goes where it belongs:
///
/// - a response to the request with its id; a second one, and one to nothing, is skipped;
/// - progress to the request with its token; what has a `subscriptionId` to the `subscriptions/listen` with that id, of
///   the same JSON type;
/// - `ping` is answered at once;
/// - questions and notifications that name no request (older era) to the stream of [`Client::listen`] if it is open,
///   otherwise to the request that has been in flight longest. A question for which there is neither is answered with an
///   error. In the newest era questions are skipped, and nothing is answered;
/// - an error without an id to the only request in flight, if there is only one.
///
/// A line that is not a message is skipped and counted ([`Pipe::skipped`]), since many servers print where they should
/// not. After a line over the limit every request in flight fails, because it may have been the answer to any of them;
/// the pipe goes on.
///
/// A reader that is slow holds up nobody: beyond [`PipeLimits::max_waiting_bytes`] progress and log messages for it are
/// dropped, questions are answered with an error, and a `subscriptions/listen` ends with [`PipeError::TooSlow`], so that
/// no change is missed unnoticed. The answer itself is never dropped.
///
/// A request whose answer is no longer wanted is cancelled by `notifications/cancelled`; not `initialize`, which must
/// not be, and not `server/discover`, which may have gone to a server that takes nothing before `initialize`.
///
/// Does not check: who is at the other end, and how long an answer takes.
///
/// Specification: MCP 2024-11-05 to 2026-07-28, transports, "stdio" and "custom transports".
#[derive(Clone)]
pub struct Pipe {
    board: SharedBoard,
    lines: mpsc::Sender<Line>,
}

/// A line on its way out.
#[derive(Debug)]
pub(super) struct Line {
    text: Bytes,
    /// Where the answer is awaited; the line is not written when nobody does any more.
    place: Option<Place>,
}

/// Lines that wait to be written before callers have to wait themselves; what waits there is small change.
const LINES: usize = 16;

/// The state of a pipe, shared by handles, bodies and driver.
#[derive(Clone)]
pub(super) struct SharedBoard(Arc<Mutex<Board>>);

impl SharedBoard {
    fn lock(&self) -> MutexGuard<'_, Board> {
        // Nothing panics while it is held, and what it guards is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is ready when this side has closed the pipe.
    #[cfg(feature = "process")]
    pub(super) async fn closing(&self) {
        std::future::poll_fn(|context| self.lock().poll_closing(context)).await;
    }

    /// Nothing more is read or written, for this reason; the first reason counts.
    pub(super) fn end(&self, why: &PipeError) {
        self.lock().end(why);
    }
}

/// Ends the pipe when what runs it is dropped.
pub(super) struct Ending(pub(super) SharedBoard);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(&PipeError::Closed);
    }
}

impl Pipe {
    /// A pipe that reads what the server writes and writes what it reads, and what runs it: spawn that.
    ///
    /// Standard input and output of a process, the halves of a socket (`tokio::io::split`), or anything alike.
    pub fn new<R, W>(reader: R, writer: W, limits: PipeLimits) -> (Self, Driving)
    where
        R: AsyncRead + Send + 'static,
        W: AsyncWrite + Send + 'static,
    {
        let (pipe, board, lines) = Self::unconnected(limits);
        let ending = Ending(board);
        let driving = async move {
            let why = carry(reader, writer, &ending.0, lines).await;
            ending.0.end(&why);
        };
        (pipe, Box::pin(driving))
    }

    /// A handle, and the ends that a driver needs.
    pub(super) fn unconnected(limits: PipeLimits) -> (Self, SharedBoard, mpsc::Receiver<Line>) {
        let (sender, lines) = mpsc::channel(LINES);
        let board = SharedBoard(Arc::new(Mutex::new(Board::new(limits))));
        let pipe = Self {
            board: board.clone(),
            lines: sender,
        };
        (pipe, board, lines)
    }

    /// Writes nothing more and closes the writing end, which asks the server to finish. What it still answers is read.
    pub fn close(&self) {
        self.board.lock().close();
    }

    /// Why nothing can be sent any more, if that is so.
    #[must_use]
    pub fn closed(&self) -> Option<PipeError> {
        self.board.lock().refusal()
    }

    /// What was read so far and given to nobody.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.board.lock().skipped()
    }

    /// Takes the message of a POST.
    // MCP-STDIO-01: one message per line.
    fn post(&self, request: Request<Bytes>) -> Result<Posted, PipeError> {
        let (parts, text) = request.into_parts();
        let Ok(Body::Single(Ok(message))) = jsonrpc::read(&text) else {
            return Err(PipeError::NotAMessage);
        };
        let revision = parts.extensions.get::<Revision>().copied();
        let mut board = self.board.lock();
        let place = match &message {
            Message::Request(request) => Some(board.open(request, revision)?),
            Message::Notification(notification) => {
                if !board.lets_out(notification)? {
                    return Ok(Posted::Taken);
                }
                None
            }
            Message::Response(_) => {
                board.check_open()?;
                None
            }
        };
        drop(board);
        let body = place.map(|place| PipeBody::new(self.clone(), place));
        Ok(Posted::Line {
            line: Line { text, place },
            body,
        })
    }

    /// Opens the stream for what belongs to no request.
    fn standing(&self) -> Result<Response<PipeBody>, PipeError> {
        let Some(place) = self.board.lock().stand()? else {
            return Ok(status(StatusCode::CONFLICT));
        };
        Ok(events(PipeBody::new(self.clone(), place)))
    }

    async fn carried(self, request: Request<Bytes>) -> Result<Response<PipeBody>, PipeError> {
        match *request.method() {
            Method::POST => match self.post(request)? {
                Posted::Taken => Ok(status(StatusCode::ACCEPTED)),
                Posted::Line { line, body } => {
                    if self.lines.send(line).await.is_err() {
                        return Err(self.closed().unwrap_or(PipeError::Closed));
                    }
                    Ok(body.map_or_else(|| status(StatusCode::ACCEPTED), events))
                }
            },
            Method::GET => self.standing(),
            Method::DELETE => {
                self.close();
                Ok(status(StatusCode::OK))
            }
            _ => Ok(status(StatusCode::METHOD_NOT_ALLOWED)),
        }
    }
}

/// What becomes of a POST.
enum Posted {
    /// Nothing is to be written.
    Taken,
    /// A line is to be written, and perhaps there is something to read.
    Line { line: Line, body: Option<PipeBody> },
}

pub(super) fn status(status: StatusCode) -> Response<PipeBody> {
    let mut response = Response::new(PipeBody::empty());
    *response.status_mut() = status;
    response
}

fn events(body: PipeBody) -> Response<PipeBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    response
}

/// What a call gives when it is ready.
pub type Carrying = Pin<Box<dyn Future<Output = Result<Response<PipeBody>, PipeError>> + Send>>;

impl Service<Request<Bytes>> for Pipe {
    type Response = Response<PipeBody>;
    type Error = PipeError;
    type Future = Carrying;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), PipeError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Carrying {
        Box::pin(self.clone().carried(request))
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("closed", &self.closed())
            .finish_non_exhaustive()
    }
}

impl Client<Pipe> {
    /// A client of the server at the other end of a pipe, in every revision from 2024-11-05 on.
    ///
    /// `info` says who the client is, for display only.
    ///
    /// The server is asked by `server/discover` which revisions it has. A server of the older era answers that with some
    /// error or not at all: then, and at the latest after [`Limits::max_probe`](super::Limits::max_probe), comes
    /// `initialize`. What was found out holds for the life of this client, which is that of the pipe.
    ///
    /// It waits by the timer of tokio; on another runtime, or one without timer, use [`Client::with_pause`].
    ///
    /// Specification: MCP 2026-07-28, versioning, backward compatibility.
    #[must_use]
    pub fn over_pipe(pipe: Pipe, info: Implementation) -> Self {
        Self::over_lines(pipe, info)
    }
}

/// Clients over pipes that were made, so that each has a name of its own.
static CLIENTS: AtomicU64 = AtomicU64::new(0);

impl<S> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<PipeBody>, Error = PipeError> + Clone,
{
    /// A client over a service that writes lines.
    pub(super) fn over_lines(service: S, info: Implementation) -> Self {
        let mut client = Self::new(service, Uri::from_static("/"), info)
            .with_pause(|time| Box::pin(tokio::time::sleep(time)) as Pausing);
        client.wire = Wire::Lines;
        // MCP-CACHE-03: a pipe has no address, and a cache may hold the answers of many. No URI has a space.
        let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
        client.server = Arc::from(format!("pipe {number}"));
        client
    }
}
