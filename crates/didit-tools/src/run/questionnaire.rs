//! Questionnaires: the API wants a graph of questions, the tools take a list.

use serde_json::{Map, Value, json};

use crate::acting::{Acting, Transport};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;

/// The members of a question that are texts by language.
const TEXTS: [&str; 4] = ["title", "description", "placeholder", "label"];

/// The types of question that have choices.
const CHOOSING: [&str; 3] = ["DROPDOWN", "SINGLE_CHOICE", "MULTIPLE_CHOICE"];

/// The most questions that are made into a graph; a person would not answer more.
const MAX_QUESTIONS: usize = 200;

impl<S: Transport> Acting<'_, S> {
    /// Creates a questionnaire, or changes one: the list of questions becomes a graph.
    pub(super) async fn questionnaire_write(&self, checked: &Checked) -> Outcome {
        let operation = self.operation()?;
        let place = self.place(operation, checked).await?;
        let language = checked.text("default_language").unwrap_or("en");
        let mut call = self.call(operation, checked, &place)?;
        if let Some(elements) = checked.get("form_elements").and_then(Value::as_array) {
            call = call.field("graph", graph(elements, language)?);
        }
        if operation.name == "questionnaire.create" && checked.get("languages").is_none() {
            call = call.field("languages", json!([language]));
        }
        self.one(call, &place).await
    }

    /// One questionnaire, its texts in its own language unless all are asked for.
    pub(super) async fn questionnaire_get(&self, checked: &Checked) -> Outcome {
        let mut answer = self.once(checked).await?;
        if !checked.is_true("include_translations") {
            let own = answer.get("default_language").and_then(Value::as_str);
            let language = own.unwrap_or("en").to_owned();
            in_one_language(&mut answer, &language, 0);
        }
        Ok(answer)
    }
}

/// Questions one after another as a graph.
fn graph(elements: &[Value], language: &str) -> Result<Value, Failure> {
    if elements.len() > MAX_QUESTIONS {
        return Err(Failure::bad_request(format!(
            "form_elements has more than {MAX_QUESTIONS} questions"
        ))
        .field("form_elements"));
    }
    let mut nodes = Map::new();
    for (index, element) in elements.iter().enumerate() {
        let mut node = element.as_object().cloned().unwrap_or_default();
        if let Some(title @ Value::String(_)) = node.get("title").cloned() {
            node.insert("title".to_owned(), json!({ language: title }));
        }
        let kind = node.get("element_type").and_then(Value::as_str);
        let chooses = kind.is_some_and(|kind| CHOOSING.contains(&kind));
        let choices = node.get("choices").and_then(Value::as_array);
        if chooses && choices.is_none_or(Vec::is_empty) {
            let field = format!("form_elements[{index}].choices");
            return Err(Failure::bad_request(format!("{field} is missing"))
                .field(field)
                .hint("A question of this type needs at least one choice: an object with value and label."));
        }
        let next = (index + 1 < elements.len()).then(|| id(index + 1));
        node.insert("next".to_owned(), json!(next));
        nodes.insert(id(index), Value::Object(node));
    }
    let start = (!elements.is_empty()).then(|| id(0));
    Ok(json!({ "start_node": start, "nodes": nodes }))
}

fn id(index: usize) -> String {
    format!("question_{}", index + 1)
}

/// Replaces texts by language with the one text; what has no such text stays as it is.
fn in_one_language(value: &mut Value, language: &str, depth: usize) {
    // As deep as an answer that was read can be.
    if depth > 128 {
        return;
    }
    match value {
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| in_one_language(item, language, depth + 1)),
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let own = member
                    .get(language)
                    .filter(|text| text.is_string())
                    .cloned();
                match own {
                    Some(text) if TEXTS.contains(&name.as_str()) => *member = text,
                    _ => in_one_language(member, language, depth + 1),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_follow_each_other() {
        let elements = [
            json!({"element_type": "SHORT_TEXT", "title": {"en": "Name"}}),
            json!({"element_type": "DROPDOWN", "title": {"en": "Kind"}, "choices": [{"value": "a"}]}),
        ];
        assert_eq!(
            graph(&elements, "en").unwrap(),
            json!({"start_node": "question_1", "nodes": {
                "question_1": {"element_type": "SHORT_TEXT", "title": {"en": "Name"}, "next": "question_2"},
                "question_2": {"element_type": "DROPDOWN", "title": {"en": "Kind"}, "choices": [{"value": "a"}], "next": null},
            }})
        );
        let without = [json!({"element_type": "DROPDOWN"})];
        let why = graph(&without, "en").unwrap_err().text();
        assert!(why.contains("form_elements[0].choices is missing"), "{why}");
        assert!(graph(&vec![json!({}); 201], "en").is_err());
    }

    #[test]
    fn texts_are_in_one_language() {
        let mut answer = json!({"title": "t", "nodes": {"a": {"title": {"en": "Name", "es": "Nombre"}, "next": null}}});
        in_one_language(&mut answer, "en", 0);
        assert_eq!(
            answer,
            json!({"title": "t", "nodes": {"a": {"title": "Name", "next": null}}})
        );
    }
}
