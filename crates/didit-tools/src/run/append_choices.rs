//! More options for a choice question: read, appended, written back.

use didit_client::PathPart;
use serde_json::{Map, Value, json};

use super::object;
use crate::acting::{Acting, Transport, path_part, row};
use crate::outcome::{Failure, Outcome};
use crate::place::Place;
use crate::schema::Checked;

/// The most options in one call; a longer list is sent in several.
const MAX_CHOICES: usize = 1000;

/// The longest value of an option, in characters.
const MAX_VALUE: usize = 500;

/// The questions that have options.
const CHOICES: &[&str] = &["SINGLE_CHOICE", "MULTIPLE_CHOICE", "DROPDOWN"];

impl<S: Transport> Acting<'_, S> {
    /// Appends the options that are not there yet; those that are, are passed over, so that a call can be repeated.
    pub(super) async fn questionnaire_append_choices(&self, checked: &Checked) -> Outcome {
        let choices = choices(checked)?;
        let place = self.place(row("questionnaire.get")?, checked).await?;
        let id = path_part(checked, "questionnaire_id")?.ok_or_else(|| {
            Failure::bad_request("questionnaire_id is missing").field("questionnaire_id")
        })?;
        let part = Some(("questionnaire_id", &id));
        let stored = self.asked("questionnaire.get", &place, part, Map::new());
        let mut stored = object(stored.await?);
        let languages = languages(&stored);
        let mut graph = stored
            .remove("graph")
            .filter(Value::is_object)
            .ok_or_else(|| {
                Failure::unprocessable("the questionnaire has no graph of questions")
                    .field("questionnaire_id")
            })?;
        let node = question(&graph, checked.text("node_id"))?;
        let there = there(&mut graph, &node)?;
        let before = there.len();
        let mut skipped = 0;
        for choice in choices {
            let value = choice.get("value").cloned().unwrap_or_default();
            if there.iter().any(|known| known.get("value") == Some(&value)) {
                skipped += 1;
            } else {
                there.push(labelled(choice, &value, &languages));
            }
        }
        let total = there.len();
        let publish = checked.is_true("publish");
        let mut status = stored
            .get("status")
            .cloned()
            .unwrap_or_else(|| "draft".into());
        if total > before || publish {
            status = if publish { "published" } else { "draft" }.into();
            self.store(&place, &id, graph, &status).await?;
        }
        Ok(json!({
            "questionnaire_id": id.as_str(),
            "node_id": node,
            "appended": total - before,
            "skipped_existing": skipped,
            "total_choices": total,
            "status": status,
        }))
    }

    /// Without a status a change would publish a draft, so it is always said.
    async fn store(
        &self,
        place: &Place,
        id: &PathPart,
        graph: Value,
        status: &Value,
    ) -> Result<(), Failure> {
        let fields = object(json!({ "graph": graph, "status": status }));
        let part = Some(("questionnaire_id", id));
        match self
            .asked("questionnaire.update", place, part, fields)
            .await
        {
            Ok(_) => Ok(()),
            Err(failure) => Err(failure.before("no option was added: ")),
        }
    }
}

/// The options of the arguments, each with a value.
fn choices(checked: &Checked) -> Result<Vec<Map<String, Value>>, Failure> {
    let given = checked.get("choices").and_then(Value::as_array);
    let given = given.map(Vec::as_slice).unwrap_or_default();
    if given.is_empty() || given.len() > MAX_CHOICES {
        let message = format!(
            "choices has {} items; 1 to {MAX_CHOICES} are taken at once",
            given.len()
        );
        return Err(Failure::bad_request(message).field("choices").hint(
            "Send the options in several calls; those that are there already are passed over.",
        ));
    }
    let mut choices = Vec::with_capacity(given.len());
    for (index, choice) in given.iter().enumerate() {
        let wrong = |why: &str| {
            Failure::bad_request(format!("choices[{index}].value {why}"))
                .field(format!("choices[{index}].value"))
                .hint("Each option is an object with value, and label where the words differ from it.")
        };
        let Some(members) = choice.as_object() else {
            return Err(wrong("is missing"));
        };
        match members.get("value") {
            Some(Value::String(text)) if text.trim().is_empty() => return Err(wrong("is blank")),
            Some(Value::String(text)) if text.chars().count() > MAX_VALUE => {
                return Err(wrong("is longer than 500 characters"));
            }
            Some(Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
                choices.push(members.clone())
            }
            Some(Value::Null) | None => return Err(wrong("is missing")),
            Some(_) => return Err(wrong("is neither text nor a number")),
        }
    }
    Ok(choices)
}

fn languages(stored: &Map<String, Value>) -> Vec<String> {
    let listed = stored.get("languages").and_then(Value::as_array);
    let listed = listed.into_iter().flatten().filter_map(Value::as_str);
    let mut languages: Vec<String> = listed.map(str::to_owned).collect();
    if languages.is_empty() {
        let default = stored.get("default_language").and_then(Value::as_str);
        languages.push(default.unwrap_or("en").to_owned());
    }
    languages
}

/// The id of the question: the one that is named, else the only one with options.
fn question(graph: &Value, named: Option<&str>) -> Result<String, Failure> {
    let nodes = graph.get("nodes").and_then(Value::as_object);
    let has_choices = |node: &Value| {
        node.get("choices").is_some_and(Value::is_array)
            || node
                .get("element_type")
                .and_then(Value::as_str)
                .is_some_and(|kind| CHOICES.contains(&kind))
    };
    let with: Vec<String> = nodes
        .into_iter()
        .flatten()
        .filter(|(_, node)| has_choices(node))
        .map(|(id, _)| id.clone())
        .collect();
    let refused = |message: &str| {
        Failure::bad_request(message)
            .field("node_id")
            .hint("didit_questionnaire_get shows the questions; the allowed ids are those with options.")
            .allowed(with.iter().cloned())
    };
    match (named, with.as_slice()) {
        (Some(id), _) if with.iter().any(|known| known == id) => Ok(id.to_owned()),
        (Some(_), _) => Err(refused("node_id names no question with options")),
        (None, [one]) => Ok(one.clone()),
        (None, []) => Err(refused("the questionnaire has no question with options")),
        (None, _) => Err(refused(
            "node_id is missing, and several questions have options",
        )),
    }
}

fn there<'a>(graph: &'a mut Value, node: &str) -> Result<&'a mut Vec<Value>, Failure> {
    let unreadable =
        || Failure::unprocessable("the options of the question cannot be read").field("node_id");
    let node = graph
        .get_mut("nodes")
        .and_then(|nodes| nodes.get_mut(node)?.as_object_mut())
        .ok_or_else(unreadable)?;
    let choices = node
        .entry("choices")
        .or_insert_with(|| Value::Array(Vec::new()));
    if choices.is_null() {
        *choices = Value::Array(Vec::new());
    }
    choices.as_array_mut().ok_or_else(unreadable)
}

/// An option with a label in every language of the questionnaire.
fn labelled(mut choice: Map<String, Value>, value: &Value, languages: &[String]) -> Value {
    let words = match choice.remove("label") {
        Some(Value::Object(by_language)) => {
            choice.insert("label".into(), Value::Object(by_language));
            return Value::Object(choice);
        }
        Some(Value::String(words)) => words,
        _ => value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    };
    let labels = languages
        .iter()
        .map(|language| (language.clone(), words.clone().into()));
    choice.insert("label".into(), Value::Object(labels.collect()));
    Value::Object(choice)
}
