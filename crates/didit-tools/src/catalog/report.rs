//! Analytics.

use super::{
    DATE_FROM, DATE_TO, EITHER, LAST_N_DAYS, ONLY_APPLICATION, ONLY_ORGANIZATION, Run, Tool, tool,
};
use crate::schema::Argument;

pub(super) const TOOLS: &[Tool] = &[tool(
    "didit_analytics",
    "Analytics",
    "Reports & Audit",
    EITHER,
    Run::Analytics("analytics.get"),
)
.says(
    "Counts summed over the applications the person can reach: sessions started, results by status, conversion rate, how far each check was reached, warnings. \
     Narrow it with application_id for one application, and with dates or last_n_days for a window; per_app in the answer compares the applications.",
)
.takes(&[
    DATE_FROM,
    DATE_TO,
    LAST_N_DAYS,
    Argument::boolean("include_timeseries", "Whether to add the counts day by day."),
    ONLY_ORGANIZATION,
    ONLY_APPLICATION,
])
.needs("read:analytics")];
