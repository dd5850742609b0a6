//! Checks of documents.

use super::{
    Feature, Form, STATUS_RULES, Setting, Subject, action, flag, json_of, percent, setting, stern,
    whole,
};

const DOCUMENTS: &str = r#"{"<ISO 3166 alpha-3>": {"<document code>": {"enabled": 0|1, "sides": 1|2, "subtypes": ["<code>"]}}}; sides and subtypes may be left out"#;

const OCR: &[Setting] = &[
    json_of(
        "age_restrictions_by_country",
        r#"{"<ISO 3166 alpha-3>": {"minimum_age": 1-120, "maximum_age": 1-120 or null, "states": {"<state>": {"minimum_age", "maximum_age"}}}}"#,
    ),
    action("cross_org_fraud_document_action"),
    flag("document_audio_recording_enabled"),
    json_of(
        "document_blur_fields_by_country",
        r#"{"<ISO 3166 alpha-3>": ["<field to blur in the kept image>"]}"#,
    ),
    percent("document_liveness_portrait_replace_decline_threshold"),
    percent("document_liveness_portrait_replace_review_threshold"),
    percent("document_liveness_printed_copy_decline_threshold"),
    percent("document_liveness_printed_copy_review_threshold"),
    percent("document_liveness_screen_replay_decline_threshold"),
    percent("document_liveness_screen_replay_review_threshold"),
    action("document_or_personal_number_format_mismatch_action"),
    percent("document_selfie_portrait_match_decline_threshold"),
    percent("document_selfie_portrait_match_review_threshold"),
    action("document_without_portrait_action").says("REVIEW unless it is set."),
    json_of("documents_allowed", DOCUMENTS).says(
        "Codes: ID, P (passport), DL (driving licence), RP (residence permit), HIC, TC, SSC, FIREARM. Without it every document is accepted; at least one must stay enabled.",
    ),
    action("duplicated_user_action"),
    action("expected_details_mismatch_action"),
    action("expiration_date_not_detected_action"),
    percent("id_document_quality_threshold"),
    whole("id_verification_max_retry_attempts", 2, 5),
    percent("id_verification_name_match_score_threshold"),
    setting(
        "image_capture_methods_allowed",
        Form::Choices(&["CAMERA_SCAN", "UPLOAD"]),
    ),
    action("image_quality_too_low_action"),
    action("image_too_blurry_action"),
    action("image_too_bright_action"),
    action("image_too_dark_action"),
    action("inconsistent_data_action"),
    action("invalid_code_action"),
    action("invalid_mrz_action"),
    action("invalid_validation_action"),
    flag("is_age_restrictions_enabled"),
    flag("is_document_selfie_portrait_match_enabled"),
    flag("is_image_capture_review_screen_enabled"),
    flag("is_ocr_id_verification_data_review_enabled")
        .says("The person may correct what was read."),
    whole("maximum_age", 1, 120),
    action("maximum_age_action"),
    json_of(
        "methods",
        r#"{"<ISO 3166 alpha-3>": {"document": {"enabled"}, "id_lookup": {"enabled", "max_attempts": 1-5, "on_no_match", "on_partial_match", "on_provider_error"}, "wallet": {"enabled", "providers": [], "on_failure"}}}; each on_ is fallback_to_document or decline"#,
    )
    .says("didit_workflow_get_id_verification_methods_catalog lists what a country has."),
    whole("minimum_age", 1, 120),
    action("minimum_age_action"),
    setting(
        "ocr_id_verification_data_review_critical_fields",
        Form::Choices(&[
            "first_name",
            "middle_name",
            "last_name",
            "date_of_birth",
            "date_of_issue",
            "expiration_date",
            "document_number",
            "personal_number",
            "tax_number",
            "gender",
            "address",
            "place_of_birth",
            "nationality",
            "marital_status",
        ]),
    ),
    stern("ocr_id_verification_data_review_critical_mismatch_action"),
    action("ocr_id_verification_data_review_minor_mismatch_action"),
    STATUS_RULES,
    action("unparsed_address_action"),
];

const NFC: &[Setting] = &[
    flag("allow_nfc_skip"),
    action("skip_nfc_action"),
    STATUS_RULES,
    action("trust_anchor_missing_action"),
    action("unverified_chip_action"),
];

const PROOF_OF_ADDRESS: &[Setting] = &[
    action("poa_document_authenticity_action"),
    action("poa_document_issues_action"),
    json_of("poa_documents_allowed", DOCUMENTS).says("A code is for instance UTILITY_BILL."),
    action("poa_issue_date_not_detected_action"),
    action("poa_issuer_not_identified_action"),
    json_of("poa_languages_allowed", r#"{"<language>": 0|1}"#),
    action("poa_max_attempts_exceeded_action"),
    whole("poa_max_retry_attempts", 2, 5),
    percent("poa_name_match_score_threshold"),
    action("poa_name_or_address_mismatch_action"),
    action("poa_unparsable_or_invalid_address_action"),
    action("poa_unsupported_document_type_action"),
    action("poa_unsupported_language_action"),
    STATUS_RULES,
];

const DOCUMENT_AI: &[Setting] = &[
    stern("document_ai_document_tampering_action"),
    json_of(
        "document_ai_documents",
        r#"[{"document_key", "title", "description", "fields": [{"key", "name", "instruction", "type": text|number|date, "required", "is_full_name"}]}]"#,
    )
    .says("Three documents at most; keys unique within a document; one field of a document may be the full name."),
    stern("document_ai_max_attempts_exceeded_action"),
    whole("document_ai_max_retry_attempts", 2, 5),
    action("document_ai_missing_required_fields_action"),
    percent("document_ai_name_match_score_threshold"),
    action("document_ai_name_mismatch_action"),
    action("document_ai_unreadable_document_action"),
    action("document_ai_unsupported_file_action"),
    STATUS_RULES,
];

pub(super) const FEATURES: &[Feature] = &[
    Feature {
        name: "OCR",
        subject: Subject::Person,
        says: "Reads and checks an identity document. It comes before every check that uses what is on the document: FACE_MATCH, NFC, DATABASE_VALIDATION.",
        settings: Some(OCR),
    },
    Feature {
        name: "NFC",
        subject: Subject::Person,
        says: "Reads the chip of a passport or identity card; it comes after OCR.",
        settings: Some(NFC),
    },
    Feature {
        name: "PROOF_OF_ADDRESS",
        subject: Subject::Person,
        says: "Checks a document that shows where the person lives.",
        settings: Some(PROOF_OF_ADDRESS),
    },
    Feature {
        name: "DOCUMENT_AI",
        subject: Subject::Either,
        says: "Reads fields that you describe from documents that you describe.",
        settings: Some(DOCUMENT_AI),
    },
];
