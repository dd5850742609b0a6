//! One round of a call that asks for input (2026-07-28): answers that came, answers that are missing.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::context::ask_again;
use super::error::Error;
use crate::types::Ask;

/// Marks a state in which the shell carries answers of earlier rounds.
///
/// They need no seal: they are the client's own words, which it could as well say again.
const CARRIED: &str = "answers:";

/// The answers of this round.
#[derive(Debug, Default)]
pub(super) struct Round {
    may_ask: bool,
    given: BTreeMap<String, Value>,
    used: Mutex<BTreeMap<String, Value>>,
    state: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Carried {
    answers: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

impl Round {
    /// A request that cannot ask.
    pub(super) fn closed() -> Self {
        Round::default()
    }

    /// Reads `inputResponses` and `requestState`.
    ///
    /// MCP-MRTR-07: malformed answers are an error (-32602).
    pub(super) fn read(params: Option<&RawValue>) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Params<'a> {
            #[serde(
                default,
                borrow,
                rename = "inputResponses",
                deserialize_with = "present"
            )]
            responses: Option<&'a RawValue>,
            #[serde(default, borrow, rename = "requestState", deserialize_with = "present")]
            state: Option<&'a RawValue>,
        }
        fn present<'de, D: serde::Deserializer<'de>>(
            d: D,
        ) -> Result<Option<&'de RawValue>, D::Error> {
            <&'de RawValue>::deserialize(d).map(Some)
        }
        let Some(params) = params else {
            return Ok(Round {
                may_ask: true,
                ..Round::default()
            });
        };
        let params: Params<'_> = serde_json::from_str(params.get())
            .map_err(|_| Error::invalid_params("a parameter is there twice"))?;
        let mut given: BTreeMap<String, Value> = match params.responses {
            None => BTreeMap::new(),
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|_| Error::invalid_params("inputResponses must be an object"))?,
        };
        let mut state: Option<String> = match params.state {
            None => None,
            Some(raw) => Some(
                serde_json::from_str(raw.get())
                    .map_err(|_| Error::invalid_params("requestState must be a string"))?,
            ),
        };
        if let Some(carried) = state
            .as_deref()
            .and_then(|state| state.strip_prefix(CARRIED))
        {
            let carried: Carried = serde_json::from_str(carried)
                .map_err(|_| Error::invalid_params("requestState is not what was given"))?;
            for (key, answer) in carried.answers {
                given.entry(key).or_insert(answer);
            }
            state = carried.state;
        }
        Ok(Round {
            may_ask: true,
            given,
            used: Mutex::default(),
            state,
        })
    }

    pub(super) fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The answers, or the interim result that asks for those that are missing.
    pub(super) fn answer(
        &self,
        asks: BTreeMap<String, Ask>,
        state: Option<String>,
    ) -> Result<BTreeMap<String, Value>, Error> {
        // MCP-MRTR-01: only three methods may ask.
        if !self.may_ask {
            return Err(Error::internal("this method cannot ask the client"));
        }
        let mut answers = BTreeMap::new();
        let mut missing = BTreeMap::new();
        for (key, ask) in asks {
            match self.given.get(&key) {
                Some(answer) => {
                    answers.insert(key, answer.clone());
                }
                None => {
                    missing.insert(key, ask);
                }
            }
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.extend(answers.clone());
        if missing.is_empty() {
            return Ok(answers);
        }
        let clashes = state
            .as_deref()
            .is_some_and(|state| state.starts_with(CARRIED));
        let state = if used.is_empty() && !clashes {
            state
        } else {
            let carried = Carried {
                answers: used.clone(),
                state,
            };
            serde_json::to_string(&carried)
                .ok()
                .map(|text| format!("{CARRIED}{text}"))
        };
        Err(ask_again(missing, state))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::serve::error::Reason;

    fn read(params: &Value) -> Result<Round, Error> {
        let raw = serde_json::value::to_raw_value(params).unwrap();
        Round::read(Some(&raw))
    }

    fn asks(keys: &[&str]) -> BTreeMap<String, Ask> {
        keys.iter()
            .map(|key| ((*key).to_owned(), Ask::Roots))
            .collect()
    }

    fn interim(error: Error) -> (Vec<String>, Option<String>) {
        match error.0 {
            Reason::Input(input) => (input.requests.into_keys().collect(), input.state),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_is_missing_is_asked_and_earlier_answers_are_carried() {
        let round = read(&json!({})).unwrap();
        let (keys, state) = interim(round.answer(asks(&["a"]), Some("mine".into())).unwrap_err());
        assert_eq!(
            (keys, state.as_deref()),
            (vec!["a".to_owned()], Some("mine"))
        );

        let round =
            read(&json!({ "inputResponses": { "a": 1, "extra": 2 }, "requestState": "mine" }))
                .unwrap();
        assert_eq!(round.state(), Some("mine"));
        assert!(round.answer(asks(&["a"]), None).is_ok());
        let (keys, state) = interim(round.answer(asks(&["b"]), Some("next".into())).unwrap_err());
        assert_eq!(keys, ["b"]);

        let round = read(&json!({ "inputResponses": { "b": 3 }, "requestState": state })).unwrap();
        assert_eq!(round.state(), Some("next"));
        assert_eq!(
            round.answer(asks(&["a", "b"]), None).unwrap()["a"],
            json!(1)
        );
        let (keys, _) = interim(round.answer(asks(&["extra"]), None).unwrap_err());
        assert_eq!(keys, ["extra"], "what was not asked for is not carried");
    }

    #[test]
    fn malformed_answers_are_invalid_parameters() {
        for params in [
            json!({ "inputResponses": 5 }),
            json!({ "inputResponses": null }),
            json!({ "inputResponses": [] }),
            json!({ "requestState": 5 }),
            json!({ "requestState": null }),
            json!({ "requestState": "answers:{" }),
        ] {
            let error = read(&params).unwrap_err();
            assert_eq!(error.as_rpc().unwrap().code, -32602, "{params}");
        }
    }

    #[test]
    fn other_methods_cannot_ask() {
        let error = Round::closed().answer(asks(&["a"]), None).unwrap_err();
        assert_eq!(error.as_rpc().unwrap().code, -32603);
    }
}
