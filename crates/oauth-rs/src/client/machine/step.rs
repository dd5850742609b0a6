//! What the machine asks its surroundings to do.

use std::fmt;

use http::Request;

use crate::client::flow::{Access, FlowFailed};

/// What to do next.
///
/// `Debug` does not show the body of a request, since it holds secrets.
#[must_use]
pub enum Step {
    /// Send this, without following redirects; then [`Machine::handle_response`](super::Machine::handle_response) or [`Machine::handle_failure`](super::Machine::handle_failure).
    Fetch(Request<Vec<u8>>),
    /// Call the resource with this token.
    Done(Access),
    /// Give up; the machine stays in this state until [`Machine::restart`](super::Machine::restart).
    Failed(FlowFailed),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(request) => write!(f, "Fetch({} {})", request.method(), request.uri()),
            Self::Done(access) => f.debug_tuple("Done").field(access).finish(),
            Self::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
        }
    }
}
