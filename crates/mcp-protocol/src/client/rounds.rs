//! Calls that go on only after the server has been given what it asks for (2026-07-28).

use bytes::Bytes;
use http::{Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tower_service::Service;

use super::answer::Wanted;
use super::error::{BadAnswer, ClientError, TransportError};
use super::outgoing::Outgoing;
use super::{AnswerBody, Client};
use crate::jsonrpc::RpcError;

/// A complete result.
#[derive(Debug)]
pub(super) struct Completed {
    pub(super) raw: Box<RawValue>,
    /// How often something was answered for it.
    pub(super) rounds: usize,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Asks, and answers what the server wants to know, until the result is complete.
    // MCP 2026-07-28, multi round-trip requests: each round is the same request with an id of its own.
    pub(super) async fn in_rounds(
        &self,
        mut outgoing: Outgoing<'_>,
    ) -> Result<Completed, ClientError> {
        let mut rounds = 0;
        loop {
            let required = match self.request_with_headers(&mut outgoing).await {
                Err(ClientError::InputRequired(required)) => required,
                outcome => {
                    return outcome.map(|raw| Completed { raw, rounds });
                }
            };
            if !self.can_answer(&required.wanted) {
                return Err(ClientError::InputRequired(required));
            }
            rounds += 1;
            // Before the host is asked: there is no round left in which its answers would go out.
            if rounds >= self.limits.max_rounds {
                return Err(BadAnswer::EndlessRounds(self.limits.max_rounds).into());
            }
            let answers = self.answers_to(required.wanted.questions).await?;
            outgoing.answering(answers, required.wanted.state);
        }
    }

    /// Whether every question is of a kind that was declared.
    fn can_answer(&self, wanted: &Wanted) -> bool {
        wanted.questions.values().all(|question| {
            let method = question.get("method").and_then(Value::as_str);
            method.is_some_and(|method| self.answers.can(method))
        })
    }

    /// Has every question answered, or none: all are looked at before the host is asked the first.
    pub(super) async fn answers_to(
        &self,
        questions: Map<String, Value>,
    ) -> Result<Map<String, Value>, ClientError> {
        #[derive(Deserialize)]
        struct Question {
            method: String,
            #[serde(default)]
            params: Option<Value>,
        }
        let mut asks = Vec::new();
        for (key, question) in questions {
            let ask = serde_json::from_value(question)
                .map_err(|error| RpcError::invalid_params(error.to_string()))
                .and_then(|question: Question| {
                    self.answers.admit(&question.method, question.params)
                });
            asks.push((key, ask.map_err(ClientError::Unanswered)?));
        }
        let mut answers = Map::new();
        for (key, ask) in asks {
            let answer = self.answers.put(&ask).await;
            answers.insert(key, answer.map_err(ClientError::Unanswered)?);
        }
        Ok(answers)
    }
}
