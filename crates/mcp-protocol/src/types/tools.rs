//! Tools: what is listed, called and returned.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::{ContentBlock, Icon, Items, Meta, Outcome};
use crate::jsonrpc::RpcError;

/// A tool as it is listed; schemas are kept as the text they were given in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// The name; 1 to 128 of `A-Z a-z 0-9 _ . -`.
    pub name: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of the arguments; its root has `"type": "object"`.
    pub input_schema: Box<RawValue>,
    /// JSON Schema of the structured content (since 2025-06-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Box<RawValue>>,
    /// Hints about what it does to the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Pictures of it (since 2025-11-25).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// Metadata.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl Tool {
    /// A tool with a description and the schema of its arguments.
    ///
    /// # Errors
    /// When the schema cannot be written as JSON.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        input_schema: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Tool {
            name: name.into(),
            title: None,
            description: Some(description.into()),
            input_schema: to_raw_value(input_schema)?,
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
        })
    }
}

/// Hints about a tool; a client does not trust them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolAnnotations {
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// May destroy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling twice is as calling once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// Reaches beyond a closed world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
}

/// The answer to `tools/list`.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolList {
    /// The tools; the same order each time.
    pub tools: Items<Tool>,
    /// Where the next page starts, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl ToolList {
    /// The whole list in one page.
    pub fn new(tools: impl Into<Items<Tool>>) -> Self {
        ToolList {
            tools: tools.into(),
            next_cursor: None,
        }
    }
}

impl Outcome for ToolList {
    fn rendered(&self) -> Option<&Arc<RawValue>> {
        self.tools.rendered()
    }
}

/// The parameters of `tools/call`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ToolCall {
    /// Which tool.
    pub name: String,
    /// The arguments as they were sent; absent is as good as `{}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Box<RawValue>>,
}

impl ToolCall {
    /// The text of the arguments; `{}` if there are none.
    #[must_use]
    pub fn arguments_text(&self) -> &str {
        self.arguments.as_deref().map_or("{}", RawValue::get)
    }

    /// Reads the arguments.
    ///
    /// # Errors
    /// The reader's reason. Since 2025-11-25 a tool tells the model about it in a result with
    /// `isError`, so that it can correct itself: [`ToolResult::error`].
    pub fn arguments<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.arguments_text())
    }

    /// The protocol error for a tool that does not exist (-32602).
    #[must_use]
    pub fn unknown(&self) -> RpcError {
        RpcError::invalid_params(format!(
            "unknown tool: {:?}",
            crate::stateless::clip(&self.name)
        ))
    }
}

/// The answer to `tools/call`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolResult {
    /// For the model and the person.
    #[serde(default)]
    pub content: Vec<ContentBlock>,
    /// For programs; any JSON (an object before 2026-07-28). A server leaves it out where the
    /// revision does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Box<RawValue>>,
    /// The tool ran and failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
    /// Metadata.
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl ToolResult {
    /// Several pieces of content.
    #[must_use]
    pub fn new(content: Vec<ContentBlock>) -> Self {
        ToolResult {
            content,
            ..ToolResult::default()
        }
    }

    /// One text.
    pub fn text(text: impl Into<String>) -> Self {
        ToolResult::new(vec![ContentBlock::text(text)])
    }

    /// A failure that the model may correct.
    pub fn error(text: impl Into<String>) -> Self {
        ToolResult {
            is_error: true,
            ..ToolResult::text(text)
        }
    }

    /// A value, both as structured content and as its text (MCP-TOOL-04).
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn structured(value: &impl Serialize) -> Result<Self, serde_json::Error> {
        let raw = to_raw_value(value)?;
        let mut result = ToolResult::text(raw.get());
        result.structured_content = Some(raw);
        Ok(result)
    }
}

impl Outcome for ToolResult {
    fn take_meta(&mut self) -> Option<Meta> {
        self.meta.take()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_structured_result_is_there_as_text_too() {
        let result = ToolResult::structured(&json!({ "sum": 1, "of": ["a"] })).unwrap();
        let written = serde_json::to_value(&result).unwrap();
        assert_eq!(
            written["structuredContent"],
            json!({ "sum": 1, "of": ["a"] })
        );
        assert_eq!(written["content"][0]["type"], "text");
        let text = written["content"][0]["text"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(text).unwrap(),
            written["structuredContent"]
        );
    }
}
