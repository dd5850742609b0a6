//! Answers as types: what is known has a name and a type, everything else is kept as it came.
//!
//! ```
//! use didit_client::model::{Decision, SessionStatus};
//!
//! let answer = serde_json::json!({
//!     "session_id": "s-1", "status": "In Review", "a_new_field": 7,
//!     "aml_screenings": [{"status": "In Review", "warnings": [{"risk": "POSSIBLE_MATCH_FOUND"}]}],
//! });
//! let decision = Decision::try_from(answer)?;
//! assert_eq!(decision.status, SessionStatus::InReview);
//! assert_eq!(decision.aml_screenings[0].warnings[0].risk.as_deref(), Some("POSSIBLE_MATCH_FOUND"));
//! assert_eq!(decision.rest["a_new_field"], 7);
//! # Ok::<(), didit_client::model::InvalidModel>(())
//! ```
//!
//! - A word out of a list that may grow is an enum with a place for the unknown, `Other`.
//! - Times, dates and amounts are text, as Didit writes them; nothing is rounded or moved to another zone.
//! - Absent and null are the same, and an absent list is empty.
//! - A value of another type than promised is [`InvalidModel`], which names the field and never shows the value.
//! - What has no documented type is a JSON value.
//!
//! They are read with `TryFrom<Value>`, as part of your own types with `Deserialize`, and out of a page with [`Page::rows_as`](crate::Page::rows_as).

pub(crate) mod read;

mod billing;
mod case;
mod list;
mod organization;
mod session;
#[cfg(test)]
mod tests;
mod transaction;
mod vendor;
mod workflow;

pub use billing::{Amount, Balance, TopUp};
pub use case::Case;
pub use list::{EntryType, List, ListEntry, ListType};
pub use organization::{Application, Mode, Organization, Role};
pub use read::{InvalidModel, MAX_MODEL_ROWS};
pub use session::{
    Check, CreatedSession, Decision, Review, Session, SessionKind, SessionStatus, Warning,
};
pub use transaction::{Transaction, TransactionCategory};
pub use vendor::{VendorBusiness, VendorStatus, VendorUser};
pub use workflow::{Workflow, WorkflowStatus};
