//! The end users of an application.

use super::{
    APPLICATION, DATE_FROM, DATE_TO, LAST_N_DAYS, LIMIT, OFFSET, ONLY_APPLICATION,
    ONLY_ORGANIZATION, ORGANIZATION, SEARCH_LIMIT, Style, Tool, VERIFICATION, span, tool,
};
use crate::schema::Argument;

const CATEGORY: &str = "Vendor Users & Businesses";

pub(super) const TOOLS: &[Tool] = &[
    tool(
        "didit_vendor_user_list",
        "Vendor User List",
        CATEGORY,
        VERIFICATION,
        span("vendor_user.list", None, Style::List),
    )
    .says(
        "Page through the end users of one application, one row per vendor_data. \
         Without a single known application it takes the newest from all of them; didit_vendor_user_search can be narrowed.",
    )
    .takes(&[ORGANIZATION, APPLICATION, LIMIT, OFFSET])
    .needs("list:users"),
    tool(
        "didit_vendor_user_search",
        "Vendor User Search",
        CATEGORY,
        VERIFICATION,
        span("vendor_user.list", None, Style::Search),
    )
    .says(
        "Find end users in every application the person can reach, by text, vendor_data, status or dates, newest first.",
    )
    .takes(&[
        Argument::text("search", "Text to look for, such as a name or part of vendor_data."),
        Argument::text("vendor_data", "Only the user with this vendor_data."),
        Argument::text("status", "Only users with this status, ACTIVE, FLAGGED or BLOCKED."),
        DATE_FROM,
        DATE_TO,
        LAST_N_DAYS,
        SEARCH_LIMIT,
        ONLY_ORGANIZATION,
        ONLY_APPLICATION,
    ])
    .needs("list:users"),
];
