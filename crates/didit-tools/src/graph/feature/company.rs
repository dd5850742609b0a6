//! Checks of companies.

use super::{
    Feature, Form, STATUS_RULES, Setting, Subject, action, flag, json_of, percent, setting, whole,
};

const KEY_PEOPLE_FIELDS: &str =
    r#"[{"key", "label", "type": text|number|date|phone|email, "required", "custom"}], in order"#;

const KYB_REGISTRY: &[Setting] = &[
    json_of("kyb_accepted_countries", r#"["<ISO 3166 alpha-2>"]"#)
        .says("Without any, every registry is accepted."),
    action("kyb_manual_company_action"),
    json_of(
        "kyb_registry_countries_config",
        r#"{"<ISO 3166 alpha-2>": {"enabled": true|false, "tier": basic|shareholders|ubo}}"#,
    )
    .says("One country at least must be enabled; didit_workflow_get_kyb_registry_catalog lists tiers and prices."),
    json_of(
        "kyb_registry_fields_config",
        r#"{"<field of the registry>": {"enabled": true|false, "required": true|false}}"#,
    ),
    flag("kyb_registry_monitoring_enabled"),
    action("kyb_vat_invalid_action"),
    action("kyb_vat_unverified_action"),
    STATUS_RULES,
];

const KYB_DOCUMENTS: &[Setting] = &[
    action("kyb_document_age_action"),
    action("kyb_document_critical_mismatch_action"),
    action("kyb_document_max_attempts_exceeded_action"),
    whole("kyb_document_max_retry_attempts", 1, 5),
    action("kyb_document_non_critical_mismatch_action"),
    json_of(
        "kyb_document_subtype_config",
        r#"{"<group or subtype>": {"enabled": true|false, "max_age_days": 0-3650, -1 or null}}"#,
    ),
    action("kyb_document_tampering_action"),
    json_of(
        "kyb_required_document_groups",
        r#"["<group, such as LEGAL_PRESENCE>"]"#,
    )
    .says("One at least."),
    STATUS_RULES,
];

const KYB_KEY_PEOPLE: &[Setting] = &[
    setting("kyb_corporate_ubo_verification_workflow", Form::Uuid),
    json_of("kyb_key_people_company_fields", KEY_PEOPLE_FIELDS),
    action("kyb_key_people_document_mismatch_action"),
    flag("kyb_key_people_ownership_required"),
    json_of("kyb_key_people_person_fields", KEY_PEOPLE_FIELDS),
    flag("kyb_key_people_prefill_from_registry"),
    flag("kyb_notify_parties_by_email"),
    setting("kyb_officer_verification_workflow", Form::Uuid),
    flag("kyb_reject_if_ubo_rejected"),
    flag("kyb_require_corporate_ubo_kyb"),
    flag("kyb_require_officer_kyc"),
    flag("kyb_require_ubo_kyc"),
    flag("kyb_reuse_verified_individuals"),
    json_of(
        "kyb_role_config",
        r#"{"<role that is there already>": {"enabled", "require_kyc", "verification_workflow": "<uuid>", "allow_skip"}}"#,
    )
    .says("A role with require_kyc needs a verification_workflow."),
    percent("kyb_shareholder_ownership_threshold"),
    setting("kyb_shareholder_verification_workflow", Form::Uuid),
    percent("kyb_ubo_ownership_threshold"),
    setting("kyb_ubo_verification_workflow", Form::Uuid),
    flag("kyb_wait_for_all_ubos"),
    STATUS_RULES,
];

pub(super) const FEATURES: &[Feature] = &[
    Feature {
        name: "KYB_REGISTRY",
        subject: Subject::Company,
        says: "Finds the company in the registry of its country.",
        settings: Some(KYB_REGISTRY),
    },
    Feature {
        name: "KYB_DOCUMENTS",
        subject: Subject::Company,
        says: "Collects and checks documents of the company.",
        settings: Some(KYB_DOCUMENTS),
    },
    Feature {
        name: "KYB_KEY_PEOPLE",
        subject: Subject::Company,
        says: "Collects the people behind the company; each is verified in a separate workflow for persons.",
        settings: Some(KYB_KEY_PEOPLE),
    },
    Feature {
        name: "BANK_VERIFICATION",
        subject: Subject::Either,
        says: "Verifies a bank account.",
        settings: None,
    },
];
