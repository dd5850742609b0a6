//! Finds the answer to a request in an HTTP response, be it JSON or an event stream.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::agreed::Agreed;
use super::error::{Asked, BadAnswer, ClientError, InputRequired};
use crate::http::SESSION_ID;
use crate::jsonrpc::{self, Body, Id, Message};
use crate::sse::Decoder;

/// A result, and the session id that came with it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) result: Box<RawValue>,
    pub(super) session: Option<String>,
}

/// Reads the answer to the request with this id.
///
/// 1. Status 401 and 403 are about authorization, whatever the body says.
/// 2. Any other status that is not a success is the JSON-RPC error in the body, or the status alone.
/// 3. The body is within the limit, JSON or an event stream, and holds the answer with this id.
/// 4. In the newest era the result is complete; what else it may be is an error.
pub(super) fn read(
    response: &Response<Bytes>,
    id: &Id,
    agreed: &Agreed,
    limit: usize,
) -> Result<Answered, ClientError> {
    let status = response.status();
    if let Some(error) = ClientError::of_authorization(status, response.headers()) {
        return Err(error);
    }
    let outcome = find(response, id, limit);
    let result = match outcome {
        Ok(Ok(result)) if status.is_success() => result,
        Ok(Err(error)) => return Err(ClientError::Rpc { status, error }),
        Err(bad) if status.is_success() => return Err(bad.into()),
        Ok(Ok(_)) | Err(_) => return Err(ClientError::Http { status }),
    };
    if agreed.is_modern() {
        check_complete(&result)?;
    }
    let session = session(response.headers())?;
    Ok(Answered { result, session })
}

/// Whether a notification was taken.
pub(super) fn taken(response: &Response<Bytes>) -> Result<(), ClientError> {
    let status = response.status();
    match ClientError::of_authorization(status, response.headers()) {
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

type Outcome = Result<Box<RawValue>, jsonrpc::RpcError>;

fn find(response: &Response<Bytes>, id: &Id, limit: usize) -> Result<Outcome, BadAnswer> {
    let body = response.body();
    if body.len() > limit {
        return Err(BadAnswer::TooLarge { limit });
    }
    match content_type(response.headers()).as_deref() {
        Some("application/json") => {
            in_message(body, id, !response.status().is_success())?.ok_or(BadAnswer::NoAnswer)
        }
        Some("text/event-stream") => in_stream(body, id, limit),
        _ => Err(BadAnswer::ContentType),
    }
}

/// The media type without parameters, in lower case.
fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value
        .split(';')
        .next()
        .map(|essence| essence.trim().to_ascii_lowercase())
}

/// The outcome in one message, if it is the answer to this id.
///
/// An error without an id answers a request that the server could not read; it counts where the HTTP status says
/// that the request failed.
fn in_message(text: &[u8], id: &Id, failed: bool) -> Result<Option<Outcome>, BadAnswer> {
    let Ok(Body::Single(Ok(message))) = jsonrpc::read(text) else {
        return Err(BadAnswer::NotAMessage);
    };
    let Message::Response(response) = message else {
        return Ok(None);
    };
    match &response.id {
        Some(answered) if answered == id => {}
        None if failed => {}
        _ => return Ok(None),
    }
    Ok(Some(response.outcome.map(ToOwned::to_owned)))
}

// MCP 2026-07-28, transports, receiving messages: notifications may come first, and the stream ends with the response.
fn in_stream(body: &[u8], id: &Id, limit: usize) -> Result<Outcome, BadAnswer> {
    let events = Decoder::new(limit)
        .push(body)
        .map_err(|_| BadAnswer::TooLarge { limit })?;
    for event in events {
        // An event without data only prepares for a reconnection; one with another name is not a message.
        if event.data.is_empty() || !matches!(event.name.as_str(), "" | "message") {
            continue;
        }
        if let Some(outcome) = in_message(event.data.as_bytes(), id, false)? {
            return Ok(outcome);
        }
    }
    Err(BadAnswer::NoAnswer)
}

// MCP 2026-07-28, results: no `resultType` means complete; one that is neither of the core nor of an extension that we
// declared makes the answer invalid.
fn check_complete(result: &RawValue) -> Result<(), ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kind {
        #[serde(default)]
        result_type: Option<String>,
        #[serde(default)]
        input_requests: Option<serde_json::Map<String, Value>>,
    }
    let kind: Kind = serde_json::from_str(result.get()).map_err(|_| BadAnswer::NotAMessage)?;
    match kind.result_type.as_deref() {
        None | Some("complete") => Ok(()),
        Some("input_required") => Err(ClientError::InputRequired(asked(
            &kind.input_requests.unwrap_or_default(),
        ))),
        Some(other) => Err(BadAnswer::UnknownResultType(shown(other)).into()),
    }
}

/// Questions that are reported of one answer.
const MAX_QUESTIONS: usize = 32;

/// Characters of a peer's text that are kept in an error.
const MAX_SHOWN: usize = 500;

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

fn asked(requests: &serde_json::Map<String, Value>) -> InputRequired {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(shown);
    let asked = requests
        .iter()
        .take(MAX_QUESTIONS)
        .map(|(key, request)| Asked {
            key: shown(key),
            method: text(request.get("method")).unwrap_or_default(),
            message: text(
                request
                    .get("params")
                    .and_then(|params| params.get("message")),
            ),
        })
        .collect();
    InputRequired { asked }
}

/// The longest session id that is sent back.
const MAX_SESSION_BYTES: usize = 1024;

// MCP 2025-11-25, transports, session management: visible ASCII characters only.
fn session(headers: &HeaderMap) -> Result<Option<String>, BadAnswer> {
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
