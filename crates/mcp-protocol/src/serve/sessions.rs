//! The sessions of the older revisions: how many, how long, and whose.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::Instant;

use super::sealing::SealedIds;
use super::session::{Held, Session, lock};
use crate::revision::Revision;
use crate::session::Table;
use crate::types::Initialize;
use crate::violation::Violation;

/// Fills the given bytes with randomness that nobody can guess.
type Entropy = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// How many sessions there may be, and how long each.
#[derive(Clone)]
pub struct SessionLimits {
    /// How many at once. Default: 10,000.
    pub max_sessions: usize,
    /// How many of them one principal may have; one more ends the one that it did not use for
    /// longest. Default: 100.
    pub max_per_principal: usize,
    /// How long one may be idle. Default: 30 minutes. While a request is being answered or a stream
    /// is open it is not idle. An idle one is gone at once; its memory is freed by the requests that
    /// come after, a few sessions with each.
    pub idle: Duration,
    /// How many requests each side may have in flight in one session. Default: 64.
    pub max_in_flight: usize,
    /// How many bytes of messages one session keeps for clients whose connection breaks. Default:
    /// 128 KiB; 0 keeps none.
    pub replay_bytes: usize,
    /// How many resources one session may subscribe to. Default: 256.
    pub max_subscriptions: usize,
    entropy: Entropy,
    #[cfg(feature = "seal")]
    pub(super) sealing: Option<super::Sealing>,
}

impl SessionLimits {
    /// The defaults, with a source of randomness for the ids.
    ///
    /// # Security
    /// The source must be cryptographic: who can guess an id can use a session that is bound to no
    /// principal.
    pub fn new(entropy: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        SessionLimits {
            max_sessions: 10_000,
            max_per_principal: 100,
            idle: Duration::from_secs(30 * 60),
            max_in_flight: 64,
            replay_bytes: 128 * 1024,
            max_subscriptions: 256,
            entropy: Arc::new(entropy),
            #[cfg(feature = "seal")]
            sealing: None,
        }
    }

    /// Seals sessions into their ids, so that each node with the keys can serve them.
    ///
    /// The id then carries the revision, the capabilities and name of the client, the principal (as
    /// a digest), and when it expires ([`super::Sealing::session_lifetime`]). A node that does not
    /// know the session makes it anew, within its own limits. So a session does not end by being
    /// idle: it takes no room then, and is made anew when it is used.
    ///
    /// # What does not travel
    /// - requests in flight with their streams, what is kept of streams for `Last-Event-ID`, and
    ///   questions to the client: an answer must reach the node that asked, so servers that ask in
    ///   the older revisions still need requests of one session to reach one node;
    /// - cancellations: they stop what runs on the node that they reach;
    /// - the log level and subscriptions to resources: a node that makes a session anew begins with
    ///   `info` and none;
    /// - the end: DELETE ends the session on the node that it reaches, which remembers as many ended
    ///   ids as `max_sessions` until they expire, and then forgets the one that expires first. Other
    ///   nodes serve the id until it expires, to its principal only.
    ///
    /// Clients that say so much of themselves that it does not fit into an id of 1024 bytes cannot
    /// open a session (-32602); there is room for about 650 bytes.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn sealed(mut self, sealing: super::Sealing) -> Self {
        self.sealing = Some(sealing);
        self
    }
}

impl fmt::Debug for SessionLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLimits")
            .field("max_sessions", &self.max_sessions)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// The longest `initialize` that a session keeps, in bytes of its JSON; real ones stay below one
/// thousand, and it is kept as long as the session.
const MAX_PEER_BYTES: usize = 16 * 1024;

/// All sessions of a service.
pub(super) struct Sessions {
    limits: SessionLimits,
    ask_timeout: Duration,
    table: Mutex<Table<Held>>,
    sealed: Option<SealedIds>,
}

impl Sessions {
    pub(super) fn new(limits: SessionLimits, ask_timeout: Duration) -> Self {
        let table = Table::new(
            limits.max_sessions,
            limits.max_per_principal,
            limits.idle,
            Held::last_use,
        );
        let table = Mutex::new(table);
        let sealed = SealedIds::of(&limits);
        Sessions {
            limits,
            ask_timeout,
            table,
            sealed,
        }
    }

    /// Frees what sessions that are idle for too long have kept, a few with each request.
    pub(super) fn sweep(&self) {
        lock(&self.table).sweep(Instant::now().into_std());
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        lock(&self.table).len()
    }

    /// An id for a session with this client; none if it says too much of itself.
    pub(super) fn new_id(
        &self,
        revision: Revision,
        peer: &Initialize,
        principal: Option<&str>,
    ) -> Option<String> {
        let length = serde_json::to_string(peer).ok()?.len();
        if length > MAX_PEER_BYTES {
            return None;
        }
        // MCP-LHTTP-03: visible ASCII, unique, cryptographically random: 192 bits in base64url.
        match &self.sealed {
            Some(sealed) => sealed.make(revision, peer, principal),
            None => {
                let mut bytes = [0_u8; 24];
                (self.limits.entropy)(&mut bytes);
                Some(URL_SAFE_NO_PAD.encode(bytes))
            }
        }
    }

    /// Opens a session.
    pub(super) fn open(
        &self,
        id: String,
        revision: Revision,
        peer: Initialize,
        principal: Option<String>,
    ) -> Result<(), Violation> {
        let session = self.make(revision, &peer, principal);
        self.insert(&mut lock(&self.table), id, session)
    }

    fn make(
        &self,
        revision: Revision,
        peer: &Initialize,
        principal: Option<String>,
    ) -> Arc<Session> {
        let start = self.sealed.as_ref().map_or(0, SealedIds::start);
        Session::new(
            revision,
            peer,
            principal,
            &self.limits,
            self.ask_timeout,
            start,
        )
    }

    fn insert(
        &self,
        table: &mut Table<Held>,
        id: String,
        session: Arc<Session>,
    ) -> Result<(), Violation> {
        let owner = session.principal.clone();
        table
            .open(id, owner, Held(session), Instant::now().into_std())
            .map_err(|_| Violation::TooManySessions)
    }

    /// Finds the session that a request names.
    ///
    /// MCP-LHTTP-13: only for the principal that opened it; anyone else is told that there is none.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        principal: Option<&str>,
    ) -> Result<Arc<Session>, Violation> {
        // MCP-LHTTP-05: 400 without an id, 404 for one that is not known any more.
        let id = id.ok_or(Violation::SessionRequired)?;
        let found = match &self.sealed {
            Some(sealed) => Some(sealed.open(id, principal)?),
            None => None,
        };
        let mut table = lock(&self.table);
        // Again, now that nobody can end it: it is not made anew behind its end.
        if let (Some(sealed), Some(found)) = (&self.sealed, &found) {
            sealed.goes_on(found)?;
        }
        let known = table
            .touch(id, Instant::now().into_std(), |held| {
                held.0.principal.as_deref() == principal
            })
            .map(|held| Arc::clone(&held.0));
        match (known, found) {
            (Some(session), _) => Ok(session),
            // Opened by another node, or idle for so long that it was forgotten.
            (None, Some(found)) => {
                let (revision, peer) = found.read()?;
                let session = self.make(revision, &peer, principal.map(str::to_owned));
                // MCP-LIFE-03: that the client is ready it has told the node that opened the session.
                session.set_ready();
                self.insert(&mut table, id.to_owned(), Arc::clone(&session))?;
                Ok(session)
            }
            (None, None) => Err(Violation::SessionUnknown),
        }
    }

    /// How long the id is good for however much it is used; none if that has no end.
    ///
    /// # Errors
    /// As [`Sessions::find`].
    pub(super) fn time_left(
        &self,
        id: Option<&str>,
        principal: Option<&str>,
    ) -> Result<Option<Duration>, Violation> {
        let (Some(sealed), Some(id)) = (&self.sealed, id) else {
            return Ok(None);
        };
        Ok(Some(sealed.left(&sealed.open(id, principal)?)))
    }

    /// Ends a session.
    pub(super) fn close(&self, id: Option<&str>, principal: Option<&str>) -> Result<(), Violation> {
        match (&self.sealed, id) {
            (Some(sealed), Some(id)) => sealed.end(&sealed.open(id, principal)?),
            _ => drop(self.find(id, principal)?),
        }
        let ended = id.and_then(|id| lock(&self.table).close(id));
        drop(ended);
        Ok(())
    }
}
