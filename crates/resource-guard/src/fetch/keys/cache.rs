//! The shell around the machines: a snapshot that is read without a lock, and a task for a fetch.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use oauth_rs::jose::JwkSet;
use oauth_rs::uri::Issuer;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use super::fetch::{Fetch, Fetched, KeyFetchFailed, KeySource, Step};
use super::limits::KeyLimits;
use super::machine::{Advice, Machine, Start};
use crate::fetch::send::{HttpClient, SendFailed};
use crate::fetch::unavailable::Unavailable;
use crate::keys::KeySnapshot;

/// The keys of one or more issuers, fetched through a client that the program hands in.
///
/// 1. Nothing is fetched before a token needs it; then a fetch is started, and waited for.
/// 2. [`current`](Self::current) reads a snapshot and takes no lock. Only when keys have become
///    old does one caller start a fetch, and nobody waits for it.
/// 3. [`find`](Self::find) is for a key id that the snapshot does not have: one fetch for all who
///    wait, at most one in a cool-down, and none for an id that was not found a while ago.
/// 4. While newer keys cannot be had the old ones are used, up to a limit; then there are none.
/// 5. A fetch runs in a task of its own, within a time limit: a caller that stops waiting ends
///    nothing.
/// 6. A document is parsed once, when it comes; an unchanged one not even that often counts as
///    new. Keys that cannot be used are skipped, each with its reason.
///
/// Does not check: where the addresses lead and how much is read at most, which the client does;
/// `Cache-Control`; the signature of signed metadata.
///
/// Clones share everything. It has to be used inside a tokio runtime with its timer on.
///
/// Specification: RFC 7517 section 5; RFC 8414 section 3; RFC 9068 section 4.
#[derive(Clone)]
pub struct KeyCache {
    shared: Arc<Shared>,
}

struct Shared {
    published: ArcSwap<Published>,
    entries: Mutex<Vec<Entry>>,
    /// Tells those who wait that a fetch has ended.
    ended: watch::Sender<()>,
    client: HttpClient,
    limits: KeyLimits,
    report: Box<dyn Fn(&KeyReport<'_>) + Send + Sync>,
}

struct Published {
    /// Another one whenever there are other keys, and the very same one otherwise.
    current: Arc<KeySnapshot>,
    /// The keys of each entry, to tell whether there are others now.
    sets: Vec<Option<Arc<JwkSet>>>,
    /// Before then there is nothing to do but to use it.
    look_again: Option<Instant>,
}

struct Entry {
    issuer: Issuer,
    source: KeySource,
    machine: Machine,
}

/// The end of a fetch, for a log.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct KeyReport<'a> {
    /// Whose keys were fetched.
    pub issuer: &'a Issuer,
    /// The keys, with those that were skipped and why; or the reason why there are none.
    pub outcome: Result<&'a JwkSet, &'a KeyFetchFailed>,
}

impl KeyCache {
    /// A cache for the keys of these issuers.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use oauth_rs::uri::Issuer;
    /// use resource_guard::fetch::{HttpClient, KeyCache, KeyLimits, KeySource};
    ///
    /// fn cache<S>(egress: S) -> KeyCache
    /// where
    ///     S: tower_service::Service<Request<Bytes>, Response = Response<Bytes>>
    ///         + Clone + Send + Sync + 'static,
    ///     S::Error: std::fmt::Display,
    ///     S::Future: Send,
    /// {
    ///     let issuer = Issuer::parse("https://as.example").unwrap();
    ///     let sources = [(issuer, KeySource::Discovered)];
    ///     KeyCache::new(sources, HttpClient::new(egress), KeyLimits::default())
    /// }
    /// ```
    pub fn new(
        sources: impl IntoIterator<Item = (Issuer, KeySource)>,
        client: HttpClient,
        limits: KeyLimits,
    ) -> Self {
        Self::reporting(sources, client, limits, |_| {})
    }

    /// A cache that also says how each fetch ended; the closure must not wait.
    pub fn reporting(
        sources: impl IntoIterator<Item = (Issuer, KeySource)>,
        client: HttpClient,
        limits: KeyLimits,
        report: impl Fn(&KeyReport<'_>) + Send + Sync + 'static,
    ) -> Self {
        let entries: Vec<Entry> = sources
            .into_iter()
            .map(|(issuer, source)| Entry {
                issuer,
                source,
                machine: Machine::new(limits),
            })
            .collect();
        let published = Published {
            current: Arc::new(KeySnapshot::default()),
            sets: vec![None; entries.len()],
            look_again: None,
        };
        Self {
            shared: Arc::new(Shared {
                published: ArcSwap::from_pointee(published),
                entries: Mutex::new(entries),
                ended: watch::Sender::new(()),
                client,
                limits,
                report: Box::new(report),
            }),
        }
    }

    /// The keys as they are known now; never waits, and takes no lock while they are fresh.
    pub fn current(&self) -> Arc<KeySnapshot> {
        let now = now();
        let published = self.shared.published.load();
        if published.look_again.is_none_or(|then| now < then) {
            return Arc::clone(&published.current);
        }
        drop(published);
        self.refresh(now);
        Arc::clone(&self.shared.published.load().current)
    }

    /// The keys once it is known whether this key id is among them.
    ///
    /// For a token whose key was not found in [`current`](Self::current). `issuer` is whom the
    /// token names, or none to look at all of them. The answer may be without the key: then there is
    /// none.
    ///
    /// # Errors
    /// There are no keys of the issuer, or the last fetch failed, so that a key which is not there
    /// may exist all the same. An issuer that the cache was not made for has no keys.
    pub async fn find(
        &self,
        issuer: Option<&Issuer>,
        kid: Option<&str>,
    ) -> Result<Arc<KeySnapshot>, Unavailable> {
        // Before the first look, so that no end of a fetch is missed.
        let mut ended = self.shared.ended.subscribe();
        let mut awaited: Vec<(usize, u64)> = Vec::new();
        let answer = self.look(issuer, kid, |entry, at, now| {
            let (advice, start) = entry.machine.asked(kid, now);
            self.start(start, entry, at);
            if advice == Advice::Wait {
                awaited.push((at, entry.machine.fetches()));
            }
            advice
        });
        if awaited.is_empty() {
            return answer;
        }
        while !self.shared.is_over(&awaited, kid) {
            if ended.changed().await.is_err() {
                break;
            }
        }
        self.look(issuer, kid, |entry, _, now| entry.machine.settled(kid, now))
    }

    /// How many fetches were started, of all issuers together.
    pub fn fetches(&self) -> u64 {
        let entries = self.shared.lock();
        entries.iter().map(|entry| entry.machine.fetches()).sum()
    }

    /// Why the last fetch of an issuer's keys failed, if it did.
    pub fn last_failure(&self, issuer: &Issuer) -> Option<KeyFetchFailed> {
        let entries = self.shared.lock();
        let entry = entries.iter().find(|entry| entry.issuer == *issuer)?;
        entry.machine.last_failure().cloned()
    }

    /// Asks each entry that is meant, and publishes what has changed by that.
    ///
    /// Where one issuer has the key, it does not matter that another one is unavailable.
    fn look(
        &self,
        issuer: Option<&Issuer>,
        kid: Option<&str>,
        mut ask: impl FnMut(&mut Entry, usize, Instant) -> Advice,
    ) -> Result<Arc<KeySnapshot>, Unavailable> {
        let now = now();
        let mut unavailable = None;
        let mut found = false;
        let mut asked = false;
        let mut entries = self.shared.lock();
        for (at, entry) in entries.iter_mut().enumerate() {
            if issuer.is_some_and(|meant| *meant != entry.issuer) {
                continue;
            }
            asked = true;
            if let Advice::Unavailable(reason) = ask(entry, at, now) {
                unavailable = Some(reason);
            }
            found |= kid.is_some_and(|kid| entry.machine.knows(kid, now));
        }
        self.shared.publish(&entries, now);
        drop(entries);
        if !asked {
            let retry_after = self.shared.limits.retry_most;
            return Err(Unavailable { retry_after });
        }
        match unavailable {
            Some(reason) if !found => Err(reason),
            _ => Ok(Arc::clone(&self.shared.published.load().current)),
        }
    }

    fn refresh(&self, now: Instant) {
        // Without a runtime nothing can be fetched; the keys are used up to their limit.
        let can_fetch = Handle::try_current().is_ok();
        let mut entries = self.shared.lock();
        for (at, entry) in entries.iter_mut().enumerate() {
            if can_fetch {
                let start = entry.machine.refresh(now);
                self.start(start, entry, at);
            }
        }
        self.shared.publish(&entries, now);
    }

    fn start(&self, start: Start, entry: &Entry, at: usize) {
        if start.0 {
            let (fetch, step) = Fetch::start(&entry.issuer, &entry.source);
            let task = Task {
                shared: Arc::clone(&self.shared),
                at,
                ended: false,
            };
            tokio::spawn(task.run(fetch, step));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        // A machine is whole after each of its steps, also if somebody panicked between them.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is nothing left to wait for: the key is there, or each of these fetches ended.
    fn is_over(&self, awaited: &[(usize, u64)], kid: Option<&str>) -> bool {
        let now = now();
        let entries = self.lock();
        let mut machines = awaited
            .iter()
            .filter_map(|(at, fetch)| entries.get(*at).map(|entry| (&entry.machine, *fetch)));
        let found = |machine: &Machine| kid.is_some_and(|kid| machine.knows(kid, now));
        machines.clone().any(|(machine, _)| found(machine))
            || machines.all(|(machine, fetch)| machine.has_ended(fetch))
    }

    fn publish(&self, entries: &[Entry], now: Instant) {
        let before = self.published.load();
        let usable = |entry: &Entry| entry.machine.keys(now).cloned();
        let sets: Vec<_> = entries.iter().map(usable).collect();
        let same = |(a, b): (&Option<Arc<JwkSet>>, &Option<Arc<JwkSet>>)| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (None, None) => true,
            _ => false,
        };
        let again = entries
            .iter()
            .filter_map(|entry| entry.machine.look_again(now));
        let look_again = again.min();
        let unchanged = sets.iter().zip(&before.sets).all(same);
        if unchanged && look_again == before.look_again {
            return;
        }
        let current = if unchanged {
            Arc::clone(&before.current)
        } else {
            let add = |keys: KeySnapshot, (entry, set): (&Entry, &Option<Arc<JwkSet>>)| match set {
                Some(set) => keys.with(entry.issuer.clone(), JwkSet::clone(set)),
                None => keys,
            };
            let keys = entries.iter().zip(&sets);
            Arc::new(keys.fold(KeySnapshot::default(), add))
        };
        self.published.store(Arc::new(Published {
            current,
            sets,
            look_again,
        }));
    }

    fn ended(&self, at: usize, outcome: Result<Fetched, KeyFetchFailed>) {
        let now = now();
        let mut entries = self.lock();
        let Some(entry) = entries.get_mut(at) else {
            return;
        };
        entry.machine.fetched(outcome, now);
        let report = match entry.machine.last_failure() {
            Some(reason) => Some((entry.issuer.clone(), Err(reason.clone()))),
            None => {
                let keys = entry.machine.keys(now).cloned();
                keys.map(|keys| (entry.issuer.clone(), Ok(keys)))
            }
        };
        self.publish(&entries, now);
        drop(entries);
        self.ended.send_replace(());
        if let Some((issuer, outcome)) = report {
            (self.report)(&KeyReport {
                issuer: &issuer,
                outcome: outcome.as_deref(),
            });
        }
    }
}

/// One fetch under way; dropped before its end it counts as failed, so that nobody waits forever.
struct Task {
    shared: Arc<Shared>,
    at: usize,
    ended: bool,
}

impl Task {
    async fn run(mut self, fetch: Fetch, step: Step) {
        let limit = self.shared.limits.fetch_time;
        let outcome = match timeout(limit, drive(&self.shared.client, fetch, step)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(SendFailed::TimedOut(limit).into()),
        };
        self.ended = true;
        self.shared.ended(self.at, outcome);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.ended(self.at, Err(KeyFetchFailed::Abandoned));
        }
    }
}

async fn drive(
    client: &HttpClient,
    mut fetch: Fetch,
    mut step: Step,
) -> Result<Fetched, KeyFetchFailed> {
    loop {
        match step {
            Step::Done(outcome) => return outcome,
            Step::Send(request) => {
                let response = client.send(request).await?;
                (fetch, step) = fetch.received(&response);
            }
        }
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Poll;

    use bytes::Bytes;
    use http::{Request, Response};
    use tower_service::Service;

    use super::*;

    /// A client that is never asked.
    #[derive(Clone)]
    struct Silent;

    impl Service<Request<Bytes>> for Silent {
        type Response = Response<Bytes>;
        type Error = std::convert::Infallible;
        type Future = std::future::Pending<Result<Response<Bytes>, Self::Error>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Bytes>) -> Self::Future {
            std::future::pending()
        }
    }

    #[test]
    fn the_snapshot_is_read_without_the_lock() {
        let issuer = Issuer::parse("https://as.example").unwrap();
        let sources = [(issuer.clone(), KeySource::Discovered)];
        let limits = KeyLimits::default();
        let cache = KeyCache::new(sources, HttpClient::new(Silent), limits);
        let key = oauth_rs::jose::SigningKey::generate_es256().unwrap();
        let keys = JwkSet::from_public([key.public_jwk()]);
        let digest = [0; 32];
        let (_, _) = cache.shared.lock()[0].machine.asked(None, now());
        cache.shared.ended(0, Ok(Fetched { keys, digest }));
        // Whoever took the lock now would wait forever.
        let held = cache.shared.lock();
        assert!(cache.current().keys_of(&issuer).is_some());
        drop(held);
    }
}
