#![doc = include_str!("../README.md")]

mod date;
mod field;
mod generator;
mod query;
mod refused;
mod role;
mod route;
mod seed;
mod service;
mod world;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use service::{RequestError, SandboxService};

use world::World;

/// A pretended Didit: organisations, people and what they work on, in memory.
///
/// Clones share one state.
/// Two sandboxes made with clocks that show the same time hold the same rows with the same ids.
#[derive(Clone)]
pub struct Sandbox {
    world: Arc<Mutex<World>>,
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
        let world = Arc::new(Mutex::new(seed::world(clock())));
        let service = SandboxService::new(&world, &clock);
        Self { world, service }
    }

    /// Everybody who has a membership, those of the first organisation first.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .people()
    }

    /// The bearer credential that acts for one person, or nothing when nobody has that id.
    ///
    /// The text is opaque, stays the same for the life of the sandbox, and is worth nothing elsewhere.
    #[must_use]
    pub fn credential(&self, person_id: &str) -> Option<String> {
        self.world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .credential(person_id)
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
