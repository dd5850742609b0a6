//! Cases.

use super::{Base, Operation, Verb, row};

const QUERY: &[&str] = &[
    "status",
    "search",
    "date_from",
    "date_to",
    "limit",
    "cursor",
];

pub(super) const ROWS: &[Operation] = &[
    row(
        "case.list",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/cases/",
    )
    .query(QUERY)
    .permission("list:cases"),
    row(
        "case.list_organization",
        Verb::Get,
        Base::Api,
        "/organization/{org}/cases/",
    )
    .query(QUERY)
    .permission("list:cases"),
];
