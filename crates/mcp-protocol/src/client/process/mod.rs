//! A server that is a child process, started when it is needed (feature `process`).

mod command;
mod supervise;

use std::fmt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tower_service::Service;

pub use self::command::ServerCommand;
use self::supervise::{Exit, supervise};
use super::Client;
use super::pipe::{self, Carrying, Pipe, PipeBody, PipeError, PipeLimits};
use crate::http::SESSION_ID;
use crate::types::Implementation;

/// What a [`Process`] costs at most.
#[derive(Clone, Copy, Debug)]
pub struct ProcessLimits {
    /// Of the pipe to it.
    pub pipe: PipeLimits,
    /// How long it has to exit when its input is closed, before it is told to.
    pub exit_wait: Duration,
    /// How long it has to exit when it was told to, before it is killed.
    pub term_wait: Duration,
}

impl Default for ProcessLimits {
    /// Two seconds each: a server has nothing to do but to write what is in its hands.
    fn default() -> Self {
        Self {
            pipe: PipeLimits::default(),
            exit_wait: Duration::from_secs(2),
            term_wait: Duration::from_secs(2),
        }
    }
}

/// A handle of a server that is a child process; clones are handles of the same one. One [`Client`] uses it.
///
/// The process is started by the first request, and again by the first request after it has exited. What was in flight
/// then fails with [`PipeError::Exited`] and is not sent again, because it may have been done. In the older era the new
/// process gets a handshake of its own before the next request; in the newest the next request just goes to it, and a
/// [`Subscription`](super::Subscription) is opened again.
///
/// [`close`](Self::close), or [`Client::close`], closes the server's input, waits [`ProcessLimits::exit_wait`], sends TERM,
/// waits [`ProcessLimits::term_wait`], and kills. The same happens in the background when the last handle is dropped; when
/// the runtime ends first, the process is killed at once. TERM is sent by `/bin/sh`, because the standard library cannot
/// without unsafe code; where there is none, and on Windows, the process is killed after the first wait. A process that
/// closes its output without exiting is ended in the same way.
///
/// Does not check: what else the process does, and what becomes of processes that it started itself.
///
/// It needs a tokio runtime with I/O and timers.
///
/// Specification: MCP 2025-11-25, lifecycle, shutdown; MCP-STDIO-05.
#[derive(Clone)]
pub struct Process(Arc<Inner>);

struct Inner {
    command: ServerCommand,
    limits: ProcessLimits,
    state: Mutex<State>,
}

// MCP-STDIO-05: where the process does not read, the writer would never find out that nobody is left.
impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = &state.running {
            running.pipe.close();
        }
    }
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    /// How many were started.
    started: u64,
    closed: bool,
}

/// One process, from its start until it has exited.
struct Running {
    pipe: Pipe,
    exit: watch::Receiver<Exit>,
}

impl Process {
    /// A server that is started by the first request.
    #[must_use]
    pub fn new(command: ServerCommand, limits: ProcessLimits) -> Self {
        Self(Arc::new(Inner {
            command,
            limits,
            state: Mutex::default(),
        }))
    }

    /// How many processes were started so far.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.lock().started
    }

    /// The pipe to the newest process, where one was started: for what it skipped.
    #[must_use]
    pub fn pipe(&self) -> Option<Pipe> {
        let state = self.lock();
        state.running.as_ref().map(|running| running.pipe.clone())
    }

    /// Ends the process in good order, waits until it has exited, and says with which status, where it ran and that is
    /// known. No other is started after this.
    // MCP-STDIO-05.
    pub async fn close(&self) -> Option<ExitStatus> {
        let mut exit = {
            let mut state = self.lock();
            state.closed = true;
            let running = state.running.as_ref()?;
            running.pipe.close();
            running.exit.clone()
        };
        let exited = exit.wait_for(|exit| matches!(exit, Exit::Exited(_))).await;
        match exited.map(|exit| *exit) {
            Ok(Exit::Exited(status)) => status,
            Ok(Exit::Running) | Err(_) => None,
        }
    }

    /// The process that gets this request, and its number; none where the request belongs to one that has exited.
    fn running(&self, session: Option<&HeaderValue>) -> Result<Option<(Pipe, u64)>, PipeError> {
        let mut state = self.lock();
        if state.closed {
            return Err(PipeError::ClosedHere);
        }
        let number = state.started;
        let alive = state.running.as_ref().map(|running| running.pipe.clone());
        let alive = alive.filter(|pipe| pipe.closed().is_none());
        if let Some(session) = session
            && (alive.is_none() || session.to_str().ok() != Some(number.to_string().as_str()))
        {
            return Ok(None);
        }
        if let Some(pipe) = alive {
            return Ok(Some((pipe, number)));
        }
        let running = self.start()?;
        let pipe = running.pipe.clone();
        state.running = Some(running);
        state.started += 1;
        Ok(Some((pipe, state.started)))
    }

    fn start(&self) -> Result<Running, PipeError> {
        let not_started = |why| PipeError::NotStarted {
            program: self.0.command.program().clone(),
            why: Arc::new(why),
        };
        let runtime = Handle::try_current()
            .map_err(|error| not_started(std::io::Error::other(error.to_string())))?;
        let mut child = self.0.command.start().map_err(not_started)?;
        let (Some(output), Some(input)) = (child.stdout.take(), child.stdin.take()) else {
            return Err(PipeError::Closed);
        };
        let (pipe, board, lines) = Pipe::unconnected(self.0.limits.pipe);
        let (exited, exit) = watch::channel(Exit::Running);
        let driving = {
            let board = board.clone();
            async move { pipe::carry(output, input, &board, lines).await }
        };
        let supervising = supervise(child, driving, board, self.0.limits, exited);
        drop(runtime.spawn(supervising));
        Ok(Running { pipe, exit })
    }

    async fn carried(self, request: Request<Bytes>) -> Result<Response<PipeBody>, PipeError> {
        if *request.method() == Method::DELETE {
            self.close().await;
            return Ok(pipe::status(StatusCode::OK));
        }
        let Some((mut pipe, number)) = self.running(request.headers().get(SESSION_ID))? else {
            return Ok(pipe::status(StatusCode::NOT_FOUND));
        };
        let mut response = pipe.call(request).await?;
        // The handshake of the older era holds for one process, as for one session.
        let session = HeaderValue::from(number);
        response.headers_mut().insert(SESSION_ID, session);
        Ok(response)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and what it guards is whole at every moment.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service<Request<Bytes>> for Process {
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

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("command", &self.0.command)
            .finish_non_exhaustive()
    }
}

impl Client<Process> {
    /// A client of a server that is a child process; otherwise as [`Client::over_pipe`].
    #[must_use]
    pub fn over_process(process: Process, info: Implementation) -> Self {
        Self::over_lines(process, info)
    }
}
