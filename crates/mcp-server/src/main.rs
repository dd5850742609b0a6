//! An OAuth-protected MCP server for Didit, and a client to try it with.
//!
//! This binary picks a subcommand, owns the sockets, the clock and the random source, and plugs
//! the libraries into one another. It takes no protocol decision.

mod audit;
mod client;
mod command;
mod config;
mod data;
mod listen;
mod measured;
mod metrics;
mod settings;
mod stop;
mod system;
mod wiring;
mod write_timeout;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// An OAuth-protected MCP server for Didit, and a client to try it with.
#[derive(Debug, Parser)]
#[command(name = "mcp-server", version)]
enum Command {
    Dev(command::dev::Args),
    Serve(command::serve::Args),
    Stdio(command::stdio::Args),
    Login(command::login::Args),
    Tools(command::tools::Args),
    Call(command::call::Args),
}

fn main() -> ExitCode {
    let command = Command::parse();
    log_to_stderr();
    // A thread has a stack and a cache of its own; a server of small answers needs few, and a pipe of one client one.
    let threads = match command {
        Command::Stdio(_) => 1,
        _ => std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MAX_THREADS)),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    let code = runtime.block_on(run(command));
    // A read of standard input that is under way would keep the runtime from going down.
    runtime.shutdown_background();
    code
}

/// Threads that work on requests, at most.
const MAX_THREADS: usize = 4;

async fn run(command: Command) -> ExitCode {
    let ended = match command {
        Command::Dev(args) => command::dev::run(args).await,
        Command::Serve(args) => command::serve::run(args).await,
        Command::Stdio(args) => command::stdio::run(args).await,
        Command::Login(args) => return command::login::run(args).await,
        Command::Tools(args) => return command::tools::run(args).await,
        Command::Call(args) => return command::call::run(args).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&*error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    // When nobody can be told, the exit code still says it.
    drop(writeln!(io::stderr(), "mcp-server: {error}"));
    ExitCode::FAILURE
}

/// Stdout belongs to what was asked for; `RUST_LOG` chooses what is told beside it.
fn log_to_stderr() {
    let chosen = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,mcp_server=info,audit=info"));
    tracing_subscriber::fmt()
        .with_env_filter(chosen)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
}
