//! Counts summed over applications.

use std::collections::{BTreeMap, BTreeSet};

use didit_client::ErrorCode;
use serde_json::{Map, Number, Value, json};

use crate::acting::{Acting, Transport};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;
use crate::span::{
    Missed, Target, organization_of, organizations_asked, tell_missed, unlisted, within_bound,
};
use crate::together::together;

/// The counts that are added up as they are.
const SUMMED: [&str; 4] = [
    "request_breakdown",
    "original_status_stats",
    "warning_stats",
    "resubmission_stats",
];
/// The most names that one group of counts holds.
const MAX_NAMES: usize = 500;
/// How deep a group of counts is read.
const MAX_DEPTH: usize = 6;

/// What is known of one or several applications.
#[derive(Default)]
struct Totals {
    summed: BTreeMap<&'static str, Value>,
    started: f64,
    funnel: BTreeMap<String, Step>,
    days: BTreeMap<String, Value>,
}

/// How far a check was reached.
#[derive(Default)]
struct Step {
    reached: f64,
    workflows: BTreeSet<String>,
}

impl Totals {
    /// Reads the answer for one application; `whose` keeps its workflows apart from those of others.
    fn read(answer: &Value, whose: &str) -> Self {
        let mut totals = Self::default();
        for name in SUMMED {
            if let Some(counts) = answer.get(name) {
                add(totals.summed.entry(name).or_insert(Value::Null), counts, 0);
            }
        }
        let funnel = answer
            .get("workflow_funnel_stats")
            .and_then(Value::as_array);
        for (index, workflow) in funnel.into_iter().flatten().take(MAX_NAMES).enumerate() {
            totals.started += count(workflow, &["total"]);
            let id = text(workflow, &["workflow_id", "uuid", "id"]);
            let id = format!(
                "{whose}/{}",
                id.map_or_else(|| index.to_string(), str::to_owned)
            );
            let steps = workflow.get("features").and_then(Value::as_array);
            for step in steps.into_iter().flatten().take(MAX_NAMES) {
                let Some(name) = text(step, &["feature", "name"]) else {
                    continue;
                };
                let entry = totals.funnel.entry(name.to_owned()).or_default();
                entry.reached += count(step, &["reached", "count", "total"]);
                entry.workflows.insert(id.clone());
            }
        }
        let days = answer.get("data_points").and_then(Value::as_array);
        for day in days.into_iter().flatten().take(MAX_NAMES) {
            if let Some(date) = text(day, &["rounded_date"]) {
                add(
                    totals.days.entry(date.to_owned()).or_insert(Value::Null),
                    day,
                    0,
                );
            }
        }
        totals
    }

    fn merge(&mut self, other: Self) {
        for (name, counts) in other.summed {
            add(self.summed.entry(name).or_insert(Value::Null), &counts, 0);
        }
        self.started += other.started;
        for (name, step) in other.funnel {
            if self.funnel.len() >= MAX_NAMES && !self.funnel.contains_key(&name) {
                continue;
            }
            let entry = self.funnel.entry(name).or_default();
            entry.reached += step.reached;
            entry.workflows.extend(step.workflows);
        }
        for (date, day) in other.days {
            if self.days.len() < MAX_NAMES || self.days.contains_key(&date) {
                add(self.days.entry(date).or_insert(Value::Null), &day, 0);
            }
        }
    }

    /// Approved among those that were decided or wait for a person, in percent.
    fn conversion_rate(&self) -> Value {
        let of = |name: &str| {
            let counts = self
                .summed
                .get("request_breakdown")
                .and_then(Value::as_object);
            counts.map_or(0.0, |counts| {
                let same = |key: &str| key.to_lowercase().replace([' ', '-'], "_") == name;
                let found = counts.iter().filter(|(key, _)| same(key));
                found.filter_map(|(_, value)| value.as_f64()).sum()
            })
        };
        let approved: f64 = of("approved");
        let all = approved + of("declined") + of("in_review");
        if all > 0.0 {
            json!(one_decimal(approved / all * 100.0))
        } else {
            Value::Null
        }
    }

    fn feature_funnel(&self) -> Value {
        let step = |step: &Step| {
            let share =
                (self.started > 0.0).then(|| one_decimal(step.reached / self.started * 100.0));
            json!({
                "reached": number(step.reached),
                "workflows": step.workflows.len(),
                "share_of_started": share,
            })
        };
        self.funnel
            .iter()
            .map(|(name, found)| (name.clone(), step(found)))
            .collect::<Map<_, _>>()
            .into()
    }
}

impl<S: Transport> Acting<'_, S> {
    pub(crate) async fn analytics(&self, checked: &Checked) -> Outcome {
        let operation = self.operation()?;
        let (from, to) = self.window(checked);
        let (mut targets, unlisted, aggregated) = self.analytics_targets(checked).await?;
        let not_asked = within_bound(&mut targets, 0);
        let mut asks = Vec::with_capacity(targets.len());
        for target in targets {
            let mut call = self.call(
                operation,
                &checked.without(&["date_from", "date_to"]),
                &target.place,
            )?;
            for (name, value) in [("date_from", &from), ("date_to", &to)] {
                if let Some(value) = value {
                    call = call.query(name, value);
                }
            }
            asks.push(async move {
                let answer = self.send(call).await;
                let whose = target.application.as_ref().map_or("", |row| &row.id);
                match answer {
                    Ok(answer) => Ok((Totals::read(&answer, whose), target)),
                    Err(error) => Err(Missed { target, error }),
                }
            });
        }
        let mut totals = Totals::default();
        let mut missed = unlisted;
        let mut applications = Vec::new();
        for outcome in together(asks).await {
            match outcome {
                Ok((of_one, target)) => {
                    let mut told = target.tags();
                    told.insert("sessions_started".into(), number(of_one.started));
                    told.insert("conversion_rate".into(), of_one.conversion_rate());
                    applications.push(Value::Object(told));
                    totals.merge(of_one);
                }
                Err(failed) if failed.error.code() == ErrorCode::Unauthorized => {
                    return Err(failed.error.into());
                }
                Err(failed) => missed.push(failed),
            }
        }
        if applications.is_empty() && !missed.is_empty() {
            let first = missed.swap_remove(0);
            return Err(self
                .explained(first.error, organization_of(&first.target))
                .await);
        }
        let mut answer = Map::new();
        answer.insert(
            "date_window".into(),
            json!({ "date_from": from, "date_to": to }),
        );
        answer.insert("aggregated".into(), aggregated.into());
        answer.insert("scanned_apps".into(), applications.len().into());
        answer.insert("skipped_apps".into(), (missed.len() + not_asked).into());
        answer.insert("sessions_started".into(), number(totals.started));
        answer.insert("conversion_rate".into(), totals.conversion_rate());
        answer.insert("feature_funnel".into(), totals.feature_funnel());
        for name in SUMMED {
            answer.insert(
                name.into(),
                totals.summed.remove(name).unwrap_or_else(|| json!({})),
            );
        }
        if checked.is_true("include_timeseries") {
            answer.insert("timeseries".into(), totals.days.into_values().collect());
        }
        answer.insert("per_app".into(), applications.into());
        tell_missed(&mut answer, &missed, not_asked);
        answer.insert("note".into(), note(missed.len() + not_asked).into());
        Ok(Value::Object(answer))
    }

    /// Where to ask, what could not be listed, and whether it is more than one named place.
    async fn analytics_targets(
        &self,
        checked: &Checked,
    ) -> Result<(Vec<Target>, Vec<Missed>, bool), Failure> {
        let reach = self.reach().await?;
        let asked = organizations_asked(&reach, checked)?;
        let mut targets = Target::applications(asked.iter().copied());
        let Some(id) = checked.text("application_id") else {
            return Ok((targets, unlisted(asked.iter().copied()), true));
        };
        targets.retain(|target| target.application.as_ref().is_some_and(|row| row.id == id));
        if targets.is_empty() {
            return Err(
                Failure::bad_request("application_id is not one that can be reached")
                    .field("application_id")
                    .hint("didit_context_get lists the applications."),
            );
        }
        Ok((targets, Vec::new(), false))
    }
}

fn note(skipped: usize) -> String {
    if skipped == 0 {
        "Counts are summed over the applications in per_app.".to_owned()
    } else {
        format!(
            "Counts are partial: {skipped} applications or organisations did not answer or were left out."
        )
    }
}

/// Adds one group of counts to another: numbers add up, objects by name, rows by what they are about.
fn add(into: &mut Value, from: &Value, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match (&mut *into, from) {
        (Value::Null, Value::Object(_)) => {
            *into = json!({});
            add(into, from, depth);
        }
        (Value::Null, Value::Array(_)) => {
            *into = json!([]);
            add(into, from, depth);
        }
        (Value::Null, _) => *into = from.clone(),
        (Value::Number(sum), Value::Number(more)) => *sum = sum_of(sum, more),
        (Value::Object(sum), Value::Object(more)) => {
            for (name, value) in more {
                if sum.len() < MAX_NAMES || sum.contains_key(name) {
                    add(
                        sum.entry(name.clone()).or_insert(Value::Null),
                        value,
                        depth + 1,
                    );
                }
            }
        }
        (Value::Array(sum), Value::Array(more)) => {
            for row in more.iter().take(MAX_NAMES) {
                let room = sum.len() < MAX_NAMES;
                match sum.iter_mut().find(|known| about(known) == about(row)) {
                    Some(known) => add(known, row, depth + 1),
                    None if room => sum.push(row.clone()),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

/// What a row is about: everything in it that is no count.
fn about(row: &Value) -> Vec<(&str, &str)> {
    let pairs = row.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect()
}

fn sum_of(left: &Number, right: &Number) -> Number {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64())
        && let Some(sum) = left.checked_add(right)
    {
        return sum.into();
    }
    let sum = left.as_f64().unwrap_or(0.0) + right.as_f64().unwrap_or(0.0);
    Number::from_f64(sum).unwrap_or_else(|| left.clone())
}

fn count(row: &Value, names: &[&str]) -> f64 {
    names
        .iter()
        .find_map(|name| row.get(*name)?.as_f64())
        .unwrap_or(0.0)
}

fn text<'a>(row: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| row.get(*name)?.as_str())
}

fn one_decimal(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A count as a whole number where it is one.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_objects_and_rows_add_up() {
        let mut sum = json!({"a": 1, "b": {"c": 2}, "rows": [{"name": "x", "n": 1}], "text": "t"});
        add(
            &mut sum,
            &json!({"a": 2, "b": {"c": 3, "d": 0.5}, "rows": [{"name": "y", "n": 4}, {"name": "x", "n": 5}], "text": "u"}),
            0,
        );
        assert_eq!(
            sum,
            json!({"a": 3, "b": {"c": 5, "d": 0.5}, "rows": [{"name": "x", "n": 6}, {"name": "y", "n": 4}], "text": "t"})
        );
    }

    #[test]
    fn names_and_depth_are_bounded() {
        let many: Map<String, Value> = (0..MAX_NAMES + 50)
            .map(|n| (n.to_string(), json!(1)))
            .collect();
        let mut sum = Value::Null;
        add(&mut sum, &Value::Object(many), 0);
        assert_eq!(sum.as_object().unwrap().len(), MAX_NAMES);
        let mut deep = json!(1);
        for _ in 0..60 {
            deep = json!({ "in": deep });
        }
        let mut sum = Value::Null;
        add(&mut sum, &deep, 0);
        assert!(sum.to_string().len() < 100);
    }

    #[test]
    fn the_conversion_rate_is_null_without_decisions() {
        assert_eq!(Totals::default().conversion_rate(), Value::Null);
        let totals = Totals::read(
            &json!({"request_breakdown": {"Approved": 2, "declined": 1, "In Review": 0, "expired": 9}}),
            "a",
        );
        assert_eq!(totals.conversion_rate(), json!(66.7));
    }
}
