//! `didit_network_get`: a network and the sections that were asked for, each one call.

use didit_client::{ErrorCode, PathPart};
use serde_json::{Map, Value, json};

use crate::acting::{Acting, Transport, row};
use crate::outcome::{Failure, Outcome};
use crate::schema::Checked;
use crate::together::together;

/// The sections that are added when none is named.
const USUAL: [&str; 2] = ["members", "signals"];

/// The arguments that only the graph understands.
const OF_GRAPH: [&str; 3] = ["depth", "focus_kind", "focus_id"];

impl<S: Transport> Acting<'_, S> {
    pub(super) async fn network_get(&self, checked: &Checked) -> Outcome {
        let (whole, section) = (row("network.get")?, row("network.section")?);
        let place = self.place(whole, checked).await?;
        let call = self.call(whole, checked, &place)?;
        let network = self.one(call, &place).await?;

        let mut names: Vec<&str> = match checked.get("include").and_then(Value::as_array) {
            Some(named) => named.iter().filter_map(Value::as_str).collect(),
            None => USUAL.to_vec(),
        };
        names.sort_unstable();
        names.dedup();
        let mut asks = Vec::with_capacity(names.len());
        for name in &names {
            let part = PathPart::parse(name)
                .map_err(|why| Failure::bad_request(format!("include {why}")).field("include"))?;
            let mut call = self
                .at(section, &place)
                .part("network_id", self.path_argument("network_id", checked)?)
                .part("section", part);
            if *name == "graph" {
                for argument in OF_GRAPH {
                    if let Some(text) = checked.text(argument) {
                        call = call.query(argument, text);
                    }
                }
            }
            asks.push(self.send(call));
        }
        let mut answer = match network {
            Value::Object(network) => network,
            other => Map::from_iter([("network".to_owned(), other)]),
        };
        let mut failures = Vec::new();
        for (name, outcome) in names.iter().zip(together(asks).await) {
            match outcome {
                Ok(value) => {
                    answer.insert((*name).to_owned(), value);
                }
                // Signed out in the middle is not a part that is missing.
                Err(error) if error.code() == ErrorCode::Unauthorized => return Err(error.into()),
                Err(error) => failures.push(json!({
                    "section": name, "code": error.code().as_str(), "message": error.message(),
                })),
            }
        }
        if !failures.is_empty() {
            answer.insert("partial".to_owned(), true.into());
            answer.insert("failures".to_owned(), failures.into());
        }
        Ok(Value::Object(answer))
    }
}
