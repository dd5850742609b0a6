//! What a renewal asks its surroundings to do, and why it may fail.

use std::time::Duration;

use thiserror::Error;

use crate::client::exchange::ExchangeFailed;
use crate::client::flow::StoredGrant;
use crate::client::store::{Standing, StoreError, Version};

/// What to do next.
#[derive(Debug, Clone)]
#[must_use]
pub enum RenewalStep {
    /// Load the grant from the store; then [`handle_loaded`](super::Renewal::handle_loaded).
    Load,
    /// Write this over the version that was read; then [`handle_written`](super::Renewal::handle_written).
    Write {
        /// The version that must still be there.
        read: Version,
        /// What to keep.
        grant: StoredGrant,
        /// What is known of it.
        standing: Standing,
    },
    /// Forget the grant if it still has this version; then [`handle_removed`](super::Renewal::handle_removed).
    Remove {
        /// The version that must still be there.
        read: Version,
    },
    /// Exchange the refresh token of this grant; then [`handle_answer`](super::Renewal::handle_answer), or
    /// [`handle_lost`](super::Renewal::handle_lost) when there was no answer in this time.
    ///
    /// Whoever waits longer holds the token for longer than others respect it.
    Exchange {
        /// Whose token it is, and where it goes.
        grant: StoredGrant,
        /// The longest that the answer may be waited for.
        at_most: Duration,
    },
    /// Wait for so long; then [`handle_waited`](super::Renewal::handle_waited).
    Wait(Duration),
    /// There is a grant to go on with; its access token is another one, unless the server gave the same anew.
    Done {
        /// The grant.
        grant: StoredGrant,
        /// The grant whose refresh token was spent for it, where the store could not take the new one.
        ///
        /// Then the tokens are in this process alone: [`Renewal::resuming`](super::Renewal::resuming) writes them
        /// down before it asks for more.
        unsaved: Option<Box<StoredGrant>>,
    },
    /// The server has ended the grant, or somebody has removed it: the person has to sign in again.
    Ended,
    /// Give up; the grant is as good as before.
    Failed(RenewalFailed),
}

/// Why a renewal gave up although the grant may still be good.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum RenewalFailed {
    /// The store does not answer.
    #[error("the store of grants cannot be used: {0}")]
    Store(StoreError),
    /// The token endpoint brought no answer that says anything.
    #[error("the token endpoint could not be reached: {0}")]
    Unreachable(String),
    /// The token endpoint answered, and neither with tokens nor with a refusal of the token.
    #[error("refreshing failed: {0}")]
    Exchange(ExchangeFailed),
    /// Another process has been renewing for longer than it may take, or the store is so slow that no lease outlasts a write.
    #[error(
        "another process is renewing the grant and does not get done, or the store is too slow"
    )]
    Busy,
    /// Something was handed in that no step had asked for.
    #[error("an answer was handed in that was not asked for")]
    Unexpected,
}
