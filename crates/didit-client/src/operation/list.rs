//! Custom lists and allow lists.

use super::{Base, Operation, Verb, row};

pub(super) const ROWS: &[Operation] = &[row(
    "list.list",
    Verb::Get,
    Base::Api,
    "/organization/{org}/application/{app}/lists/",
)
.query(&["list_type", "entry_type", "limit", "offset"])
.permission("read:lists")];
