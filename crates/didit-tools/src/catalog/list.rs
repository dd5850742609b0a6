//! Custom lists and allow lists.

use super::{APPLICATION, LIMIT, MANAGEMENT, OFFSET, ORGANIZATION, Run, Tool, tool};
use crate::schema::Argument;

pub(super) const TOOLS: &[Tool] = &[tool(
    "didit_lists_list",
    "Lists List",
    "Lists & Blocklist",
    MANAGEMENT,
    Run::One("list.list"),
)
.says("Block lists, allow lists and custom lists of one application, without their entries.")
.takes(&[
    ORGANIZATION,
    APPLICATION,
    Argument::text(
        "list_type",
        "Only lists of this type, such as blocklist or allowlist.",
    ),
    Argument::text(
        "entry_type",
        "Only lists whose entries are of this type, such as email.",
    ),
    LIMIT,
    OFFSET,
])
.needs("read:lists")];
