//! The dialogue of the revisions up to 2025-11-25: opening, requests in flight, events to be had again, a bounded table.

pub mod lifecycle;
pub mod pending;
pub mod replay;
pub mod table;

pub use lifecycle::negotiate;
pub use pending::{InUse, Pending};
pub use replay::{EventId, EventUnknown, Missed, Replay};
pub use table::{Full, Table};
