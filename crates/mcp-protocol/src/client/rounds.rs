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
    ) -> Result<Box<RawValue>, ClientError> {
        let mut rounds = 0;
        loop {
            let required = match self.request(&outgoing).await {
                Err(ClientError::InputRequired(required)) => required,
                outcome => return outcome,
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

    async fn answers_to(
        &self,
        questions: Map<String, Value>,
    ) -> Result<Map<String, Value>, ClientError> {
        #[derive(Deserialize)]
        struct Question {
            method: String,
            #[serde(default)]
            params: Option<Value>,
        }
        let mut answers = Map::new();
        for (key, question) in questions {
            let question: Question = serde_json::from_value(question).map_err(|error| {
                ClientError::Unanswered(RpcError::invalid_params(error.to_string()))
            })?;
            let answer = self.answers.to(&question.method, question.params).await;
            answers.insert(key, answer.map_err(ClientError::Unanswered)?);
        }
        Ok(answers)
    }
}
