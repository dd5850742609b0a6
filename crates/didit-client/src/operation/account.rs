//! Organisations, applications, members, balance.

use super::{Base, Operation, Verb, row};
use crate::redact::Mask;

pub(super) const ROWS: &[Operation] = &[
    row(
        "organization.list",
        Verb::Get,
        Base::Auth,
        "/organizations/me/",
    ),
    row(
        "organization.applications",
        Verb::Get,
        Base::Auth,
        "/organizations/me/{org}/applications/",
    )
    .mask(Mask::Application),
    row(
        "organization.members",
        Verb::Get,
        Base::Auth,
        "/organizations/{org}/members/",
    )
    .permission("list:members"),
    row(
        "organization.balance",
        Verb::Get,
        Base::Api,
        "/organization/{org}/top-up/",
    )
    .permission("read:subscription"),
];
