//! Workflows and questionnaires.

use super::{Base, Operation, Verb, row};

pub(super) const ROWS: &[Operation] = &[
    row(
        "workflow.list",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/verification-settings/",
    )
    .permission("read:workflows"),
    row(
        "workflow.get",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/verification-settings/{workflow_id}/",
    )
    .permission("read:workflows"),
    row(
        "workflow.create",
        Verb::Post,
        Base::Api,
        "/organization/{org}/application/{app}/verification-settings/",
    )
    .body(&[
        "workflow_label",
        "features",
        "is_default",
        "status",
        "is_white_label_enabled",
        "is_desktop_allowed",
        "max_retry_attempts",
        "retry_window_days",
        "session_expiration_time",
    ])
    .permission("write:workflows"),
    row(
        "questionnaire.list",
        Verb::Get,
        Base::Api,
        "/organization/{org}/application/{app}/questionnaires/",
    )
    .permission("read:questionnaires"),
];
