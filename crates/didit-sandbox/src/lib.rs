#![doc = include_str!("../README.md")]

mod body;
mod date;
mod fault;
mod field;
mod generator;
mod query;
mod received;
mod refused;
mod role;
mod route;
mod seed;
mod service;
mod world;

use std::fmt;
use std::sync::Arc;

pub use body::{CutOff, SandboxBody};
pub use fault::{Fault, Matching, Wait};
pub use received::Received;
pub use service::{RequestError, SandboxService};

use service::Shared;

/// A pretended Didit: organisations, people and what they work on, in memory.
///
/// Clones share one state.
/// Two sandboxes made with clocks that show the same time hold the same rows with the same ids.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
    service: SandboxService,
}

/// Somebody who can be signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Person {
    /// A short and stable id, such as `olivia`.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// An address under a domain reserved for examples.
    pub email: String,
    /// The role in the first organisation, or, for somebody outside it, in the first of their own.
    pub role: String,
}

impl Sandbox {
    /// Makes a sandbox whose rows are dated relative to what `clock` shows now, in Unix seconds.
    ///
    /// The clock is asked again for every request.
    #[must_use]
    pub fn new(clock: Arc<dyn Fn() -> u64 + Send + Sync>) -> Self {
        let shared = Arc::new(Shared::new(seed::world(clock()), clock));
        let service = SandboxService::new(&shared);
        Self { shared, service }
    }

    /// Everybody who has a membership, those of the first organisation first.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.shared.world().people()
    }

    /// The bearer credential that acts for one person, or nothing when nobody has that id.
    ///
    /// The text is opaque, stays the same for the life of the sandbox, and is worth nothing elsewhere.
    #[must_use]
    pub fn credential(&self, person_id: &str) -> Option<String> {
        self.shared.world().credential(person_id)
    }

    /// The last requests that came in, at most 256, the oldest first.
    ///
    /// One that was sent to a foreign host is not among them.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.record().all()
    }

    /// Forgets the requests that came in so far.
    pub fn forget_requests(&self) {
        self.shared.record().clear();
    }

    /// Lets calls go wrong: each call meets the first fault asked for that matches it.
    ///
    /// At most 64 faults wait; the oldest goes when there are more.
    pub fn fault(&self, matching: Matching, fault: Fault) {
        self.shared.faults().add(matching, fault);
    }

    /// Takes back every fault.
    pub fn heal(&self) {
        self.shared.faults().clear();
    }

    /// The HTTP service, for any server loop or for calls in memory.
    ///
    /// It serves `/auth/v2` and `/v3`, and answers only requests whose host is a loopback one.
    /// It sets no deadline on a slow body: the server loop around it must.
    #[must_use]
    pub fn service(&self) -> SandboxService {
        self.service.clone()
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").finish_non_exhaustive()
    }
}
