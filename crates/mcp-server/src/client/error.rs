//! What a client command tells a person when it cannot do what was asked.

use std::error::Error;
use std::fmt;
use std::io;
use std::process::ExitCode;

use mcp_protocol::client::ClientError;

use super::terminal;

/// Why a client command failed: what happened, and what to do.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The command was used wrongly.
    Usage(String),
    /// The tool ran and says that it failed.
    Tool(String),
    /// The server refuses what sign-in has just given.
    StillRefused { url: String },
    /// Sign-in failed.
    SignIn(Box<dyn Error + Send + Sync>),
    /// The file with the grants cannot be used.
    Store(Box<dyn Error + Send + Sync>),
    /// The MCP server could not be asked, or refused.
    Server { url: String, error: ClientError },
    /// Standard output could not be written.
    Output(io::Error),
}

impl CommandError {
    /// 2 for wrong use, as the command line parser does it; 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Tool(_)
            | Self::StillRefused { .. }
            | Self::SignIn(_)
            | Self::Store(_)
            | Self::Server { .. }
            | Self::Output(_) => 1,
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) => f.write_str(why),
            Self::Tool(text) => write!(f, "the tool failed: {text}"),
            Self::StillRefused { url } => write!(
                f,
                "{url} refuses the token that sign-in has just given; \
                 its authorization server and it do not agree, which only its operator can mend"
            ),
            Self::SignIn(error) => {
                write!(f, "signing in failed: ")?;
                chain(f, error.as_ref())
            }
            Self::Store(error) => {
                write!(f, "the file with the grants cannot be used: ")?;
                chain(f, error.as_ref())
            }
            Self::Server { url, error } => match error {
                ClientError::InputRequired(input) => {
                    write!(
                        f,
                        "{url} asks for something before it goes on, which this command cannot answer"
                    )?;
                    for asked in &input.asked {
                        write!(f, "; {}", asked.method)?;
                        if let Some(message) = &asked.message {
                            write!(f, ": {message:?}")?;
                        }
                    }
                    Ok(())
                }
                ClientError::Forbidden { .. } => write!(
                    f,
                    "{url} does not allow this for the person who is signed in (HTTP status 403)"
                ),
                error => {
                    write!(f, "{url}: ")?;
                    chain(f, error)
                }
            },
            Self::Output(error) => write!(f, "standard output cannot be written: {error}"),
        }
    }
}

fn chain(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    f.write_str(&in_one_line(error))
}

/// An error and what caused it, in one line.
fn in_one_line(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}

impl Error for CommandError {}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Tells a person on standard error, and the shell by the exit code.
pub(crate) fn told(outcome: Result<(), CommandError>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has seen enough, as `head` has.
        Err(CommandError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // When nobody can be told, the exit code still says it.
            drop(write_error(&mut io::stderr(), &error));
            ExitCode::from(error.exit_code())
        }
    }
}

/// Much of an error may be a server's text.
fn write_error(out: &mut dyn io::Write, error: &CommandError) -> io::Result<()> {
    writeln!(out, "mcp-server: {}", terminal::lines(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn a_servers_text_does_not_steer_the_terminal() {
        let hostile = "\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}\r";
        for error in [
            CommandError::Tool(hostile.to_owned()),
            CommandError::SignIn(hostile.into()),
            CommandError::Server {
                url: "https://mcp.example/mcp".to_owned(),
                error: ClientError::Transport(hostile.into()),
            },
        ] {
            let mut out = Vec::new();
            write_error(&mut out, &error).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(text.ends_with("]0;pwned2J\n"), "{text:?}");
            assert!(!text.trim_end().contains(char::is_control), "{text:?}");
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let output = |kind| told(Err(CommandError::Output(io::Error::from(kind))));
        assert_eq!(output(io::ErrorKind::BrokenPipe), ExitCode::SUCCESS);
        assert_ne!(output(io::ErrorKind::StorageFull), ExitCode::SUCCESS);
    }

    #[test]
    fn messages_say_what_happened_and_what_to_do() {
        let url = "https://mcp.example/mcp".to_owned();
        let refused = CommandError::StillRefused { url: url.clone() };
        assert!(
            refused
                .to_string()
                .starts_with("https://mcp.example/mcp refuses the token")
        );
        assert_eq!(refused.exit_code(), 1);
        assert_eq!(CommandError::Usage("no".to_owned()).exit_code(), 2);

        let lost = ClientError::Transport(io::Error::other("no route").into());
        let lost = CommandError::Server {
            url: url.clone(),
            error: lost,
        };
        assert_eq!(
            lost.to_string(),
            "https://mcp.example/mcp: the server could not be reached: no route"
        );
        let down = ClientError::Http {
            status: StatusCode::SERVICE_UNAVAILABLE,
        };
        assert!(
            CommandError::Server { url, error: down }
                .to_string()
                .contains("503")
        );
    }
}
