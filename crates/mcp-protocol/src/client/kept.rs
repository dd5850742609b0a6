//! Using an answer again: the cache that is handed in, and for whom.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::error::TransportError;
use super::notice::{Change, Notice};
use super::{AnswerBody, Client};
use crate::cache::{Cache, CacheLimits, Freshness, Key, Looked, Pages, Stale, Ticket};

/// Answers that may be used again, with the clock that says for how long; clones are the same cache.
///
/// One cache may serve several clients, of one server or of many, each for a principal of its own.
#[derive(Clone)]
pub struct SharedCache {
    cache: Arc<Mutex<Cache>>,
    clock: Arc<dyn Fn() -> Duration + Send + Sync>,
}

impl SharedCache {
    /// An empty cache with a clock that never goes back: the time since any moment.
    ///
    /// `let start = Instant::now(); SharedCache::new(CacheLimits::default(), move || start.elapsed())`
    #[must_use]
    pub fn new(limits: CacheLimits, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            cache: Arc::new(Mutex::new(Cache::new(limits))),
            clock: Arc::new(clock),
        }
    }

    /// Forgets all of one principal's own, at every server: for when it signs out. What is being asked for at this moment is
    /// not kept either.
    pub fn forget_principal(&self, principal: &str) {
        self.lock().forget_principal(principal);
    }

    fn now(&self) -> Duration {
        (self.clock)()
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // Nothing panics while it is held, and the cache is whole between its steps.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedCache").finish_non_exhaustive()
    }
}

/// An answer that may be kept once it has been read.
#[derive(Debug)]
pub(super) struct Keepable {
    ticket: Option<Ticket>,
    /// How often the principal had changed when it was asked for.
    principals: u64,
    fresh: Option<Freshness>,
}

impl Keepable {
    /// Without a cache.
    pub(super) const NO: Self = Self {
        ticket: None,
        principals: 0,
        fresh: None,
    };
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// The same client that uses answers again as long as the server says: lists, resources, and what the server says of
    /// itself (2026-07-28).
    ///
    /// What the server calls private is used again only with a principal ([`with_principal`](Self::with_principal)).
    /// Clients of one endpoint share what is public; one over a pipe shares nothing.
    /// A list is kept as a whole. What is stale is not used, not even when the server cannot be reached.
    ///
    /// Does not check: whether two calls at the same time ask for the same; both go out.
    #[must_use]
    pub fn with_cache(mut self, cache: SharedCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// The same client, for this principal: a name under which private answers are kept, made by the caller.
    ///
    /// It must be another one for whoever may see other things: the user, together with the server's account if there are
    /// several. It is not sent.
    #[must_use]
    pub fn with_principal(self, principal: &str) -> Self {
        self.set_principal(Some(principal));
        self
    }

    /// From now on for this principal, or for nobody in particular; private answers of another are not found any more.
    ///
    /// Call it before the service below gives its requests another token. What is being asked for at this moment is not
    /// kept: whose token it goes out with, page by page, is not known here.
    pub fn set_principal(&self, principal: Option<&str>) {
        let mut state = self.lock();
        state.principal = principal.map(Arc::from);
        state.principals += 1;
    }

    /// The same client with the host's own label for the server, under which its answers are kept and its skills are known
    /// ([`SkillKey`](super::SkillKey)). Without one it is the endpoint; over a pipe, something that no other client has.
    ///
    /// A name that the server gives itself is none: another may give itself the same.
    #[must_use]
    pub fn with_server_label(mut self, label: &str) -> Self {
        self.server = Arc::from(label);
        self
    }

    pub(super) fn key(&self, method: &'static str) -> Key {
        Key::whole(&self.server, method)
    }

    pub(super) fn key_about(&self, method: &'static str, what: &str) -> Key {
        Key::about(&self.server, method, what)
    }

    /// A fresh answer, or what is needed to keep one.
    pub(super) fn look(&self, key: Key) -> Result<Pages, Keepable> {
        let Some(cache) = &self.cache else {
            return Err(Keepable::NO);
        };
        let (principal, principals) = {
            let state = self.lock();
            (state.principal.clone(), state.principals)
        };
        let now = cache.now();
        match cache.lock().look(key, principal.as_ref(), now) {
            Looked::Fresh(pages) => Ok(pages),
            Looked::Absent(ticket) => Err(Keepable {
                ticket: Some(ticket),
                principals,
                fresh: None,
            }),
        }
    }

    /// Takes note of what a page that has just come says about keeping it.
    pub(super) fn note_page(&self, keepable: &mut Keepable, page: &serde_json::value::RawValue) {
        let Some(cache) = &self.cache else { return };
        let of_page = Freshness::of(page, cache.now());
        keepable.fresh = Some(keepable.fresh.map_or(of_page, |fresh| fresh.and(of_page)));
    }

    /// Keeps an answer that could be read, unless the principal has changed since it was asked for.
    // MCP-CACHE-03.
    pub(super) fn keep(&self, keepable: Keepable, pages: &Pages) {
        if let (Some(cache), Some(ticket), Some(fresh)) =
            (&self.cache, keepable.ticket, keepable.fresh)
        {
            if keepable.principals != self.lock().principals {
                return;
            }
            let now = cache.now();
            cache.lock().keep(ticket, Arc::clone(pages), fresh, now);
        }
    }

    /// Forgets what is kept of it, for everybody, and says so.
    pub(super) fn changed(&self, change: Change) {
        self.forget(&change);
        if let Some(ears) = &self.ears {
            ears.hear(Notice::Changed(change));
        }
    }

    /// Forgets what is kept of it, for everybody.
    pub(super) fn forget(&self, change: &Change) {
        let Some(cache) = &self.cache else { return };
        let stale = match change {
            Change::Tools => Stale::Tools,
            Change::Prompts => Stale::Prompts,
            Change::Resources => Stale::Resources,
            Change::Resource(uri) => Stale::Resource(uri),
        };
        cache.lock().forget(&self.server, stale);
    }
}
