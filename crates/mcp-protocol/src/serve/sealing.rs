//! Sealing in the server: keys, time and randomness in one place.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::Error;
use super::request::Request;
pub(super) use super::sealed_ids::SealedIds;
use super::service::Shared;
use crate::seal::{Binding, Keys, Opened, Purpose, Refused, SALT_BYTES, Spent, TooLong};

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
type Observer = Arc<dyn Fn(Purpose, Refused) + Send + Sync>;

/// What the server seals with, and for how long. Clones share the keys, and what was used once.
///
/// As [`super::Options::seal`] it seals each `requestState` that goes out, and opens what comes back
/// before the handler runs. A state then opens for the principal and the call that it was given to,
/// and for nothing else: [`super::Context::request_state`] can be trusted. One that does not open is
/// refused with -32602, and the handler does not run.
///
/// Nodes with the same keys open each other's texts.
///
/// # Security
/// A text is bound to nothing that tells one server from another. Servers that are not nodes of the
/// same service need keys of their own, even if they run side by side: a state that one gave for a
/// call would otherwise open for a call of the same name at the other.
#[derive(Clone)]
pub struct Sealing {
    /// How long a client may take for one round of a call. Default: 10 minutes, enough for a person
    /// to sign in somewhere or to look something up; each round begins anew.
    pub state_lifetime: Duration,
    /// How long a sealed session id is good for, however much it is used: see
    /// [`super::SessionLimits::sealed`]. Default: 12 hours, a working day; the client then opens
    /// another session.
    pub session_lifetime: Duration,
    keys: Arc<Keys>,
    clock: Clock,
    entropy: Entropy,
    observer: Option<Observer>,
    spent: Option<Arc<Mutex<Spent>>>,
}

impl Sealing {
    /// The defaults, with keys, a clock, and a source of randomness.
    ///
    /// # Security
    /// The source must be cryptographic, and give other bytes on each node and after each start:
    /// see [`Keys::seal`].
    pub fn new(
        keys: Keys,
        clock: impl Fn() -> SystemTime + Send + Sync + 'static,
        entropy: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Sealing {
            state_lifetime: Duration::from_secs(10 * 60),
            session_lifetime: Duration::from_secs(12 * 60 * 60),
            keys: Arc::new(keys),
            clock: Arc::new(clock),
            entropy: Arc::new(entropy),
            observer: None,
            spent: None,
        }
    }

    /// Lets each `requestState` be used once, on this node. Off by default.
    ///
    /// For calls that must not be answered twice, such as a payment with one confirmation. A client
    /// that repeats a round because the connection broke is then refused, and begins the call anew.
    /// At most `most` used states are remembered, each until it expires; when there are as many,
    /// rounds are refused (-32603), because forgetting one would let it be used again. They are
    /// counted for all callers together: one who makes many rounds can use the room of the others up.
    /// Other nodes know nothing of it, and neither does this one after a start:
    /// with several nodes, remember in the store that the work itself is done in.
    #[must_use]
    pub fn with_single_use(mut self, most: usize) -> Self {
        self.spent = Some(Arc::new(Mutex::new(Spent::new(most))));
        self
    }

    /// Tells each refusal with its exact reason, for logs and counters. The peer hears less:
    /// [`Refused::error`].
    #[must_use]
    pub fn with_observer(
        mut self,
        observer: impl Fn(Purpose, Refused) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Seconds since 1970; none by a clock that is before that, which is broken.
    fn seconds(&self) -> Option<u64> {
        let since = (self.clock)().duration_since(UNIX_EPOCH).ok()?;
        Some(since.as_secs())
    }

    /// The time to open by. By a broken clock nothing opens.
    pub(super) fn now(&self) -> u64 {
        self.seconds().unwrap_or(u64::MAX)
    }

    /// When a text expires that is sealed now. One that a broken clock sealed has expired as soon as
    /// the clock is right.
    fn expiry(&self, lifetime: Duration) -> u64 {
        let now = self.seconds().unwrap_or_default();
        now.saturating_add(lifetime.as_secs())
    }

    pub(super) fn seal(
        &self,
        purpose: Purpose,
        binding: &Binding,
        lifetime: Duration,
        payload: &str,
    ) -> Result<String, TooLong> {
        let mut salt = [0; SALT_BYTES];
        (self.entropy)(&mut salt);
        let expires = self.expiry(lifetime);
        self.keys.seal(purpose, binding, expires, payload, salt)
    }

    pub(super) fn open(
        &self,
        purpose: Purpose,
        binding: &Binding,
        text: &str,
    ) -> Result<Opened, Refused> {
        self.keys.open(purpose, binding, self.now(), text)
    }

    /// Randomness of the same source.
    pub(super) fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        (self.entropy)(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    pub(super) fn told(&self, purpose: Purpose, refused: Refused) -> Refused {
        if let Some(observer) = &self.observer {
            observer(purpose, refused);
        }
        refused
    }
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing")
            .field("state_lifetime", &self.state_lifetime)
            .field("session_lifetime", &self.session_lifetime)
            .field("single_use", &self.spent.is_some())
            .finish_non_exhaustive()
    }
}

/// Seals and opens the state of one call.
#[derive(Debug)]
pub(super) struct StateSeal {
    sealing: Sealing,
    binding: Binding,
}

impl StateSeal {
    pub(super) fn seal(&self, state: &str) -> Result<String, TooLong> {
        let lifetime = self.sealing.state_lifetime;
        self.sealing
            .seal(Purpose::RequestState, &self.binding, lifetime, state)
    }

    /// MCP-MRTR-04, MCP-MRTR-05: what does not open is refused.
    pub(super) fn open(&self, text: &str) -> Result<String, Error> {
        let sealing = &self.sealing;
        let opened = sealing
            .open(Purpose::RequestState, &self.binding, text)
            .and_then(|opened| {
                if let Some(spent) = &sealing.spent {
                    spent
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .spend(&opened, sealing.now())?;
                }
                Ok(opened)
            });
        match opened {
            Ok(opened) => Ok(opened.into_payload()),
            Err(refused) => Err(sealing.told(Purpose::RequestState, refused).error().into()),
        }
    }
}

impl<H> Shared<H> {
    /// What seals the state of this call; none if the state travels open.
    pub(super) fn state_seal(
        &self,
        principal: Option<&str>,
        request: &Request<'_>,
    ) -> Option<StateSeal> {
        let sealing = self.options.seal.clone()?;
        let binding =
            Binding::to_principal(principal).and_members(&request.method, request.params.members());
        Some(StateSeal { sealing, binding })
    }
}
