//! Servers that want authorization: the carrier signs in, so that the job itself is ordinary.

use mcp_protocol::client::Client;

use super::headers::call_every_tool;
use crate::carrier::Carrier;
use crate::failed::Failed;

/// Lists the tools and calls each, so that a call that wants more than a list gets to ask for it.
pub(super) async fn use_everything<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    call_every_tool(client).await
}
