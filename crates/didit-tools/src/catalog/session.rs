//! Verification sessions.

use super::{
    APPLICATION, DATE_FROM, DATE_TO, FIRST_DAY, LAST_DAY, LAST_N_DAYS, LIMIT, OFFSET,
    ONLY_APPLICATION, ONLY_ORGANIZATION, ORGANIZATION, Run, SEARCH_LIMIT, Style, Tool,
    VERIFICATION, span, tool,
};
use crate::schema::{Argument, Shape};

const CATEGORY: &str = "Sessions";

const SESSION: Argument = Argument::text(
    "session_id",
    "Id of the session; didit_session_search finds it.",
)
.required();
const STATUS: Argument = Argument::text(
    "status",
    "Not Started, In Progress, In Review, Approved, Declined, Expired, Abandoned, Kyc Expired, Resubmitted or Awaiting User; several separated by commas.",
);
const KIND: Argument = Argument::choice(
    "session_kind",
    &["user", "business", "all"],
    "Sessions of people, of businesses, or both.",
);
const WORKFLOW: Argument = Argument::text(
    "workflow_id",
    "Only sessions of this workflow; didit_workflow_list lists the workflows.",
);
const SEARCH: Argument = Argument::text(
    "search",
    "Text to look for, such as a name, vendor_data or the number of the session.",
);

const LANGUAGES: &[&str] = &[
    "en", "ar", "bg", "bn", "bs", "ca", "cnr", "cs", "da", "de", "el", "es", "et", "fa", "fi",
    "fr", "he", "hi", "hr", "hu", "hy", "id", "it", "ja", "ka", "kk", "ko", "ky", "lt", "lv", "mk",
    "mn", "ms", "nl", "no", "pl", "pt-BR", "pt", "ro", "ru", "sk", "sl", "so", "sq", "sr", "sv",
    "th", "tr", "uk", "uz", "vi", "zh-CN", "zh-TW", "zh",
];

pub(super) const TOOLS: &[Tool] = &[
    tool(
        "didit_session_create",
        "Session Create",
        CATEGORY,
        VERIFICATION,
        Run::One("session.create"),
    )
    .says(
        "Start a verification session from a workflow. \
         The answer holds session_id and the url to send to the person who is to be verified. \
         The session belongs to the application of the workflow. \
         Asking again with the same vendor_data and workflow returns the unfinished session instead of a second one.",
    )
    .takes(&[
        ORGANIZATION,
        Argument::text(
            "application_id",
            "Only to find the organisation: the workflow decides in which application the session is.",
        ),
        Argument::text(
            "workflow_id",
            "Id of a published workflow to run; didit_workflow_list lists the workflows.",
        )
        .required(),
        Argument::text("vendor_data", "Your own id for the person, to find the session again."),
        Argument::text("callback", "Address the person is sent to at the end."),
        Argument::choice(
            "callback_method",
            &["initiator", "completer", "both"],
            "Whose device is sent to the callback: the one that started, the one that finished, or both.",
        ),
        Argument::choice("language", LANGUAGES, "Language of the verification pages."),
        Argument::object("metadata", "Anything to keep with the session, as an object."),
        Argument::object(
            "contact_details",
            "How to reach the person: email, phone, send_notification_emails, email_lang.",
        ),
        Argument::object(
            "expected_details",
            "What the documents should show: first_name, last_name, date_of_birth, gender, nationality, id_country, poa_country, address, identification_number, ip_address.",
        ),
        Argument::text(
            "portrait_image",
            "Reference portrait for biometric workflows, as base64 of at most 1 MB.",
        ),
        Argument::text(
            "sandbox_scenario",
            "In sandbox applications only: the outcome to simulate, approve or a name that starts with decline_ or review_.",
        ),
    ])
    .needs("create:sessions")
    .fetches(&["portrait_image"])
    .writes(),
    tool(
        "didit_session_list",
        "Session List",
        CATEGORY,
        VERIFICATION,
        span("session.list", Some("session.list_organization"), Style::List),
    )
    .says(
        "Page through the sessions of one application, newest first. \
         Without a single known application it takes the newest from all of them, each row tagged with where it is from. \
         Use didit_session_search to look everywhere on purpose.",
    )
    .takes(&[
        ORGANIZATION,
        APPLICATION,
        STATUS,
        KIND,
        Argument::text("vendor_data", "Only sessions with exactly this vendor_data."),
        WORKFLOW,
        SEARCH,
        FIRST_DAY,
        LAST_DAY,
        LIMIT,
        OFFSET,
    ])
    .needs("list:sessions"),
    tool(
        "didit_session_search",
        "Session Search",
        CATEGORY,
        VERIFICATION,
        span("session.list", Some("session.list_organization"), Style::Search),
    )
    .says(
        "Find sessions in every organisation and application the person can reach, newest first, each row tagged with where it is from. \
         Narrow with status, dates, workflow or text; give application_id to look in one application only.",
    )
    .takes(&[
        STATUS,
        KIND,
        WORKFLOW,
        SEARCH,
        DATE_FROM,
        DATE_TO,
        LAST_N_DAYS,
        SEARCH_LIMIT,
        ONLY_ORGANIZATION,
        ONLY_APPLICATION,
    ])
    .needs("list:sessions"),
    tool(
        "didit_session_get_decision",
        "Session Get Decision",
        CATEGORY,
        VERIFICATION,
        Run::One("session.decision"),
    )
    .says(
        "Full result of one session: its status and every check with its findings, warnings and reviews. \
         It holds personal data. Image addresses in it work for an hour.",
    )
    .takes(&[SESSION])
    .needs("read:sessions"),
    tool(
        "didit_session_update_status",
        "Session Update Status",
        CATEGORY,
        VERIFICATION,
        Run::One("session.update_status"),
    )
    .says(
        "Approve or decline a session, or ask the person to do parts of it again. \
         This overrides the automatic decision and can send an email to the person: read the decision first.",
    )
    .takes(&[
        SESSION,
        Argument::choice(
            "new_status",
            &["Approved", "Declined", "Resubmitted"],
            "The status to set; Resubmitted only from Declined, In Review or Abandoned.",
        )
        .required(),
        Argument::text("comment", "Why, for the record of the review."),
        Argument::new(
            "nodes_to_resubmit",
            Shape::List { of: &Shape::Text, at_least: 0 },
            "With Resubmitted: node_id of each check to do again, as didit_session_get_decision shows them.",
        ),
        Argument::boolean("send_email", "Whether to tell the person by email."),
        Argument::text("email_address", "Where to; needed with send_email."),
        Argument::text("email_language", "Language of that email, such as en."),
    ])
    .needs("write:sessions")
    .destroys()
    .reaches_people(),
    tool(
        "didit_session_delete",
        "Session Delete",
        CATEGORY,
        VERIFICATION,
        Run::One("session.delete"),
    )
    .says(
        "Delete one session with all its data and images, for good. \
         Ask the person first, then send confirm: true.",
    )
    .takes(&[
        SESSION,
        Argument::boolean("confirm", "Must be true; only after the person agreed to the deletion.").required(),
    ])
    .needs("delete:sessions")
    .confirmed("confirm", "it deletes the session and its data for good")
    .destroys(),
];
