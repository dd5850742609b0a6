//! What a server says of itself: capabilities, `initialize` and `server/discover`.

use serde::{Deserialize, Serialize};

use super::{ClientCapabilities, Empty, Implementation, JsonObject, Meta, Outcome};

/// What a server serves; declare exactly that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServerCapabilities {
    /// `tools/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ListCapability>,
    /// `prompts/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<ListCapability>,
    /// `resources/*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceCapability>,
    /// `completion/complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completions: Option<EmptyCapability>,
    /// Log messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<EmptyCapability>,
    /// Extensions by their prefixed name (2026-07-28).
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub extensions: JsonObject,
    /// Anything not in the specification.
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub experimental: JsonObject,
}

impl ServerCapabilities {
    /// Tools that do not change, and nothing else.
    #[must_use]
    pub fn tools() -> Self {
        ServerCapabilities {
            tools: Some(ListCapability::default()),
            ..Self::default()
        }
    }
}

/// A list that may say when it has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ListCapability {
    /// Whether it says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list_changed: bool,
}

/// Resources that may say when they have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceCapability {
    /// Whether the list says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub list_changed: bool,
    /// Whether a single resource does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub subscribe: bool,
}

/// A capability without parts: `{}`.
pub type EmptyCapability = Empty;

impl PartialEq for Empty {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// The parameters of `initialize`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initialize {
    /// The version that the client would like.
    pub protocol_version: String,
    /// What the client can do.
    #[serde(default)]
    pub capabilities: ClientCapabilities,
    /// What the client is.
    pub client_info: Implementation,
}

/// The answer to `initialize`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initialized {
    /// The version that is spoken from here on.
    pub protocol_version: String,
    /// What the server serves.
    pub capabilities: ServerCapabilities,
    /// What the server is.
    pub server_info: Implementation,
    /// How to use it, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
}

impl Outcome for Initialized {}

/// The answer to `server/discover`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// The versions that are served.
    pub supported_versions: Vec<String>,
    /// What the server serves.
    pub capabilities: ServerCapabilities,
    /// How to use it, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Metadata.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl Outcome for Discovery {
    fn take_meta(&mut self) -> Option<Meta> {
        self.meta.take()
    }
}
