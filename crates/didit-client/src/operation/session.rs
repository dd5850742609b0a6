//! Verification sessions.

use super::{Base, Operation, Verb, row};

const QUERY: &[&str] = &[
    "status",
    "session_kind",
    "vendor_data",
    "workflow_id",
    "search",
    "date_from",
    "date_to",
    "limit",
    "offset",
];

pub(super) const ROWS: &[Operation] = &[
    row("session.create", Verb::Post, Base::Api, "/session/").body(&[
        "workflow_id",
        "vendor_data",
        "callback",
        "callback_method",
        "language",
        "metadata",
        "contact_details",
        "expected_details",
        "portrait_image",
        "sandbox_scenario",
    ]),
    row(
        "session.list",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/sessions/",
    )
    .query(QUERY)
    .permission("list:sessions"),
    row(
        "session.list_organization",
        Verb::Get,
        Base::Api,
        "/organization/{org}/sessions/",
    )
    .query(QUERY)
    .permission("list:sessions"),
    row(
        "session.decision",
        Verb::Get,
        Base::Api,
        "/session/{session_id}/decision/",
    )
    .permission("read:sessions"),
    row(
        "session.update_status",
        Verb::Patch,
        Base::Api,
        "/session/{session_id}/update-status/",
    )
    .body(&[
        "new_status",
        "comment",
        "nodes_to_resubmit",
        "send_email",
        "email_address",
        "email_language",
    ])
    .permission("write:sessions"),
    row(
        "session.delete",
        Verb::Delete,
        Base::Api,
        "/session/{session_id}/delete/",
    )
    .permission("delete:sessions"),
];
