//! One question in many places: bounded, merged, and honest about what failed.

use std::cmp::Ordering;

use didit_client::{ApiError, Call, ErrorCode, Operation, PathPart};
use serde_json::{Map, Value, json};

use crate::acting::{Acting, Transport, not_a_list, row};
use crate::catalog::{Order, Span, Style};
use crate::date::instant;
use crate::map::{Named, Organization, Reach, rows};
use crate::outcome::{Failure, Outcome};
use crate::place::{Place, Unplaced};
use crate::schema::Checked;
use crate::together::together;

/// The most calls that one question makes.
pub(crate) const MAX_PLACES: usize = 200;
/// The most rows that an answer across places holds.
const MAX_ROWS: u64 = 200;
/// The most failures that are listed.
const MAX_FAILURES: usize = 20;

/// The arguments that a question across places replaces or leaves out.
const REPLACED: &[&str] = &["limit", "date_from", "date_to", "offset", "cursor"];

/// One place to ask in.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) organization: Named,
    pub(crate) application: Option<Named>,
    pub(crate) place: Place,
}

impl Target {
    fn organization(organization: &Organization) -> Option<Self> {
        Some(Self {
            place: Place::in_organization(&organization.named.id)?,
            organization: organization.named.clone(),
            application: None,
        })
    }

    /// The applications of these organisations that are known.
    pub(crate) fn applications<'a>(
        organizations: impl IntoIterator<Item = &'a Organization>,
    ) -> Vec<Self> {
        let of = |organization: &'a Organization| {
            let known = organization.applications.as_deref().unwrap_or_default();
            known.iter().filter_map(move |application| {
                Some(Self {
                    place: Place::in_application(&organization.named.id, &application.named.id)?,
                    organization: organization.named.clone(),
                    application: Some(application.named.clone()),
                })
            })
        };
        organizations.into_iter().flat_map(of).collect()
    }

    /// The names that say where something is from.
    pub(crate) fn tags(&self) -> Map<String, Value> {
        let mut tags = Map::new();
        tags.insert(
            "organization_id".into(),
            self.organization.id.clone().into(),
        );
        tags.insert(
            "organization_name".into(),
            self.organization.name.clone().into(),
        );
        if let Some(application) = &self.application {
            tags.insert("application_id".into(), application.id.clone().into());
            tags.insert("application_name".into(), application.name.clone().into());
        }
        tags
    }
}

/// What one place answered, already cut to what can still matter.
struct Answered {
    rows: Vec<Value>,
    matched: usize,
}

/// A place that did not answer.
pub(crate) struct Missed {
    pub(crate) target: Target,
    pub(crate) error: ApiError,
}

impl Missed {
    fn to_value(&self) -> Value {
        let mut value = self.target.tags();
        value.insert("code".into(), self.error.code().as_str().into());
        value.insert("message".into(), self.error.message().into());
        Value::Object(value)
    }
}

/// The rows of several places.
#[derive(Default)]
struct Merged {
    rows: Vec<Value>,
    matched: usize,
    answered: usize,
    missed: Vec<Missed>,
    not_asked: usize,
}

/// The organisations that a question is about: the one named, or all.
pub(crate) fn organizations_asked<'a>(
    reach: &'a Reach,
    checked: &Checked,
) -> Result<Vec<&'a Organization>, Failure> {
    let Some(id) = checked.text("organization_id") else {
        return Ok(reach.organizations.iter().collect());
    };
    let one = reach.organization(id).ok_or_else(|| {
        Failure::bad_request(
            "organization_id is not one that the person who is signed in belongs to",
        )
        .field("organization_id")
        .hint("didit_context_get lists the organisations.")
    })?;
    Ok(vec![one])
}

/// The failures of a partial answer, for the answer itself.
pub(crate) fn tell_missed(answer: &mut Map<String, Value>, missed: &[Missed], not_asked: usize) {
    if missed.is_empty() && not_asked == 0 {
        return;
    }
    answer.insert("partial".into(), true.into());
    let listed: Vec<Value> = missed
        .iter()
        .take(MAX_FAILURES)
        .map(Missed::to_value)
        .collect();
    answer.insert("failures".into(), listed.into());
}

/// What an organisation counts as when its applications could not be listed.
pub(crate) fn unlisted<'a>(
    organizations: impl IntoIterator<Item = &'a Organization>,
) -> Vec<Missed> {
    let missed = |organization: &Organization| {
        let failure = organization.applications.as_ref().err()?;
        Some(Missed {
            target: Target::organization(organization)?,
            error: ApiError::local(failure.code(), failure.message()),
        })
    };
    organizations.into_iter().filter_map(missed).collect()
}

/// Cuts a list of places to the bound, and says how many were cut.
pub(crate) fn within_bound(targets: &mut Vec<Target>, already: usize) -> usize {
    let most = MAX_PLACES.saturating_sub(already);
    let over = targets.len().saturating_sub(most);
    targets.truncate(most);
    over
}

impl<S: Transport> Acting<'_, S> {
    pub(crate) async fn span(&self, span: &'static Span, checked: &Checked) -> Outcome {
        let operation = row(span.application)?;
        match (
            span.style,
            self.span_place(span.style, operation, checked).await,
        ) {
            (Style::List, Ok(place)) => {
                let call = self.call(operation, checked, &place)?;
                self.one(call, &place).await
            }
            (Style::Search, Ok(place)) => self.search_one(span, operation, checked, &place).await,
            (_, Err(Unplaced::Failed(failure))) => Err(failure),
            (_, Err(Unplaced::Missing(_))) => self.across(span, operation, checked).await,
        }
    }

    /// The one place of the question, if it has one.
    async fn span_place(
        &self,
        style: Style,
        operation: &Operation,
        checked: &Checked,
    ) -> Result<Place, Unplaced> {
        // A search is for one place only when somebody asked for that.
        if style == Style::Search && checked.text("application_id").is_none() {
            return Err(Unplaced::Missing(Failure::bad_request(
                "application_id is missing",
            )));
        }
        self.place(operation, checked).await
    }

    async fn search_one(
        &self,
        span: &Span,
        operation: &'static Operation,
        checked: &Checked,
        place: &Place,
    ) -> Outcome {
        let limit = wanted(span, checked);
        let call = self.narrowed(operation, checked, place, limit)?;
        let mut rows = rows(self.one(call, place).await?).ok_or_else(not_a_list)?;
        if let Some(filter) = Filter::of(span, checked) {
            rows.retain(|row| filter.keeps(row));
            order_and_cut(span.order, &mut rows, limit);
        }
        Ok(json!({ "results": rows, "aggregated": false, "scanned_apps": 1, "skipped_apps": 0 }))
    }

    /// A call with the window of dates and the number of rows that the question means.
    fn narrowed(
        &self,
        operation: &'static Operation,
        checked: &Checked,
        place: &Place,
        limit: u64,
    ) -> Result<Call, Failure> {
        let (from, to) = self.window(checked);
        let mut call = self.call(operation, &checked.without(REPLACED), place)?;
        for (name, value) in [
            ("date_from", from),
            ("date_to", to),
            ("limit", Some(limit.to_string())),
        ] {
            if let Some(value) = value
                && operation.query.contains(&name)
            {
                call = call.query(name, value);
            }
        }
        Ok(call)
    }

    async fn across(
        &self,
        span: &'static Span,
        operation: &'static Operation,
        checked: &Checked,
    ) -> Outcome {
        refuse_paging(checked)?;
        let limit = wanted(span, checked);
        let reach = self.reach().await?;
        let asked = organizations_asked(&reach, checked)?;
        match span.organization {
            Some(name) => {
                self.by_organization(span, row(name)?, operation, checked, limit, &asked)
                    .await
            }
            None => {
                self.by_application(span, operation, checked, limit, &asked)
                    .await
            }
        }
    }

    async fn by_application(
        &self,
        span: &Span,
        operation: &'static Operation,
        checked: &Checked,
        limit: u64,
        asked: &[&Organization],
    ) -> Outcome {
        let targets = Target::applications(asked.iter().copied());
        let mut merged = Merged {
            missed: unlisted(asked.iter().copied()),
            ..Merged::default()
        };
        self.ask(span, operation, checked, limit, targets, &mut merged)
            .await?;
        let skipped = merged.missed.len() + merged.not_asked;
        let mut answer = self.finished(span, limit, merged).await?;
        let scanned = answer.remove("scanned").unwrap_or_default();
        answer.insert("scanned_apps".into(), scanned);
        answer.insert("skipped_apps".into(), skipped.into());
        Ok(Value::Object(answer))
    }

    /// Organisation by organisation; where that fails, application by application.
    async fn by_organization(
        &self,
        span: &Span,
        whole: &'static Operation,
        operation: &'static Operation,
        checked: &Checked,
        limit: u64,
        asked: &[&Organization],
    ) -> Outcome {
        let targets: Vec<_> = asked
            .iter()
            .filter_map(|row| Target::organization(row))
            .collect();
        let mut merged = Merged::default();
        self.ask(span, whole, checked, limit, targets, &mut merged)
            .await?;
        let scanned = merged.answered;
        let failed = std::mem::take(&mut merged.missed);
        let has_failed =
            |row: &Organization| failed.iter().any(|m| m.target.organization == row.named);
        let fallback: Vec<_> = asked
            .iter()
            .copied()
            .filter(|row| has_failed(row))
            .collect();
        let targets = Target::applications(fallback.iter().copied());
        // An organisation without a known application has nothing to fall back to.
        let has_target = |row: &Named| targets.iter().any(|target| target.organization == *row);
        merged.missed.extend(
            failed
                .into_iter()
                .filter(|missed| !has_target(&missed.target.organization)),
        );
        let tried = targets.len();
        self.ask(span, operation, checked, limit, targets, &mut merged)
            .await?;
        let still_missed = |row: &&&Organization| {
            merged
                .missed
                .iter()
                .any(|missed| missed.target.organization == row.named)
        };
        let rescued = fallback.len() - fallback.iter().filter(still_missed).count();
        let via = via(asked.len(), fallback.len(), tried, &merged);
        let mut answer = self.finished(span, limit, merged).await?;
        answer.remove("scanned");
        answer.insert("scanned_orgs".into(), (scanned + rescued).into());
        answer.insert("via".into(), via.into());
        Ok(Value::Object(answer))
    }

    /// Asks in each of the places and adds the answers.
    async fn ask(
        &self,
        span: &Span,
        operation: &'static Operation,
        checked: &Checked,
        limit: u64,
        mut targets: Vec<Target>,
        merged: &mut Merged,
    ) -> Result<(), Failure> {
        let already = merged.answered + merged.missed.len();
        merged.not_asked += within_bound(&mut targets, already);
        let mut asks = Vec::with_capacity(targets.len());
        for target in targets {
            let call = self.narrowed(operation, checked, &target.place, limit)?;
            let filter = Filter::of(span, checked);
            asks.push(self.ask_one(span, call, limit, target, filter));
        }
        for outcome in together(asks).await {
            match outcome {
                Ok(answered) => {
                    merged.answered += 1;
                    merged.matched += answered.matched;
                    merged.rows.extend(answered.rows);
                }
                // The token is refused everywhere alike.
                Err(missed) if missed.error.code() == ErrorCode::Unauthorized => {
                    return Err(missed.error.into());
                }
                Err(missed) => merged.missed.push(missed),
            }
        }
        Ok(())
    }

    async fn ask_one(
        &self,
        span: &Span,
        call: Call,
        limit: u64,
        target: Target,
        filter: Option<Filter>,
    ) -> Result<Answered, Missed> {
        let answer = match self.send(call).await {
            Ok(answer) => answer,
            Err(error) => return Err(Missed { target, error }),
        };
        let Some(mut rows) = rows(answer) else {
            let failure = not_a_list();
            return Err(Missed {
                target,
                error: ApiError::local(failure.code(), failure.message()),
            });
        };
        if let Some(filter) = filter {
            rows.retain(|row| filter.keeps(row));
        }
        let matched = rows.len();
        order_and_cut(span.order, &mut rows, limit);
        for row in &mut rows {
            tag(row, &target);
        }
        Ok(Answered { rows, matched })
    }

    /// The merged answer, or the first failure when no place answered.
    async fn finished(
        &self,
        span: &Span,
        limit: u64,
        mut merged: Merged,
    ) -> Result<Map<String, Value>, Failure> {
        if merged.answered == 0 && !merged.missed.is_empty() {
            let first = merged.missed.swap_remove(0);
            return Err(self
                .explained(first.error, first.target.place.organization.as_ref())
                .await);
        }
        order_and_cut(span.order, &mut merged.rows, limit);
        let mut answer = Map::new();
        answer.insert("returned".into(), merged.rows.len().into());
        answer.insert("results".into(), merged.rows.into());
        answer.insert("aggregated".into(), true.into());
        answer.insert("scanned".into(), merged.answered.into());
        if span.order == Order::AsTheyCame {
            answer.insert("total_matched".into(), merged.matched.into());
        }
        tell_missed(&mut answer, &merged.missed, merged.not_asked);
        Ok(answer)
    }
}

/// Which rows of a list are meant, where Didit cannot be asked for them alone.
#[derive(Debug)]
struct Filter {
    id: Option<String>,
    text: Option<String>,
}

impl Filter {
    /// The filter of a search whose operation has no parameters: that of workflows.
    fn of(span: &Span, checked: &Checked) -> Option<Self> {
        let filters = span.style == Style::Search && span.order == Order::AsTheyCame;
        filters.then(|| Self {
            id: checked.text("workflow_id").map(str::to_owned),
            text: checked.text("search").map(str::to_lowercase),
        })
    }

    fn keeps(&self, row: &Value) -> bool {
        let member = |name: &&str| row.get(*name).and_then(Value::as_str);
        let is_it = |id: &String| {
            let mut ids = ["uuid", "workflow_id", "id"].iter().filter_map(member);
            ids.any(|own| own == id)
        };
        let has_it = |text: &String| {
            let mut labels = ["workflow_label", "label"].iter().filter_map(member);
            labels.any(|label| label.to_lowercase().contains(text))
        };
        self.id.as_ref().is_none_or(is_it) && self.text.as_ref().is_none_or(has_it)
    }
}

/// How many rows are wanted: the argument as text or number, held to the bounds.
fn wanted(span: &Span, checked: &Checked) -> u64 {
    let given = match checked.get("limit") {
        Some(Value::String(text)) => text.trim().parse().ok(),
        // A float is cut to the range of the target by the language, so this is total.
        Some(Value::Number(number)) => number.as_f64().map(|number| number as u64),
        _ => None,
    };
    given.unwrap_or(span.limit).clamp(1, MAX_ROWS)
}

/// Places of one application mean nothing in the rows of several.
fn refuse_paging(checked: &Checked) -> Result<(), Failure> {
    for name in ["offset", "cursor"] {
        let Some(text) = checked.text(name) else {
            continue;
        };
        if name == "offset" && text.chars().all(|digit| digit == '0') {
            continue;
        }
        return Err(Failure::bad_request(format!("{name} works within one application only"))
            .field(name)
            .hint("Pass organization_id and application_id as well; didit_context_get lists them."));
    }
    Ok(())
}

fn via(organizations: usize, fallback: usize, tried: usize, merged: &Merged) -> String {
    if fallback == 0 {
        return "one call per organisation".to_owned();
    }
    let failed = merged.missed.len() + merged.not_asked;
    format!(
        "one call per organisation; {fallback} of {organizations} through their {tried} applications instead, {failed} calls failed or were left out"
    )
}

fn order_and_cut(order: Order, rows: &mut Vec<Value>, limit: u64) {
    if order == Order::NewestFirst {
        rows.sort_by_cached_key(|row| Newest(time_of(row)));
    }
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
}

/// Orders times with the newest first and rows without one last.
struct Newest(Option<f64>);

impl Ord for Newest {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0, other.0) {
            (Some(mine), Some(theirs)) => theirs.total_cmp(&mine),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

impl PartialOrd for Newest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Newest {}

fn time_of(row: &Value) -> Option<f64> {
    ["created_at", "created", "timestamp", "date"]
        .into_iter()
        .find_map(|name| instant(row.get(name)?))
}

/// Says where a row is from: an application's rows are overwritten, an organisation's keep their own values.
fn tag(row: &mut Value, target: &Target) {
    let Value::Object(row) = row else { return };
    for (name, value) in target.tags() {
        if target.application.is_some() || row.get(&name).is_none_or(Value::is_null) {
            row.insert(name, value);
        }
    }
}

/// The organisation of a target, for messages about the role.
pub(crate) fn organization_of(target: &Target) -> Option<&PathPart> {
    target.place.organization.as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_undated_last() {
        let mut rows = vec![
            json!({"id": 1, "created_at": "2026-01-01T00:00:00Z"}),
            json!({"id": 2}),
            json!({"id": 3, "timestamp": 1_767_225_601}),
            json!({"id": 4, "created_at": "soon", "date": "2026-06-01"}),
            json!({"id": 5, "created": "2026-01-01T01:00:00+02:00"}),
        ];
        order_and_cut(Order::NewestFirst, &mut rows, 200);
        let ids: Vec<_> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, [4, 3, 1, 5, 2]);
        order_and_cut(Order::NewestFirst, &mut rows, 2);
        assert_eq!(rows.len(), 2);
    }
}
