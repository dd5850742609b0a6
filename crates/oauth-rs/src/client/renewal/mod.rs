//! One refresh of a grant that many tasks and processes share, as a machine without I/O.
//!
//! A refresh token that rotates is good once. Whoever sends it a second time, because the answer was lost or because
//! somebody else was faster, may end the grant and have the person sign in again.
//! So the token is sent by one at a time, who says so in the store beforehand; a lost answer is asked for again, since a
//! server may repeat it; and what is in the store wins over what one process believes.
//!
//! ```
//! use oauth_rs::client::ExchangeFailed;
//! use oauth_rs::client::flow::StoredGrant;
//! use oauth_rs::client::renewal::{DEFAULT_LEASE, Renewal, RenewalFailed, RenewalStep};
//! use oauth_rs::client::store::{StoreError, TokenStore};
//! use oauth_rs::client::token::TokenResponse;
//! use oauth_rs::entropy::Entropy;
//! use oauth_rs::time::Clock;
//!
//! /// A grant in place of one whose access token is of no more use; `None` when the person has to sign in again.
//! async fn renewed(
//!     used: &StoredGrant,
//!     store: &dyn TokenStore,
//!     clock: &dyn Clock,
//!     entropy: &dyn Entropy,
//!     mut exchange: impl AsyncFnMut(&StoredGrant) -> Result<TokenResponse, ExchangeFailed>,
//!     mut wait: impl AsyncFnMut(std::time::Duration),
//! ) -> Result<Option<StoredGrant>, RenewalFailed> {
//!     let (resource, issuer) = (&used.resource, &used.issuer);
//!     let mut renewal = Renewal::new(used, DEFAULT_LEASE, entropy);
//!     loop {
//!         match renewal.next_step(clock.now()) {
//!             RenewalStep::Load => renewal.handle_loaded(store.load(resource, issuer).await, clock.now()),
//!             RenewalStep::Write { read, grant, standing } => {
//!                 renewal.handle_written(store.write(Some(read), &grant, standing).await);
//!             }
//!             RenewalStep::Remove { read } => {
//!                 renewal.handle_removed(store.remove(resource, issuer, read).await);
//!             }
//!             RenewalStep::Exchange { grant, .. } => {
//!                 renewal.handle_answer(exchange(&grant).await, clock.now());
//!             }
//!             RenewalStep::Wait(time) => {
//!                 wait(time).await;
//!                 renewal.handle_waited();
//!             }
//!             RenewalStep::Done { grant, .. } => return Ok(Some(grant)),
//!             RenewalStep::Ended => return Ok(None),
//!             RenewalStep::Failed(reason) => return Err(reason),
//!         }
//!     }
//! }
//! ```

mod machine;
mod step;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use machine::Renewal;
pub use step::{RenewalFailed, RenewalStep};

/// How long a refresh token is one process's to send, unless the program says otherwise.
///
/// A process that dies in the middle keeps the others waiting for so long, and then the server must still repeat its
/// answer: `oauth-server` does so for ten seconds by default, and this leaves two of them.
pub const DEFAULT_LEASE: Duration = Duration::from_secs(8);

/// The shortest lease: the one second that clocks of whole seconds may be off, one for the exchange, one to spare.
pub const MIN_LEASE: Duration = Duration::from_secs(3);

/// The part of a lease in which no answer is waited for: what is left to write it down, and what a clock of whole seconds
/// may be off.
const RESERVE: Duration = Duration::from_secs(2);

/// How often one renewal sends a refresh token without an answer that says something.
///
/// The second time is for an answer that was lost; the others are for a server that is being restarted.
pub const MAX_TRIES: u8 = 4;

/// How often one renewal tries a store that fails.
const MAX_STORE_FAILURES: u8 = 4;

/// How often one renewal looks at the store; far more often than the time that it waits allows.
///
/// It is the bound where the clock stands still.
const MAX_LOOKS: u16 = 2000;

/// How long until the store is looked at again where another process is renewing.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
