//! `mcp-server login URL`: signs a person in at an MCP server and keeps the grant.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::client::error::{CommandError, told};
use crate::client::session::{ConnectionArgs, Session};
use crate::client::terminal;

/// Sign in at an MCP server in the browser, and keep the grant for `tools` and `call`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> ExitCode {
    told(login(args).await)
}

async fn login(args: Args) -> Result<(), CommandError> {
    let mut session = Session::open(args.connection)?;
    let line = session.login().await?;
    let mut out = io::stdout().lock();
    // The client's identifier in it was chosen by the authorization server.
    writeln!(out, "{}", terminal::line(&line))?;
    out.flush()?;
    Ok(())
}
