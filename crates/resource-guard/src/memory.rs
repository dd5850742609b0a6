//! Tokens that were validated before, so that their signature is not checked again.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

use oauth_rs::time::UnixSeconds;

use crate::issuer::Demand;
use crate::principal::Principal;

/// SHA-256 of a token: no memory of a guard holds what opens doors elsewhere.
pub type TokenHash = [u8; 32];

/// Keeps what a [`Guard`](crate::Guard) found out about tokens, in bounded memory.
///
/// It is asked by [`Guard::check`](crate::Guard::check) and must not wait. What it hands out decides
/// nothing by itself: the guard looks at the time, the keys and the sender's proof again.
///
/// The feature `fetch` has `VerifiedTokens`.
pub trait TokenMemory: Debug + Send + Sync {
    /// What was remembered of this token, if it still is.
    fn recall(&self, token: &TokenHash) -> Option<Remembered>;

    /// Remembers a token; `bytes` is how long it was.
    fn remember(&self, token: TokenHash, bytes: usize, what: Remembered);
}

/// What a guard knows of a token whose signature it has verified; made by it alone, and cheap to clone.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// Which guard; the audience of another one is another.
    pub(crate) guard: u64,
    /// Which keys; with others the signature has to be verified again.
    pub(crate) keys: u64,
    /// What was found out.
    pub(crate) known: Known,
}

/// What a token says, after all that cannot change was checked.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// `nbf`, since the time is looked at each time.
    pub(crate) nbf: Option<UnixSeconds>,
    /// What its issuer's tokens have to be bound to.
    pub(crate) demand: Demand,
    /// Whether it may go on to the service behind the guard.
    pub(crate) is_passed_on: bool,
    /// Who it speaks for, until when, and what it is bound to: these are looked at each time as well.
    pub(crate) principal: Principal,
}

/// A number that nothing else in this process has.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
