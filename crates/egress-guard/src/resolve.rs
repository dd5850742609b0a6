//! Looking up names: the operating system's resolver, behind a seam.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;

/// A lookup under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns a name into addresses.
///
/// Whatever it answers is checked, address by address, by the one who asks: a resolver cannot
/// widen a policy. It is never asked about an address literal. Closures of the same shape are
/// resolvers.
///
/// A lookup has to end by itself: it counts against [`Limits::lookups`](crate::Limits) until it
/// does, also when nobody waits for it any more.
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

/// The resolver of the operating system, on a blocking thread that cannot be stopped.
pub(crate) struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> Resolving {
        Box::pin(async move {
            // The port is not part of the question; the caller adds its own.
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}
