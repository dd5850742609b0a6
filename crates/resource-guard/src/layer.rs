//! The guard as a tower layer.

use std::fmt;
use std::sync::Arc;

use oauth_rs::time::Clock;
use tower_layer::Layer;

use crate::cors::Cors;
use crate::guard::{Guard, Principal};
use crate::keys::KeySnapshot;
use crate::service::GuardService;

/// Puts a [`Guard`] in front of a service; see [`GuardService`] for what it does with a request.
#[derive(Clone)]
pub struct GuardLayer {
    shared: Arc<Shared>,
}

/// What all services made by one layer have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) guard: Arc<Guard>,
    pub(crate) keys: Arc<dyn Fn() -> Arc<KeySnapshot> + Send + Sync>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) revoked: Arc<dyn Fn(&Principal) -> bool + Send + Sync>,
    pub(crate) cors: Cors,
}

impl GuardLayer {
    /// A layer that asks for the keys and the time at every request.
    ///
    /// Use [`KeySnapshot::fixed`] for keys that never change; otherwise a closure that hands out
    /// the newest snapshot, and does not wait. Nothing counts as revoked, and [`Cors`] has its
    /// defaults.
    pub fn new(
        guard: Arc<Guard>,
        keys: impl Fn() -> Arc<KeySnapshot> + Send + Sync + 'static,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                guard,
                keys: Arc::new(keys),
                clock,
                revoked: Arc::new(|_| false),
                cors: Cors::default(),
            }),
        }
    }

    /// Asks, for each valid token, whether it was revoked; the closure must not wait.
    #[must_use]
    pub fn revocation(self, revoked: Arc<dyn Fn(&Principal) -> bool + Send + Sync>) -> Self {
        self.changed(|shared| shared.revoked = revoked)
    }

    /// What pages from other origins may do.
    #[must_use]
    pub fn cors(self, cors: Cors) -> Self {
        self.changed(|shared| shared.cors = cors)
    }

    /// A layer like this one but for one thing; services made before keep what they have.
    fn changed(self, change: impl FnOnce(&mut Shared)) -> Self {
        let mut shared = Shared::clone(&self.shared);
        change(&mut shared);
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl fmt::Debug for GuardLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardLayer")
            .field("resource", self.shared.guard.resource())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = GuardService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService::new(inner, Arc::clone(&self.shared))
    }
}
