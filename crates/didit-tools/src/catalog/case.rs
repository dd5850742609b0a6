//! Cases.

use super::{
    APPLICATION, DATE_FROM, DATE_TO, LAST_N_DAYS, ORGANIZATION, SEARCH_LIMIT, Style, Tool,
    VERIFICATION, span, tool,
};
use crate::schema::Argument;

const CATEGORY: &str = "Cases";

const STATUS: Argument = Argument::text("status", "Only cases with this status.");

pub(super) const TOOLS: &[Tool] = &[
    tool(
        "didit_case_list",
        "Case List",
        CATEGORY,
        VERIFICATION,
        span("case.list", Some("case.list_organization"), Style::List),
    )
    .says(
        "Page through the investigation cases of one application. \
         Without a single known application it looks in all of them.",
    )
    .takes(&[
        ORGANIZATION,
        APPLICATION,
        STATUS,
        Argument::text(
            "cursor",
            "Where the last page ended. Only where organisation and application are both known.",
        ),
    ])
    .needs("list:cases"),
    tool(
        "didit_case_search",
        "Case Search",
        CATEGORY,
        VERIFICATION,
        span("case.list", Some("case.list_organization"), Style::Search),
    )
    .says("Find investigation cases in every application the person can reach, newest first.")
    .takes(&[
        STATUS,
        Argument::text("search", "Text to look for in the case."),
        DATE_FROM,
        DATE_TO,
        LAST_N_DAYS,
        SEARCH_LIMIT,
        ORGANIZATION,
        APPLICATION,
    ])
    .needs("list:cases"),
];
