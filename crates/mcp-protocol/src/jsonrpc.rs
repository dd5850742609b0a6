//! The JSON-RPC envelope: request, response, notification, id, error object.

mod members;
mod text;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::types::json::is_object;
use crate::types::{Json, ResourceAddress};
use crate::violation::{Violation, code};

pub(crate) use members::{FromMembers, Shape};
pub use members::{Members, Twice};
pub use text::Text;
pub(crate) use text::Writer;

/// How deep a body may be nested; deeper bodies are refused before they are read.
///
/// Real tool arguments and schemas stay below thirty; 64 leaves room and keeps every recursive
/// reader far from its own limit.
pub const MAX_DEPTH: usize = 64;

/// How many messages one batch may have (2025-03-26).
pub const MAX_BATCH: usize = 64;

/// The longest id that is accepted, in bytes.
pub const MAX_ID_BYTES: usize = 512;

/// A request id: a string or an integer, and it stays what it was.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Id {
    /// An integer.
    Integer(i64),
    /// A string of at most [`MAX_ID_BYTES`].
    Text(String),
}

impl From<i64> for Id {
    fn from(value: i64) -> Self {
        Id::Integer(value)
    }
}

impl From<&str> for Id {
    fn from(value: &str) -> Self {
        Id::Text(value.to_owned())
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Integer(value) => value.fmt(f),
            Id::Text(value) => value.fmt(f),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Id::Integer(value) => serializer.serialize_i64(*value),
            Id::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;

        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an integer")
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Id, E> {
                Ok(Id::Integer(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Id, E> {
                i64::try_from(value)
                    .map(Id::Integer)
                    .map_err(|_| E::custom("integer out of range"))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Id, E> {
                if value.len() > MAX_ID_BYTES {
                    return Err(E::custom("id is too long"));
                }
                Ok(Id::Text(value.to_owned()))
            }
        }

        deserializer.deserialize_any(IdVisitor)
    }
}

/// The error object of a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RpcError {
    /// The code; see [`code`].
    pub code: i64,
    /// One sentence for people.
    pub message: String,
    /// Anything more, for programs; it passes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Json>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        RpcError {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// Whether this says that there is no such resource, in whichever revision the server speaks.
    ///
    /// MCP-ERR-04: -32002 is understood from any server; since 2026-07-28 it is -32602 with the address in `data`.
    #[must_use]
    pub fn is_resource_not_found(&self) -> bool {
        match self.code {
            code::RESOURCE_NOT_FOUND => true,
            code::INVALID_PARAMS => self
                .data
                .as_ref()
                .is_some_and(|data| data.read::<ResourceAddress>().is_ok()),
            _ => false,
        }
    }

    /// Parameters missing or wrong (-32602); also an unknown tool or prompt.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMS, message)
    }

    /// The fault is on this side (-32603).
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(code::INTERNAL_ERROR, message)
    }

    /// No such method (-32601).
    pub fn method_not_found(method: &str) -> Self {
        Self::new(
            code::METHOD_NOT_FOUND,
            format!("method not found: {method}"),
        )
    }

    /// The same error with data.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Json>) -> Self {
        self.data = Some(data.into());
        self
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for RpcError {}

/// A message of a peer, borrowed from its body; the parameters as they stand, or taken apart.
#[derive(Clone, Debug)]
pub enum Message<'a, P = Option<&'a RawValue>> {
    /// Expects a response.
    Request(Request<'a, P>),
    /// Expects none.
    Notification(Notification<'a, P>),
    /// Answers a request of ours.
    Response(Response<'a>),
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a, P = Option<&'a RawValue>> {
    /// The id, to be echoed.
    pub id: Id,
    /// The method.
    pub method: Cow<'a, str>,
    /// The parameters, an object if present.
    pub params: P,
}

/// A notification.
#[derive(Clone, Debug)]
pub struct Notification<'a, P = Option<&'a RawValue>> {
    /// The method.
    pub method: Cow<'a, str>,
    /// The parameters, an object if present.
    pub params: P,
}

/// A response.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    /// The id of the request; absent only in an error whose request could not be read.
    pub id: Option<Id>,
    /// What came of it.
    pub outcome: Result<&'a RawValue, RpcError>,
}

/// A body: one message, or a batch of them.
#[derive(Clone, Debug)]
pub enum Body<'a, P = Option<&'a RawValue>> {
    /// One message, or why it is none.
    Single(Result<Message<'a, P>, Malformed>),
    /// An array of messages; each may be malformed by itself.
    Batch(Vec<Result<Message<'a, P>, Malformed>>),
}

/// What the parameters of a message are read into, in the same pass as the message; nothing by default.
pub(crate) trait Parameters<'a>: Default {
    /// Reads parameters that are there. May fail for some that are JSON: see [`Parameters::read`].
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error>;

    /// Reads any JSON, by itself.
    fn read(params: &'a RawValue) -> Self;

    /// Whether they are an object, or absent.
    fn are_fit(&self) -> bool;
}

/// As they stand.
impl<'a> Parameters<'a> for Option<&'a RawValue> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        present(deserializer)
    }

    fn read(params: &'a RawValue) -> Self {
        Some(params)
    }

    fn are_fit(&self) -> bool {
        self.is_none_or(is_object)
    }
}

/// Why something is not a message, and its id if that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The id to echo.
    pub id: Option<Id>,
    /// What is wrong.
    pub violation: Violation,
}

/// What is wrong with responses only.
mod response {
    pub(super) const BAD_ERROR: &str = "error must have an integer code and a message";
    pub(super) const BOTH: &str = "both result and error";
    pub(super) const NO_ID: &str = "a response needs the id of its request";
}

impl Malformed {
    /// Whether it would be a response. Its id is then one of the receiver's own, and where requests
    /// of both sides share a stream it is not echoed.
    #[must_use]
    pub fn is_response(&self) -> bool {
        matches!(
            self.violation,
            Violation::NotAMessage(response::BAD_ERROR | response::BOTH | response::NO_ID)
        )
    }
}

/// Reads a body.
///
/// 1. It is UTF-8 and nested at most [`MAX_DEPTH`] deep.
/// 2. It is JSON.
/// 3. An array is a batch of 1 to [`MAX_BATCH`] messages; whether a batch is allowed is the
///    caller's question.
/// 4. Each message is read by which of `id`, `method`, `result` and `error` are present.
///
/// Does not check: the method, the parameters (beyond being an object), the length of the body.
///
/// # Errors
/// [`Violation::NotJson`], [`Violation::TooDeep`], [`Violation::BatchSize`]: nothing could be read.
///
/// Specification: JSON-RPC 2.0 sections 4, 5 and 6; MCP base protocol, "Messages".
pub fn read(body: &[u8]) -> Result<Body<'_>, Violation> {
    read_as(body)
}

/// The same, with the parameters read into `P`.
pub(crate) fn read_as<'a, P: Parameters<'a>>(body: &'a [u8]) -> Result<Body<'a, P>, Violation> {
    let text = std::str::from_utf8(body).map_err(|_| Violation::NotJson)?;
    check_depth(text)?;
    if text
        .trim_start_matches([' ', '\t', '\r', '\n'])
        .starts_with('[')
    {
        let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|_| Violation::NotJson)?;
        if items.is_empty() || items.len() > MAX_BATCH {
            return Err(Violation::BatchSize);
        }
        return Ok(Body::Batch(
            items
                .into_iter()
                .map(|item| message_as(item.get()))
                .collect(),
        ));
    }
    match message_as(text) {
        Err(malformed) if malformed.violation == Violation::NotJson => Err(Violation::NotJson),
        read => Ok(Body::Single(read)),
    }
}

/// Reads one message; an array is malformed.
///
/// # Errors
/// Why it is no message, with the id if that could be read.
pub fn message(text: &str) -> Result<Message<'_>, Malformed> {
    message_as(text)
}

fn message_as<'a, P: Parameters<'a>>(text: &'a str) -> Result<Message<'a, P>, Malformed> {
    let envelope: Envelope<'a, P> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(_) => Envelope::of_unusual(text).map_err(|violation| Malformed {
            id: None,
            violation,
        })?,
    };
    let id = envelope
        .id
        .map(|raw| serde_json::from_str::<Id>(raw.get()).ok());
    let known_id = id.clone().flatten();
    let malformed = |why| Malformed {
        id: known_id.clone(),
        violation: Violation::NotAMessage(why),
    };

    // JSON-RPC 2.0 section 4: "jsonrpc" MUST be exactly "2.0".
    if envelope.jsonrpc.is_none_or(|raw| raw.get() != "\"2.0\"") {
        return Err(malformed("jsonrpc must be \"2.0\""));
    }
    if let Some(method) = envelope.method {
        // JSON-RPC 2.0 section 5: a message is a request or a response, never both.
        if envelope.result.is_some() || envelope.error.is_some() {
            return Err(malformed("method together with result or error"));
        }
        let method: Cow<'_, str> = serde_json::from_str::<Name<'_>>(method.get())
            .map_err(|_| malformed("method must be a string"))?
            .0;
        // MCP base protocol: params is an object when it is there.
        if !envelope.params.are_fit() {
            return Err(malformed("params must be an object"));
        }
        return match id {
            None => Ok(Message::Notification(Notification {
                method,
                params: envelope.params,
            })),
            // MCP base protocol, "Requests": the id MUST be a string or integer and MUST NOT be null.
            Some(None) => Err(malformed("id must be a string or an integer")),
            Some(Some(id)) => Ok(Message::Request(Request {
                id,
                method,
                params: envelope.params,
            })),
        };
    }
    let outcome = match (envelope.result, envelope.error) {
        (Some(result), None) => Ok(result),
        (None, Some(error)) => Err(serde_json::from_str::<RpcError>(error.get())
            .map_err(|_| malformed(response::BAD_ERROR))?),
        // JSON-RPC 2.0 section 5: exactly one of result and error.
        (Some(_), Some(_)) => return Err(malformed(response::BOTH)),
        (None, None) => return Err(malformed("no method, no result, no error")),
    };
    match (id, &outcome) {
        (Some(Some(id)), _) => Ok(Message::Response(Response {
            id: Some(id),
            outcome,
        })),
        (None, Err(_)) => Ok(Message::Response(Response { id: None, outcome })),
        // JSON-RPC 2.0 section 5: an error to an unreadable request may carry a null id.
        (Some(None), Err(_)) if envelope.id.is_some_and(|raw| raw.get() == "null") => {
            Ok(Message::Response(Response { id: None, outcome }))
        }
        _ => Err(malformed(response::NO_ID)),
    }
}

/// The members of a message as they stand, `null` kept apart from absent.
#[derive(Deserialize)]
#[serde(bound(deserialize = "P: Parameters<'de>"))]
struct Envelope<'a, P> {
    #[serde(default, borrow, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "P::deserialize")]
    params: P,
    #[serde(default, borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

impl<'a, P: Parameters<'a>> Envelope<'a, P> {
    /// Reads a message whose parameters have something in them that no reader takes as it is, such as
    /// half a surrogate pair in a name: that is a matter of the parameters alone.
    fn of_unusual(text: &'a str) -> Result<Self, Violation> {
        let wrong = match not_an_envelope(text) {
            Violation::NotJson => return Err(Violation::NotJson),
            wrong => wrong,
        };
        let as_it_stands: Envelope<'a, Option<&'a RawValue>> =
            serde_json::from_str(text).map_err(|_| wrong)?;
        let Envelope {
            jsonrpc,
            id,
            method,
            params,
            result,
            error,
        } = as_it_stands;
        Ok(Envelope {
            jsonrpc,
            id,
            method,
            params: params.map(P::read).unwrap_or_default(),
            result,
            error,
        })
    }
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&'de RawValue>::deserialize(deserializer).map(Some)
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Tells text that is not JSON from JSON that is not an envelope.
fn not_an_envelope(text: &str) -> Violation {
    match serde_json::from_str::<de::IgnoredAny>(text) {
        Err(_) => Violation::NotJson,
        Ok(_) if text.trim_start().starts_with('{') => {
            Violation::NotAMessage("a member is there twice")
        }
        Ok(_) => Violation::NotAMessage("a message is an object"),
    }
}

/// Bounds the nesting of a body before anything recursive reads it.
fn check_depth(text: &str) -> Result<(), Violation> {
    // Most bodies open fewer brackets than may be open at once, and to count them is quick.
    if opening_brackets(text) <= MAX_DEPTH {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Violation::TooDeep);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// How many brackets are opened, those in strings included.
fn opening_brackets(text: &str) -> usize {
    // A count that fits into a byte is one that the compiler makes of many bytes at a time.
    let of_chunk = |chunk: &[u8]| {
        let opening = chunk.iter().map(|byte| matches!(byte, b'{' | b'['));
        usize::from(opening.map(u8::from).sum::<u8>())
    };
    text.as_bytes()
        .chunks(usize::from(u8::MAX))
        .map(of_chunk)
        .sum()
}

#[derive(Serialize)]
struct ErrorOut<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    error: &'a RpcError,
}

#[derive(Serialize)]
struct CallOut<'a, P> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<P>,
}

#[derive(Serialize)]
struct ResultOut<'a, R> {
    jsonrpc: &'static str,
    id: &'a Id,
    result: R,
}

/// Writes an error response; an id that could not be read is left out.
///
/// Specification: MCP base protocol, "Error Responses".
#[must_use]
pub fn error_text(id: Option<&Id>, error: &RpcError) -> String {
    write(&ErrorOut {
        jsonrpc: "2.0",
        id,
        error,
    })
}

/// Writes a response with a result.
#[must_use]
pub fn result_text<R: Serialize>(id: &Id, result: R) -> String {
    write(&ResultOut {
        jsonrpc: "2.0",
        id,
        result,
    })
}

/// Writes a request.
#[must_use]
pub fn request_text<P: Serialize>(id: &Id, method: &str, params: Option<P>) -> String {
    write(&CallOut {
        jsonrpc: "2.0",
        id: Some(id),
        method,
        params,
    })
}

/// Writes a notification.
#[must_use]
pub fn notification_text<P: Serialize>(method: &str, params: Option<P>) -> String {
    write(&CallOut {
        jsonrpc: "2.0",
        id: None,
        method,
        params,
    })
}

/// What is sent when our own value cannot be written as JSON (a map with keys that are not text).
const UNWRITABLE: &str =
    r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"the answer could not be written"}}"#;

fn write<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| UNWRITABLE.to_owned())
}

#[cfg(test)]
mod tests;
