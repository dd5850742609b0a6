//! Monitored transactions of one application or of all of an organisation's.

use super::{Call, Outcome, record};
use crate::world::{RecordKind, World};

const STATUSES: &[&str] = &["APPROVED", "IN_REVIEW", "DECLINED", "AWAITING_USER"];

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let searched = [
        "uuid",
        "transaction_id",
        "subject.vendor_data",
        "subject.full_name",
    ];
    let rows = record::rows(world, call, RecordKind::Transaction, STATUSES, &searched)?;
    record::page(world, call, &rows)
}

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    record::show(world, call, RecordKind::Transaction, "transaction_id")
}
