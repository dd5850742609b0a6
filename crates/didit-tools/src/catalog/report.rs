//! Analytics.

use super::{APPLICATION, DATE_FROM, DATE_TO, EITHER, LAST_N_DAYS, ORGANIZATION, Run, Tool, tool};
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
     Give both ids for one application, and dates or last_n_days for a window.",
)
.takes(&[
    DATE_FROM,
    DATE_TO,
    LAST_N_DAYS,
    Argument::boolean("include_timeseries", "Whether to add the counts day by day."),
    ORGANIZATION,
    APPLICATION,
])
.needs("read:analytics")];
