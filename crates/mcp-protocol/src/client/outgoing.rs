//! Requests as they are written, in the form of each era.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::agreed::Agreed;
use super::notice::Hearer;
use super::subscription::Filter;
use super::tasks::Watcher;
use crate::http::{METHOD, NAME, encode};
use crate::jsonrpc::{self, Id};
use crate::revision::Revision;
use crate::stateless::key;
use crate::trace::Trace;
use crate::types::{
    ClientCapabilities, CompletionArgument, CompletionCall, CompletionContext, CompletionTarget,
    Implementation, LogLevel, RawObject,
};

/// A request before it has an id and a form.
#[derive(Clone, Debug)]
pub(super) struct Outgoing<'a> {
    method: &'a str,
    params: Params<'a>,
    /// What the request is about, for the methods of extensions that repeat it in a header.
    about: Option<String>,
    /// Headers that repeat arguments.
    pub(super) mirrored: Vec<(HeaderName, HeaderValue)>,
    /// How it is made.
    pub(super) manner: Manner<'a>,
}

/// How a request is made, beside what it asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner<'a> {
    /// Who hears how far it is.
    pub(super) progress: Option<Hearer<'a>>,
    /// From which level on log messages are wanted for it, where it is not the client's.
    pub(super) log_level: Option<LogLevel>,
    /// How long to wait without a sign of life, where it is not the client's.
    pub(super) quiet: Option<Duration>,
    /// How long to wait at most, where it is not the client's.
    pub(super) at_most: Option<Duration>,
    /// It may be made a second time.
    pub(super) repeatable: bool,
    /// Where it belongs in somebody's trace.
    pub(super) trace: Option<&'a Trace>,
    /// Who hears of the task that it becomes.
    pub(super) watcher: Option<Watcher<'a>>,
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
    task_id: Option<&'a str>,
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
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    target: Option<&'a CompletionTarget>,
    #[serde(skip_serializing_if = "Option::is_none")]
    argument: Option<&'a CompletionArgument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a CompletionContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<LogLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notifications: Option<&'a Filter>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Meta<'a>>,
    #[serde(flatten)]
    own: Option<Own<'a>>,
}

/// Members that a program gives for a method of an extension, without those that are written here.
#[derive(Clone, Copy, Debug)]
struct Own<'a> {
    members: &'a RawObject,
    is_left_out: fn(&str) -> bool,
}

impl Serialize for Own<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.members.iter();
        serializer.collect_map(members.filter(|(name, _)| !(self.is_left_out)(name)))
    }
}

/// What `_meta` has from this client and from nobody else.
const OWN_META: [&str; 5] = [
    key::PROTOCOL_VERSION,
    key::CLIENT_CAPABILITIES,
    key::CLIENT_INFO,
    key::LOG_LEVEL,
    key::PROGRESS_TOKEN,
];

impl<'a> Params<'a> {
    /// For a method of an extension, with what a program wants in `_meta`.
    pub(super) fn extension(members: &'a RawObject, meta: Option<&'a RawObject>) -> Self {
        let own = |members, is_left_out| Own {
            members,
            is_left_out,
        };
        Self {
            own: Some(own(members, |name| name == "_meta")),
            meta: meta.map(|meta| Meta {
                own: Some(own(meta, |name| OWN_META.contains(&name))),
                ..Meta::default()
            }),
            ..Self::default()
        }
    }

    /// For a page of a folder.
    pub(super) fn folder(uri: &'a str, cursor: Option<&'a str>) -> Self {
        Self {
            cursor,
            ..Self::resource(uri)
        }
    }

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

    /// For a task, and the answers to what it asks.
    pub(super) fn task(task_id: &'a str, input_responses: Option<Map<String, Value>>) -> Self {
        Self {
            task_id: Some(task_id),
            input_responses,
            ..Self::default()
        }
    }

    /// For proposals.
    pub(super) fn completion(call: &'a CompletionCall) -> Self {
        let context = Some(&call.context);
        Self {
            target: Some(&call.target),
            argument: Some(&call.argument),
            context: context.filter(|context| !context.arguments.is_empty()),
            ..Self::default()
        }
    }

    /// For a level of log messages.
    pub(super) fn level(level: LogLevel) -> Self {
        Self {
            level: Some(level),
            ..Self::default()
        }
    }

    /// For a subscription.
    pub(super) fn subscription(filter: &'a Filter) -> Self {
        Self {
            notifications: Some(filter),
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

/// Requests that change nothing at the server.
const READING: [&str; 12] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "completion/complete",
    "tasks/get",
    "skills/list",
    "skills/get",
    "resources/directory/read",
];

/// Who asks, and what it can do for a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker<'a> {
    pub(super) info: &'a Implementation,
    pub(super) capabilities: &'a ClientCapabilities,
    /// The same without extensions, which the older era does not have.
    pub(super) of_host: &'a ClientCapabilities,
    /// From which level on the client wants log messages.
    pub(super) log_level: Option<LogLevel>,
}

// MCP 2026-07-28, basic, request metadata; the progress token is in each revision.
#[derive(Clone, Debug, Default, Serialize)]
struct Meta<'a> {
    #[serde(
        rename = "io.modelcontextprotocol/protocolVersion",
        skip_serializing_if = "Option::is_none"
    )]
    protocol_version: Option<&'static str>,
    #[serde(
        rename = "io.modelcontextprotocol/clientCapabilities",
        skip_serializing_if = "Option::is_none"
    )]
    capabilities: Option<&'a ClientCapabilities>,
    #[serde(
        rename = "io.modelcontextprotocol/clientInfo",
        skip_serializing_if = "Option::is_none"
    )]
    client_info: Option<&'a Implementation>,
    #[serde(
        rename = "io.modelcontextprotocol/logLevel",
        skip_serializing_if = "Option::is_none"
    )]
    log_level: Option<LogLevel>,
    #[serde(rename = "progressToken", skip_serializing_if = "Option::is_none")]
    progress_token: Option<&'a Id>,
    // MCP-META-06.
    #[serde(rename = "traceparent", skip_serializing_if = "Option::is_none")]
    trace_parent: Option<&'a str>,
    #[serde(rename = "tracestate", skip_serializing_if = "Option::is_none")]
    trace_state: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baggage: Option<&'a str>,
    #[serde(flatten)]
    own: Option<Own<'a>>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(method: &'a str, params: Params<'a>) -> Self {
        Self {
            method,
            params,
            about: None,
            mirrored: Vec::new(),
            manner: Manner::default(),
        }
    }

    /// The same about this, for a header.
    pub(super) fn about(mut self, name: Option<String>) -> Self {
        self.about = name;
        self
    }

    /// The method.
    pub(super) fn method(&self) -> &'a str {
        self.method
    }

    /// The tool that it calls, and with what, if it calls one.
    pub(super) fn tool(&self) -> Option<(&'a str, &'a RawValue)> {
        let is_call = self.method == "tools/call";
        self.params
            .name
            .zip(self.params.arguments)
            .filter(|_| is_call)
    }

    /// Whether it may be made a second time when its stream broke off: it only reads, or the caller says so.
    // MCP-HTTP-08.
    pub(super) fn is_repeatable(&self) -> bool {
        self.manner.repeatable || READING.contains(&self.method)
    }

    pub(super) fn discover() -> Self {
        Self::new("server/discover", Params::default())
    }

    pub(super) fn initialize(revision: Revision, asker: Asker<'a>) -> Self {
        Self::new(
            "initialize",
            Params {
                protocol_version: Some(revision.as_str()),
                capabilities: Some(asker.of_host),
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

    /// From which level on log messages are wanted on its stream.
    pub(super) fn log_level(&self, asker: Asker<'_>) -> Option<LogLevel> {
        self.manner.log_level.or(asker.log_level)
    }

    /// The body with this id, in the form of what was agreed on.
    pub(super) fn body(&self, id: &Id, agreed: &Agreed, asker: Asker<'_>) -> Bytes {
        let mut params = self.params.clone();
        // MCP-PROG-01: the id is a token that no other active request has.
        let progress_token = self.manner.progress.map(|_| id);
        params.meta = if agreed.is_modern() {
            Some(Meta {
                protocol_version: Some(agreed.revision.as_str()),
                capabilities: Some(asker.capabilities),
                client_info: Some(asker.info),
                log_level: self.log_level(asker),
                progress_token,
                trace_parent: self.manner.trace.and_then(Trace::parent),
                trace_state: self.manner.trace.and_then(Trace::state),
                baggage: self.manner.trace.and_then(Trace::baggage),
                own: params.meta.and_then(|meta| meta.own),
            })
        } else {
            progress_token.map(|_| Meta {
                progress_token,
                ..Meta::default()
            })
        };
        jsonrpc::request_text(id, self.method, Some(params)).into()
    }

    /// Repeats in headers what the newest era wants repeated.
    // MCP 2026-07-28, transports, standard request headers.
    pub(super) fn mirror(&self, headers: &mut HeaderMap) {
        headers.insert(METHOD, encode(self.method));
        let params = &self.params;
        // MCP-HTTP-13: an address only where it is read; the skills extension repeats nothing.
        let uri = params.uri.filter(|_| self.method == "resources/read");
        // MCP-TASK-11, MCP-EXT-01.
        let about = params.task_id.or(self.about.as_deref());
        if let Some(name) = params.name.or(uri).or(about) {
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
