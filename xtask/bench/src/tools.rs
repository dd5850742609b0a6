//! A handler with one hundred and sixty tools; each answers with the text that it is given.

use mcp_protocol::serve::{Context, Error, Handler};
use mcp_protocol::types::{
    Implementation, Items, Page, ServerCapabilities, Tool, ToolCall, ToolList, ToolResult,
};
use serde::Deserialize;
use serde_json::json;

/// How many tools there are; with their schemas the list is about 120 KB long.
const TOOLS: usize = 160;

pub(crate) struct Tools {
    list: Items<Tool>,
}

impl Tools {
    pub(crate) fn new() -> Self {
        let tools: Vec<Tool> = (0..TOOLS).map(tool).collect();
        Tools {
            list: Items::render(&tools).unwrap(),
        }
    }
}

fn tool(number: usize) -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What is said back, word by word.", "maxLength": 4096 },
            "times": { "type": "integer", "description": "How often it is said.", "minimum": 1, "maximum": 10, "default": 1 },
            "language": { "type": "string", "description": "The language of the text.", "enum": ["de", "en", "es", "fr", "it", "pt"] },
            "options": {
                "type": "object",
                "properties": {
                    "upper": { "type": "boolean", "description": "In capital letters." },
                    "reverse": { "type": "boolean", "description": "From the last letter to the first." },
                },
                "additionalProperties": false,
            },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    let name = if number == 0 {
        "echo".to_owned()
    } else {
        format!("echo-{number}")
    };
    Tool::new(name, "Says back the text that it is given.", &schema).unwrap()
}

impl Handler for Tools {
    fn info(&self) -> Implementation {
        Implementation::new("bench-server", "1.0.0")
    }

    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::tools()
    }

    async fn list_tools(&self, _context: &Context, _page: Page) -> Result<ToolList, Error> {
        Ok(ToolList::new(self.list.clone()))
    }

    async fn call_tool(&self, _context: &Context, call: ToolCall) -> Result<ToolResult, Error> {
        #[derive(Deserialize)]
        struct Arguments {
            text: String,
        }
        match call.arguments::<Arguments>() {
            Ok(arguments) => Ok(ToolResult::text(arguments.text)),
            Err(error) => Ok(ToolResult::error(error.to_string())),
        }
    }
}
