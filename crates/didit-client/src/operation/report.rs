//! Analytics.

use super::{Base, Operation, Verb, row};

pub(super) const ROWS: &[Operation] = &[row(
    "analytics.get",
    Verb::Get,
    Base::Api,
    "/organization/{org}/application/{app}/analytics/",
)
.query(&["date_from", "date_to"])
.permission("read:analytics")];
