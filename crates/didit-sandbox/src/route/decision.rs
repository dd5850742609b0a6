//! The full result of one session, made from its workflow, its person and how far it came.

use serde_json::{Map, Value, json};

use super::session::{address, shown};
use super::{Answer, Call, Outcome};
use crate::date::{DAY, date, timestamp};
use crate::generator::Generator;
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::{Session, World};

/// A feature of a workflow and the list of a decision that tells about it.
const SECTIONS: &[(&str, &str)] = &[
    ("OCR", "id_verifications"),
    ("NFC", "nfc_verifications"),
    ("LIVENESS", "liveness_checks"),
    ("FACE_MATCH", "face_matches"),
    ("AML", "aml_screenings"),
    ("PROOF_OF_ADDRESS", "poa_verifications"),
    ("PHONE_VERIFICATION", "phone_verifications"),
    ("EMAIL_VERIFICATION", "email_verifications"),
    ("DATABASE_VALIDATION", "database_validations"),
    ("IP_ANALYSIS", "ip_analyses"),
    ("AGE_ESTIMATION", "age_estimations"),
    ("QUESTIONNAIRE", "questionnaire_responses"),
    ("DOCUMENT_AI", "document_ai_checks"),
    ("KYB_REGISTRY", "registry_checks"),
    ("KYB_DOCUMENTS", "document_verifications"),
    ("KYB_KEY_PEOPLE", "key_people_checks"),
];

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    let session = world
        .session(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    let workflow = world.workflow(session.workflow)?;
    let mut body = match shown(world, session, call.now) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    body.insert("session_url".to_owned(), address(&session.token).into());
    for given in ["contact_details", "expected_details", "language"] {
        let value = session.given.get(given).cloned().unwrap_or(Value::Null);
        body.insert(given.to_owned(), value);
    }
    for (name, section) in SECTIONS {
        let found: Vec<Value> = workflow
            .features
            .iter()
            .enumerate()
            .take(session.reached)
            .filter(|(_, feature)| feature == name)
            .map(|(index, feature)| check(session, index, feature))
            .collect();
        // A list that the session has not come to is null, not empty.
        let value = if found.is_empty() {
            Value::Null
        } else {
            found.into()
        };
        body.insert((*section).to_owned(), value);
    }
    body.insert("reviews".to_owned(), session.reviews.clone().into());
    Ok(Answer::ok(body))
}

/// The word of Didit for what went wrong in a feature.
pub(super) fn warning(feature: &str) -> &'static str {
    match feature {
        "OCR" | "NFC" => "DOCUMENT_EXPIRED",
        "LIVENESS" => "LOW_LIVENESS_SCORE",
        "FACE_MATCH" => "LOW_FACE_MATCH_SIMILARITY",
        "AML" => "POSSIBLE_MATCH_FOUND",
        "PROOF_OF_ADDRESS" => "NAME_MISMATCH_WITH_PROVIDED",
        "PHONE_VERIFICATION" => "VOIP_NUMBER_DETECTED",
        "EMAIL_VERIFICATION" => "DISPOSABLE_EMAIL_DETECTED",
        "DATABASE_VALIDATION" => "NO_MATCH_FOUND",
        "IP_ANALYSIS" => "PRIVATE_NETWORK_DETECTED",
        "AGE_ESTIMATION" => "AGE_BELOW_MINIMUM",
        _ => "MANUAL_REVIEW_REQUIRED",
    }
}

fn check(session: &Session, index: usize, feature: &str) -> Value {
    let warned = session.warned == Some(index);
    let person = identity(session.subject());
    let mut generator = Generator::of_text(&format!("{}/{index}", session.id));
    let low = if warned { 20 } else { 85 };
    let score = low + generator.below(15);
    let status = match (warned, session.status) {
        (false, _) => "Approved",
        (true, "In Review") => "In Review",
        (true, _) => "Declined",
    };
    let mut fields = json!({
        "node_id": format!("feature_{}_{}", feature.to_lowercase(), index + 1),
        "status": status,
        "warnings": if warned { json!([{ "risk": warning(feature), "log_type": "warning" }]) } else { json!([]) },
        "checked_at": timestamp(session.updated_at),
    });
    let details = match feature {
        "OCR" => json!({
            "document_type": generator.pick(&["Passport", "Identity Card", "Driver's License"]),
            "document_number": person.document_number,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "full_name": person.full_name(),
            "date_of_birth": person.date_of_birth,
            "gender": person.gender,
            "issuing_state": person.country,
            "nationality": person.country,
            "expiration_date": expiry(session.created_at, warned, &mut generator),
        }),
        "LIVENESS" => json!({ "method": "PASSIVE", "score": score }),
        "FACE_MATCH" => json!({ "score": score }),
        "AML" => json!({
            "entity_type": if session.kind == "business" { "company" } else { "person" },
            "total_hits": u8::from(warned),
            "score": if warned { score } else { 0 },
            "hits": if warned { json!([{ "caption": person.full_name(), "datasets": ["PEP"], "match_score": score }]) } else { json!([]) },
        }),
        "PROOF_OF_ADDRESS" => json!({
            "document_type": "UTILITY_BILL",
            "issuing_state": person.country,
            "name_on_document": person.full_name(),
            "poa_address": format!("{} Mill Lane", 1 + generator.below(200)),
        }),
        "PHONE_VERIFICATION" => json!({
            "phone_number": format!("+44 7700 900{:03}", generator.below(1_000)),
            "is_virtual": warned,
        }),
        "EMAIL_VERIFICATION" => json!({
            "email": format!("{}@mail.example", person.first_name.to_lowercase()),
            "is_disposable": warned,
        }),
        "DATABASE_VALIDATION" => json!({
            "issuing_state": person.country,
            "match_type": if warned { "no_match" } else { "full_match" },
        }),
        "IP_ANALYSIS" => json!({
            // RFC 5737 section 3: addresses for documentation.
            "ip_address": format!("203.0.113.{}", 1 + generator.below(254)),
            "ip_country_code": person.country,
            "is_vpn_or_tor": warned,
        }),
        "AGE_ESTIMATION" => {
            json!({ "age_estimation": if warned { 16 } else { 20 + generator.below(40) } })
        }
        "KYB_REGISTRY" => json!({
            "company_name": person.company_name(),
            "registration_number": person.document_number,
            "country_code": person.country,
        }),
        "KYB_KEY_PEOPLE" => {
            json!({ "people": [{ "full_name": person.full_name(), "position": "director" }] })
        }
        _ => json!({}),
    };
    if let (Some(fields), Value::Object(details)) = (fields.as_object_mut(), details) {
        fields.extend(details);
        fields.extend(session.corrected.get(feature).cloned().unwrap_or_default());
    }
    fields
}

/// A document's last day: past when that is the warning, years ahead otherwise.
fn expiry(created_at: u64, passed: bool, generator: &mut Generator) -> String {
    let days = (30 + generator.below(900)) * DAY;
    date(if passed {
        created_at.saturating_sub(days)
    } else {
        created_at.saturating_add(days)
    })
}
