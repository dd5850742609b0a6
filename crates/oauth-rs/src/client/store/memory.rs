//! Grants in the memory of one process.

use std::future::ready;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::grants::Grants;
use super::{Kept, Standing, Storing, TokenStore, Version};
use crate::client::flow::StoredGrant;
use crate::uri::{Issuer, ResourceId};

/// A store that ends with the process, of at most [`MAX_GRANTS`](super::MAX_GRANTS) grants.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Grants>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Grants> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryStore {
    fn find<'a>(&'a self, server_url: &'a str) -> Storing<'a, Option<Kept>> {
        Box::pin(ready(Ok(self.lock().find(server_url).cloned())))
    }

    fn load<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
    ) -> Storing<'a, Option<Kept>> {
        Box::pin(ready(Ok(self.lock().load(resource, issuer).cloned())))
    }

    fn write<'a>(
        &'a self,
        read: Option<Version>,
        grant: &'a StoredGrant,
        standing: Standing,
    ) -> Storing<'a, Option<Version>> {
        Box::pin(ready(Ok(self.lock().write(read, grant, standing))))
    }

    fn remove<'a>(
        &'a self,
        resource: &'a ResourceId,
        issuer: &'a Issuer,
        read: Version,
    ) -> Storing<'a, bool> {
        Box::pin(ready(Ok(self.lock().remove(resource, issuer, read))))
    }
}
