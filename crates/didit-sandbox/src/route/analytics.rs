//! Counts over the sessions of one application, taken from the state as it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::decision::warning;
use super::{Answer, Call, Outcome};
use crate::date::{DAY, date};
use crate::world::{STATUSES, Session, World};

/// Days in a series of days at most.
const MOST_DAYS: u64 = 366;

pub(super) fn show(world: &mut World, call: &Call) -> Outcome {
    let application = call.application()?;
    let period = call.query.period()?;
    let rows: Vec<&Session> = world
        .sessions()
        .filter(|row| row.application == application && period.holds(row.created_at))
        .collect();
    let mut warnings: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        let feature = row
            .warned
            .and_then(|index| world.workflows.get(row.workflow)?.features.get(index));
        if let Some(feature) = feature {
            *warnings.entry(warning(feature)).or_default() += 1;
        }
    }
    // A session that a review changed counts as what it was before its first review.
    let original = |row: &&Session| {
        let first = row
            .reviews
            .first()
            .and_then(|review| review.get("previous_status")?.as_str());
        let known = first.and_then(|name| STATUSES.iter().find(|status| **status == name));
        known.copied().unwrap_or_else(|| row.status(call.now))
    };
    let resubmitted = rows
        .iter()
        .filter(|row| row.status(call.now) == "Resubmitted")
        .count();
    Ok(Answer::ok(json!({
        "request_breakdown": breakdown(rows.iter().map(|row| row.status(call.now))),
        "original_status_stats": breakdown(rows.iter().map(original)),
        "warning_stats": warnings,
        "resubmission_stats": { "resubmitted": resubmitted, "not_resubmitted": rows.len() - resubmitted },
        "workflow_funnel_stats": funnel(world, &rows),
        "data_points": data_points(call, &rows),
    })))
}

/// How many sessions have each status, the names in lower case with underscores.
fn breakdown(statuses: impl Iterator<Item = &'static str>) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> =
        STATUSES.iter().map(|status| (key(status), 0)).collect();
    for status in statuses {
        *counts.entry(key(status)).or_default() += 1;
    }
    counts
}

fn key(status: &str) -> String {
    status.to_lowercase().replace(' ', "_")
}

/// Per workflow: sessions in all, and how many came to each of its features.
fn funnel(world: &World, rows: &[&Session]) -> Vec<Value> {
    let mut by_workflow: BTreeMap<usize, Vec<&Session>> = BTreeMap::new();
    for row in rows {
        by_workflow.entry(row.workflow).or_default().push(row);
    }
    by_workflow
        .into_iter()
        .filter_map(|(index, sessions)| {
            let workflow = world.workflows.get(index)?;
            let features: Vec<Value> = workflow
                .features
                .iter()
                .enumerate()
                .map(|(step, feature)| {
                    let reached = sessions.iter().filter(|row| row.reached > step).count();
                    json!({ "feature": feature, "reached": reached })
                })
                .collect();
            Some(json!({
                "workflow_id": workflow.workflow_id,
                "workflow_label": workflow.label,
                "total": sessions.len(),
                "features": features,
            }))
        })
        .collect()
}

/// One row for each day on which a session began.
fn data_points(call: &Call, rows: &[&Session]) -> Vec<Value> {
    let earliest = call.now.saturating_sub(MOST_DAYS * DAY);
    let mut days: BTreeMap<u64, Vec<&'static str>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.created_at >= earliest) {
        days.entry(row.created_at / DAY)
            .or_default()
            .push(row.status(call.now));
    }
    days.into_iter()
        .map(|(day, statuses)| {
            let count = |wanted: &str| statuses.iter().filter(|status| **status == wanted).count();
            json!({
                "rounded_date": date(day * DAY),
                "total": statuses.len(),
                "approved": count("Approved"),
                "declined": count("Declined"),
                "in_review": count("In Review"),
            })
        })
        .collect()
}
