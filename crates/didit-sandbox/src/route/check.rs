//! Single checks: of documents, faces, names and companies.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::record;
use super::session_data::DOCUMENT_TYPES;
use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::form::Part;
use crate::generator::Generator;
use crate::image;
use crate::record::RecordKind;
use crate::refused::Refused;
use crate::seed::identity;
use crate::world::World;

/// Price of every check in cents. One in an application in sandbox mode is free.
const PRICE_CENTS: u64 = 30;
/// Answers that are kept for repeated calls.
const MOST_REPEATS: usize = 1_000;
/// An `Idempotency-Key` is at most so long.
const MOST_KEY_BYTES: usize = 255;

/// A check of files: its files, the word for its result, and what may be said beside them.
struct FileCheck {
    /// Name, whether it is required.
    files: &'static [(&'static str, bool)],
    texts: &'static [&'static str],
    section: &'static str,
    most: usize,
    pdf: bool,
    result: fn(&mut Generator, &BTreeMap<&'static str, String>) -> Value,
}

const ID: FileCheck = FileCheck {
    files: &[("front_image", true), ("back_image", false)],
    texts: &[
        "vendor_data",
        "perform_document_liveness",
        "minimum_age",
        "preferred_characters",
        "save_api_request",
    ],
    section: "id_verification",
    most: image::MOST_IMAGE_BYTES,
    pdf: false,
    result: |generator, texts| {
        let person = identity(&generator.text(12));
        let young = texts
            .get("minimum_age")
            .and_then(|age| age.parse::<u64>().ok())
            > Some(100);
        json!({
            "status": if young { "Declined" } else { "Approved" },
            "document_type": generator.pick(&["Passport", "Identity Card"]),
            "document_number": person.document_number,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "date_of_birth": person.date_of_birth,
            "issuing_state": person.country,
            "warnings": if young { json!([{ "risk": "AGE_BELOW_MINIMUM" }]) } else { json!([]) },
        })
    },
};

const POA: FileCheck = FileCheck {
    files: &[("document", true)],
    texts: &[
        "vendor_data",
        "expected_address",
        "expected_country",
        "expected_first_name",
        "expected_last_name",
        "save_api_request",
    ],
    section: "poa",
    most: image::MOST_DOCUMENT_BYTES,
    pdf: true,
    result: |generator, texts| {
        let person = identity(&generator.text(12));
        let other = texts
            .get("expected_last_name")
            .is_some_and(|name| name != person.last_name);
        json!({
            "status": if other { "Declined" } else { "Approved" },
            "document_type": "UTILITY_BILL",
            "issuing_state": person.country,
            "name_on_document": person.full_name(),
            "warnings": if other { json!([{ "risk": "NAME_MISMATCH_WITH_PROVIDED" }]) } else { json!([]) },
        })
    },
};

const LIVENESS: FileCheck = FileCheck {
    files: &[("user_image", true)],
    texts: &["vendor_data", "rotate_image", "save_api_request"],
    section: "liveness",
    most: image::MOST_IMAGE_BYTES,
    pdf: false,
    result: |generator, _| json!({ "status": "Approved", "method": "PASSIVE", "score": 80 + generator.below(20), "warnings": [] }),
};

const FACE_MATCH: FileCheck = FileCheck {
    files: &[("user_image", true), ("ref_image", true)],
    texts: &[
        "vendor_data",
        "rotate_image",
        "face_match_score_decline_threshold",
        "save_api_request",
    ],
    section: "face_match",
    most: image::MOST_IMAGE_BYTES,
    pdf: false,
    result: |generator, texts| {
        let threshold = texts
            .get("face_match_score_decline_threshold")
            .and_then(|text| text.parse().ok());
        let score = 60 + generator.below(40);
        let low = score < threshold.unwrap_or(30);
        json!({ "status": if low { "Declined" } else { "Approved" }, "score": score, "warnings": [] })
    },
};

const FACE_SEARCH: FileCheck = FileCheck {
    files: &[("user_image", true)],
    texts: &["vendor_data", "rotate_image", "save_api_request"],
    section: "face_search",
    most: image::MOST_IMAGE_BYTES,
    pdf: false,
    result: |_, _| json!({ "status": "Approved", "total_matches": 0, "matches": [] }),
};

const AGE: FileCheck = FileCheck {
    files: &[("user_image", true)],
    texts: &["vendor_data", "rotate_image", "save_api_request"],
    section: "age_estimation",
    most: image::MOST_IMAGE_BYTES,
    pdf: false,
    result: |generator, _| json!({ "status": "Approved", "age_estimation": 18 + generator.below(50), "warnings": [] }),
};

pub(super) fn id(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &ID)
}

pub(super) fn address(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &POA)
}

pub(super) fn liveness(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &LIVENESS)
}

pub(super) fn face_match(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &FACE_MATCH)
}

pub(super) fn face_search(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &FACE_SEARCH)
}

pub(super) fn age(world: &mut World, call: &Call) -> Outcome {
    of_files(world, call, &AGE)
}

fn of_files(world: &mut World, call: &Call, check: &FileCheck) -> Outcome {
    let mut seed = String::new();
    for (name, required) in check.files {
        let given = call.form.iter().any(|part| part.name == *name);
        if *required || given {
            let part = image::file(&call.form, name)?;
            image::check(name, &part.content, check.most, check.pdf)?;
            seed.push_str(&fingerprint(&part.content));
        }
    }
    let mut texts = BTreeMap::new();
    for name in check.texts {
        if let Some(part) = call.form.iter().find(|part| part.name == *name) {
            texts.insert(*name, text(part)?);
        }
    }
    let result = (check.result)(&mut Generator::of_text(&seed), &texts);
    let saved = texts.get("save_api_request").map(String::as_str) != Some("false");
    let vendor_data = texts.get("vendor_data").map(String::as_str);
    done(world, call, check.section, result, vendor_data, saved)
}

/// A text field of a form.
fn text(part: &Part) -> Result<String, Refused> {
    let text = std::str::from_utf8(&part.content).ok();
    let text = text.filter(|text| text.len() <= 2_048 && part.file_name.is_none());
    text.map(str::to_owned)
        .ok_or_else(|| Refused::field(&part.name, "Not a valid string."))
}

/// Something that is the same for the same file.
fn fingerprint(content: &Bytes) -> String {
    let sum = content.iter().fold(content.len() as u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    format!("{sum:x}")
}

/// Pays for a check, keeps it unless it was asked not to be, and writes its answer.
fn done(
    world: &mut World,
    call: &Call,
    section: &str,
    result: Value,
    vendor_data: Option<&str>,
    saved: bool,
) -> Outcome {
    pay(world, call)?;
    let request_id = world.generator.uuid();
    let body = json!({
        "request_id": request_id,
        section: result,
        "vendor_data": vendor_data,
        "created_at": timestamp(call.now),
    });
    if saved {
        let fields = body.as_object().cloned().unwrap_or_else(Map::new);
        record::put_as(world, call, RecordKind::Check, request_id, fields)?;
    }
    Ok(Answer::ok(body))
}

pub(super) fn pay(world: &mut World, call: &Call) -> Result<(), Refused> {
    if world.application(call.application()?)?.mode == "sandbox" {
        return Ok(());
    }
    let organization = call.organization()?;
    let row = world
        .organizations
        .get_mut(organization)
        .ok_or(Refused::NotFound)?;
    row.balance_cents = row
        .balance_cents
        .checked_sub(PRICE_CENTS)
        .ok_or(Refused::NoCredit)?;
    Ok(())
}

const VENDOR: Field = optional("vendor_data", Kind::Text(256));
const METADATA: Field = optional("metadata", Kind::Object(2_048));
const SAVE: Field = optional("save_api_request", Kind::Flag);

fn answered(
    world: &mut World,
    call: &Call,
    section: &str,
    result: Value,
    checked: &Checked,
) -> Outcome {
    let saved = checked.flag("save_api_request") != Some(false);
    done(
        world,
        call,
        section,
        result,
        checked.text("vendor_data"),
        saved,
    )
}

pub(super) fn database(world: &mut World, call: &Call) -> Outcome {
    const ACTIONS: Kind = Kind::Choice(&["DECLINE", "NO_ACTION"]);
    const FIELDS: &[Field] = &[
        required("issuing_state", Kind::Text(3)),
        optional("first_name", Kind::Text(200)),
        optional("last_name", Kind::Text(200)),
        optional("middle_name", Kind::Text(200)),
        optional("full_name", Kind::Text(200)),
        optional("date_of_birth", Kind::Date),
        optional("id_number", Kind::Text(64)),
        optional("document_number", Kind::Text(64)),
        optional("document_type", Kind::Choice(DOCUMENT_TYPES)),
        optional("personal_number", Kind::Text(64)),
        optional("tax_number", Kind::Text(64)),
        optional("gender", Kind::Choice(&["M", "F", "X"])),
        optional("nationality", Kind::Text(3)),
        optional("services", Kind::List(20)),
        optional("partial_match_action", ACTIONS),
        optional("no_match_action", ACTIONS),
        VENDOR,
        METADATA,
        SAVE,
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let state = checked.text("issuing_state").unwrap_or_default();
    // ISO 3166-1 alpha-3.
    if state.len() != 3 || !state.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refused::field(
            "issuing_state",
            "Use the three letters of ISO 3166-1 alpha-3.",
        ));
    }
    let numbers = [
        "id_number",
        "document_number",
        "personal_number",
        "tax_number",
    ];
    let number = numbers.iter().find_map(|name| checked.text(name));
    let Some(number) = number else {
        return Err(Refused::field(
            "document_number",
            "Give a number to look up.",
        ));
    };
    let found = Generator::of_text(number).below(4) > 0;
    let declines = checked.text("no_match_action") == Some("DECLINE");
    let result = json!({
        "status": if found || !declines { "Approved" } else { "Declined" },
        "issuing_state": state,
        "match_type": if found { "full_match" } else { "no_match" },
    });
    answered(world, call, "database_validation", result, &checked)
}

pub(super) fn aml(world: &mut World, call: &Call) -> Outcome {
    const WEIGHT: Kind = Kind::Whole(0, 100);
    const FIELDS: &[Field] = &[
        required("full_name", Kind::Text(200)),
        optional("entity_type", Kind::Choice(&["person", "company"])),
        optional("date_of_birth", Kind::Date),
        optional("nationality", Kind::Text(3)),
        optional("document_number", Kind::Text(64)),
        optional("include_adverse_media", Kind::Flag),
        optional("include_ongoing_monitoring", Kind::Flag),
        optional("aml_name_weight", WEIGHT),
        optional("aml_dob_weight", WEIGHT),
        optional("aml_country_weight", WEIGHT),
        optional("aml_match_score_threshold", WEIGHT),
        VENDOR,
        METADATA,
        SAVE,
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let key = match &call.idempotency_key {
        None => None,
        Some(key) if key.len() <= MOST_KEY_BYTES => Some(format!("{}/{key}", call.application()?)),
        Some(_) => {
            let why = "Ensure this header has no more than 255 characters.";
            return Err(Refused::field("Idempotency-Key", why));
        }
    };
    let body = Value::Object(call.body.clone());
    if let Some(key) = &key
        && let Some((before, answer)) = world.repeats.get(key)
    {
        let other = "This Idempotency-Key was used with another body.";
        return if *before == body {
            Ok(Answer::ok(answer.clone()))
        } else {
            Err(Refused::Conflict(other.to_owned()))
        };
    }
    let name = checked.text("full_name").unwrap_or_default();
    let mut generator = Generator::of_text(&name.to_lowercase());
    let hit = generator.below(5) == 0;
    let score = 93 + generator.below(7);
    let result = json!({
        "status": if hit { "In Review" } else { "Approved" },
        "entity_type": checked.text("entity_type").unwrap_or("person"),
        "total_hits": u8::from(hit),
        "hits": if hit { json!([{ "caption": name, "datasets": ["PEP"], "match_score": score }]) } else { json!([]) },
    });
    let outcome = answered(world, call, "aml", result, &checked)?;
    if let (Some(key), Answer::Body(_, answer)) = (key, &outcome) {
        if world.repeats.len() >= MOST_REPEATS {
            world.repeats.pop_first();
        }
        world.repeats.insert(key, (body, answer.clone()));
    }
    Ok(outcome)
}

pub(super) fn company_search(world: &mut World, call: &Call) -> Outcome {
    const FIELDS: &[Field] = &[
        required("country_code", Kind::Text(3)),
        optional("name", Kind::Text(200)),
        optional("registration_number", Kind::Text(64)),
        optional(
            "search_type",
            Kind::Choice(&["contains", "start_with", "fuzzy"]),
        ),
        optional("webhook_url", Kind::Address),
        VENDOR,
        METADATA,
    ];
    let checked = Checked::whole(&call.body, FIELDS)?;
    let wanted = checked
        .text("name")
        .or_else(|| checked.text("registration_number"));
    let Some(wanted) = wanted else {
        return Err(Refused::field(
            "name",
            "Give a name or a registration number.",
        ));
    };
    let person = identity(wanted);
    let id = world.generator.uuid();
    let company = json!({
        "kyb_response_id": id,
        "name": checked.text("name").map_or_else(|| person.company_name(), str::to_owned),
        "registration_number": checked.text("registration_number").unwrap_or(&person.document_number),
        "country_code": checked.text("country_code"),
    });
    pay(world, call)?;
    let fields = company.as_object().cloned().unwrap_or_else(Map::new);
    record::put_as(world, call, RecordKind::Check, id, fields)?;
    Ok(Answer::ok(
        json!({ "status": "resolved", "companies": [company] }),
    ))
}

pub(super) fn company_select(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        required("kyb_response_id", Kind::Text(64)),
        VENDOR,
        METADATA,
        SAVE,
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let id = checked.text("kyb_response_id").unwrap_or_default();
    let row = world.record(RecordKind::Check, call.application()?, id);
    let row = row.filter(|row| row.fields.contains_key("kyb_response_id"));
    let unknown = || Refused::field("kyb_response_id", "Search for the company first.");
    let mut company = row.ok_or_else(unknown)?.fields.clone();
    company.insert("status".to_owned(), "Approved".into());
    company.insert("registered_active".to_owned(), true.into());
    answered(world, call, "kyb", Value::Object(company), &checked)
}
