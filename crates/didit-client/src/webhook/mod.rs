//! Deliveries of webhooks, verified before anything in them is believed.
//!
//! ```
//! use didit_client::Secret;
//! use didit_client::webhook::{Receiver, Recipe, Repeats, Secrets};
//!
//! # fn handle(headers: &http::HeaderMap, body: &[u8], now: u64, repeats: &mut Repeats) -> Result<(), Box<dyn std::error::Error>> {
//! let secrets = Secrets::new([Secret::new("the secret of the destination")])?;
//! let receiver = Receiver::new(Recipe::Body, secrets);
//! let verified = receiver.verify(headers, body, now)?;
//! let first = repeats.first(verified, now)?;
//! println!("{} {:?}", first.event().event_type, first.event().status);
//! # Ok(())
//! # }
//! ```
//!
//! An event cannot be had without the check:
//!
//! ```compile_fail,E0277
//! let body: serde_json::Value = serde_json::json!({"event_id": "e-1"});
//! let event = didit_client::webhook::Event::try_from(body);
//! ```
//!
//! A refusal has a reason for the log, and [`Refused::status`] for the answer.
//! The callback of a search in business registers (`kyb.registry_search.resolved`) is not signed by Didit, so it is refused here.

mod canonical;
mod event;
mod receiver;
mod refused;
mod repeats;
#[cfg(test)]
mod tests;

pub use canonical::{NotCanonical, canonical};
pub use event::{Environment, Event, EventType, FourValues};
pub use receiver::{
    DangerousSimpleReceiver, InvalidSecrets, MAX_BODY, MAX_SECRETS, Receiver, Recipe, Secrets,
    Verified, WINDOW,
};
pub use refused::Refused;
pub use repeats::{DEFAULT_REPEATS, First, MAX_EVENT_ID, Repeats};
