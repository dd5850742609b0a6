//! What a program brings, and how long it is willing to wait.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::browser::Browser;
use super::egress::Egress;
use crate::client::renewal::DEFAULT_LEASE;
use crate::client::store::{StoreError, TokenStore};
use crate::entropy::Entropy;
use crate::time::Clock;

/// Work that goes on by itself.
pub type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the program brings.
pub struct Seams {
    /// Where grants are kept.
    pub store: Arc<dyn TokenStore>,
    /// How authorization servers are reached; the service that carries the calls is not used for it.
    pub egress: Egress,
    /// Who takes a person to the authorization server; without it nobody is asked.
    pub browser: Option<Arc<dyn Browser>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The source of random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Carries work on when the call that began it is dropped; a closure is one: `|work| drop(tokio::spawn(work))`.
    ///
    /// A refresh that was begun must be brought to its end, or a rotated token is lost.
    pub spawn: Arc<dyn Fn(Work) + Send + Sync>,
}

impl fmt::Debug for Seams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seams").finish_non_exhaustive()
    }
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// One request to an authorization server, or for metadata.
    pub exchange: Duration,
    /// The person in the browser.
    pub browser: Duration,
    /// One operation of the store.
    pub store: Duration,
    /// A call, for a sign-in or a refresh that is under way.
    pub call: Duration,
    /// How long a refresh token is one process's to send; see [`DEFAULT_LEASE`].
    ///
    /// It should be shorter than the time for which the server repeats an answer.
    pub lease: Duration,
}

impl Default for Waits {
    /// Half a minute for a request and for the store, which has a wait of its own; five minutes for a person who has to
    /// find a password; ten minutes for a call, which is more than all that together.
    fn default() -> Self {
        Self {
            exchange: Duration::from_secs(30),
            browser: Duration::from_secs(300),
            store: Duration::from_secs(30),
            call: Duration::from_secs(600),
            lease: DEFAULT_LEASE,
        }
    }
}

/// What a program may want to tell somebody.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Notice {
    /// An event of the flow.
    Flow(crate::client::flow::Event),
    /// There are tokens, and the store could not take them: they end with this process, unless it can when they are renewed.
    NotSaved(StoreError),
    /// The store could not take renewed tokens; it is tried again with the next renewal.
    RenewedNotSaved,
    /// The authorization server has ended the grant.
    Ended,
}
