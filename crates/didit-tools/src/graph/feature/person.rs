//! Checks of contacts, lists and answers.

use super::{
    Feature, Form, STATUS_RULES, Setting, Subject, action, flag, json_of, percent, setting, stern,
    whole,
};

const AML: &[Setting] = &[
    percent("aml_country_weight"),
    percent("aml_dob_weight"),
    percent("aml_match_score_threshold"),
    percent("aml_name_weight"),
    percent("aml_score_approve_threshold"),
    percent("aml_score_review_threshold"),
    setting("case_blueprint", Form::Uuid).says("For create_cases_on_hit."),
    flag("create_cases_on_hit"),
    flag("fallback_to_native"),
    flag("is_aml_ongoing_monitoring_enabled").says("Screens the person again after approval."),
    percent("kyb_company_aml_country_weight"),
    percent("kyb_company_aml_dob_weight"),
    percent("kyb_company_aml_match_score_threshold"),
    percent("kyb_company_aml_name_weight"),
    flag("kyb_enable_ongoing_monitoring").says("Screens the company again after approval."),
    percent("kyb_score_approve_threshold"),
    percent("kyb_score_review_threshold"),
    setting("provider_key", Form::Text),
    STATUS_RULES,
];

const DATABASE_VALIDATION: &[Setting] = &[
    json_of(
        "database_validation_countries",
        r#"{"<ISO 3166 alpha-3>": {"services": ["<service id>"]}}"#,
    )
    .says("Nothing is checked until a country has a service; unknown services are dropped when it is saved."),
    json_of(
        "database_validation_field_sources",
        r#"{"<input>": {"source": document_ai|questionnaire|expected_data, "key"}}"#,
    )
    .says("For inputs that no earlier check fills."),
    action("database_validation_no_match_action"),
    action("database_validation_not_applicable_action"),
    action("database_validation_partial_match_action"),
    STATUS_RULES,
];

const EMAIL_VERIFICATION: &[Setting] = &[
    action("breached_email_action"),
    action("cross_org_fraud_email_action"),
    action("disposable_email_action"),
    action("duplicated_email_action"),
    flag("email_alphanumeric_code"),
    whole("email_code_size", 4, 8),
    flag("email_enrichment_enabled"),
    action("email_intelligence_score_action"),
    percent("email_intelligence_score_threshold"),
    whole("email_max_check_attempts", 1, 5),
    whole("email_max_retries", 1, 5),
    action("frequent_email_breach_action"),
    flag("only_corporate_emails_allowed"),
    action("recent_email_breach_action"),
    STATUS_RULES,
];

const PHONE_VERIFICATION: &[Setting] = &[
    whole("code_size", 4, 8),
    action("cross_org_fraud_phone_action"),
    action("disposable_number_action"),
    action("duplicated_phone_number_action"),
    flag("fallback_to_native"),
    stern("high_risk_phone_action"),
    action("low_phone_trust_action"),
    flag("phone_enrichment_enabled"),
    action("phone_intelligence_score_action"),
    percent("phone_intelligence_score_threshold"),
    whole("phone_max_check_attempts", 1, 5),
    whole("phone_max_retries", 1, 5),
    flag("phone_shared_device_mode"),
    percent("phone_trust_index_threshold"),
    action("phone_type_risk_action"),
    json_of(
        "phone_verification_countries",
        r#"{"<ISO 3166 alpha-2>": {"sms|whatsapp|telegram|rcs|viber|zalo": {"enabled", "max_retries"}}}"#,
    )
    .says("Only listed countries and channels are offered."),
    setting("provider_key", Form::Text),
    action("recent_port_action"),
    STATUS_RULES,
    action("voip_number_action"),
];

const IP_ANALYSIS: &[Setting] = &[
    action("automation_detected_action"),
    action("cross_org_fraud_device_action"),
    action("cross_org_fraud_ip_action"),
    action("device_app_tampered_action"),
    action("device_blocklist_action"),
    action("device_debugger_action"),
    action("device_emulator_action"),
    action("device_hooking_action"),
    action("device_integrity_missing_action"),
    action("device_rooted_action"),
    action("duplicated_device_action"),
    action("duplicated_ip_action"),
    action("expected_ip_mismatch_action"),
    action("ip_geofencing_action"),
    json_of(
        "ip_geofencing_by_country",
        r#"{"<ISO 3166 alpha-3>": {"allowed": true|false, "states": {"<state>": {"allowed"}} or null}}"#,
    )
    .says("Counts only with is_ip_geofencing_enabled."),
    action("ip_mismatch_action"),
    flag("is_ip_geofencing_enabled"),
    action("multiple_devices_action"),
    action("recovered_device_action"),
    STATUS_RULES,
    action("vpn_detection_action"),
];

const QUESTIONNAIRE: &[Setting] = &[
    setting("questionnaire_uuid", Form::Uuid),
    flag("review_questionnaire_manually"),
    STATUS_RULES,
];

pub(super) const FEATURES: &[Feature] = &[
    Feature {
        name: "AML",
        subject: Subject::Either,
        says: "Screens the person, or the company, against sanction and watch lists.",
        settings: Some(AML),
    },
    Feature {
        name: "DATABASE_VALIDATION",
        subject: Subject::Person,
        says: "Compares with databases of a country; it comes after the check that gives the inputs, most often OCR.",
        settings: Some(DATABASE_VALIDATION),
    },
    Feature {
        name: "EMAIL_VERIFICATION",
        subject: Subject::Either,
        says: "Sends a code to an email address.",
        settings: Some(EMAIL_VERIFICATION),
    },
    Feature {
        name: "PHONE_VERIFICATION",
        subject: Subject::Either,
        says: "Sends a code to a phone number.",
        settings: Some(PHONE_VERIFICATION),
    },
    Feature {
        name: "IP_ANALYSIS",
        subject: Subject::Either,
        says: "Looks at the device and its network.",
        settings: Some(IP_ANALYSIS),
    },
    Feature {
        name: "QUESTIONNAIRE",
        subject: Subject::Either,
        says: "Asks the questions of a questionnaire; didit_questionnaire_list lists them.",
        settings: Some(QUESTIONNAIRE),
    },
];
