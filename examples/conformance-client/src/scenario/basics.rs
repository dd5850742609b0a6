//! Connecting, listing, calling one tool.

use mcp_protocol::client::Client;
use serde_json::json;

use super::{arguments, call};
use crate::carrier::Carrier;
use crate::failed::Failed;

/// Agrees on a revision and does nothing more.
pub(super) async fn connect<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    client.connect().await?;
    Ok(())
}

/// Lists the tools; nothing that a schema points to is fetched, because nothing here ever does that.
pub(super) async fn list<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    client.list_tools().await?;
    Ok(())
}

/// Finds the tool that adds, and has it add.
pub(super) async fn add_numbers<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    const TOOL: &str = "add_numbers";
    let listed = client.list_tools().await?;
    if !listed.tools.iter().any(|tool| tool.name == TOOL) {
        return Err(Failed::NoSuchTool(TOOL));
    }
    call(client, TOOL, &arguments(&json!({ "a": 2, "b": 3 }))?).await
}

/// Calls the tool whose answer breaks off; the client goes on reading where the server says.
pub(super) async fn call_test_reconnection<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    call(client, "test_reconnection", &arguments(&json!({}))?).await
}
