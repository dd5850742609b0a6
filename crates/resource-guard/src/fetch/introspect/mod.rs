//! Asking an issuer about a token, once for all who present it, and not again for some seconds.

mod address;
mod answers;
mod ask;
mod breaker;
mod didit;
mod freshness;
mod introspector;
mod limits;

pub use address::{IntrospectionSource, MAX_AGE, MAX_USABLE};
pub use ask::{AskFailed, IntrospectionProfile};
pub use breaker::BreakerLimits;
pub use introspector::{AskReport, IntrospectionEndpoint, Introspector};
pub use limits::{IntrospectionLimits, MAX_ACTIVE};
