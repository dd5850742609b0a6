//! Where the layer gets evidence from.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use crate::answer::IssuerAnswer;
use crate::evidence::{DEFAULT_RETRY_AFTER, NeedsIntrospection, NeedsKeys};
use crate::keys::KeySnapshot;
use crate::refused::Refused;

/// Evidence that may take time to get, or the refusal if there is none.
pub type Fetching<T> = Pin<Box<dyn Future<Output = Result<Arc<T>, Refused>> + Send>>;

/// Hands out keys, and asks issuers.
///
/// Implemented for closures that hand out the newest snapshot they have and fetch nothing, such as
/// [`KeySnapshot::fixed`].
pub trait Source: Send + Sync {
    /// The keys as they are known now; does not wait.
    fn keys(&self) -> Arc<KeySnapshot>;

    /// Newer keys, or the refusal: [`NeedsKeys::unknown`] or [`NeedsKeys::unavailable`].
    ///
    /// # Security
    /// Anybody can make tokens that ask for it; it needs a limit of its own.
    fn newer_keys(&self, needs: NeedsKeys) -> Fetching<KeySnapshot> {
        Box::pin(ready(Err(needs.unknown())))
    }

    /// What the issuer says of the token, or the refusal: [`NeedsIntrospection::unavailable`].
    fn introspect(&self, needs: NeedsIntrospection) -> Fetching<IssuerAnswer> {
        Box::pin(ready(Err(needs.unavailable(DEFAULT_RETRY_AFTER))))
    }
}

impl<F> Source for F
where
    F: Fn() -> Arc<KeySnapshot> + Send + Sync,
{
    fn keys(&self) -> Arc<KeySnapshot> {
        self()
    }
}
