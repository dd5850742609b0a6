//! What the messages of an answer mean: the outcome of a request, a question, or nothing to us.

use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::error::{Asked, BadAnswer, ClientError, InputRequired};
use super::notice::Note;
use crate::extension::{Extension, ExtensionResult};
use crate::http::SESSION_ID;
use crate::jsonrpc::{self, Body, Id, Message};
use crate::revision::{Feature, Revision};

/// A result, and the session id that came with it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) result: Box<RawValue>,
    pub(super) session: Option<String>,
}

/// Whether a notification was taken.
pub(super) fn taken(status: StatusCode, headers: &HeaderMap) -> Result<(), ClientError> {
    match ClientError::of_authorization(status, headers) {
        Some(error) => Err(error),
        // MCP 2025-03-26 and later, transports: 202 and no body; some servers say 200 or 204.
        None if status.is_success() => Ok(()),
        None => Err(ClientError::Http { status }),
    }
}

/// Whether an error came with status 404, with or without a body.
pub(super) fn is_not_found(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Http { status } | ClientError::Rpc { status, .. }
            if *status == StatusCode::NOT_FOUND
    )
}

/// What came of a request.
pub(super) type Outcome = Result<Box<RawValue>, jsonrpc::RpcError>;

/// The two kinds of answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One JSON message.
    Message,
    /// An event stream.
    Stream,
}

/// Which kind of answer the headers announce.
pub(super) fn form(headers: &HeaderMap) -> Option<Form> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next()?.trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Some(Form::Message)
    } else if essence.eq_ignore_ascii_case("text/event-stream") {
        Some(Form::Stream)
    } else {
        None
    }
}

/// What one message is to the request that waits.
#[derive(Debug)]
pub(super) enum Meaning {
    /// The answer.
    Outcome(Outcome),
    /// A question of the server.
    Question(Question),
    /// A notification.
    Note(Note),
    /// Nothing: the answer to something else.
    Nothing,
}

/// A request of the server.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) id: Id,
    pub(super) method: String,
    pub(super) params: Option<Value>,
}

/// Reads what one body or event holds for the request with this id, or for nobody in particular.
///
/// An error without an id answers a request that the server could not read; it counts where the HTTP status says
/// that the request failed.
// MCP-RPC-06: batches only where the revision has them; `jsonrpc::read` limits how many messages there are in one.
pub(super) fn meanings(
    text: &[u8],
    id: Option<&Id>,
    failed: bool,
    revision: Revision,
) -> Result<Vec<Meaning>, BadAnswer> {
    match jsonrpc::read(text) {
        Ok(Body::Single(Ok(message))) => Ok(vec![meaning(message, id, failed)?]),
        Ok(Body::Batch(messages)) if revision.has(Feature::Batches) => messages
            .into_iter()
            .map(|message| meaning(message.map_err(|_| BadAnswer::NotAMessage)?, id, failed))
            .collect(),
        _ => Err(BadAnswer::NotAMessage),
    }
}

fn meaning(message: Message<'_>, id: Option<&Id>, failed: bool) -> Result<Meaning, BadAnswer> {
    match message {
        Message::Response(response) => match (&response.id, id) {
            (Some(answered), Some(id)) if answered == id => {
                Ok(Meaning::Outcome(response.outcome.map(ToOwned::to_owned)))
            }
            (None, Some(_)) if failed => {
                Ok(Meaning::Outcome(response.outcome.map(ToOwned::to_owned)))
            }
            // MCP-CANC-02: a late answer to what was given up is ignored.
            _ => Ok(Meaning::Nothing),
        },
        Message::Request(request) => {
            let params = request
                .params
                .map(|params| serde_json::from_str(params.get()));
            Ok(Meaning::Question(Question {
                id: request.id,
                method: request.method.into_owned(),
                params: params.transpose().map_err(|_| BadAnswer::NotAMessage)?,
            }))
        }
        Message::Notification(notification) => {
            let params = notification
                .params
                .map(|params| serde_json::from_str(params.get()));
            Ok(Meaning::Note(Note {
                method: notification.method.into_owned(),
                params: params
                    .transpose()
                    .map_err(|_| BadAnswer::NotAMessage)?
                    .unwrap_or_default(),
            }))
        }
    }
}

/// What a server wants before it goes on: its questions by key, and what is to be sent back as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) questions: Map<String, Value>,
    pub(super) state: Option<String>,
}

// MCP 2026-07-28, results: no `resultType` means complete; one that is neither of the core nor of an extension that we
// declared makes the answer invalid.
pub(super) fn check_complete(
    result: &RawValue,
    may_be_task: bool,
    extensions: &[Extension],
) -> Result<(), ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        #[serde(default)]
        result_type: Option<String>,
        #[serde(default)]
        input_requests: Option<Map<String, Value>>,
        #[serde(default)]
        request_state: Option<String>,
    }
    let kind: Kind = serde_json::from_str(result.get()).map_err(|_| BadAnswer::NotAMessage)?;
    match kind.result_type.as_deref() {
        None | Some("complete") => Ok(()),
        Some("task") if may_be_task => Ok(()),
        // MCP-EXT-01.
        Some(other) if is_of_an_extension(extensions, other) => {
            let extended = ExtensionResult::new(&result).map_err(|_| BadAnswer::NotAMessage)?;
            let extended = extended.of_type(other.to_owned());
            Err(ClientError::Extended(Box::new(extended)))
        }
        Some("input_required") => {
            let wanted = Wanted {
                questions: kind.input_requests.unwrap_or_default(),
                state: kind.request_state,
            };
            // MCP 2026-07-28, multi round-trip requests: there are questions, or a state, or both.
            if wanted.questions.is_empty() && wanted.state.is_none() {
                return Err(BadAnswer::NothingAsked.into());
            }
            if wanted.questions.len() > MAX_QUESTIONS {
                return Err(BadAnswer::TooManyQuestions(MAX_QUESTIONS).into());
            }
            Err(ClientError::InputRequired(InputRequired {
                asked: asked(&wanted.questions),
                wanted,
            }))
        }
        Some(other) => Err(BadAnswer::UnknownResultType(shown(other)).into()),
    }
}

fn is_of_an_extension(extensions: &[Extension], result_type: &str) -> bool {
    extensions
        .iter()
        .any(|own| !own.is_of_this_crate() && own.has_result_type(result_type))
}

/// Questions that are taken with one answer; real servers have a few.
pub(super) const MAX_QUESTIONS: usize = 32;

/// Characters of a peer's text that are kept in an error.
const MAX_SHOWN: usize = 500;

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

fn asked(requests: &Map<String, Value>) -> Vec<Asked> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(shown);
    requests
        .iter()
        .map(|(key, request)| Asked {
            key: shown(key),
            method: text(request.get("method")).unwrap_or_default(),
            message: text(
                request
                    .get("params")
                    .and_then(|params| params.get("message")),
            ),
        })
        .collect()
}

/// The longest session id that is sent back.
const MAX_SESSION_BYTES: usize = 1024;

// MCP 2025-11-25, transports, session management: visible ASCII characters only.
pub(super) fn session(headers: &HeaderMap) -> Result<Option<String>, BadAnswer> {
    let Some(value) = headers.get(SESSION_ID) else {
        return Ok(None);
    };
    let bytes = value.as_bytes();
    let visible = bytes.iter().all(u8::is_ascii_graphic);
    if bytes.is_empty() || bytes.len() > MAX_SESSION_BYTES || !visible {
        return Err(BadAnswer::SessionId);
    }
    Ok(value.to_str().ok().map(str::to_owned))
}
