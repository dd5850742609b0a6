//! The rules of 2026-07-28, where each request stands by itself: metadata, precedence, envelopes.

mod params;

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

pub use params::Params;

use crate::extension::{self, Extension, Method};
use crate::jsonrpc::{Id, Request, Text, Writer};
use crate::revision::{Era, Revision};
use crate::types::{CacheHint, ClientCapabilities, Implementation, LogLevel, Outcome};
use crate::violation::Violation;

/// The keys that this crate reads and writes in `_meta`.
pub mod key {
    /// The version of the request.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// What the client can do.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// What the client is.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// From which level on log messages are wanted.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// What the server is.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Which `subscriptions/listen` a message belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Where progress is reported.
    pub const PROGRESS_TOKEN: &str = "progressToken";
}

/// The methods whose complete results carry cache hints.
///
/// MCP-CACHE-01.
pub const CACHEABLE: [&str; 8] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "skills/list",
    "skills/get",
];

/// The methods whose results may ask for input.
///
/// MCP-MRTR-01.
pub const MAY_ASK: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// The metadata that each request of 2026-07-28 brings.
#[derive(Clone, Debug)]
pub struct RequestMeta {
    /// The version, as sent.
    pub protocol_version: String,
    /// What the client can do, for this request.
    pub capabilities: ClientCapabilities,
    /// What the client is.
    pub client_info: Option<Implementation>,
    /// From which level on log messages are wanted; none if absent.
    pub log_level: Option<LogLevel>,
    /// Where progress is reported.
    pub progress_token: Option<Id>,
}

impl RequestMeta {
    /// Reads the metadata.
    ///
    /// # Errors
    /// [`Violation::Metadata`] when a required key is missing, or a key has the wrong shape.
    pub fn read(params: &Params<'_>) -> Result<Self, Violation> {
        let bad = |key, problem| Violation::Metadata { key, problem };
        let meta = match params.meta() {
            // MCP-META-02: missing _meta, or a missing required key, is -32602.
            None => return Err(bad("_meta", "is missing")),
            Some(Err(())) => return Err(bad("_meta", "must be an object")),
            Some(Ok(meta)) => meta,
        };
        let not_an_object = bad(key::CLIENT_CAPABILITIES, "must be an object");
        let required = |key| meta.get(key).ok_or(bad(key, "is missing"));
        Ok(RequestMeta {
            protocol_version: read(
                required(key::PROTOCOL_VERSION)?,
                bad(key::PROTOCOL_VERSION, "must be a string"),
            )?,
            capabilities: ClientCapabilities::of_request(required(key::CLIENT_CAPABILITIES)?)
                .ok_or(not_an_object)?,
            client_info: optional(
                meta.get(key::CLIENT_INFO),
                bad(key::CLIENT_INFO, "must have a name and a version"),
            )?,
            // MCP-LOG-01: an unknown level is -32602.
            log_level: optional(
                meta.get(key::LOG_LEVEL),
                bad(key::LOG_LEVEL, "is not a level"),
            )?,
            progress_token: optional(
                meta.get(key::PROGRESS_TOKEN),
                bad(key::PROGRESS_TOKEN, "must be a string or an integer"),
            )?,
        })
    }
}

fn read<T: DeserializeOwned>(value: &RawValue, wrong: Violation) -> Result<T, Violation> {
    T::deserialize(value).map_err(|_| wrong)
}

fn optional<T: DeserializeOwned>(
    value: Option<&RawValue>,
    wrong: Violation,
) -> Result<Option<T>, Violation> {
    value.map(|value| read(value, wrong)).transpose()
}

/// A header that mirrors something in the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror<'a> {
    /// The header is not there.
    Absent,
    /// Characters that a header may not have, or base64 that is none.
    Unreadable,
    /// Its value, decoded.
    Text(Cow<'a, str>),
}

/// The mirrored headers of one request.
#[derive(Clone, Debug)]
pub struct Mirrored<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Mirror<'a>,
    /// `Mcp-Method`.
    pub method: Mirror<'a>,
    /// `Mcp-Name`.
    pub name: Mirror<'a>,
}

/// A request of 2026-07-28 that passed every check before its parameters. Made by [`admit`].
#[derive(Clone, Debug)]
pub struct Admitted {
    meta: RequestMeta,
    revision: Revision,
}

impl Admitted {
    /// The metadata.
    #[must_use]
    pub fn meta(&self) -> &RequestMeta {
        &self.meta
    }

    /// Takes the metadata out.
    #[must_use]
    pub fn into_meta(self) -> RequestMeta {
        self.meta
    }

    /// The revision of the request.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }
}

/// The checks of a request of 2026-07-28, in their order of precedence:
///
/// 1. required metadata (-32602);
/// 2. headers equal to the body (-32020);
/// 3. version (-32022);
/// 4. method (404, -32601); those of an extension are known only if it is in `extensions`;
/// 5. for the methods of an extension: that the client declares it for this request (-32021), unless they are for everybody.
///
/// Parsing comes before, other capabilities and parameters come after. On a transport without
/// headers, pass `None` and the second step is left out.
///
/// Does not check: whether a handler serves the method, `Mcp-Param-*`.
///
/// # Errors
/// The first check that fails.
pub fn admit<P>(
    request: &Request<'_, P>,
    params: &Params<'_>,
    headers: Option<&Mirrored<'_>>,
    extensions: &[Extension],
) -> Result<Admitted, Violation> {
    let meta = RequestMeta::read(params)?;
    let own = served(extensions, &request.method);
    if let Some(headers) = headers {
        // MCP-HTTP-10: a header that differs comes before a version that is not served.
        matches(
            "MCP-Protocol-Version",
            &headers.version,
            &meta.protocol_version,
        )?;
        // MCP-HTTP-13, MCP-HTTP-14.
        matches("Mcp-Method", &headers.method, &request.method)?;
        // A method that is not served wants no name: it is unknown.
        if let Some(name) = about(own, &request.method, params) {
            matches("Mcp-Name", &headers.name, &name)?;
        }
    }
    let revision = Revision::parse(&meta.protocol_version)
        .filter(|revision| revision.era() == Era::Modern)
        .ok_or_else(|| Violation::UnsupportedVersion {
            requested: clip(&meta.protocol_version),
        })?;
    // MCP-HTTP-11, MCP-DUAL-06: methods of the older era are as unknown as any other.
    if own.is_none() && !revision.has_request(&request.method) {
        return Err(Violation::UnknownMethod {
            method: clip(&request.method),
        });
    }
    // MCP-TASK-07, MCP-EXT-01: the client declares the extension in the request itself.
    match own {
        Some((extension, method))
            if method.needs_declaring() && !meta.capabilities.extension(extension.name()) =>
        {
            return Err(Violation::ExtensionNotDeclared {
                extension: extension.name().to_owned(),
            });
        }
        _ => {}
    }
    Ok(Admitted { meta, revision })
}

/// The extension that has this method, among those that are served; what the core has stays with the core.
#[must_use]
pub fn served<'a>(
    extensions: &'a [Extension],
    method: &str,
) -> Option<(&'a Extension, &'a Method)> {
    if Revision::NEWEST.has_request(method) {
        return None;
    }
    extension::find(extensions, method)
}

/// What a request of the core or of an extension is about, for `Mcp-Name`.
#[must_use]
pub fn about<'a>(
    own: Option<(&Extension, &Method)>,
    method: &str,
    params: &Params<'a>,
) -> Option<Cow<'a, str>> {
    match own {
        Some((_, method)) => params.member_text(method.repeated_member()?),
        None => params.mirrored_name(method),
    }
}

/// Compares a header with the body; values are compared with case.
///
/// # Errors
/// [`Violation::Header`].
pub fn matches(header: &str, mirror: &Mirror<'_>, body: &str) -> Result<(), Violation> {
    let problem = match mirror {
        Mirror::Text(text) if text == body => return Ok(()),
        Mirror::Text(_) => "does not match the body",
        Mirror::Absent => "is missing",
        Mirror::Unreadable => "is not readable",
    };
    Err(Violation::Header {
        header: header.to_owned(),
        problem,
    })
}

/// A peer's text, short enough to be repeated to it.
#[must_use]
pub fn clip(text: &str) -> String {
    text.chars().take(128).collect()
}

/// How a result is written out.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    /// In which era.
    pub era: Era,
    /// What the server is, for `_meta`: an [`Implementation`] that is written already.
    pub server_info: &'a RawValue,
    /// The hint, for the methods that have one.
    pub cache: Option<CacheHint>,
    /// `complete`, `input_required`, or what an extension adds.
    pub result_type: &'a str,
}

/// Room for everything around a short result, in bytes: what an echo with its server's name takes is
/// below it.
const ROOM: usize = 384;

/// Writes a response with what its era wants around the result.
///
/// In 2026-07-28: `resultType`, the cache hint, and `serverInfo` in `_meta` beside what the result
/// brings itself. In the older era: the result as it is.
///
/// # Errors
/// When the result cannot be written, or is not a JSON object.
///
/// Specification: MCP-RPC-08, MCP-META-03, MCP-CACHE-01.
pub fn response<T: Outcome>(
    id: &Id,
    mut result: T,
    envelope: Envelope<'_>,
) -> Result<Text, serde_json::Error> {
    let meta = result.take_meta();
    let mut out = Writer::new(ROOM, result.rendered());
    out.push(r#"{"jsonrpc":"2.0","id":"#);
    out.value(id)?;
    out.push(r#","result":"#);
    match (envelope.era, &meta) {
        (Era::Modern, meta) => {
            out.push(r#"{"resultType":"#);
            out.value(envelope.result_type)?;
            if let Some(hint) = envelope.cache {
                out.push(r#","ttlMs":"#);
                out.value(&hint.ttl_ms)?;
                out.push(r#","cacheScope":"#);
                out.value(&hint.scope)?;
            }
            out.push(r#","_meta":{"#);
            let own = meta.iter().flatten();
            for (key, value) in own.filter(|(key, _)| *key != key::SERVER_INFO) {
                out.value(key)?;
                out.push(":");
                out.value(value)?;
                out.push(",");
            }
            out.push("\"");
            out.push(key::SERVER_INFO);
            out.push("\":");
            out.push(envelope.server_info.get());
            out.push("}");
            out.close(&result)?;
        }
        (Era::Legacy, Some(meta)) => {
            out.push(r#"{"_meta":"#);
            out.value(meta)?;
            out.close(&result)?;
        }
        (Era::Legacy, None) => out.object(&result)?,
    }
    out.push("}");
    Ok(out.finish())
}

#[cfg(test)]
mod tests;
