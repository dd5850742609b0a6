//! Monitored transactions.

use super::{Base, Operation, Verb, row};

const QUERY: &[&str] = &[
    "status",
    "search",
    "date_from",
    "date_to",
    "limit",
    "offset",
];

pub(super) const ROWS: &[Operation] = &[
    row(
        "transaction.list",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/transactions/",
    )
    .query(QUERY)
    .permission("list:transactions"),
    row(
        "transaction.list_organization",
        Verb::Get,
        Base::Api,
        "/organization/{org}/transactions/",
    )
    .query(QUERY)
    .permission("list:transactions"),
];
