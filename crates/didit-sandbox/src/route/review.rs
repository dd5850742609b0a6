//! Deciding a session by hand, and the record of who did.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome};
use crate::date::timestamp;
use crate::field::{Checked, Field, Kind, optional, required};
use crate::refused::Refused;
use crate::world::{self, UNFINISHED, World};

const STATUSES: &[&str] = &["Approved", "Declined", "Resubmitted"];

const FIELDS: &[Field] = &[
    required("new_status", Kind::Choice(STATUSES)),
    optional("comment", Kind::Text(2_000)),
    optional("nodes_to_resubmit", Kind::List(50)),
    optional("send_email", Kind::Flag),
    optional("email_address", Kind::Text(254)),
    optional("email_language", Kind::Text(10)),
];

pub(super) fn update_status(world: &mut World, call: &Call) -> Outcome {
    let checked = Checked::whole(&call.body, FIELDS)?;
    if checked.flag("send_email") == Some(true) && checked.get("email_address").is_none() {
        return Err(Refused::field(
            "email_address",
            "This field is required when send_email is true.",
        ));
    }
    if let Some(address) = checked.text("email_address")
        && !is_address(address)
    {
        return Err(Refused::field(
            "email_address",
            "Enter a valid email address.",
        ));
    }
    let nodes = checked.get("nodes_to_resubmit").and_then(Value::as_array);
    if nodes.is_some_and(|nodes| !nodes.iter().all(names_a_node)) {
        return Err(Refused::field(
            "nodes_to_resubmit",
            "Each item must name a node.",
        ));
    }
    let status = checked.text("new_status").unwrap_or_default();
    decide(world, call, status, checked.text("comment"))?;
    let session = world
        .session(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    Ok(Answer::ok(
        json!({ "session_id": session.id, "status": session.status }),
    ))
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let session = world
        .session(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    Ok(Answer::ok(session.reviews.clone()))
}

pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    let fields = [
        optional("new_status", Kind::Choice(world::STATUSES)),
        required("comment", Kind::Text(2_000)),
    ];
    let checked = Checked::whole(&call.body, &fields)?;
    let session = world
        .session(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    let unchanged = session.status(call.now);
    let review = match checked.text("new_status") {
        Some(status) => decide(world, call, status, checked.text("comment"))?,
        None => note(world, call, unchanged, unchanged, checked.text("comment"))?,
    };
    Ok(Answer::created(review))
}

/// Gives a session its new status and notes who did it.
fn decide(
    world: &mut World,
    call: &Call,
    wanted: &str,
    comment: Option<&str>,
) -> Result<Value, Refused> {
    let session = world
        .session_mut(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    let before = session.status(call.now);
    let Some(status) = world::STATUSES.iter().find(|status| **status == wanted) else {
        return Err(Refused::field(
            "new_status",
            crate::field::not_a_choice(wanted),
        ));
    };
    if !may_become(before, status) {
        let why = format!("A session that is {before} cannot become {status}.");
        return Err(Refused::field("new_status", why));
    }
    session.status = status;
    session.updated_at = call.now;
    let id = session.id.clone();
    world.emit_session(&id, "status.updated", call.now);
    note(world, call, before, status, comment)
}

/// Whether a person may give a session this status.
fn may_become(before: &str, after: &str) -> bool {
    match after {
        "Approved" | "Declined" | "In Review" => true,
        // Only what was turned down, is being looked at, or was given up can be asked for again.
        "Resubmitted" => matches!(before, "Declined" | "In Review" | "Abandoned"),
        "Kyc Expired" => before == "Approved",
        "Expired" | "Abandoned" => UNFINISHED.contains(&before),
        // What the one who is verified does, nobody does for them.
        _ => false,
    }
}

fn note(
    world: &mut World,
    call: &Call,
    before: &str,
    after: &str,
    comment: Option<&str>,
) -> Result<Value, Refused> {
    let review = json!({
        "uuid": world.generator.uuid(),
        "reviewer": call.author(world),
        "previous_status": before,
        "new_status": after,
        "comment": comment,
        "created_at": timestamp(call.now),
    });
    let session = world
        .session_mut(call.param("session_id")?)
        .ok_or(Refused::NotFound)?;
    session.add_review(review.clone());
    Ok(review)
}

pub(super) fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !text.contains(char::is_whitespace)
    })
}

/// A node by its id, or by an object that carries it.
fn names_a_node(item: &Value) -> bool {
    item.as_str().is_some_and(|id| !id.is_empty())
        || item.get("node_id").is_some_and(Value::is_string)
}
