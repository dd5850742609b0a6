//! An OAuth-protected MCP server for Didit, and a client to try it with.
//!
//! This binary picks a subcommand, owns the sockets, the clock and the random source, and plugs
//! the libraries into one another. It takes no protocol decision.

mod client;
mod command;
mod data;
mod listen;
mod system;
mod wiring;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// An OAuth-protected MCP server for Didit, and a client to try it with.
#[derive(Debug, Parser)]
#[command(name = "mcp-server", version)]
enum Command {
    Dev(command::dev::Args),
    Login(command::login::Args),
    Tools(command::tools::Args),
    Call(command::call::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    log_to_stderr();
    match command {
        Command::Dev(args) => match command::dev::run(args).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // When nobody can be told, the exit code still says it.
                drop(writeln!(io::stderr(), "mcp-server: {error}"));
                ExitCode::FAILURE
            }
        },
        Command::Login(args) => command::login::run(args).await,
        Command::Tools(args) => command::tools::run(args).await,
        Command::Call(args) => command::call::run(args).await,
    }
}

/// Stdout belongs to what was asked for; `RUST_LOG` chooses what is told beside it.
fn log_to_stderr() {
    let chosen = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,mcp_server=info"));
    tracing_subscriber::fmt()
        .with_env_filter(chosen)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
