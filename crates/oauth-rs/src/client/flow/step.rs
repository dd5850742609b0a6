//! What the machine asks its surroundings to do.

use std::fmt;

use http::Request;

use super::{Access, FlowFailed, StoredGrant};
use crate::secret::Secret;

/// What to do next.
///
/// `Debug` shows neither the body of a request nor the query of an address, since both hold secrets.
#[must_use]
pub enum Step {
    /// Send this, without following redirects; then [`Flow::handle_response`](super::Flow::handle_response) or [`Flow::handle_failure`](super::Flow::handle_failure).
    Fetch(Request<Vec<u8>>),
    /// Show this address to the person, wait for the redirect; then [`Flow::handle_callback`](super::Flow::handle_callback).
    OpenBrowser {
        /// The address.
        url: String,
        /// The `state` that the redirect carries, for a listener that ignores everything else.
        state: Secret,
    },
    /// Keep this, instead of what was kept for the same resource and issuer; then go on.
    Store(StoredGrant),
    /// Call the resource with this token.
    Done(Access),
    /// Give up; the flow stays in this state.
    Failed(FlowFailed),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(request) => write!(f, "Fetch({} {})", request.method(), request.uri()),
            Self::OpenBrowser { url, .. } => {
                let page = url.split_once('?').map_or(url.as_str(), |(page, _)| page);
                write!(f, "OpenBrowser({page:?})")
            }
            Self::Store(grant) => f.debug_tuple("Store").field(grant).finish(),
            Self::Done(access) => f.debug_tuple("Done").field(access).finish(),
            Self::Failed(reason) => f.debug_tuple("Failed").field(reason).finish(),
        }
    }
}
