//! The guard as a tower layer.

use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use oauth_rs::jose::dpop::{Nonces, ReplayWindow};
use oauth_rs::time::Clock;
use tower_layer::Layer;

use crate::cors::Cors;
use crate::guard::Guard;
use crate::peer::Proxies;
use crate::principal::Principal;
use crate::service::GuardService;
use crate::source::Source;

/// Puts a [`Guard`] in front of a service; see [`GuardService`] for what it does with a request.
#[derive(Clone)]
pub struct GuardLayer {
    shared: Arc<Shared>,
}

/// What all services made by one layer have in common.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) guard: Arc<Guard>,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) revoked: Arc<dyn Fn(&Principal) -> bool + Send + Sync>,
    pub(crate) cors: Cors,
    pub(crate) proxies: Proxies,
    pub(crate) window: Arc<ReplayWindow>,
    pub(crate) nonces: Option<Arc<dyn Fn() -> Arc<Nonces> + Send + Sync>>,
    pub(crate) open: Arc<dyn Fn(&Parts) -> bool + Send + Sync>,
    pub(crate) operation: Arc<OperationOf>,
}

/// Names the operation of a request.
type OperationOf = dyn Fn(&Parts) -> Option<String> + Send + Sync;

impl GuardLayer {
    /// A layer that asks the source for evidence and the clock for the time at every request.
    ///
    /// Use [`KeySnapshot::fixed`](crate::KeySnapshot::fixed) for keys that never change. Nothing
    /// counts as revoked, no request is open, no operation is named, no proxy is trusted, no nonce is
    /// asked for, proofs are remembered in a window of its own, and [`Cors`] has its defaults.
    pub fn new(guard: Arc<Guard>, source: impl Source + 'static, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                guard,
                source: Arc::new(source),
                clock,
                revoked: Arc::new(|_| false),
                cors: Cors::default(),
                proxies: Proxies::default(),
                window: Arc::new(ReplayWindow::default()),
                nonces: None,
                open: Arc::new(|_| false),
                operation: Arc::new(|_| None),
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

    /// The proxies whose word about client certificates counts, by the [`Peer`](crate::Peer) in the
    /// extensions of a request.
    #[must_use]
    pub fn proxies(self, proxies: Proxies) -> Self {
        self.changed(|shared| shared.proxies = proxies)
    }

    /// Where used DPoP proofs are remembered, in place of a window of the layer's own.
    #[must_use]
    pub fn replay_window(self, window: Arc<ReplayWindow>) -> Self {
        self.changed(|shared| shared.window = window)
    }

    /// Demands a nonce in each DPoP proof; the closure hands out the newest secrets.
    #[must_use]
    pub fn nonces(self, nonces: impl Fn() -> Arc<Nonces> + Send + Sync + 'static) -> Self {
        self.changed(|shared| shared.nonces = Some(Arc::new(nonces)))
    }

    /// Requests that need no token: they reach the service without a principal.
    ///
    /// One that brings a token all the same is checked, and refused if the token is not good.
    #[must_use]
    pub fn open(self, open: impl Fn(&Parts) -> bool + Send + Sync + 'static) -> Self {
        self.changed(|shared| shared.open = Arc::new(open))
    }

    /// Names the operation of a request, whose scopes the token then has to have
    /// ([`GuardConfig::operations`](crate::GuardConfig::operations)); nothing is asked of a request
    /// without one, and an operation that is not in the table is open to nobody.
    ///
    /// For names that stand in the request itself, such as its route. Where the body decides, or the
    /// role of the subject, the service calls [`Guard::permit`].
    #[must_use]
    pub fn operation(
        self,
        operation: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.changed(|shared| shared.operation = Arc::new(operation))
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
