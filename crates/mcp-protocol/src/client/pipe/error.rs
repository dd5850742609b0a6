//! Why a pipe does not carry a request, or not to its end.

use std::io;
use std::sync::Arc;

/// Why a request over a [`Pipe`](super::Pipe) has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipeError {
    /// The server has closed its end, or every handle of the pipe is gone.
    #[error("the server has closed its output")]
    Closed,
    /// This side has closed the pipe.
    #[error("the pipe was closed by this side")]
    ClosedHere,
    /// Reading or writing failed.
    #[error("the pipe is broken")]
    Broken(#[source] Arc<io::Error>),
    /// The server has exited, with this status where it is known.
    #[cfg(feature = "process")]
    #[error("the server has exited ({})", status.map_or_else(|| "status unknown".to_owned(), |status| status.to_string()))]
    Exited {
        /// The exit status.
        status: Option<std::process::ExitStatus>,
    },
    /// The command of the server cannot be started.
    #[cfg(feature = "process")]
    #[error("the server {program:?} cannot be started")]
    NotStarted {
        /// The program.
        program: std::ffi::OsString,
        /// Why.
        #[source]
        why: Arc<io::Error>,
    },
    /// The server wrote a line over the limit, which may have been the answer.
    #[error(
        "the server wrote a line of more than {limit} bytes; raise PipeLimits::max_line_bytes if it may"
    )]
    LineTooLong {
        /// The limit.
        limit: usize,
    },
    /// A listening stream whose reader does not keep up, so that changes would be missed.
    #[error("more than {limit} bytes wait on a stream that is read too slowly")]
    TooSlow {
        /// The limit.
        limit: usize,
    },
    /// More requests in flight than allowed.
    #[error("{0} requests are in flight already")]
    TooManyInFlight(usize),
    /// Two requests with one id: two clients on one pipe.
    #[error("a request with this id is in flight already; a pipe belongs to one client")]
    IdInUse,
    /// What was to be sent is not a single JSON-RPC message.
    #[error("the request is not a single JSON-RPC message")]
    NotAMessage,
}
