//! Schemas that pass through untouched.

use mcp_protocol::client::Client;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{arguments, call};
use crate::carrier::Carrier;
use crate::failed::Failed;

/// Sends the schema of one tool back to another, as the text it came in.
pub(super) async fn echo<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    const TOOL: &str = "json_schema_2020_12_tool";
    #[derive(Serialize)]
    struct Echo<'a> {
        schema: &'a RawValue,
    }
    let listed = client.list_tools().await?;
    let tool = listed.tools.iter().find(|tool| tool.name == TOOL);
    let schema = &tool.ok_or(Failed::NoSuchTool(TOOL))?.input_schema;
    call(client, "json_schema_echo", &arguments(&Echo { schema })?).await
}
