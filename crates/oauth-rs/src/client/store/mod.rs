//! Where grants are kept: what a store has to be able to do, one in memory and one in a file.
//!
//! Several tasks and several processes may use one store at the same time.
//! What keeps them apart is one promise: a write names the version that it was made from, and changes nothing if somebody
//! else has written since.

#[cfg(feature = "file-store")]
mod file;
mod grants;
mod memory;

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "file-store")]
pub use file::{DEFAULT_LOCK_WAIT, FileStore, MAX_FILE_BYTES, StoreFailed};
pub use memory::MemoryStore;

use super::flow::StoredGrant;
use crate::time::UnixSeconds;
use crate::uri::{Issuer, ResourceId};

/// The most grants in one store; the oldest that nobody is renewing makes room for a new one.
///
/// A person is signed in at a handful of servers; 64 is far above that, and bounds what a read costs.
pub const MAX_GRANTS: usize = 64;

/// The longest that a [`Lease`] can hold; one that says more is void, since a clock was set back.
pub const MAX_LEASE: Duration = Duration::from_secs(60);

/// The longest name of a holder of a lease that is read, in bytes; ours have 22.
pub const MAX_HOLDER_BYTES: usize = 64;

/// How often [`save`] writes anew over a writer that was faster.
const MAX_SAVES: usize = 16;

/// Which state of one grant somebody has read.
///
/// No two writes of one grant have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A grant as a store keeps it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Which state of the grant this is.
    pub version: Version,
    /// The tokens, and whose they are.
    pub grant: StoredGrant,
    /// What is known of them.
    pub standing: Standing,
}

/// What is known of the tokens of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing speaks against them.
    Good,
    /// Somebody is exchanging the refresh token.
    Renewing(Lease),
    /// The server said that the refresh token is of no more use; who the client is stays worth knowing.
    Ended,
}

/// Somebody's right to send a refresh token, for a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// A random name, made for one renewal.
    pub holder: String,
    /// When the right ends.
    pub until: UnixSeconds,
}

impl Lease {
    /// Whether it keeps others away.
    pub fn holds(&self, now: UnixSeconds) -> bool {
        // A lease that ends later than any can was given before the clock was set back.
        now < self.until && self.until.since(now) <= MAX_LEASE
    }
}

/// A store's answer that is on its way.
pub type Storing<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps grants, one for each resource and issuer.
///
/// An implementation keeps everything of a [`StoredGrant`] and its [`Standing`], shows tokens to nobody, and has a bound.
/// A future that is dropped leaves the store as it was or as it should be, never in between.
pub trait TokenStore: Send + Sync {
    /// The grant for a server's address: of the resources that cover it, the one that was signed in to or renewed last.
    fn find<'a>(&'a self, server_url: &'a str) -> Storing<'a, Option<Kept>>;

    /// The grant for exactly this resource and issuer.
    fn load<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
    ) -> Storing<'a, Option<Kept>>;

    /// Keeps a grant, if what is there for its resource and issuer still has the version `read`.
    ///
    /// With `read` of `None` it is kept only if there is nothing yet.
    /// The answer is the new version, or `None` when somebody else has written: then nothing was changed.
    fn write<'a>(
        &'a self,
        read: Option<Version>,
        grant: &'a StoredGrant,
        standing: Standing,
    ) -> Storing<'a, Option<Version>>;

    /// Forgets the grant for exactly this resource and issuer, if it still has the version `read`; says whether it did.
    fn remove<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
        read: Version,
    ) -> Storing<'a, bool>;
}

/// Keeps a grant in place of whatever is there for its resource and issuer: what a person has just agreed to is newest.
///
/// # Errors
/// The store fails, or others write faster than this does, 16 times in a row.
pub async fn save(store: &dyn TokenStore, grant: &StoredGrant) -> Result<Version, StoreError> {
    for _ in 0..MAX_SAVES {
        let kept = store.load(&grant.resource, &grant.issuer).await?;
        let read = kept.map(|kept| kept.version);
        if let Some(version) = store.write(read, grant, Standing::Good).await? {
            return Ok(version);
        }
    }
    Err(StoreError::new(
        "others write the same grant again and again",
    ))
}

/// Why a store could not do it.
#[derive(Debug, Clone)]
pub struct StoreError(Arc<dyn Error + Send + Sync>);

impl StoreError {
    /// Wraps the reason.
    pub fn new(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(reason.into()))
    }

    /// The reason itself.
    pub fn reason(&self) -> &(dyn Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
pub(in crate::client) mod tests;
