//! Organisations, applications, members, balance.

use super::{EITHER, MANAGEMENT, ORGANIZATION, Run, Tool, tool};
use crate::schema::Argument;

const CATEGORY: &str = "Account & Org";

pub(super) const TOOLS: &[Tool] = &[
    tool("didit_context_get", "Context Get", CATEGORY, EITHER, Run::Context).says(
        "Map of everything the signed-in person can reach: each organisation with the person's role in it, and its applications with their mode (live or sandbox). \
         Call this first when another tool asks for organization_id or application_id. \
         The answer may be up to a minute old.",
    ),
    tool("didit_org_list", "Org List", CATEGORY, EITHER, Run::One("organization.list")).says(
        "Organisations the signed-in person belongs to, as Didit returns them. \
         didit_context_get gives organisations and applications in one call.",
    ),
    tool(
        "didit_org_list_applications",
        "Org List Applications",
        CATEGORY,
        EITHER,
        Run::One("organization.applications"),
    )
    .says(
        "Applications of one organisation. \
         Keys and secrets are not returned, only whether they are set and a short preview.",
    )
    .takes(&[Argument::text(
        "organization_id",
        "Id of the organisation; didit_context_get lists them.",
    )
    .required()]),
    tool(
        "didit_org_get_balance",
        "Org Get Balance",
        CATEGORY,
        MANAGEMENT,
        Run::One("organization.balance"),
    )
    .says("Credit balance of one organisation in USD, and its auto-refill settings.")
    .takes(&[ORGANIZATION])
    .needs("read:subscription"),
    tool(
        "didit_org_list_members",
        "Org List Members",
        CATEGORY,
        MANAGEMENT,
        Run::One("organization.members"),
    )
    .says("People in one organisation, with their roles.")
    .takes(&[ORGANIZATION])
    .needs("list:members"),
];
