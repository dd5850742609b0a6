//! The server: one tool, which repeats a text.

use mcp_protocol::serve::{Context, Error, Handler};
use mcp_protocol::types::{
    Implementation, Page, ServerCapabilities, Tool, ToolCall, ToolList, ToolResult,
};
use serde::Deserialize;

/// The handler; what it does not write is answered with "method not found".
pub(crate) struct Echo;

/// The arguments of the tool.
#[derive(Deserialize)]
struct Arguments {
    text: String,
}

impl Handler for Echo {
    fn info(&self) -> Implementation {
        Implementation::new("echo", "1.0.0")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn list_tools(&self, _: &Context, _: Page) -> Result<ToolList, Error> {
        let schema = serde_json::json!({
            "type": "object",
            "properties": { "text": { "type": "string" } },
            "required": ["text"],
        });
        let echo = Tool::new("echo", "Repeats a text.", &schema);
        let echo = echo.map_err(|error| Error::internal(error.to_string()))?;
        Ok(ToolList::new(vec![echo]))
    }

    async fn call_tool(&self, _: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        if call.name != "echo" {
            return Err(call.unknown().into());
        }
        Ok(match call.arguments::<Arguments>() {
            Ok(arguments) => ToolResult::text(arguments.text),
            // A result and no error, so that the model reads it and tries again.
            Err(error) => ToolResult::error(error.to_string()),
        })
    }
}
