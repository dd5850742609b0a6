//! The command line of `cargo xtask`.

use lexopt::{Arg, Parser, ValueExt as _};

/// What `cargo xtask --help` prints.
pub(crate) const HELP: &str = "\
cargo xtask ci                  everything below but bench, cheapest first; stops at the first failure
cargo xtask tidy                rules about the repository that the compiler does not know
cargo xtask codegen             writes what follows from the data of Didit's operations
    --check                     fail when it is out of date, instead of writing it
cargo xtask test                unit, integration, documentation and story tests, and conformance
cargo xtask stories             the stories driven from Node: the official client, a browser, our client,
                                our guard and the tokens of others
    --only NAME                 one of them: sdk, own-client, foreign-servers, foreign-tokens, browser
cargo xtask conformance         the official suite and the official SDKs; writes docs/conformance.md
    --only NAME                 runs whose name, or scenarios whose name, contains NAME; writes nothing
                                (the runs with the SDKs are interop, or interop-rust, interop-python and so on)
    --check                     fail when docs/conformance.md is out of date, instead of writing it
cargo xtask bench               what a request and a session cost beside a bare HTTP server, a token
                                beside its signature check, a guard beside none, and the server for Didit
                                beside a bare proxy; Linux, two cores
    --only NAME                 one of them: requests, tokens, guard, didit
    --calls N                   calls after which the memory of the server for Didit is looked at; a million
                                unless said
";

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Ci,
    Test,
    Codegen { check: bool },
    Tidy,
    Bench { only: Option<String>, calls: usize },
    Stories { only: Option<String> },
    Conformance { only: Option<String>, check: bool },
}

/// How many calls there are when nobody says.
const CALLS: usize = 1_000_000;

/// Reads the command line; anything unknown is refused.
pub(crate) fn parse(mut parser: Parser) -> Result<Command, String> {
    let mut name: Option<String> = None;
    let mut only: Option<String> = None;
    let mut calls: Option<usize> = None;
    let mut check = false;
    while let Some(argument) = parser.next().map_err(told)? {
        match argument {
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Help),
            Arg::Long("only") => {
                only = Some(
                    parser
                        .value()
                        .and_then(|value| value.string())
                        .map_err(told)?,
                );
            }
            Arg::Long("calls") => {
                calls = Some(
                    parser
                        .value()
                        .and_then(|value| value.parse())
                        .map_err(told)?,
                );
            }
            Arg::Long("check") => check = true,
            Arg::Value(value) if name.is_none() => name = Some(value.string().map_err(told)?),
            other => return Err(told(other.unexpected())),
        }
    }
    let takes_only = matches!(name.as_deref(), Some("stories" | "conformance" | "bench"));
    let takes_check = matches!(name.as_deref(), Some("conformance" | "codegen"));
    let takes_calls = name.as_deref() == Some("bench");
    if (only.is_some() && !takes_only)
        || (check && !takes_check)
        || (calls.is_some() && !takes_calls)
    {
        return Err(format!("this command has no such option\n\n{HELP}"));
    }
    if only.is_some() && check {
        return Err("--check needs the whole run, not --only a part of it".to_owned());
    }
    match name.as_deref() {
        None | Some("help") => Ok(Command::Help),
        Some("ci") => Ok(Command::Ci),
        Some("test") => Ok(Command::Test),
        Some("codegen") => Ok(Command::Codegen { check }),
        Some("tidy") => Ok(Command::Tidy),
        Some("bench") => Ok(Command::Bench {
            only,
            calls: calls.unwrap_or(CALLS),
        }),
        Some("stories") => Ok(Command::Stories { only }),
        Some("conformance") => Ok(Command::Conformance { only, check }),
        Some(other) => Err(format!("there is no command {other:?}\n\n{HELP}")),
    }
}

fn told(error: lexopt::Error) -> String {
    format!("{error}\n\n{HELP}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, String> {
        parse(Parser::from_args(words))
    }

    #[test]
    fn commands_and_their_options() {
        assert_eq!(parsed(&[]), Ok(Command::Help));
        assert_eq!(parsed(&["ci"]), Ok(Command::Ci));
        assert_eq!(
            parsed(&["bench"]),
            Ok(Command::Bench {
                only: None,
                calls: CALLS
            })
        );
        assert_eq!(
            parsed(&["bench", "--only", "didit", "--calls", "1000"]),
            Ok(Command::Bench {
                only: Some("didit".to_owned()),
                calls: 1000
            })
        );
        assert_eq!(
            parsed(&["stories", "--only", "sdk"]),
            Ok(Command::Stories {
                only: Some("sdk".to_owned())
            })
        );
        assert_eq!(
            parsed(&["conformance", "--check"]),
            Ok(Command::Conformance {
                only: None,
                check: true
            })
        );
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for words in [
            &["fly"][..],
            &["ci", "twice"],
            &["ci", "--only", "x"],
            &["ci", "--calls", "1"],
            &["bench", "--calls", "many"],
            &["stories", "--check"],
            &["conformance", "--check", "--only", "ping"],
            &["test", "--quick"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}
