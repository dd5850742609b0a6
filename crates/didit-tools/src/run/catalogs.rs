//! What the API offers by country, cut to the countries that are asked for.

use serde_json::{Map, Value, json};

use super::object;
use crate::acting::{Acting, Transport, row};
use crate::outcome::Outcome;
use crate::schema::Checked;

/// The members that say which country a row is about.
const COUNTRY: &[&str] = &[
    "country",
    "country_code",
    "code",
    "iso3",
    "iso2",
    "alpha3",
    "alpha2",
];

impl<S: Transport> Acting<'_, S> {
    /// Documents and methods that a workflow can accept, by country.
    pub(super) async fn workflow_get_id_verification_methods_catalog(
        &self,
        checked: &Checked,
    ) -> Outcome {
        let found = self.workflow(checked).await?;
        let asked = self.asked(
            "workflow_graph.id_methods",
            &found.place,
            Some(("version", &found.version)),
            Map::new(),
        );
        let answer = asked.await?;
        let wanted: Vec<&str> = checked.text("country").into_iter().collect();
        let mut out = only(answer, &wanted);
        found.tell(&mut out);
        Ok(Value::Object(out))
    }

    /// Prices of company registers, by country.
    pub(super) async fn workflow_get_kyb_registry_catalog(&self, checked: &Checked) -> Outcome {
        let operation = row("workflow_graph.kyb_registry")?;
        let place = self.place(operation, checked).await?;
        let call = self.call(operation, &checked.without(&["countries"]), &place)?;
        let answer = self.one(call, &place).await?;
        let wanted = checked.get("countries").and_then(Value::as_array);
        let wanted: Vec<&str> = wanted
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        Ok(Value::Object(only(answer, &wanted)))
    }
}

/// An answer with the rows of these countries only, and which of them it does not have; with none named, the whole.
fn only(answer: Value, wanted: &[&str]) -> Map<String, Value> {
    let mut out = match answer {
        Value::Object(members) => members,
        rows => object(json!({ "results": rows })),
    };
    let wanted: Vec<String> = wanted
        .iter()
        .map(|code| code.trim().to_ascii_uppercase())
        .filter(|code| !code.is_empty())
        .collect();
    if wanted.is_empty() {
        return out;
    }
    let mut seen = Vec::new();
    for value in out.values_mut() {
        match value {
            Value::Array(rows) => rows.retain(|row| keeps(country_of(row), &wanted, &mut seen)),
            Value::Object(members) if members.keys().any(|key| is_code(key)) => {
                members.retain(|key, _| keeps(Some(key.clone()), &wanted, &mut seen));
            }
            _ => {}
        }
    }
    let missing: Vec<&String> = wanted.iter().filter(|code| !seen.contains(*code)).collect();
    if !missing.is_empty() {
        out.insert("countries_not_listed".into(), json!(missing));
    }
    out.insert("filtered".into(), true.into());
    out
}

/// Whether a row stays: those about no country do.
fn keeps(country: Option<String>, wanted: &[String], seen: &mut Vec<String>) -> bool {
    let Some(country) = country else { return true };
    let country = country.to_ascii_uppercase();
    let keeps = wanted.contains(&country);
    if keeps && !seen.contains(&country) {
        seen.push(country);
    }
    keeps
}

fn country_of(row: &Value) -> Option<String> {
    let code = COUNTRY.iter().find_map(|name| row.get(*name)?.as_str())?;
    is_code(code).then(|| code.to_owned())
}

fn is_code(text: &str) -> bool {
    matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_countries_go() {
        let list =
            json!([{"country_code": "ES", "price": 1}, {"country_code": "FR"}, {"note": "x"}]);
        assert_eq!(
            Value::Object(only(list, &["es", "PT"])),
            json!({"results": [{"country_code": "ES", "price": 1}, {"note": "x"}], "countries_not_listed": ["PT"], "filtered": true})
        );
        let map = json!({"countries": {"ESP": {"a": 1}, "FRA": {}}, "methods": ["OCR"]});
        assert_eq!(
            Value::Object(only(map.clone(), &["ESP"])),
            json!({"countries": {"ESP": {"a": 1}}, "methods": ["OCR"], "filtered": true})
        );
        assert_eq!(Value::Object(only(map.clone(), &[])), map);
    }
}
