//! The two ways to a token: a person at a browser, and a machine by itself.

use http::{HeaderMap, Request, Response, StatusCode};
use oauth_rs::client::flow::{Access, Flow, FlowFailed, Nonces, Step};
use oauth_rs::client::machine::{Machine, Step as MachineStep};
use oauth_rs::time::Clock as _;

use crate::system::{SystemClock, SystemEntropy};

/// A way to a token.
#[derive(Debug)]
pub(crate) enum Way {
    Person(Box<Flow>),
    Machine(Box<Machine>),
}

/// What to do next on either way.
pub(crate) enum Next {
    Fetch(Request<Vec<u8>>),
    OpenBrowser(String),
    GoOn,
    Done(Access),
    Failed(FlowFailed),
}

impl Way {
    pub(crate) fn next(&mut self) -> Next {
        let now = SystemClock.now();
        match self {
            Self::Person(flow) => match flow.next_step(now, &SystemEntropy) {
                Step::Fetch(request) => Next::Fetch(request),
                Step::OpenBrowser { url, .. } => Next::OpenBrowser(url),
                // Nothing is kept: the next scenario has servers of its own.
                Step::Store(_) => Next::GoOn,
                Step::Done(access) => Next::Done(access),
                Step::Failed(reason) => Next::Failed(reason),
            },
            Self::Machine(machine) => match machine.next_step(now, &SystemEntropy) {
                MachineStep::Fetch(request) => Next::Fetch(request),
                MachineStep::Done(access) => Next::Done(access),
                MachineStep::Failed(reason) => Next::Failed(reason),
            },
        }
    }

    pub(crate) fn answered(&mut self, response: &Response<Vec<u8>>) {
        match self {
            Self::Person(flow) => flow.handle_response(response, SystemClock.now()),
            Self::Machine(machine) => machine.handle_response(response, SystemClock.now()),
        }
    }

    pub(crate) fn failed(&mut self, why: &str) {
        match self {
            Self::Person(flow) => flow.handle_failure(why),
            Self::Machine(machine) => machine.handle_failure(why),
        }
    }

    /// A machine sends nobody to a browser, so that nobody comes back to it.
    pub(crate) fn came_back(&mut self, query: &str) {
        if let Self::Person(flow) = self {
            flow.handle_callback(query);
        }
    }

    pub(crate) fn handle_challenge(&mut self, status: StatusCode, headers: &HeaderMap) {
        match self {
            Self::Person(flow) => flow.handle_challenge(status, headers),
            Self::Machine(machine) => machine.handle_challenge(status, headers),
        }
    }

    pub(crate) fn accepted(&mut self) {
        match self {
            Self::Person(flow) => flow.accepted(),
            Self::Machine(machine) => machine.accepted(),
        }
    }

    pub(crate) fn note_nonce(&mut self, url: &str, headers: &HeaderMap) {
        if let Self::Person(flow) = self {
            flow.note_nonce(url, headers);
        }
    }

    /// The tokens of a machine are bound to no key, and need none.
    pub(crate) fn nonces(&self) -> Nonces {
        match self {
            Self::Person(flow) => flow.nonces().clone(),
            Self::Machine(_) => Nonces::default(),
        }
    }
}
