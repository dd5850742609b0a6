//! Which scenario has which job.

mod basics;
mod headers;
mod questions;
mod schemas;
mod sign_in;
mod skills;
#[cfg(test)]
mod tests;

use mcp_protocol::client::Client;
use serde_json::value::{RawValue, to_raw_value};

use crate::carrier::Carrier;
use crate::environment::Environment;
use crate::failed::Failed;

/// Does the job of the scenario that the environment names, and ends the session if there is one.
pub(crate) async fn run<C: Carrier>(
    environment: &Environment,
    client: &Client<C>,
) -> Result<(), Failed> {
    let done = match environment.scenario.as_str() {
        "initialize" => basics::connect(client).await,
        "tools_call" => basics::add_numbers(client).await,
        "request-metadata" => basics::list(client).await,
        "sse-retry" => basics::call_test_reconnection(client).await,
        "elicitation-sep1034-client-defaults" => questions::defaults(client).await,
        "sep-2322-client-request-state" => questions::request_state(client).await,
        "http-standard-headers" => headers::standard(client).await,
        "http-custom-headers" => headers::custom(client, &environment.context.tool_calls).await,
        "http-invalid-tool-headers" => headers::invalid(client).await,
        "json-schema-ref-no-deref" => basics::list(client).await,
        "json-schema-2020-12-preservation" => schemas::echo(client).await,
        "sep-2640-client-no-prefetch" => skills::list(client).await,
        "sep-2640-client-verify-digest"
        | "sep-2640-client-verify-size"
        | "sep-2640-client-verify-frontmatter" => skills::load(client).await,
        name if name.starts_with("auth/") => sign_in::use_everything(client).await,
        name => Err(Failed::NoSuchScenario(name.to_owned())),
    };
    // A session that stays open ends by itself, and the job is done or not without it.
    client.close().await.ok();
    done
}

/// Calls a tool; one that says that it failed has not done its job.
async fn call<C: Carrier>(
    client: &Client<C>,
    name: &str,
    arguments: &RawValue,
) -> Result<(), Failed> {
    let called = client.call_tool(name, arguments).await?;
    if called.result.is_error {
        return Err(Failed::Tool(name.to_owned()));
    }
    Ok(())
}

/// Arguments from a value that is an object.
fn arguments(value: &impl serde::Serialize) -> Result<Box<RawValue>, Failed> {
    Ok(to_raw_value(value)?)
}
