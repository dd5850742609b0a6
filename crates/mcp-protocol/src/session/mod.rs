//! The dialogue of the revisions up to 2025-11-25: opening, requests in flight, a bounded table.

pub mod lifecycle;
pub mod pending;
pub mod table;

pub use lifecycle::negotiate;
pub use pending::{InUse, Pending};
pub use table::{Full, Table};
