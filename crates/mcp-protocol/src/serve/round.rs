//! One round of a call that asks for input (2026-07-28): answers that came, answers that are missing.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::context::ask_again;
use super::error::Error;
use super::sealing::StateSeal;
use crate::jsonrpc::Twice;
use crate::stateless::Params;
use crate::types::{Ask, InputRequired};

/// Marks a state in which the shell carries answers of earlier rounds.
///
/// They need no seal: they are the client's own words, which it could as well say again.
const CARRIED: &str = "answers:";

/// The longest `requestState` that goes out, in bytes: a quarter of the longest body by default, so
/// that it fits beside arguments and answers when it comes back.
const MAX_STATE_BYTES: usize = 256 * 1024;

/// The state would be longer than [`MAX_STATE_BYTES`].
pub(super) struct StateTooLong;

/// The answers of this round.
#[derive(Default)]
pub(super) struct Round {
    may_ask: bool,
    given: BTreeMap<String, Value>,
    used: Mutex<BTreeMap<String, Value>>,
    state: Option<String>,
    seal: Option<StateSeal>,
}

#[derive(Serialize, Deserialize)]
struct Carried {
    answers: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

impl fmt::Debug for Round {
    /// Neither the state, which was sealed for a reason, nor what a person has filled in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Round")
            .field("may_ask", &self.may_ask)
            .finish_non_exhaustive()
    }
}

impl Round {
    /// A request that cannot ask.
    pub(super) fn closed() -> Self {
        Round::default()
    }

    /// Reads `inputResponses` and `requestState`, and opens the latter if it goes out sealed.
    ///
    /// MCP-MRTR-07: malformed answers are an error (-32602).
    pub(super) fn read(params: &Params<'_>, seal: Option<StateSeal>) -> Result<Self, Error> {
        let once = |name| {
            params
                .member(name)
                .map_err(|Twice| Error::invalid_params(format!("{name} is there twice")))
        };
        let (responses, sent) = (once("inputResponses")?, once("requestState")?);
        let mut given: BTreeMap<String, Value> = match responses {
            None => BTreeMap::new(),
            Some(raw) => serde_json::from_str(raw.get())
                .map_err(|_| Error::invalid_params("inputResponses must be an object"))?,
        };
        let mut state: Option<String> = match sent {
            None => None,
            Some(raw) => Some(
                serde_json::from_str(raw.get())
                    .map_err(|_| Error::invalid_params("requestState must be a string"))?,
            ),
        };
        if let (Some(text), Some(seal)) = (&state, &seal) {
            state = Some(seal.open(text)?);
        }
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
            seal,
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
        Err(ask_again(missing, state))
    }

    /// The interim result as it goes out: with the answers that later rounds need again, and sealed
    /// if this call's state is.
    ///
    /// # Errors
    /// -32603 when there is neither a question nor a state. When the state is longer than
    /// [`MAX_STATE_BYTES`]: -32602 if answers are in it, -32603 if it is the handler's alone.
    pub(super) fn send(&self, mut input: InputRequired) -> Result<InputRequired, Error> {
        // MCP-MRTR-02: answers that are carried are no reason to ask again.
        if input.requests.is_empty() && input.state.is_none() {
            return Err(Error::internal(
                "the handler wants input and has neither inputRequests nor requestState",
            ));
        }
        let answers =
            std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        let carries = !answers.is_empty();
        let clashes = |state: &String| state.starts_with(CARRIED);
        if carries || input.state.as_ref().is_some_and(clashes) {
            let state = input.state.take();
            let carried = serde_json::to_string(&Carried { answers, state })
                .map_err(|_| Error::internal("requestState could not be written"))?;
            input.state = Some(format!("{CARRIED}{carried}"));
        }
        let Some(state) = input.state.take() else {
            return Ok(input);
        };
        let state = match &self.seal {
            Some(seal) => seal.seal(&state).map_err(|_| StateTooLong),
            None if state.len() > MAX_STATE_BYTES => Err(StateTooLong),
            None => Ok(state),
        };
        input.state = Some(state.map_err(|StateTooLong| too_long(carries))?);
        Ok(input)
    }
}

fn too_long(carries: bool) -> Error {
    if carries {
        Error::invalid_params(format!(
            "inputResponses: the answers so far are too long to be carried to the next round, at most {MAX_STATE_BYTES} bytes"
        ))
    } else {
        Error::internal(format!(
            "requestState is longer than {MAX_STATE_BYTES} bytes"
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::serve::error::Reason;

    fn read(params: &Value) -> Result<Round, Error> {
        let raw = serde_json::value::to_raw_value(params).unwrap();
        Round::read(&Params::read(Some(&raw)), None)
    }

    fn asks(keys: &[&str]) -> BTreeMap<String, Ask> {
        keys.iter()
            .map(|key| ((*key).to_owned(), Ask::Roots))
            .collect()
    }

    fn interim(round: &Round, error: Error) -> (Vec<String>, Option<String>) {
        match error.0 {
            Reason::Input(input) => {
                let sent = round.send(*input).unwrap();
                (sent.requests.into_keys().collect(), sent.state)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_is_missing_is_asked_and_earlier_answers_are_carried() {
        let round = read(&json!({})).unwrap();
        let (keys, state) = interim(
            &round,
            round.answer(asks(&["a"]), Some("mine".into())).unwrap_err(),
        );
        assert_eq!(
            (keys, state.as_deref()),
            (vec!["a".to_owned()], Some("mine"))
        );

        let round =
            read(&json!({ "inputResponses": { "a": 1, "extra": 2 }, "requestState": "mine" }))
                .unwrap();
        assert_eq!(round.state(), Some("mine"));
        assert!(round.answer(asks(&["a"]), None).is_ok());
        let (keys, state) = interim(
            &round,
            round.answer(asks(&["b"]), Some("next".into())).unwrap_err(),
        );
        assert_eq!(keys, ["b"]);

        let round = read(&json!({ "inputResponses": { "b": 3 }, "requestState": state })).unwrap();
        assert_eq!(round.state(), Some("next"));
        assert_eq!(
            round.answer(asks(&["a", "b"]), None).unwrap()["a"],
            json!(1)
        );
        let (keys, _) = interim(&round, round.answer(asks(&["extra"]), None).unwrap_err());
        assert_eq!(keys, ["extra"], "what was not asked for is not carried");
    }

    #[test]
    fn state_that_looks_like_ours_comes_back_as_it_was() {
        for mine in ["answers:", "answers:{\"answers\":{\"a\":1}}"] {
            let round = read(&json!({})).unwrap();
            let input = InputRequired {
                state: Some(mine.to_owned()),
                ..InputRequired::default()
            };
            let state = round.send(input).unwrap().state;
            let round = read(&json!({ "requestState": state })).unwrap();
            assert_eq!(round.state(), Some(mine));
            assert!(round.given.is_empty());
        }
    }

    #[test]
    fn state_is_bounded_when_it_goes_out() {
        let sent = |length: usize, answer: Option<&str>| {
            let round = read(&json!({ "inputResponses": { "a": answer } })).unwrap();
            if answer.is_some() {
                assert!(round.answer(asks(&["a"]), None).is_ok());
            }
            let input = InputRequired {
                state: Some("x".repeat(length)),
                ..InputRequired::default()
            };
            round
                .send(input)
                .map_err(|error| error.as_rpc().unwrap().code)
        };
        let state = sent(MAX_STATE_BYTES, None).unwrap().state;
        assert_eq!(state.unwrap().len(), MAX_STATE_BYTES);
        assert_eq!(sent(MAX_STATE_BYTES + 1, None), Err(-32603));
        let long = "x".repeat(MAX_STATE_BYTES);
        assert_eq!(sent(0, Some(&long)), Err(-32602));
        assert!(sent(0, Some(&"x".repeat(MAX_STATE_BYTES - 200))).is_ok());
    }

    #[test]
    fn an_interim_result_has_questions_or_a_state() {
        let nothing = InputRequired::default;
        // Neither what was answered before nor metadata makes it one.
        let round = read(&json!({ "inputResponses": { "a": 1 } })).unwrap();
        assert!(round.answer(asks(&["a"]), None).is_ok());
        let meta = InputRequired {
            meta: Some(crate::types::Meta::new()),
            ..nothing()
        };
        for input in [nothing(), meta] {
            let error = round.send(input).unwrap_err();
            let error = error.as_rpc().unwrap();
            assert_eq!(error.code, -32603);
            assert!(
                error.message.contains("neither inputRequests nor"),
                "{error:?}"
            );
        }
        let state = InputRequired {
            state: Some(String::new()),
            ..nothing()
        };
        assert!(round.send(state).is_ok());
        let question = InputRequired {
            requests: asks(&["b"]),
            ..nothing()
        };
        assert!(round.send(question).is_ok());
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
    fn neither_state_nor_answers_are_printed() {
        let round = read(&json!({ "inputResponses": { "a": "secret" }, "requestState": "secret" }))
            .unwrap();
        assert!(round.answer(asks(&["a"]), None).is_ok());
        assert_eq!(format!("{round:?}"), "Round { may_ask: true, .. }");
    }

    #[test]
    fn other_methods_cannot_ask() {
        let error = Round::closed().answer(asks(&["a"]), None).unwrap_err();
        assert_eq!(error.as_rpc().unwrap().code, -32603);
    }
}
