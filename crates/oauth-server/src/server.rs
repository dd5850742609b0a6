//! The server: its configuration, and the seams that it was given.

use std::fmt;
use std::sync::Arc;

use oauth_rs::entropy::Entropy;
use oauth_rs::jose::dpop::ReplayWindow;
use oauth_rs::time::{Clock, UnixSeconds};

use crate::config::Config;
use crate::document::ClientDocuments;
use crate::event::{Event, Events};
use crate::identity::Identity;
use crate::router::{Budget, Waiting};
use crate::store::Store;

/// What the server is given from outside: storage, people, the network, time and chance.
pub struct Seams {
    /// Where records are kept.
    pub store: Arc<dyn Store>,
    /// Who may sign in.
    pub identity: Arc<dyn Identity>,
    /// Fetches client ID metadata documents; without it such clients are unknown and the metadata says so.
    pub documents: Option<Arc<dyn ClientDocuments>>,
    /// Where events go.
    pub events: Arc<dyn Events>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from: an operating system's generator, or fixed bytes in a test.
    pub entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams")
            .field("documents", &self.documents.is_some())
            .finish_non_exhaustive()
    }
}

/// An authorization server.
///
/// [`crate::router::Service`] serves it.
#[derive(Debug)]
pub struct Server {
    pub(crate) config: Config,
    pub(crate) seams: Seams,
    pub(crate) waiting: Waiting,
    pub(crate) registrations: Budget,
    pub(crate) proofs: ReplayWindow,
}

impl Server {
    /// A server with this configuration, on these seams.
    #[must_use]
    pub fn new(config: Config, seams: Seams) -> Self {
        Self {
            config,
            seams,
            waiting: Waiting::default(),
            registrations: Budget::default(),
            proofs: ReplayWindow::default(),
        }
    }

    /// How it was set up.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// What time it is, by the clock that the server was given.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        self.seams.clock.now()
    }

    pub(crate) fn tell(&self, events: &[Event]) {
        for event in events {
            self.seams.events.record(event);
        }
    }
}
