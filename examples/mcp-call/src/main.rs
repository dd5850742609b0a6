//! An MCP client on the command line, on mcp-protocol alone.
//!
//! `mcp-call [--call TOOL JSON] -- COMMAND ARGS…` starts the server, says which revision was agreed on, lists its tools,
//! calls one if asked, and ends the server in good order.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what it prints is its purpose"
)]

mod arguments;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::process::ExitCode;

use mcp_protocol::client::Client;
use mcp_protocol::client::process::{Process, ProcessLimits, ServerCommand};
use mcp_protocol::types::{Implementation, ToolResult};

use crate::arguments::{Arguments, Call, USAGE};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::FAILURE;
        }
    };
    match run(arguments, |line| println!("{line}")).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}", told(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Talks to the server, and gives whether the tool did what it was asked for.
async fn run(arguments: Arguments, mut tell: impl FnMut(String)) -> Result<bool, Box<dyn Error>> {
    // 1. The process is started by the first request, not here.
    let command = ServerCommand::new(arguments.program).args(arguments.rest);
    let process = Process::new(command, ProcessLimits::default());
    let info = Implementation::new("mcp-call", env!("CARGO_PKG_VERSION"));
    let client = Client::over_process(process.clone(), info);

    let outcome = talk(&client, arguments.call.as_ref(), &mut tell).await;

    // 2. Whatever happened, the server ends: its input is closed, and it is told to exit only if it does not do so itself.
    let status = process.close().await;
    let good = outcome?;
    if let Some(status) = status {
        tell(format!("ended: {status}"));
    }
    Ok(good)
}

async fn talk(
    client: &Client<Process>,
    call: Option<&Call>,
    tell: &mut impl FnMut(String),
) -> Result<bool, Box<dyn Error>> {
    // 3. The newest revision that both have, by `server/discover` or by the handshake of the older era.
    let revision = client.connect().await?;
    tell(format!("revision: {}", revision.as_str()));

    // 4. Names and descriptions are the server's words: quoted, so that they cannot pretend to be ours.
    let listed = client.list_tools().await?;
    for tool in &listed.tools {
        let description = tool.description.as_deref().unwrap_or_default();
        tell(format!("tool: {:?}: {description:?}", tool.name));
    }
    for tool in &listed.dropped {
        tell(format!("not usable: {:?}: {}", tool.name, tool.why));
    }

    // 5. A tool that failed has answered all the same; what it says is for whoever called it.
    let Some(call) = call else {
        return Ok(true);
    };
    let called = client.call_tool(&call.tool, &call.arguments).await?;
    show(&called.result, tell)?;
    Ok(!called.result.is_error)
}

fn show(result: &ToolResult, tell: &mut impl FnMut(String)) -> Result<(), serde_json::Error> {
    let how = if result.is_error { "failed" } else { "result" };
    for block in &result.content {
        tell(match block.as_text() {
            Some(text) => format!("{how}: {text:?}"),
            None => format!("{how}: {}", serde_json::to_string(block)?),
        });
    }
    Ok(())
}

/// An error with its reasons.
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        told.push_str(&format!(": {reason}"));
        source = reason.source();
    }
    told
}
