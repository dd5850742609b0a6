//! A client for MCP servers in both eras, over any tower service of `http` requests and over pipes (feature `client`).
//!
//! The client asks in the newest form first and falls back to a handshake when the server does not know it.
//! What a server asks back is answered by a [`Host`]; without one nothing is declared and nothing is answered.
//! It knows nothing of OAuth: a token is put into each request by the service that is handed in, and an answer with
//! status 401 or 403 comes back as [`ClientError::Unauthorized`] or [`ClientError::Forbidden`] with its challenges.

mod agreed;
mod answer;
mod body;
mod call;
mod error;
mod extension;
mod farewell;
mod host;
mod kept;
mod lists;
mod mirror;
mod notice;
mod opening;
mod outgoing;
mod patience;
pub mod pipe;
#[cfg(feature = "process")]
pub mod process;
mod prompts;
mod request;
mod resources;
mod rounds;
mod skills;
mod stream;
mod subscription;
mod tasks;
mod tools;
mod utility;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};
use tower_service::Service;

use self::agreed::Agreed;
pub use self::body::AnswerBody;
pub use self::call::Call;
pub use self::error::{Asked, BadAnswer, ClientError, InputRequired, TransportError};
pub use self::farewell::Spawned;
use self::farewell::{FAREWELL_TIME, Farewell, Outbox};
use self::host::{Answers, Nobody};
pub use self::host::{Host, Reply, Replying, form_defaults};
pub use self::kept::SharedCache;
pub use self::lists::Received;
use self::notice::Ears;
pub use self::notice::{Change, LogMessage, Notice, Progress};
use self::patience::{Patience, Pulse, Waiting, within};
pub use self::patience::{Pause, Pausing};
pub use self::skills::{DroppedSkill, HeldSkill, ListedSkills, SkillKey};
pub use self::stream::Listening;
pub use self::subscription::{Filter, Heard, Subscription};
pub use self::tools::{Called, DroppedTool, ListedTools, UnusableTool};
use crate::extension::Extension;
use crate::revision::Revision;
use crate::types::{Implementation, LogLevel};

/// What a client reads at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of one answer. The service handed in has read them already, so it should have a limit of its own.
    pub max_answer_bytes: usize,
    /// Pages of one list.
    pub max_pages: usize,
    /// Entries of one list.
    pub max_entries: usize,
    /// Rounds of one call in which the server asks for input.
    pub max_rounds: usize,
    /// Questions of the server in the stream of one answer.
    pub max_questions: usize,
    /// Times that a stream is opened again for one answer.
    pub max_reconnections: usize,
    /// The longest wait before that; a server that wants a longer one is not waited for.
    pub max_retry: Duration,
    /// How long one request is waited for without a sign of life: an answer, progress, or a question.
    pub max_quiet: Duration,
    /// How long one request is waited for, whatever happens.
    pub max_request_time: Duration,
    /// Bytes of all pages of one list.
    pub max_list_bytes: usize,
    /// How long all pages of one list are waited for.
    pub max_list_time: Duration,
    /// How long [`Client::serve`] reads a stream of the server's own.
    pub max_serve_time: Duration,
    /// Questions of the server in that time.
    pub max_served_questions: usize,
    /// Over a pipe: how long the server may be silent when it is asked for its revisions, before it is taken for one of
    /// the older era.
    pub max_probe: Duration,
    /// How long a task is followed; its questions are limited as those of a stream are.
    pub max_task_time: Duration,
}

impl Default for Limits {
    /// 8 MiB for an answer, 100 pages and 10,000 entries for a list: far above what real servers send.
    /// 32 MiB and five minutes for all pages of a list.
    /// 8 rounds and 32 questions: more than a person would go through. 8 reconnections of at most 30 seconds each.
    /// A minute without a sign of life and ten minutes in all for a request: longer work is a task.
    /// A day and 1,000 questions for a stream of the server's own: whoever lives longer opens it again.
    /// 5 seconds for a probe: a server that runs answers in milliseconds, and one that is still being installed when it
    /// is asked is heard later too.
    /// An hour for a task.
    fn default() -> Self {
        Self {
            max_answer_bytes: 8 * 1024 * 1024,
            max_pages: 100,
            max_entries: 10_000,
            max_rounds: 8,
            max_questions: 32,
            max_reconnections: 8,
            max_retry: Duration::from_secs(30),
            max_quiet: Duration::from_secs(60),
            max_request_time: Duration::from_secs(600),
            max_list_bytes: 32 * 1024 * 1024,
            max_list_time: Duration::from_secs(300),
            max_serve_time: Duration::from_secs(24 * 60 * 60),
            max_served_questions: 1000,
            max_probe: Duration::from_secs(5),
            max_task_time: Duration::from_secs(60 * 60),
        }
    }
}

/// A client of one MCP endpoint.
///
/// Calls may run at the same time; ids are never used twice in the life of a client.
///
/// **Time.** With a [`Pause`] each request has its time ([`Limits::max_quiet`], [`Limits::max_request_time`], or what
/// the [`Call`] says), and is taken back when that is over. Without one nothing is timed here: a call waits as long as the
/// service below lets it, nothing that broke off is opened again, and a list or a stream has no limit of time.
///
/// **Taking back.** Dropping the future of a call takes the call back. In the newest era the answer's body is dropped with
/// it, which is what the revision wants. In the older era closing means nothing and a message must be sent, which a drop
/// cannot wait for: with a spawner ([`with_spawner`](Self::with_spawner)) it goes out at once; without one it goes out
/// before the next request of this client, or when [`flush`](Self::flush) is called. `initialize` is never taken back.
///
/// **What is asked twice.** A request of the newest era whose stream broke off is made again, once and with a new id, if it
/// only reads; a tool call only where [`Call::repeatable`] says that it may be. What the server refused without doing
/// it is asked again where the refusal names the way: another revision, a new session, other headers.
///
/// Does not check: who the server is, and whether its texts are harmless to show.
///
/// Not there: the transport of 2024-11-05 with two endpoints.
///
/// Specification: MCP 2026-07-28, transports, Streamable HTTP and its backward compatibility; MCP 2025-11-25, lifecycle.
#[derive(Debug)]
pub struct Client<S> {
    service: S,
    endpoint: Uri,
    info: Implementation,
    limits: Limits,
    answers: Answers,
    follows_tasks: bool,
    extensions: Vec<Extension>,
    pause: Option<Waiting>,
    ears: Option<Ears>,
    cache: Option<SharedCache>,
    /// The endpoint as the cache knows it; over a pipe, which has no address, a name of its own.
    server: Arc<str>,
    outbox: Outbox,
    first: Revision,
    wire: Wire,
    agreeing: tokio::sync::Mutex<()>,
    next_id: AtomicI64,
    state: Mutex<State>,
}

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    /// Streamable HTTP.
    Http,
    /// Lines on a pipe.
    Lines,
}

/// What a client remembers of the server.
#[derive(Debug, Default)]
struct State {
    agreed: Option<Agreed>,
    params: tools::ParamsByTool,
    log_level: Option<LogLevel>,
    principal: Option<Arc<str>>,
    /// How often that has changed.
    principals: u64,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// A client of `endpoint` over `service`, which sends each request and adds what it knows (a token).
    ///
    /// `info` says who the client is, for display only.
    pub fn new(service: S, endpoint: Uri, info: Implementation) -> Self {
        Self {
            service,
            info,
            limits: Limits::default(),
            answers: Answers::new(Nobody),
            follows_tasks: false,
            extensions: Vec::new(),
            pause: None,
            ears: None,
            cache: None,
            server: Arc::from(endpoint.to_string()),
            endpoint,
            outbox: Outbox::default(),
            first: Revision::NEWEST,
            wire: Wire::Http,
            agreeing: tokio::sync::Mutex::default(),
            next_id: AtomicI64::new(1),
            state: Mutex::default(),
        }
    }

    /// The same client with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same client with somebody who answers what the server asks.
    ///
    /// In the older era a server asks in the middle of an answer and waits: the service must then give bodies that are
    /// read as they arrive ([`AnswerBody::stream`]).
    #[must_use]
    pub fn with_host(mut self, host: impl Host + 'static) -> Self {
        self.answers = Answers::new(host);
        for extension in &self.extensions {
            self.answers.declare(extension);
        }
        self
    }

    /// The same client with a way to wait, and with it the times of [`Limits`] and the will to open a broken stream again.
    #[must_use]
    pub fn with_pause(mut self, pause: impl Pause + 'static) -> Self {
        self.pause = Some(Waiting::new(pause));
        self
    }

    /// The same client with somebody who hears log messages and, in the older era, that something has changed.
    ///
    /// It is called in the middle of reading, so it is quick and leaves work to others.
    /// Changes of the newest era come by [`subscribe`](Self::subscribe).
    #[must_use]
    pub fn with_notices(mut self, hear: impl Fn(Notice) + Send + Sync + 'static) -> Self {
        self.ears = Some(Ears::new(hear));
        self
    }

    /// The same client that speaks this revision first, for a server that is known to be of the older era.
    ///
    /// With a revision of the older era the first message is the handshake; without this it is `server/discover`.
    #[must_use]
    pub fn starting_with(mut self, revision: Revision) -> Self {
        self.first = revision;
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and what it guards is whole at every moment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<TransportError>,
    S::Future: Send,
    B: Into<AnswerBody>,
{
    /// The same client with a way to let work go on by itself, for telling a server of the older era at once that a call was
    /// dropped.
    ///
    /// A closure is one: `|work| drop(tokio::spawn(work))`. It is called where a future is dropped.
    /// With a [`Pause`] the work ends after ten seconds at the latest.
    #[must_use]
    pub fn with_spawner(mut self, spawn: impl Fn(Spawned) + Send + Sync + 'static) -> Self {
        // Only cloned under the lock.
        let service = Arc::new(Mutex::new(self.service.clone()));
        let endpoint = self.endpoint.clone();
        self.outbox = Outbox::sending(Box::new(move |farewell: Farewell, pause| {
            let Ok(request) = request::post(&endpoint, farewell.body(), &farewell.agreed) else {
                return;
            };
            let service = service
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            spawn(Box::pin(async move {
                // A server that cannot be told goes on for nobody.
                let patience = Patience {
                    quiet: FAREWELL_TIME,
                    at_most: FAREWELL_TIME,
                };
                let telling = request::exchange(service, request);
                drop(within(pause.as_ref(), patience, &Pulse::default(), telling).await);
            }));
        }));
        self
    }
}
