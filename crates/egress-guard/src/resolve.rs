//! Looking up names: the operating system's resolver, behind a seam.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// A lookup under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns a name into addresses.
///
/// Whatever it answers is checked, address by address, by the one who asks: a resolver cannot
/// widen a policy. It is never asked about an address literal. Closures of the same shape are
/// resolvers.
pub trait Resolve: Send + Sync + 'static {
    /// Looks up one name. The caller stops waiting after [`Limits::resolve`](crate::Limits).
    fn resolve(&self, name: String) -> Resolving;
}

impl<F> Resolve for F
where
    F: Fn(String) -> Resolving + Send + Sync + 'static,
{
    fn resolve(&self, name: String) -> Resolving {
        self(name)
    }
}

/// The resolver of the operating system, with a limit on lookups in flight.
///
/// A lookup runs on a blocking thread that cannot be stopped, so a permit is given back when the
/// lookup ends and not when the one who asked gives up.
pub(crate) struct SystemResolver {
    lookups: Arc<Semaphore>,
}

impl SystemResolver {
    pub(crate) fn new(lookups: usize) -> Self {
        Self {
            lookups: Arc::new(Semaphore::new(lookups.min(Semaphore::MAX_PERMITS))),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> Resolving {
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let permit = lookups.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::spawn(async move {
                // The port is not part of the question; the caller adds its own.
                let found = tokio::net::lookup_host((name, 0)).await;
                drop(permit);
                found.map(|addresses| addresses.map(|a| a.ip()).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}
