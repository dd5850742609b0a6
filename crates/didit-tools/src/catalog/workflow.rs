//! Workflows and questionnaires.

use super::{APPLICATION, MANAGEMENT, ORGANIZATION, Order, Run, Span, Style, Tool, tool};
use crate::schema::{Argument, Shape};

const CATEGORY: &str = "Workflows & Questionnaires";

const FEATURE: Shape = Shape::Object(&[
    Argument::choice(
        "feature",
        &[
            "OCR",
            "NFC",
            "LIVENESS",
            "FACE_MATCH",
            "PROOF_OF_ADDRESS",
            "QUESTIONNAIRE",
            "PHONE_VERIFICATION",
            "EMAIL_VERIFICATION",
            "DATABASE_VALIDATION",
            "AML",
            "IP_ANALYSIS",
            "AGE_ESTIMATION",
            "KYB_REGISTRY",
            "KYB_DOCUMENTS",
            "KYB_KEY_PEOPLE",
            "DOCUMENT_AI",
        ],
        "Which check.",
    )
    .required(),
    Argument::object("config", "Settings of the check."),
    Argument::text("label", "Name of the step."),
]);

pub(super) const TOOLS: &[Tool] = &[
    tool(
        "didit_workflow_list",
        "Workflow List",
        CATEGORY,
        MANAGEMENT,
        Run::Span(Span {
            application: "workflow.list",
            organization: None,
            style: Style::List,
            order: Order::AsTheyCame,
            limit: 50,
        }),
    )
    .says(
        "Workflows of one application: workflow_id starts sessions with didit_session_create, uuid names the version for didit_workflow_get. \
         Without a single known application it lists those of all, each tagged with where it is from.",
    )
    .takes(&[
        ORGANIZATION,
        APPLICATION,
        Argument::boolean(
            "include_age_assurance",
            "Not available yet; leave it out or send false.",
        ),
    ])
    .needs("read:workflows"),
    tool("didit_workflow_get", "Workflow Get", CATEGORY, MANAGEMENT, Run::One("workflow.get"))
        .says("Settings of one workflow version: its checks, thresholds and limits.")
        .takes(&[
            ORGANIZATION,
            APPLICATION,
            Argument::text(
                "workflow_id",
                "uuid of the workflow version; didit_workflow_list lists the workflows.",
            )
            .required(),
        ])
        .needs("read:workflows"),
    tool(
        "didit_workflow_create",
        "Workflow Create",
        CATEGORY,
        MANAGEMENT,
        Run::One("workflow.create"),
    )
    .says(
        "Create a workflow from an ordered list of checks. \
         For identity verification start with OCR, LIVENESS and FACE_MATCH. \
         Create it as draft when the person should look at it before it is used.",
    )
    .takes(&[
        ORGANIZATION,
        APPLICATION,
        Argument::text("workflow_label", "Name of the workflow."),
        Argument::new(
            "features",
            Shape::List { of: &FEATURE, at_least: 1 },
            "The checks, in order: objects with feature and, where wanted, config and label.",
        )
        .required(),
        Argument::boolean("is_default", "Whether it becomes the application's default."),
        Argument::choice("status", &["draft", "published"], "published to use, draft to look at first; sessions need a published one."),
        Argument::boolean("is_white_label_enabled", "Whether it shows your own branding."),
        Argument::boolean("is_desktop_allowed", "Whether it may be done on a desktop."),
        Argument::number("max_retry_attempts", "How often a person may try again, as a whole number."),
        Argument::number("retry_window_days", "Within how many days those tries must be."),
        Argument::number("session_expiration_time", "After how many seconds an unfinished session expires."),
    ])
    .needs("write:workflows")
    .writes(),
    tool(
        "didit_questionnaire_list",
        "Questionnaire List",
        CATEGORY,
        MANAGEMENT,
        Run::One("questionnaire.list"),
    )
    .says("Questionnaires of one application, for use in workflows.")
    .takes(&[ORGANIZATION, APPLICATION])
    .needs("read:questionnaires"),
];
