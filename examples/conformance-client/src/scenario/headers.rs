//! What is repeated in headers: methods, names, arguments.

use std::collections::BTreeMap;

use mcp_protocol::client::Client;
use mcp_protocol::types::Json;

use super::{arguments, call};
use crate::carrier::Carrier;
use crate::environment::ListedCall;
use crate::failed::Failed;
use crate::person::filled_in;

/// Uses everything that the server lists, so that each method and each name is seen.
pub(super) async fn standard<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    call_every_tool(client).await?;
    for resource in client.list_resources().await? {
        client.read_resource(&resource.uri).await?;
    }
    for prompt in client.list_prompts().await? {
        client.get_prompt(&prompt.name, &BTreeMap::new()).await?;
    }
    Ok(())
}

/// Makes the calls that the scenario lists, with the headers that the listed tools want.
pub(super) async fn custom<C: Carrier>(
    client: &Client<C>,
    calls: &[ListedCall],
) -> Result<(), Failed> {
    client.list_tools().await?;
    for listed in calls {
        call(client, &listed.name, &listed.arguments).await?;
    }
    Ok(())
}

/// Calls every tool that the client has not left out.
pub(super) async fn invalid<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    call_every_tool(client).await
}

/// Lists the tools and calls each with arguments that its schema takes.
pub(super) async fn call_every_tool<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    for tool in client.list_tools().await?.tools {
        let schema = Json::from(tool.input_schema);
        call(client, &tool.name, &arguments(&filled_in(&schema))?).await?;
    }
    Ok(())
}
