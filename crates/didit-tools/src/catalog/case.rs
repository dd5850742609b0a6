//! Cases.

use super::{
    APPLICATION, DATE_FROM, DATE_TO, LAST_N_DAYS, ONLY_APPLICATION, ONLY_ORGANIZATION,
    ORGANIZATION, SEARCH_LIMIT, Style, Tool, VERIFICATION, span, tool,
};
use crate::schema::Argument;

const CATEGORY: &str = "Cases";

const STATUS: Argument = Argument::text(
    "status",
    "Only cases with this status, such as OPEN or RESOLVED.",
);

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
         Without a single known application it takes the newest from all of them; didit_case_search can be narrowed by text and dates.",
    )
    .takes(&[
        ORGANIZATION,
        APPLICATION,
        STATUS,
        Argument::text(
            "cursor",
            "For the next page: the value of cursor in the `next` address of the last page, not the whole address; works within one application only.",
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
        ONLY_ORGANIZATION,
        ONLY_APPLICATION,
    ])
    .needs("list:cases"),
];
