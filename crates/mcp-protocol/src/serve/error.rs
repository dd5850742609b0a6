//! How a handler says no, or asks for input first.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};

use crate::extension::ExtensionResult;
use crate::jsonrpc::RpcError;
use crate::types::{InputRequired, Task};
use crate::violation::code;

/// Why a handler gave no result.
///
/// A tool that ran and failed is not an error: return [`crate::types::ToolResult::error`].
#[derive(Clone, Debug, PartialEq)]
pub struct Error(pub(super) Reason);

/// What the shell makes of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reason {
    /// A JSON-RPC error.
    Rpc(Box<RpcError>),
    /// The call goes on when the client has answered (2026-07-28).
    Input(Box<InputRequired>),
    /// The call goes on as a task (2026-07-28, with the extension).
    Task(Box<Task>),
    /// The result is of a kind that an extension adds (2026-07-28).
    Extended(Box<ExtensionResult>),
    /// The HTTP request is answered with this in place of a result.
    Http(Box<Instead>),
    /// The client cancelled, or is gone: nobody waits for an answer.
    Cancelled,
}

/// An HTTP response in parts, which can be compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Instead {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Instead {
    pub(super) fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }

    /// What is said where there is no HTTP response any more, as for what the gate refuses.
    pub(super) fn error(&self) -> RpcError {
        RpcError::new(
            code::REFUSED,
            format!("this operation is refused here ({})", self.status),
        )
    }
}

impl Error {
    /// Parameters missing or wrong (-32602); also an unknown tool or prompt.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        RpcError::invalid_params(message).into()
    }

    /// The fault is on this side (-32603). The message goes to the client.
    pub fn internal(message: impl Into<String>) -> Self {
        RpcError::internal(message).into()
    }

    /// The method is not served (-32601); what the default methods of a handler answer.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        RpcError::method_not_found(method).into()
    }

    /// The client would have to declare these capabilities (-32021 since 2026-07-28).
    #[must_use]
    pub fn missing_capability(required: Value) -> Self {
        RpcError::new(
            code::MISSING_CLIENT_CAPABILITY,
            "the client has not declared a capability that this needs",
        )
        .with_data(json!({ "requiredCapabilities": required }))
        .into()
    }

    /// The resource is not known; the shell picks the code of the era.
    ///
    /// MCP-RES-01: -32602 since 2026-07-28, -32002 before, the address in the data.
    #[must_use]
    pub fn resource_not_found(uri: &str) -> Self {
        RpcError::new(code::RESOURCE_NOT_FOUND, "resource not found")
            .with_data(json!({ "uri": uri }))
            .into()
    }

    /// Ends this round of a call with questions (2026-07-28 only).
    ///
    /// Most handlers want [`super::Context::ask`], which works in both eras.
    #[must_use]
    pub fn input_required(input: InputRequired) -> Self {
        Error(Reason::Input(Box::new(input)))
    }

    /// Answers a call with a kind of result that an extension adds (2026-07-28), in place of what the method promises.
    ///
    /// The extension is one of [`super::Handler::extensions`] and has this kind, and the client has declared it for this
    /// request; look for that first ([`crate::types::ClientCapabilities::extension`]). Otherwise the answer is -32603, and so
    /// it is in the older revisions.
    #[must_use]
    pub fn extended(result: ExtensionResult) -> Self {
        Error(Reason::Extended(Box::new(result)))
    }

    /// Answers the HTTP request with this response: a challenge, for a caller whose authorization turned out to have ended
    /// while the request was worked on.
    ///
    /// Where there is no HTTP response to choose any more (over standard input and output, in a batch, after the first
    /// event of a stream) the answer is -32000 with the status in the message. The extensions of the response are dropped.
    #[must_use]
    pub fn http(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Error(Reason::Http(Box::new(Instead {
            status: parts.status,
            headers: parts.headers,
            body,
        })))
    }

    pub(super) fn task(task: Task) -> Self {
        Error(Reason::Task(Box::new(task)))
    }

    pub(super) fn cancelled() -> Self {
        Error(Reason::Cancelled)
    }

    /// The JSON-RPC error, if this is one.
    #[must_use]
    pub fn as_rpc(&self) -> Option<&RpcError> {
        match &self.0 {
            Reason::Rpc(error) => Some(error),
            Reason::Input(_)
            | Reason::Task(_)
            | Reason::Extended(_)
            | Reason::Http(_)
            | Reason::Cancelled => None,
        }
    }
}

impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        Error(Reason::Rpc(Box::new(error)))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Reason::Rpc(error) => error.fmt(f),
            Reason::Input(_) => f.write_str("input is required"),
            Reason::Task(_) => f.write_str("goes on as a task"),
            Reason::Extended(_) => f.write_str("answered as an extension says"),
            Reason::Http(instead) => write!(f, "answered with HTTP {}", instead.status),
            Reason::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for Error {}
