//! The repository's own commands: what the gate runs, and what it runs it with.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "printing is what these commands do"
)]

mod arguments;
mod bench;
mod ci;
mod codegen;
mod conformance;
mod interop;
mod node;
mod process;
mod requirements;
mod stories;
mod suite;
mod tally;
mod tidy;
mod workspace;

use std::process::ExitCode;

use arguments::Command;
use workspace::Workspace;

/// Every step that can go wrong says how in words for a person.
pub(crate) type Outcome<T = ()> = Result<T, String>;

fn main() -> ExitCode {
    let done = arguments::parse(lexopt::Parser::from_env()).and_then(run);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\nxtask: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome {
    if let Command::Help = command {
        print!("{}", arguments::HELP);
        return Ok(());
    }
    let workspace = Workspace::load()?;
    match command {
        Command::Help => Ok(()),
        Command::Ci => ci::run(&workspace),
        Command::Test => suite::run(&workspace),
        Command::Bench { only, calls } => bench::run(&workspace, only.as_deref(), calls),
        Command::Codegen { check } => codegen::run(&workspace, check),
        Command::Tidy => tidy::run(&workspace),
        Command::Stories { only } => suite::run_stories(&workspace, only.as_deref()),
        Command::Conformance { only, check } => {
            conformance::run(&workspace, only.as_deref(), check)
        }
    }
}
