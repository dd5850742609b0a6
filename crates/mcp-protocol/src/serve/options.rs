//! What can be set, with defaults that are safe on a developer's machine.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
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
    /// The tool, prompt, resource or task that it is about; for `completion/complete` the prompt or
    /// the template of addresses; none when the parameters do not say, and for
    /// methods that are about several (`subscriptions/listen`) or none.
    pub name: Option<String>,
}

/// Asked for each request before it is dispatched; may answer with any HTTP response instead.
///
/// In a batch it is asked for every request before any is started. For `subscriptions/listen` it is
/// also asked for each resource that the client wants to hear of, as `resources/read` of that
/// resource; what it refuses is left out of what the acknowledgement says is honoured, and the
/// refusal itself is not sent: the client gets it when it reads the resource.
///
/// Not asked for what never reaches the handler: notifications, responses, the GET stream, DELETE.
/// These belong to a session, and that to its principal.
pub type Gate =
    Arc<dyn Fn(&Extensions, &Operation) -> Result<(), Box<http::Response<Bytes>>> + Send + Sync>;

/// Tells who is behind a request, so that a session or task stays with the one who opened it.
pub type PrincipalKey = Arc<dyn Fn(&Extensions) -> Option<String> + Send + Sync>;

/// Tells, right before a change of a resource is told, whether the caller may hear of it; with the
/// extensions of the request that opened the stream, and the address.
///
/// MCP-SUB-08: what the gate said when the stream was opened may not hold any more.
pub type DeliveryCheck = Arc<dyn Fn(&Extensions, &str) -> bool + Send + Sync>;

/// Completes when something has ended.
pub type Ending = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Tells when the authorization ends that came with a request: none if it does not end.
///
/// A token that expires is a `tokio::time::sleep` for the time that is left.
pub type AuthorizationEnd = Arc<dyn Fn(&Extensions) -> Option<Ending> + Send + Sync>;

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
    /// How long a handler may work without a word: from the start, the last report of progress, or
    /// the last answer of the client to one of its questions. Then it is dropped, and the answer is
    /// -32603. Default: 10 minutes, twice [`Options::ask_timeout`].
    ///
    /// Does not bound: the work of a task, which has its own time; what the handler has spawned.
    pub handler_timeout: Duration,
    /// How long a handler may work, whatever it reports. Default: 1 hour; longer work is a task.
    pub max_handler_time: Duration,
    /// How many `subscriptions/listen` streams and GET streams may be open. Default: 1024.
    pub max_streams: usize,
    /// How many of them one principal may have. Default: 32, which is a few for each program of one
    /// person, and leaves room for 31 others. Requests of nobody in particular share
    /// [`Options::max_streams`].
    pub max_streams_per_principal: usize,
    /// Asked before a change of a resource is told on such a stream. Default: what the gate said when
    /// the stream was opened, or the resource subscribed to.
    pub may_hear: Option<DeliveryCheck>,
    /// When such a stream ends because its caller's authorization does. Default: it does not.
    ///
    /// A `subscriptions/listen` stream ends with its result, a GET stream just ends; the client comes
    /// back with authorization that is good, and misses nothing of a call whose stream it resumes.
    /// The answer to a request is not cut off: it was authorized when it was asked for.
    pub authorization_end: Option<AuthorizationEnd>,
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
            handler_timeout: Duration::from_secs(10 * 60),
            max_handler_time: Duration::from_secs(60 * 60),
            max_streams: 1024,
            max_streams_per_principal: 32,
            may_hear: None,
            authorization_end: None,
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
