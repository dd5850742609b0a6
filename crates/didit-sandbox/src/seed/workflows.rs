//! The workflows of each application.

use serde_json::{Map, json};

use crate::date::DAY;
use crate::world::{Workflow, World};

/// Application, label, type, features.
const WORKFLOWS: &[(usize, &str, &str, &[&str])] = &[
    (
        0,
        "Full onboarding",
        "kyc",
        &["OCR", "LIVENESS", "FACE_MATCH", "AML", "IP_ANALYSIS"],
    ),
    (
        0,
        "Address check",
        "address_verification",
        &["OCR", "PROOF_OF_ADDRESS"],
    ),
    (
        0,
        "Returning customer",
        "biometric_authentication",
        &["LIVENESS", "FACE_MATCH"],
    ),
    (
        1,
        "Company onboarding",
        "kyb",
        &["KYB_REGISTRY", "KYB_KEY_PEOPLE", "KYB_DOCUMENTS", "AML"],
    ),
    (
        1,
        "Director check",
        "kyc",
        &["OCR", "LIVENESS", "FACE_MATCH", "AML"],
    ),
    (
        2,
        "Full onboarding (test)",
        "kyc",
        &["OCR", "LIVENESS", "FACE_MATCH", "AML", "IP_ANALYSIS"],
    ),
    (
        2,
        "Contact check (test)",
        "phone_verification",
        &["PHONE_VERIFICATION", "EMAIL_VERIFICATION"],
    ),
    (
        3,
        "Age gate",
        "adaptive_age_verification",
        &["AGE_ESTIMATION", "LIVENESS"],
    ),
    (
        3,
        "Age gate with document",
        "kyc",
        &["OCR", "LIVENESS", "FACE_MATCH"],
    ),
    (
        4,
        "Age gate (test)",
        "adaptive_age_verification",
        &["AGE_ESTIMATION", "LIVENESS"],
    ),
    (
        5,
        "Driver check",
        "kyc",
        &["OCR", "LIVENESS", "FACE_MATCH", "DATABASE_VALIDATION"],
    ),
    (
        5,
        "Driver questionnaire",
        "questionnaire_verification",
        &["QUESTIONNAIRE"],
    ),
];

pub(super) fn fill(world: &mut World, now: u64) {
    for (index, (application, label, kind, features)) in WORKFLOWS.iter().enumerate() {
        let created_at = now.saturating_sub((180 - index as u64) * DAY);
        let is_default = world
            .workflows
            .iter()
            .all(|row| row.application != *application);
        let workflow = Workflow {
            uuid: world.generator.uuid(),
            workflow_id: world.generator.uuid(),
            application: *application,
            label: (*label).to_owned(),
            kind: (*kind).to_owned(),
            features: features
                .iter()
                .map(|feature| (*feature).to_owned())
                .collect(),
            configs: features.iter().map(|_| json!({})).collect(),
            version: 1,
            graph: None,
            status: "published".to_owned(),
            is_default,
            is_archived: false,
            settings: Map::from_iter([
                ("max_retry_attempts".to_owned(), json!(3)),
                ("retry_window_days".to_owned(), json!(7)),
                ("is_white_label_enabled".to_owned(), json!(false)),
                ("is_desktop_allowed".to_owned(), json!(true)),
            ]),
            session_expiration_time: 7 * DAY,
            created_at,
            updated_at: created_at,
        };
        world.workflows.push(workflow);
    }
}
