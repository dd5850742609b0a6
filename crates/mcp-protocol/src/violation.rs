//! What a peer did wrong, and the one table that says its JSON-RPC code and HTTP status.

use serde_json::{Value, json};

use crate::jsonrpc::RpcError;
use crate::revision::{Era, Revision};
use crate::stdio::LineError;
use crate::types::Json;

/// The error codes that this crate emits or understands.
pub mod code {
    /// The body is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// JSON, but not a message.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method here.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// Parameters missing or wrong.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The fault is on this side.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// Refused by the transport; the implementation range, with no meaning of its own.
    pub const REFUSED: i64 = -32000;
    /// Unknown resource, in the revisions up to 2025-11-25.
    pub const RESOURCE_NOT_FOUND: i64 = -32002;
    /// A header that must mirror the body does not (2026-07-28).
    pub const HEADER_MISMATCH: i64 = -32020;
    /// The client did not declare a capability that this call needs (2026-07-28).
    pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
    /// The request names a version that is not served here (2026-07-28).
    pub const UNSUPPORTED_VERSION: i64 = -32022;
}

/// The HTTP status of an ordinary error answer, by era.
///
/// Requirements: 2026-07-28 fixes 404 for an unknown method and 400 for the codes of its own; the
/// older revisions answer 200 with the error in the body. Parse errors and invalid requests are 400.
#[must_use]
pub fn status_of(code: i64, era: Era) -> u16 {
    match (code, era) {
        (code::PARSE_ERROR | code::INVALID_REQUEST, _) => 400,
        (
            code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY | code::UNSUPPORTED_VERSION,
            _,
        ) => 400,
        (code::METHOD_NOT_FOUND, Era::Modern) => 404,
        _ => 200,
    }
}

/// What a peer did wrong before any handler was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The body is not JSON in UTF-8.
    #[error("body is not JSON")]
    NotJson,
    /// Nested deeper than [`crate::jsonrpc::MAX_DEPTH`].
    #[error("body is nested too deeply")]
    TooDeep,
    /// An array where this revision has single messages only.
    #[error("batches are not part of this revision")]
    BatchRefused,
    /// An empty array, or more messages than [`crate::jsonrpc::MAX_BATCH`].
    #[error("a batch has 1 to 64 messages")]
    BatchSize,
    /// JSON, but not a JSON-RPC message; the text says what is wrong.
    #[error("not a JSON-RPC 2.0 message: {0}")]
    NotAMessage(&'static str),
    /// `initialize` in a batch, or a second time in a session.
    #[error("initialize is not allowed here")]
    InitializeMisplaced,
    /// A request before `initialize` that is not of 2026-07-28 either (where there are no headers).
    #[error("initialize comes first, or each request brings the metadata of 2026-07-28")]
    NotInitialized,
    /// A request id that is still in flight in this session.
    #[error("this id is already in use by a request in flight")]
    IdInUse,
    /// A response to nothing that was asked.
    #[error("a response is not expected here")]
    ResponseRefused,
    /// Required metadata is missing or malformed (2026-07-28).
    #[error("params._meta: {key} {problem}")]
    Metadata {
        /// The key, or `_meta` itself.
        key: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A header that must mirror the body is absent, unreadable, or differs (2026-07-28).
    #[error("header {header} {problem}")]
    Header {
        /// The name of the header.
        header: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The version is not served here.
    #[error("unsupported protocol version {requested:?}")]
    UnsupportedVersion {
        /// What the peer asked for.
        requested: String,
    },
    /// No such method in this revision.
    #[error("method not found: {method}")]
    UnknownMethod {
        /// The method.
        method: String,
    },
    /// The method belongs to an extension that the client did not declare for this request.
    #[error("the client has not declared the extension {extension}")]
    ExtensionNotDeclared {
        /// The extension.
        extension: String,
    },
    /// The body is longer than the limit.
    #[error("body is longer than {limit} bytes")]
    BodyTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The body did not arrive in time, or broke off.
    #[error("body did not arrive")]
    BodyIncomplete,
    /// The content type is not `application/json`.
    #[error("content type must be application/json")]
    ContentType,
    /// The client does not accept what the server may answer with.
    #[error("client must accept both application/json and text/event-stream")]
    NotAcceptable,
    /// The `Host` is not one that this server answers to.
    #[error("host is not allowed")]
    Host,
    /// The `Origin` is not one that may call this server.
    #[error("origin is not allowed")]
    Origin,
    /// The HTTP method is not served.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// A session is required and none was named.
    #[error("Mcp-Session-Id header is required")]
    SessionRequired,
    /// No such session, or it belongs to somebody else, or it has ended.
    #[error("session not found")]
    SessionUnknown,
    /// The event after which a stream should go on is not known, or not any more.
    #[error("event is not known any more")]
    EventUnknown,
    /// The limit of sessions is reached.
    #[error("too many sessions")]
    TooManySessions,
    /// There are as many long streams as there may be, in all or of this principal.
    #[error("too many streams are open")]
    TooManyStreams,
    /// The session has as many requests as it may have.
    #[error("too many requests in flight in this session")]
    TooManyInFlight,
}

impl From<LineError> for Violation {
    fn from(error: LineError) -> Self {
        match error {
            LineError::TooLong { limit } => Violation::BodyTooLarge { limit },
            LineError::NotUtf8 => Violation::NotJson,
        }
    }
}

impl Violation {
    /// The JSON-RPC code.
    #[must_use]
    pub fn code(&self) -> i64 {
        self.row().0
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.row().1
    }

    /// Code and status: the table.
    fn row(&self) -> (i64, u16) {
        match self {
            Violation::NotJson => (code::PARSE_ERROR, 400),
            Violation::TooDeep
            | Violation::BatchRefused
            | Violation::BatchSize
            | Violation::NotAMessage(_)
            | Violation::InitializeMisplaced
            | Violation::NotInitialized
            | Violation::IdInUse
            | Violation::ResponseRefused => (code::INVALID_REQUEST, 400),
            Violation::Metadata { .. } => (code::INVALID_PARAMS, 400),
            Violation::Header { .. } => (code::HEADER_MISMATCH, 400),
            Violation::UnsupportedVersion { .. } => (code::UNSUPPORTED_VERSION, 400),
            Violation::UnknownMethod { .. } => (code::METHOD_NOT_FOUND, 404),
            Violation::ExtensionNotDeclared { .. } => (code::MISSING_CLIENT_CAPABILITY, 400),
            Violation::BodyTooLarge { .. } => (code::REFUSED, 413),
            Violation::BodyIncomplete => (code::REFUSED, 408),
            Violation::ContentType => (code::REFUSED, 415),
            Violation::NotAcceptable => (code::REFUSED, 406),
            Violation::Host | Violation::Origin => (code::REFUSED, 403),
            Violation::MethodNotAllowed => (code::REFUSED, 405),
            Violation::SessionRequired => (code::REFUSED, 400),
            Violation::SessionUnknown => (code::REFUSED, 404),
            // Not 404: the session is still there.
            Violation::EventUnknown => (code::REFUSED, 400),
            Violation::TooManySessions => (code::REFUSED, 503),
            Violation::TooManyInFlight | Violation::TooManyStreams => (code::REFUSED, 429),
        }
    }

    /// The error object for the wire.
    #[must_use]
    pub fn error(&self) -> RpcError {
        RpcError {
            code: self.code(),
            message: self.to_string(),
            data: self.data().map(Json::from),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            // MCP-VER-02: the error names what is supported and echoes what was requested.
            Violation::UnsupportedVersion { requested } => {
                let supported: Vec<&str> = Revision::over_http().map(Revision::as_str).collect();
                Some(json!({ "supported": supported, "requested": requested }))
            }
            // MCP-TASK-07: the error names what would have to be declared.
            Violation::ExtensionNotDeclared { extension } => {
                let required = json!({ "extensions": { extension: {} } });
                Some(json!({ "requiredCapabilities": required }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_differ_by_era_only_for_unknown_methods() {
        for (code, legacy, modern) in [
            (code::PARSE_ERROR, 400, 400),
            (code::INVALID_REQUEST, 400, 400),
            (code::METHOD_NOT_FOUND, 200, 404),
            (code::INVALID_PARAMS, 200, 200),
            (code::INTERNAL_ERROR, 200, 200),
            (code::HEADER_MISMATCH, 400, 400),
            (code::MISSING_CLIENT_CAPABILITY, 400, 400),
            (code::UNSUPPORTED_VERSION, 400, 400),
        ] {
            assert_eq!(status_of(code, Era::Legacy), legacy, "{code}");
            assert_eq!(status_of(code, Era::Modern), modern, "{code}");
        }
    }

    #[test]
    fn an_unsupported_version_names_the_supported_ones() {
        let error = Violation::UnsupportedVersion {
            requested: "v999".into(),
        }
        .error();
        assert_eq!(error.code, -32022);
        let data = error.data.unwrap().to_value();
        assert_eq!(data["requested"], "v999");
        assert_eq!(data["supported"][0], "2026-07-28");
    }
}
