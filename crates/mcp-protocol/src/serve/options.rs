//! What can be set, with defaults that are safe on a developer's machine.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Extensions;

use super::{SessionLimits, TaskLimits};
use crate::http::Callers;

/// What a request wants to do, as far as authorization cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method, known in the revision of the request.
    pub method: String,
    /// The tool, prompt, resource or task that it is about; none when the parameters do not say, and for
    /// methods that are about several (`subscriptions/listen`) or none.
    pub name: Option<String>,
}

/// Asked for each request before it is dispatched; may answer with any HTTP response instead.
///
/// In a batch it is asked for every request before any is started.
///
/// Not asked for what never reaches the handler: notifications, responses, the GET stream, DELETE.
/// These belong to a session, and that to its principal.
pub type Gate =
    Arc<dyn Fn(&Extensions, &Operation) -> Result<(), Box<http::Response<Bytes>>> + Send + Sync>;

/// Tells who is behind a request, so that a session or task stays with the one who opened it.
pub type PrincipalKey = Arc<dyn Fn(&Extensions) -> Option<String> + Send + Sync>;

/// How the service behaves.
#[derive(Clone)]
pub struct Options {
    /// Who may call. Default: loopback only, because a server that is reachable by any name can be
    /// reached by a page that has rebound its own.
    pub callers: Callers,
    /// The longest body. Default: 1 MiB; tool arguments are small.
    pub max_body_bytes: usize,
    /// How long a body may take. Default: 30 seconds.
    pub body_timeout: Duration,
    /// How often a quiet stream gets a comment, so that proxies keep it. Default: 15 seconds.
    pub keep_alive: Duration,
    /// How long the client may take to answer a question in a session. Default: 5 minutes.
    pub ask_timeout: Duration,
    /// How many `subscriptions/listen` streams and GET streams may be open. Default: 1024.
    pub max_streams: usize,
    /// Sessions for the older revisions. Default: none; each request is then served by itself.
    pub sessions: Option<SessionLimits>,
    /// Tool calls that go on as tasks (2026-07-28). Default: none; see [`super::Context::task`].
    ///
    /// With it the server declares the extension `io.modelcontextprotocol/tasks`.
    pub tasks: Option<TaskLimits>,
    /// Seals `requestState` (2026-07-28). Default: none; what comes back is then hostile text.
    #[cfg(feature = "seal")]
    pub seal: Option<super::Sealing>,
    /// Who is behind a request. Default: nobody in particular.
    pub principal: Option<PrincipalKey>,
    /// The gate. Default: open.
    pub gate: Option<Gate>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            callers: Callers::default(),
            max_body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            ask_timeout: Duration::from_secs(300),
            max_streams: 1024,
            sessions: None,
            tasks: None,
            #[cfg(feature = "seal")]
            seal: None,
            principal: None,
            gate: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("callers", &self.callers)
            .field("max_body_bytes", &self.max_body_bytes)
            .field("sessions", &self.sessions)
            .field("tasks", &self.tasks)
            .finish_non_exhaustive()
    }
}
