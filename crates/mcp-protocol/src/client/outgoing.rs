//! Requests as they are written, in the form of each era.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::agreed::Agreed;
use crate::http::{METHOD, NAME, encode};
use crate::jsonrpc::{self, Id};
use crate::revision::Revision;
use crate::types::{ClientCapabilities, Implementation};

/// A request before it has an id and a form.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<'a> {
    method: &'static str,
    params: Params<'a>,
    /// Headers that repeat arguments.
    pub(super) mirrored: Vec<(HeaderName, HeaderValue)>,
}

/// The parameters of every method that this client uses; the absent ones are not written.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_responses: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<&'a ClientCapabilities>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<&'a Implementation>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Meta<'a>>,
}

impl<'a> Params<'a> {
    /// For a page of a list.
    pub(super) fn page(cursor: Option<&'a str>) -> Self {
        Self {
            cursor,
            ..Self::default()
        }
    }

    /// For a call by name.
    pub(super) fn call(name: &'a str, arguments: &'a RawValue) -> Self {
        Self {
            name: Some(name),
            arguments: Some(arguments),
            ..Self::default()
        }
    }

    /// For a resource.
    pub(super) fn resource(uri: &'a str) -> Self {
        Self {
            uri: Some(uri),
            ..Self::default()
        }
    }
}

/// Who asks, and what it can do for a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) info: &'a Implementation,
    pub(super) capabilities: &'a ClientCapabilities,
}

// MCP 2026-07-28, basic, request metadata.
#[derive(Clone, Debug, Serialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    protocol_version: &'static str,
    #[serde(rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: &'a ClientCapabilities,
    #[serde(rename = "io.modelcontextprotocol/clientInfo")]
    client_info: &'a Implementation,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(method: &'static str, params: Params<'a>) -> Self {
        Self {
            method,
            params,
            mirrored: Vec::new(),
        }
    }

    pub(super) fn discover() -> Self {
        Self::new("server/discover", Params::default())
    }

    pub(super) fn initialize(revision: Revision, asker: Asker<'a>) -> Self {
        Self::new(
            "initialize",
            Params {
                protocol_version: Some(revision.as_str()),
                capabilities: Some(asker.capabilities),
                client_info: Some(asker.info),
                ..Params::default()
            },
        )
    }

    /// Asks again, with these answers and with the state exactly as the server gave it.
    // MCP 2026-07-28, multi round-trip requests: a state only where the server has just given one.
    pub(super) fn answering(&mut self, answers: Map<String, Value>, state: Option<String>) {
        self.params.input_responses = Some(answers).filter(|answers| !answers.is_empty());
        self.params.request_state = state;
    }

    /// The body with this id, in the form of what was agreed on.
    pub(super) fn body(&self, id: &Id, agreed: &Agreed, asker: Asker<'_>) -> Bytes {
        let mut params = self.params.clone();
        if agreed.is_modern() {
            params.meta = Some(Meta {
                protocol_version: agreed.revision.as_str(),
                capabilities: asker.capabilities,
                client_info: asker.info,
            });
        }
        jsonrpc::request_text(id, self.method, Some(params)).into()
    }

    /// Repeats in headers what the newest era wants repeated.
    // MCP 2026-07-28, transports, standard request headers.
    pub(super) fn mirror(&self, headers: &mut HeaderMap) {
        headers.insert(METHOD, HeaderValue::from_static(self.method));
        if let Some(name) = self.params.name.or(self.params.uri) {
            headers.insert(NAME, encode(name));
        }
        for (name, value) in &self.mirrored {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// The notification that ends the handshake.
pub(super) fn initialized() -> Bytes {
    jsonrpc::notification_text::<()>("notifications/initialized", None).into()
}
