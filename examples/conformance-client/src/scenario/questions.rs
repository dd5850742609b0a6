//! Tools that ask before they answer; the client's host is who answers.

use mcp_protocol::client::Client;
use serde_json::json;

use super::{arguments, call};
use crate::carrier::Carrier;
use crate::failed::Failed;

/// Calls the tool that asks with a form full of defaults.
pub(super) async fn defaults<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    client.list_tools().await?;
    let none = arguments(&json!({}))?;
    let answer = call(client, "test_client_elicitation_defaults", &none);
    // The question comes on the stream of the call or on the server's own; both are open before it is asked.
    let Some(listening) = client.listen().await? else {
        return answer.await;
    };
    tokio::pin!(answer);
    tokio::select! {
        done = &mut answer => return done,
        ended = client.serve(listening) => ended?,
    }
    answer.await
}

/// Calls the tools that ask with and without a state, and another one at the same time.
pub(super) async fn request_state<C: Carrier>(client: &Client<C>) -> Result<(), Failed> {
    client.list_tools().await?;
    let none = arguments(&json!({}))?;
    let (asking, unrelated) = tokio::join!(
        call(client, "test_mrtr_echo_state", &none),
        call(client, "test_mrtr_unrelated", &none),
    );
    asking?;
    unrelated?;
    call(client, "test_mrtr_no_state", &none).await?;
    call(client, "test_mrtr_no_result_type", &none).await
}
