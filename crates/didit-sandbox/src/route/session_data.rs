//! Correcting what a session read, its report, its webhooks, and sharing it with another application.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Caller, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::record::{Record, RecordKind};
use crate::refused::Refused;
use crate::world::{Session, World};

/// How long a share token is good for.
const SHARE_SECONDS: u64 = 3_600;

pub(super) const DOCUMENT_TYPES: &[&str] = &[
    "P", "DL", "ID", "RP", "SSC", "HIC", "WP", "TC", "VISA", "PSC", "BC", "OTHER",
];

const DOCUMENT: &[Field] = &[
    optional("document_type", Kind::Choice(DOCUMENT_TYPES)),
    optional("document_subtype", Kind::Text(64)),
    optional("document_number", Kind::Text(64)),
    optional("personal_number", Kind::Text(64)),
    optional("date_of_birth", Kind::Date),
    optional("date_of_issue", Kind::Date),
    optional("expiration_date", Kind::Date),
    optional("issuing_state", Kind::Text(3)),
    optional("first_name", Kind::Text(200)),
    optional("last_name", Kind::Text(200)),
    optional("gender", Kind::Choice(&["M", "F", "U"])),
    optional("address", Kind::Text(500)),
    optional("place_of_birth", Kind::Text(200)),
    optional("nationality", Kind::Text(3)),
    optional(
        "marital_status",
        Kind::Choice(&["SINGLE", "MARRIED", "DIVORCED", "WIDOWED", "UNKNOWN"]),
    ),
    optional("extra_fields", Kind::Object(4_096)),
    optional("parsed_address", Kind::Object(4_096)),
];

const ADDRESS: &[Field] = &[
    optional("issuing_state", Kind::Text(3)),
    optional(
        "document_type",
        Kind::Choice(&[
            "UTILITY_BILL",
            "BANK_STATEMENT",
            "GOVERNMENT_ISSUED_DOCUMENT",
            "OTHER_POA_DOCUMENT",
            "UNKNOWN",
        ]),
    ),
    optional("document_language", Kind::Text(10)),
    optional("issuer", Kind::Text(200)),
    optional("issue_date", Kind::Date),
    optional("poa_address", Kind::Text(500)),
    optional("name_on_document", Kind::Text(200)),
    optional("extra_fields", Kind::Object(4_096)),
    optional("poa_parsed_address", Kind::Object(4_096)),
];

pub(super) fn update_document(world: &mut World, call: &Call) -> Outcome {
    correct(world, call, "OCR", DOCUMENT)
}

pub(super) fn update_address(world: &mut World, call: &Call) -> Outcome {
    correct(world, call, "PROOF_OF_ADDRESS", ADDRESS)
}

/// Writes over what a check of this feature read; the session must have come to one.
fn correct(world: &mut World, call: &Call, feature: &'static str, fields: &[Field]) -> Outcome {
    let checked = Checked::part(&call.body, fields)?.into_map();
    if checked.is_empty() {
        return Err(Refused::field(
            "non_field_errors",
            "No field to update was given.",
        ));
    }
    let id = call.param("session_id")?.to_owned();
    let session = world.session(&id).ok_or(Refused::NotFound)?;
    let features = world.workflow(session.workflow)?.features.iter();
    if !features.take(session.reached).any(|name| name == feature) {
        let why = format!("The session has no result of {feature} to update.");
        return Err(Refused::field("non_field_errors", why));
    }
    let session = world.session_mut(&id).ok_or(Refused::NotFound)?;
    session
        .corrected
        .entry(feature)
        .or_default()
        .extend(checked);
    session.updated_at = call.now;
    let mut body = session.corrected.get(feature).cloned().unwrap_or_default();
    body.insert("session_id".to_owned(), id.as_str().into());
    world.emit_session(&id, "data.updated", call.now);
    Ok(Answer::ok(body))
}

/// A report of one page: the session's number, id and status.
pub(super) fn pdf(world: &mut World, call: &Call) -> Outcome {
    let session = named(world, call)?;
    let text = format!(
        "Session {} ({}): {}",
        session.number,
        session.id,
        session.status(call.now)
    );
    Ok(Answer::File("application/pdf", Bytes::from(page(&text))))
}

/// A PDF with one line of plain text (ISO 32000-1 section 7.5: header, body, cross-reference table, trailer).
fn page(text: &str) -> String {
    let drawn = format!("BT /F1 14 Tf 72 720 Td ({text}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{drawn}\nendstream", drawn.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = "%PDF-1.4\n".to_owned();
    let mut places = String::new();
    for (number, object) in (1..).zip(&objects) {
        places.push_str(&format!("{:010} 00000 n \n", out.len()));
        out.push_str(&format!("{number} 0 obj\n{object}\nendobj\n"));
    }
    let start = out.len();
    let size = objects.len() + 1;
    out.push_str(&format!("xref\n0 {size}\n0000000000 65535 f \n{places}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"));
    out
}

pub(super) fn webhooks(world: &mut World, call: &Call) -> Outcome {
    let id = call.param("session_id")?;
    let rows: Vec<Value> = world.deliveries.of(id).map(|row| row.show()).collect();
    let page = call.query.page(&rows, Value::clone)?;
    Ok(Answer::ok(page))
}

pub(super) fn resend(world: &mut World, call: &Call) -> Outcome {
    let (session, id) = (call.param("session_id")?, call.param("webhook_id")?);
    let row = world.deliveries.find(id).ok_or(Refused::NotFound)?;
    if row.session.as_deref() != Some(session) {
        return Err(Refused::NotFound);
    }
    row.again(call.now);
    Ok(Answer::ok(row.show()))
}

pub(super) fn share(world: &mut World, call: &Call) -> Outcome {
    let fields = [optional("partner_client_id", Kind::Text(128))];
    let checked = Checked::part(&call.body, &fields)?;
    let session = named(world, call)?;
    let status = session.status(call.now);
    if !matches!(status, "Approved" | "Declined" | "In Review") {
        let why = format!("A session that is {status} cannot be shared.");
        return Err(Refused::field("non_field_errors", why));
    }
    let session_id = session.id.clone();
    let partner = match checked.text("partner_client_id") {
        None => None,
        Some(client_id) => {
            let mut rows = world.applications.iter();
            let found = rows.position(|row| row.client_id == client_id);
            let why = || Refused::field("partner_client_id", "Application not found.");
            Some(found.ok_or_else(why)?)
        }
    };
    let token = world.generator.text(40);
    let record = Record {
        application: call.application()?,
        id: token.clone(),
        created_at: call.now,
        updated_at: call.now,
        fields: Map::from_iter([
            ("session_id".to_owned(), session_id.as_str().into()),
            ("partner".to_owned(), partner.into()),
        ]),
    };
    world.add_record(RecordKind::Share, record)?;
    Ok(Answer::ok(json!({
        "share_token": token,
        "session_id": session_id,
        "expires_at": timestamp(call.now + SHARE_SECONDS),
    })))
}

pub(super) fn import_shared(world: &mut World, call: &Call) -> Outcome {
    // With a key all of it is said; in the console the token is enough.
    let with_key = matches!(call.caller, Caller::Key(_));
    let field = if with_key { required } else { optional };
    let fields = [
        required("share_token", Kind::Text(256)),
        field("trust_review", Kind::Flag),
        field("workflow_id", Kind::Text(64)),
        optional("vendor_data", Kind::Text(256)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let unknown = || Refused::field("share_token", "The token is not known, or has expired.");
    let token = checked.text("share_token").unwrap_or_default();
    let mut shares = world.records(RecordKind::Share).iter();
    let share = shares.find(|row| row.id == token && call.now < row.created_at + SHARE_SECONDS);
    let share = share.ok_or_else(unknown)?;
    let application = call.application()?;
    let partner = share.fields.get("partner").and_then(Value::as_u64);
    if partner.is_some_and(|partner| partner != application as u64) {
        return Err(unknown());
    }
    let source = share.fields.get("session_id").and_then(Value::as_str);
    let source = source.unwrap_or_default().to_owned();
    let session = world.session(&source).ok_or_else(unknown)?;
    let imported = Value::from(source.as_str());
    let already = world.sessions().any(|row| {
        row.application == application && row.given.get("imported_from") == Some(&imported)
    });
    if already {
        let why = "This session was already imported into the application.";
        return Err(Refused::field("share_token", why));
    }
    let workflow = match checked.text("workflow_id") {
        Some(id) => world
            .workflows
            .iter()
            .position(|row| row.application == application && row.is(id)),
        None => world
            .workflows
            .iter()
            .position(|row| row.application == application && row.is_default),
    };
    let workflow = workflow.ok_or_else(|| Refused::field("workflow_id", "Workflow not found."))?;
    let trusted = checked.flag("trust_review").unwrap_or(true);
    let copy = Session {
        id: String::new(),
        number: 0,
        application,
        workflow,
        kind: session.kind,
        vendor_data: checked
            .text("vendor_data")
            .map(str::to_owned)
            .or_else(|| session.vendor_data.clone()),
        status: if trusted {
            session.status(call.now)
        } else {
            "In Review"
        },
        created_at: call.now,
        updated_at: call.now,
        expires_at: session.expires_at,
        token: String::new(),
        reached: world.workflow(workflow)?.features.len(),
        warned: None,
        given: Map::from_iter([("imported_from".to_owned(), imported)]),
        corrected: session.corrected.clone(),
        reviews: Vec::new(),
    };
    let id = world.generator.uuid();
    let token = world.generator.text(12);
    world.add_session(Session {
        id: id.clone(),
        token,
        ..copy
    })?;
    let session = world.session(&id).ok_or(Refused::NotFound)?;
    let body = super::session::shown(world, session, call.now);
    world.emit_session(&id, "status.updated", call.now);
    Ok(Answer::created(body))
}

fn named<'w>(world: &'w World, call: &Call) -> Result<&'w Session, Refused> {
    let id = call.param("session_id")?;
    world.session(id).ok_or(Refused::NotFound)
}
