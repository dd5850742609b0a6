//! The same handler over a pair of byte streams: standard input and output, a socket.

mod batch;
mod dialogue;
mod flights;
mod output;

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

use self::dialogue::Dialogue;
use super::handler::Handler;
use super::options::Options;
use super::service::Shared;
use crate::revision::Transport;
use crate::stdio::Decoder;

/// A [`Handler`] behind a pair of byte streams, one message per line. Clones share everything.
///
/// One process serves both eras: a request with the metadata of 2026-07-28 stands by itself, and
/// `initialize` opens the dialogue of the older revisions, 2024-11-05 among them, for this pair of
/// streams.
///
/// For each line, in this order:
///
/// 1. length (-32000), UTF-8 and JSON (-32700), the envelope (-32600): an error with the id, if that
///    could be read;
/// 2. for a request: that its id is not in flight (-32600), that there is room for one more (-32000);
/// 3. the era; a request of the older revisions before `initialize` is refused (-32600), but for
///    `ping`;
/// 4. what [`crate::stateless::admit`] checks, without headers, for 2026-07-28;
/// 5. the gate, with no extensions; what it refuses is -32000 with the status in the message;
/// 6. the parameters, then the handler.
///
/// Requests are worked on at the same time, and answered as they are done. `notifications/cancelled`
/// stops the work, and nothing more is sent for that request. Responses that nobody waits for, and
/// notifications that mean nothing here, are ignored.
///
/// What a client that reads slowly has not read waits in one queue of a few messages; then handlers
/// wait, and then lines are not read any more.
///
/// Changes are told from `notifications/initialized` on, or from the first request after `initialize`,
/// which is served even if that notification never comes.
///
/// Of the [`Options`] these count: `max_body_bytes` (the longest line), `ask_timeout`,
/// `max_streams`, `tasks`, `gate`, and the time of handlers. The others are about HTTP. The principal is none.
///
/// Does not check: who the caller is; who can write to the stream is served.
///
/// # Panics
/// A panic of the handler becomes -32603. It needs a tokio runtime with timers.
///
/// Specification: MCP transports, "stdio"; MCP-STDIO-01 to 07, MCP-DUAL-01.
pub struct Pipe<H> {
    shared: Arc<Shared<H>>,
    limits: PipeLimits,
}

/// How much one pair of streams may cost.
#[derive(Clone, Debug)]
pub struct PipeLimits {
    /// How many requests each side may have in flight. Default: 64, as in a session over HTTP.
    pub max_in_flight: usize,
    /// How many resources the client may subscribe to in the older revisions. Default: 256.
    pub max_subscriptions: usize,
    /// How long answers may take when the client has closed its side. Default: 1 second: clients wait
    /// about two before they end a server that does not go by itself.
    pub grace: Duration,
    /// How long the client may read nothing of what waits for it. Default: 30 seconds.
    pub write_timeout: Duration,
}

impl Default for PipeLimits {
    fn default() -> Self {
        PipeLimits {
            max_in_flight: 64,
            max_subscriptions: 256,
            grace: Duration::from_secs(1),
            write_timeout: Duration::from_secs(30),
        }
    }
}

/// Why a pipe ended before the client closed it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipeError {
    /// Reading failed.
    #[error("reading failed: {0}")]
    Read(#[source] io::Error),
    /// Writing failed; a client that is gone altogether is this too.
    #[error("writing failed: {0}")]
    Write(#[source] io::Error),
    /// The client reads nothing.
    #[error("the client has read nothing for {waited:?}")]
    NotRead {
        /// For how long, which is [`PipeLimits::write_timeout`].
        waited: Duration,
    },
}

impl<H: Handler> Pipe<H> {
    /// A pipe for this handler.
    pub fn new(handler: H, options: Options) -> Self {
        Pipe {
            shared: Arc::new(Shared::new(handler, options, Transport::Stdio)),
            limits: PipeLimits::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: PipeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Serves one client until it closes its side.
    ///
    /// Then no question to the client can be answered any more, and what waits for one is dropped;
    /// `subscriptions/listen` ends with its result; other work has [`PipeLimits::grace`] for its
    /// answers, and what is not done by then is dropped. Dropping the future drops all of it at once.
    ///
    /// Standard output must have no other writer. With tokio's standard input, end the process
    /// (`std::process::exit`) after an error: a read that is under way keeps the runtime from going
    /// down.
    ///
    /// ```
    /// # use mcp_protocol::serve::{Handler, Options, Pipe, PipeError};
    /// # use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    /// # struct Nothing;
    /// # impl Handler for Nothing {
    /// #     fn info(&self) -> mcp_protocol::types::Implementation {
    /// #         mcp_protocol::types::Implementation::new("nothing", "1")
    /// #     }
    /// #     fn capabilities(&self) -> mcp_protocol::types::ServerCapabilities {
    /// #         Default::default()
    /// #     }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// // In a program: tokio::io::stdin() and tokio::io::stdout().
    /// let (mut client, server) = tokio::io::duplex(1024);
    /// let (input, output) = tokio::io::split(server);
    /// client.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n").await.unwrap();
    /// client.shutdown().await.unwrap();
    ///
    /// Pipe::new(Nothing, Options::default()).serve(input, output).await?;
    ///
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer).await.unwrap();
    /// assert_eq!(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    /// # Ok::<(), PipeError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`PipeError`]; work that is running is dropped.
    ///
    /// Specification: MCP-STDIO-05.
    pub async fn serve<R, W>(&self, reader: R, writer: W) -> Result<(), PipeError>
    where
        R: AsyncRead + Send,
        W: AsyncWrite + Send,
    {
        let (output, queue) = output::queue();
        let mut dialogue = Dialogue::new(Arc::clone(&self.shared), &self.limits, output);
        let mut writing = pin!(output::write(queue, writer, self.limits.write_timeout));
        let longest = self.shared.options.max_body_bytes;
        tokio::select! {
            // The dialogue has the other end of the queue, so only an error ends this.
            written = &mut writing => return written,
            read = read(reader, longest, &mut dialogue) => read?,
        }
        let in_flight = dialogue.end();
        let written = tokio::time::timeout(self.limits.grace, writing).await;
        drop(in_flight);
        written.unwrap_or(Ok(()))
    }
}

/// How much is read at once.
const PIECE: usize = 8 * 1024;

/// Reads lines until the end, and gives each to the dialogue.
async fn read<H: Handler>(
    reader: impl AsyncRead,
    longest: usize,
    dialogue: &mut Dialogue<H>,
) -> Result<(), PipeError> {
    let mut reader = pin!(reader);
    let mut decoder = Decoder::new(longest);
    let mut buffer = vec![0; PIECE];
    loop {
        let count = reader.read(&mut buffer).await.map_err(PipeError::Read)?;
        if count == 0 {
            break;
        }
        let mut piece = buffer.get(..count).unwrap_or_default();
        while let Some(line) = decoder.next_line(&mut piece) {
            dialogue.line(line).await;
        }
    }
    if let Some(line) = decoder.finish() {
        dialogue.line(line).await;
    }
    Ok(())
}

impl<H> Clone for Pipe<H> {
    fn clone(&self) -> Self {
        Pipe {
            shared: Arc::clone(&self.shared),
            limits: self.limits.clone(),
        }
    }
}

impl<H> fmt::Debug for Pipe<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipe")
            .field("options", &self.shared.options)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
