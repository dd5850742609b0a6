//! What can go wrong between asking and having the answer, told apart so that a layer outside can react.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use super::answer::Wanted;
use crate::extension::ExtensionResult;
use crate::jsonrpc::RpcError;
use crate::revision::Revision;
use crate::skills::ReadProblem;
use crate::types::Task;

/// An error of whatever carries the requests.
pub type TransportError = Box<dyn std::error::Error + Send + Sync>;

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The request or its answer was lost on the way.
    #[error("the server could not be reached")]
    Transport(#[source] TransportError),
    /// There was no answer in the time that there is for one; the request has been taken back.
    #[error("no answer within {} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// Status 401: the server wants a token, or a better one.
    #[error("the server wants authorization")]
    Unauthorized {
        /// Every `WWW-Authenticate` value, in order, not yet parsed.
        www_authenticate: Vec<String>,
    },
    /// Status 403: the token does not allow this, or the caller may not come in at all.
    #[error("the server forbids this")]
    Forbidden {
        /// Every `WWW-Authenticate` value, in order, not yet parsed.
        www_authenticate: Vec<String>,
    },
    /// Any other status that is not a success, without a JSON-RPC error in the body.
    #[error("the server answered with HTTP status {status}")]
    Http {
        /// The status.
        status: StatusCode,
    },
    /// The server answered with a JSON-RPC error; its message is the server's text and may be anything.
    #[error("the server answered with error {}: {:?}", error.code, shown(&error.message))]
    Rpc {
        /// The HTTP status it came with.
        status: StatusCode,
        /// The error.
        error: RpcError,
    },
    /// The server asks for something before it goes on, and this client has no way to give it.
    #[error("the server asks for input that this client cannot give")]
    InputRequired(InputRequired),
    /// The host could not answer a question of the server, so that the call cannot go on.
    #[error("a question of the server was not answered: {0}")]
    Unanswered(RpcError),
    /// Client and server share no revision of the protocol.
    #[error("no common protocol revision; the server has {offered:?}")]
    NoCommonRevision {
        /// What the server offers.
        offered: Vec<String>,
    },
    /// The answer breaks a rule of the protocol, or a limit of this client.
    #[error("the answer of the server cannot be used: {0}")]
    Answer(#[from] BadAnswer),
    /// The call goes on as this task, and the client has no way to wait for it.
    #[error("the call goes on as a task")]
    StillWorking(Box<Task>),
    /// The result is of a kind that an extension adds, which this client declares ([`Client::with_extension`](super::Client::with_extension)).
    #[error("the result is of the kind {:?} of an extension", .0.result_type)]
    Extended(Box<ExtensionResult>),
    /// No extension that is spoken with this server has the method: the client, the server or the revision does not have it.
    #[error("no extension that is spoken here has {method:?}")]
    NoExtension {
        /// The method.
        method: String,
    },
    /// A skill, or what was read of it, may not be used.
    #[error("the skill cannot be used: {0}")]
    Skill(#[from] ReadProblem),
    /// The task was stopped.
    #[error("the task was stopped")]
    TaskCancelled,
    /// The revision that is spoken with the server has no such request.
    #[error("revision {revision} has no {method}")]
    NotSpoken {
        /// The request.
        method: &'static str,
        /// What is spoken.
        revision: Revision,
    },
    /// The arguments of a tool call are not a JSON object.
    #[error("the arguments of a tool are a JSON object")]
    Arguments,
}

impl ClientError {
    /// Whether a server says that there is no resource at the address that was asked for.
    ///
    /// The older revisions have -32002 for it, the newest -32602 with the address in its data; a server of any revision
    /// may say either.
    #[must_use]
    // MCP-ERR-04.
    pub fn is_resource_not_found(&self) -> bool {
        match self {
            Self::Rpc { error, .. } => error.is_resource_not_found(),
            _ => false,
        }
    }

    /// The 401 or 403 for a response with this status, if it is one.
    pub(super) fn of_authorization(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        // RFC 9110 section 11.6.1: there may be several fields, and several challenges in each.
        let www_authenticate = || {
            headers
                .get_all(header::WWW_AUTHENTICATE)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .take(MAX_CHALLENGES)
                .map(str::to_owned)
                .collect()
        };
        match status {
            StatusCode::UNAUTHORIZED => Some(Self::Unauthorized {
                www_authenticate: www_authenticate(),
            }),
            StatusCode::FORBIDDEN => Some(Self::Forbidden {
                www_authenticate: www_authenticate(),
            }),
            _ => None,
        }
    }
}

/// Characters of a peer's text that go into a message.
const MAX_SHOWN: usize = 500;

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

/// `WWW-Authenticate` fields that are kept of one answer; real ones have one or two.
const MAX_CHALLENGES: usize = 16;

/// What the server asks for before it answers (multi round-trip requests).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputRequired {
    /// The questions, at most 32 of them.
    pub asked: Vec<Asked>,
    /// The same in full, to go on with.
    pub(super) wanted: Wanted,
}

/// One question of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The server's key for the question.
    pub key: String,
    /// The kind: `elicitation/create`, `sampling/createMessage` or `roots/list`.
    pub method: String,
    /// What is asked, where the question has a message.
    pub message: Option<String>,
}

/// Why an answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// Larger than the client reads.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Neither JSON nor an event stream.
    #[error("its content type is neither application/json nor text/event-stream")]
    ContentType,
    /// Not a JSON-RPC message.
    #[error("it is not a JSON-RPC message")]
    NotAMessage,
    /// No answer with the id that was asked with.
    #[error("it holds no answer to the request")]
    NoAnswer,
    /// A result of a kind that was not agreed on.
    #[error("it is a result of the unknown kind {0:?}")]
    UnknownResultType(String),
    /// A result without what the method promises.
    #[error("the result of {method} is not what the method promises: {why}")]
    Result {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It asks for input, and says neither what nor how to go on.
    #[error("it asks for input without a question")]
    NothingAsked,
    /// More questions than anybody could answer.
    #[error("it asks more than {0} questions")]
    TooManyQuestions(usize),
    /// A call that asks for input again and again.
    #[error("it still asks for input after {0} rounds")]
    EndlessRounds(usize),
    /// A session id that cannot be sent back.
    #[error("its session id is not made of visible ASCII characters")]
    SessionId,
    /// A subscription that does not begin with what the server agreed to.
    #[error("the subscription does not begin with its acknowledgement")]
    NotAcknowledged,
    /// The pages of a list are larger together than the client reads.
    #[error("the pages of the list have more than {0} bytes")]
    LargeList(usize),
    /// A list that goes on and on.
    #[error("the list has more than {0} pages or too many entries")]
    EndlessList(usize),
}

impl BadAnswer {
    pub(super) fn result(method: &'static str, error: &serde_json::Error) -> Self {
        Self::Result {
            method,
            why: error.to_string(),
        }
    }
}
