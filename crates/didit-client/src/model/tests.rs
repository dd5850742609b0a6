//! Each model with a body as a server sends it, and with each of its fields of a wrong type.

use serde_json::{Value, json};

use super::*;

fn decision() -> Value {
    json!({
        "session_id": "s-1", "status": "In Review", "features": ["OCR", "AML"], "vendor_data": "customer-42",
        "id_verifications": [{
            "node_id": "feature_ocr_1", "status": "Approved", "warnings": [], "document_type": "Passport",
            "date_of_birth": "1990-02-30",
        }],
        "liveness_checks": [{"status": "Approved", "score": 98.5}],
        "face_matches": [{"status": "Approved"}],
        "aml_screenings": [{"status": "In Review", "warnings": [
            {"risk": "POSSIBLE_MATCH_FOUND", "log_type": "warning", "short_description": "A match", "new": 1},
        ]}],
        "phone_verifications": null,
        "email_verifications": [{"status": "A New Status"}],
        "poa_verifications": [{"status": "Approved"}],
        "database_validations": [{"status": "Approved"}],
        "ip_analyses": [{"status": "Approved"}],
        "reviews": [{"new_status": "Approved", "comment": null, "created_at": "2026-01-01T00:00:00Z"}],
        "contact_details": {"email": "ada@mail.example"},
    })
}

fn session() -> Value {
    json!({
        "session_id": "s-1", "session_number": 41, "session_kind": "business", "status": "Kyc Expired",
        "workflow_id": "w-1", "vendor_data": "customer-42", "full_name": "Ada", "country": "GBR",
        "metadata": {"a": 1}, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-01-08T00:00:00Z",
    })
}

fn created() -> Value {
    json!({
        "session_id": "s-1", "session_number": 41, "session_token": "t", "url": "https://verify.example/t",
        "status": "Not Started", "workflow_id": "w-1", "vendor_data": "customer-42", "callback": null,
    })
}

fn workflow() -> Value {
    json!({
        "uuid": "v-1", "workflow_id": "w-1", "workflow_label": "KYC", "workflow_type": "kyc", "status": "published",
        "version": 3, "is_default": true, "is_archived": false, "features": [{"feature": "OCR", "config": {}}],
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "max_retry_attempts": 3,
    })
}

fn case() -> Value {
    json!({
        "uuid": "c-1", "case_number": 7, "title": "Check of Ada", "description": "d", "status": "OPEN",
        "priority": "HIGH", "session_id": "s-1", "vendor_data": "customer-42", "assignee": {"name": "Mara"},
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "comments": [],
    })
}

fn transaction() -> Value {
    json!({
        "uuid": "t-1", "transaction_id": "txn-1", "transaction_category": "finance", "status": "APPROVED",
        "score": 12.5, "severity": "LOW", "decision_reason_code": "RULES", "rule_runs": [{"rule": "r"}],
        "provider_results": [], "travel_rule": null, "action_required": null,
        "transaction_details": {"amount": "10.00", "currency": "EUR"}, "subject": {"vendor_data": "customer-42"},
        "counterparty": {"name": "Ben"}, "created_at": "2026-01-01T00:00:00Z", "tags": ["a"],
    })
}

fn user() -> Value {
    json!({
        "vendor_data": "customer-42", "uuid": "u-1", "full_name": "Ada", "display_name": "Ada",
        "date_of_birth": "1990-01-02", "status": "FLAGGED", "metadata": {},
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "issuing_states": ["GBR"],
    })
}

fn business() -> Value {
    json!({
        "vendor_data": "business-1", "uuid": "b-1", "legal_name": "Ada Ltd", "display_name": "Ada",
        "registration_number": "0123", "country_code": "GB", "status": "BLOCKED", "metadata": {},
        "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "employees": 3,
    })
}

fn list() -> Value {
    json!({
        "uuid": "l-1", "name": "Faces", "description": "", "list_type": "blocklist", "entry_type": "face",
        "is_system": true, "entries_count": 2, "created_at": "2026-01-01T00:00:00Z",
    })
}

fn entry() -> Value {
    json!({
        "uuid": "e-1", "value": "a@mail.example", "display_label": "a", "comment": "c",
        "reference_session_id": "s-1", "metadata": {}, "created_at": "2026-01-01T00:00:00Z", "source": "api",
    })
}

fn balance() -> Value {
    json!({
        "balance": "12.50", "auto_refill_enabled": true, "auto_refill_amount": 100, "auto_refill_threshold": 0.5,
        "currency": "USD",
    })
}

fn top_up() -> Value {
    json!({"checkout_session_id": "c-1", "checkout_session_url": "https://pay.example/c-1", "expires_at": 1})
}

fn organization() -> Value {
    json!({"uuid": "o-1", "name": "Harbour", "role": "COMPLIANCE_OFFICER", "country": "GB"})
}

fn application() -> Value {
    json!({
        "uuid": "a-1", "name": "Web", "mode": "sandbox", "client_id": "c", "api_key_preview": "abcd…wxyz (43)",
        "created_at": "2026-01-01T00:00:00Z", "api_key_set": true,
    })
}

/// Reads the body; then with each field in turn absent, null, and of each other type; then with a stranger beside them.
///
/// A field may be absent exactly if it is not `required`. An error names the field, and never what was in it.
fn mutated<T>(body: &Value, required: &[&str], loose: &[&str])
where
    T: TryFrom<Value, Error = InvalidModel> + PartialEq + std::fmt::Debug,
{
    let fields = body.as_object().unwrap();
    assert!(
        T::try_from(body.clone()).is_ok(),
        "{:?}",
        T::try_from(body.clone())
    );
    for name in fields.keys() {
        let with = |value: Option<Value>| {
            let mut changed = fields.clone();
            match value {
                Some(value) => changed.insert(name.clone(), value),
                None => changed.remove(name),
            };
            T::try_from(Value::Object(changed))
        };
        for nothing in [None, Some(Value::Null)] {
            match with(nothing) {
                Ok(_) => assert!(!required.contains(&name.as_str()), "{name} is not required"),
                Err(error) => {
                    assert!(required.contains(&name.as_str()), "{error}");
                    assert_eq!(error.field(), name);
                }
            }
        }
        let is_known = !loose.contains(&name.as_str());
        // One of these two is of another type than the field, whatever it is.
        let wrong = [json!({"secret": "s"}), json!([["secret"]])];
        let refused: Vec<InvalidModel> = wrong
            .into_iter()
            .filter_map(|value| with(Some(value)).err())
            .collect();
        assert_eq!(!refused.is_empty(), is_known, "{name}");
        for error in refused {
            assert!(error.field().starts_with(name.as_str()), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
    for other in [json!(null), json!([]), json!("x"), json!({"raw": "<html>"})] {
        assert!(T::try_from(other).is_err() || required.is_empty());
    }
}

#[test]
fn each_field_of_each_model_has_its_type_and_says_so() {
    mutated::<Decision>(
        &decision(),
        &["session_id", "status"],
        &["features", "contact_details"],
    );
    mutated::<Session>(
        &session(),
        &["session_id", "status"],
        &["metadata", "expires_at"],
    );
    mutated::<CreatedSession>(&created(), &["session_id", "status"], &["callback"]);
    mutated::<Workflow>(
        &workflow(),
        &["uuid"],
        &["version", "features", "max_retry_attempts"],
    );
    mutated::<Case>(&case(), &["uuid"], &["case_number", "assignee", "comments"]);
    mutated::<Transaction>(
        &transaction(),
        &["uuid"],
        &["provider_results", "travel_rule", "action_required", "tags"],
    );
    mutated::<VendorUser>(&user(), &["vendor_data"], &["metadata", "issuing_states"]);
    mutated::<VendorBusiness>(&business(), &["vendor_data"], &["metadata", "employees"]);
    mutated::<List>(&list(), &["uuid"], &["created_at"]);
    mutated::<ListEntry>(&entry(), &["uuid"], &["value", "metadata", "source"]);
    mutated::<Balance>(&balance(), &["balance"], &["currency"]);
    mutated::<TopUp>(
        &top_up(),
        &["checkout_session_id", "checkout_session_url"],
        &["expires_at"],
    );
    mutated::<Organization>(&organization(), &["uuid"], &["country"]);
    mutated::<Application>(&application(), &["uuid"], &["api_key_set"]);
}

#[test]
fn a_decision_keeps_what_has_no_name() {
    let decision = Decision::try_from(decision()).unwrap();
    let document = &decision.id_verifications[0];
    assert_eq!(document.rest["document_type"], "Passport");
    // A day that does not exist is Didit's to explain; it is kept as it was written.
    assert_eq!(document.rest["date_of_birth"], "1990-02-30");
    assert_eq!(decision.liveness_checks[0].rest["score"], 98.5);
    assert_eq!(decision.aml_screenings[0].warnings[0].rest["new"], 1);
    assert!(decision.phone_verifications.is_empty());
    assert_eq!(
        decision.email_verifications[0].status.as_deref(),
        Some("A New Status")
    );
    assert_eq!(
        decision.reviews[0].new_status,
        Some(SessionStatus::Approved)
    );
    assert_eq!(
        decision.rest.keys().collect::<Vec<_>>(),
        ["contact_details"]
    );
}

#[test]
fn words_are_known_or_kept() {
    let session = Session::try_from(session()).unwrap();
    assert_eq!(session.status, SessionStatus::KycExpired);
    assert_eq!(session.session_kind, Some(SessionKind::Business));
    let later = json!({"session_id": "s", "status": "Paused"});
    let later = Session::try_from(later).unwrap();
    assert_eq!(later.status, SessionStatus::Other("Paused".into()));
    assert_eq!(later.status.as_str(), "Paused");
    assert!(!later.status.is_unfinished());
    for word in [
        "Not Started",
        "In Progress",
        "In Review",
        "Approved",
        "Declined",
        "Expired",
        "Abandoned",
        "Kyc Expired",
        "Resubmitted",
        "Awaiting User",
    ] {
        let status = SessionStatus::from(word.to_owned());
        assert!(!matches!(status, SessionStatus::Other(_)), "{word}");
        assert_eq!(status.to_string(), word);
        let unfinished = ["Not Started", "In Progress", "Resubmitted", "Awaiting User"];
        assert_eq!(status.is_unfinished(), unfinished.contains(&word), "{word}");
    }
}

#[test]
fn an_amount_keeps_its_digits() {
    let balance = Balance::try_from(balance()).unwrap();
    assert_eq!(balance.balance.as_str(), "12.50");
    assert_eq!(balance.auto_refill_amount.unwrap().to_string(), "100");
    assert_eq!(balance.auto_refill_threshold.unwrap().as_str(), "0.5");
}

#[test]
fn a_page_is_read_row_by_row() {
    let page = crate::Page::read(json!({"count": 2, "results": [session(), session()]})).unwrap();
    assert_eq!(page.rows_as::<Session>().unwrap().len(), 2);
    let page = crate::Page::read(json!([session(), {"session_id": "s-2", "status": 5}])).unwrap();
    assert_eq!(
        page.rows_as::<Session>().unwrap_err().to_string(),
        "[1].status is a number, not text"
    );
}
