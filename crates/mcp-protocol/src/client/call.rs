//! A tool call with more to say than name and arguments.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::value::RawValue;
use tower_service::Service;

use super::error::{ClientError, TransportError};
use super::notice::{Hearer, Progress};
use super::outgoing::Manner;
use super::tasks::Watcher;
use super::{AnswerBody, Called, Client};
use crate::trace::Trace;
use crate::types::{LogLevel, Task};

type Hear<'a> = dyn Fn(Progress) + Send + Sync + 'a;
type Watch<'a> = dyn Fn(&Task) + Send + Sync + 'a;

/// A tool call that is being put together; made by [`Client::call`], made by [`Call::send`].
#[must_use = "nothing is sent before `send`"]
pub struct Call<'a, S> {
    client: &'a Client<S>,
    name: &'a str,
    arguments: &'a RawValue,
    progress: Option<Box<Hear<'a>>>,
    watcher: Option<Box<Watch<'a>>>,
    trace: Option<Trace>,
    manner: Manner<'static>,
}

impl<S> fmt::Debug for Call<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.name)
            .field("manner", &self.manner)
            .finish_non_exhaustive()
    }
}

impl<'a, S, B> Call<'a, S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    pub(super) fn new(client: &'a Client<S>, name: &'a str, arguments: &'a RawValue) -> Self {
        Self {
            client,
            name,
            arguments,
            progress: None,
            watcher: None,
            trace: None,
            manner: Manner::default(),
        }
    }

    /// Hears how far the call is, on the stream of its answer and until the answer is there, each time further.
    ///
    /// It is called in the middle of reading, so it is quick and leaves work to others. The service below must hand bodies on
    /// as they arrive ([`AnswerBody::stream`]), or it is called when all is over.
    ///
    /// Specification: MCP 2025-11-25 and 2026-07-28, progress.
    pub fn progress(mut self, hear: impl Fn(Progress) + Send + Sync + 'a) -> Self {
        self.progress = Some(Box::new(hear));
        self
    }

    /// Wants log messages of this call from this level on (2026-07-28); they go to
    /// [`with_notices`](Client::with_notices). In the older era the level is the session's:
    /// [`set_log_level`](Client::set_log_level).
    pub fn log(mut self, level: LogLevel) -> Self {
        self.manner.log_level = Some(level);
        self
    }

    /// Says where the call belongs in somebody's trace (2026-07-28), in each of its rounds.
    ///
    /// For a server that calls others it is `Context::trace` of the request that it answers; what tracing systems have at
    /// hand is read with [`Trace::read`]. Its baggage goes to the server as well.
    // MCP-META-06.
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Waits this long without a sign of life, in place of [`Limits::max_quiet`](super::Limits::max_quiet).
    ///
    /// Progress is one, where it is [heard](Self::progress). Never longer than [`at_most`](Self::at_most) in all.
    pub fn timeout(mut self, quiet: Duration) -> Self {
        self.manner.quiet = Some(quiet);
        self
    }

    /// Waits this long whatever happens, in place of
    /// [`Limits::max_request_time`](super::Limits::max_request_time).
    ///
    /// Each round of a call has this time; that in which the host is asked between two rounds is not counted.
    pub fn at_most(mut self, time: Duration) -> Self {
        self.manner.at_most = Some(time);
        self
    }

    /// Says that it does no harm to make the call twice: in the newest era it is made once more when its stream broke off.
    // MCP-HTTP-08.
    pub fn repeatable(mut self) -> Self {
        self.manner.repeatable = true;
        self
    }

    /// Hears of the task that the call becomes, at once and each time it is looked at: a program that keeps its id can go on
    /// with it later ([`Client::follow_task`]).
    pub fn watch_task(mut self, hear: impl Fn(&Task) + Send + Sync + 'a) -> Self {
        self.watcher = Some(Box::new(hear));
        self
    }

    /// Makes the call.
    ///
    /// # Errors
    ///
    /// As [`Client::call_tool`]; [`ClientError::TimedOut`] when the time is over.
    pub async fn send(self) -> Result<Called, ClientError> {
        let manner = Manner {
            progress: self.progress.as_deref().map(Hearer),
            watcher: self.watcher.as_deref().map(Watcher),
            trace: self.trace.as_ref(),
            ..self.manner
        };
        self.client.called(self.name, self.arguments, manner).await
    }
}
