//! Monitored transactions.

use super::{
    APPLICATION, DATE_FROM, DATE_TO, LAST_N_DAYS, LIMIT, OFFSET, ONLY_APPLICATION,
    ONLY_ORGANIZATION, ORGANIZATION, SEARCH_LIMIT, Style, Tool, VERIFICATION, span, tool,
};
use crate::schema::Argument;

const CATEGORY: &str = "Transactions (AML)";

pub(super) const TOOLS: &[Tool] = &[
    tool(
        "didit_transaction_list",
        "Transaction List",
        CATEGORY,
        VERIFICATION,
        span("transaction.list", Some("transaction.list_organization"), Style::List),
    )
    .says(
        "Page through the monitored transactions of one application. \
         Without a single known application it takes the newest from all of them; didit_transaction_search can be narrowed.",
    )
    .takes(&[ORGANIZATION, APPLICATION, LIMIT, OFFSET])
    .needs("list:transactions"),
    tool(
        "didit_transaction_search",
        "Transaction Search",
        CATEGORY,
        VERIFICATION,
        span("transaction.list", Some("transaction.list_organization"), Style::Search),
    )
    .says(
        "Find monitored transactions in every application the person can reach, by status, text or dates, newest first.",
    )
    .takes(&[
        Argument::text("status", "Only transactions with this status, such as APPROVED or IN_REVIEW."),
        Argument::text("search", "Text to look for, such as a transaction id."),
        DATE_FROM,
        DATE_TO,
        LAST_N_DAYS,
        SEARCH_LIMIT,
        ONLY_ORGANIZATION,
        ONLY_APPLICATION,
    ])
    .needs("list:transactions"),
];
