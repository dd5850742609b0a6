//! Keys and answers for the layer, from the caches that fetch them.

use std::sync::Arc;

use super::introspect::Introspector;
use super::keys::KeyCache;
use super::unavailable::Unavailable;
use crate::answer::IssuerAnswer;
use crate::evidence::{DEFAULT_RETRY_AFTER, NeedsIntrospection, NeedsKeys};
use crate::keys::KeySnapshot;
use crate::source::{Fetching, Source};

/// Where a [`GuardLayer`](crate::GuardLayer) gets its evidence from: a cache of keys, and an
/// [`Introspector`] for each issuer that is asked.
///
/// An unknown key is 401 once the newest set of its issuer does not have it, and 503 if there was
/// no telling; an issuer that does not answer is 503.
#[derive(Debug, Clone)]
pub struct Fetched {
    keys: KeyCache,
    introspectors: Vec<Introspector>,
}

impl Fetched {
    /// Keys, and nobody to ask.
    pub fn new(keys: KeyCache) -> Self {
        Self {
            keys,
            introspectors: Vec::new(),
        }
    }

    /// Asks one more issuer; of two for the same one, the first counts.
    #[must_use]
    pub fn asking(mut self, introspector: Introspector) -> Self {
        self.introspectors.push(introspector);
        self
    }
}

impl Source for Fetched {
    fn keys(&self) -> Arc<KeySnapshot> {
        self.keys.current()
    }

    fn newer_keys(&self, needs: NeedsKeys) -> Fetching<KeySnapshot> {
        let keys = self.keys.clone();
        Box::pin(async move {
            let newer = keys.find(Some(needs.issuer()), needs.kid()).await;
            newer.map_err(|Unavailable { retry_after }| needs.unavailable(retry_after))
        })
    }

    fn introspect(&self, needs: NeedsIntrospection) -> Fetching<IssuerAnswer> {
        let mut introspectors = self.introspectors.iter();
        let introspector = introspectors.find(|one| one.issuer() == needs.issuer());
        let introspector = introspector.cloned();
        Box::pin(async move {
            let Some(introspector) = introspector else {
                return Err(needs.unavailable(DEFAULT_RETRY_AFTER));
            };
            let answer = introspector.ask(needs.token()).await;
            answer.map_err(|Unavailable { retry_after }| needs.unavailable(retry_after))
        })
    }
}
