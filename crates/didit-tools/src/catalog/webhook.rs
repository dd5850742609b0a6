//! Webhook destinations.

use super::{APPLICATION, MANAGEMENT, ORGANIZATION, Run, Tool, tool};

pub(super) const TOOLS: &[Tool] = &[tool(
    "didit_webhook_list",
    "Webhook List",
    "Webhooks & Alerts",
    MANAGEMENT,
    Run::One("webhook.list"),
)
.says(
    "Webhook destinations of one application with the events they subscribe to. \
     Signing secrets are not returned, only whether one is set.",
)
.takes(&[ORGANIZATION, APPLICATION])
.needs("read:webhooks")];
