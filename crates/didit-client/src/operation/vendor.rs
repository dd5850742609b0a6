//! The end users of an application.

use super::{Base, Operation, Verb, row};

pub(super) const ROWS: &[Operation] = &[row(
    "vendor_user.list",
    Verb::Get,
    Base::Api,
    "/organization/{org}/application/{app}/vendor-users/",
)
.query(&[
    "search",
    "vendor_data",
    "status",
    "date_from",
    "date_to",
    "limit",
    "offset",
])
.permission("list:users")];
