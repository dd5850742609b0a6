//! An answer as an event stream: what comes before it, and opening the stream again where it breaks off.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tower_service::Service;

use super::agreed::Agreed;
use super::answer::{self, Form, Meaning, Outcome, Question};
use super::error::{BadAnswer, ClientError, TransportError};
use super::patience::{Patience, Pulse, within};
use super::request::Flight;
use super::{AnswerBody, Client};
use crate::jsonrpc;
use crate::sse::{Decoder, Event};
use crate::types::Empty;

/// Where a stream goes on (HTML Living Standard, section 9.2).
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The longest event id that is sent back.
const MAX_EVENT_ID: usize = 1024;

/// How long to wait where the server does not say; what browsers do, in its order of magnitude.
const USUAL_RETRY: Duration = Duration::from_secs(1);

/// The shortest wait before a stream of the server's own is opened again, because that has no end: one that says something
/// and closes, and wants no wait, would have the client do nothing else.
const SHORTEST_RETRY: Duration = Duration::from_millis(100);

/// How far the streams of one answer have come.
#[derive(Debug, Default)]
struct Place {
    last_event: Option<HeaderValue>,
    retry: Option<Duration>,
    questions: usize,
    messages: usize,
}

/// Whether an event has a message: one without data only prepares for a reconnection, one with another name is not ours.
pub(super) fn is_message(event: &Event) -> bool {
    !event.data.is_empty() && matches!(event.name.as_str(), "" | "message")
}

impl Place {
    // HTML Living Standard, section 9.2.6: an empty id takes the last one back.
    fn note(&mut self, event: &Event) {
        if let Some(id) = &event.id {
            let usable = !id.is_empty() && id.len() <= MAX_EVENT_ID;
            self.last_event = usable.then(|| HeaderValue::from_str(id).ok()).flatten();
        }
        if let Some(milliseconds) = event.retry_ms {
            self.retry = Some(Duration::from_millis(milliseconds));
        }
    }
}

/// A stream that a server of the older era has open for what it says by itself; made by [`Client::listen`].
#[derive(Debug)]
pub struct Listening {
    body: AnswerBody,
    agreed: Agreed,
}

impl<S, B> Client<S>
where
    S: Service<Request<Bytes>, Response = Response<B>> + Clone,
    S::Error: Into<TransportError>,
    B: Into<AnswerBody>,
{
    /// Opens the stream for what the server says and asks by itself; none where it has no such stream.
    ///
    /// What arrives on it is read by [`serve`](Self::serve).
    /// It is open when this returns, so that a call made after it may lead to a question there.
    ///
    /// # Errors
    ///
    /// As any request.
    ///
    /// Specification: MCP 2025-11-25, transports, listening for messages from the server.
    pub async fn listen(&self) -> Result<Option<Listening>, ClientError> {
        let agreed = self.agreed().await?;
        // MCP 2026-07-28, transports: this era has no GET.
        if agreed.is_modern() {
            return Ok(None);
        }
        let body = self.opened(None, &agreed).await?;
        Ok(body.map(|body| Listening { body, agreed }))
    }

    /// Answers the questions on a stream until it ends, and opens it again where it broke off and can be resumed; a tenth of a
    /// second later at the earliest, whatever the server wants.
    ///
    /// What the server tells there goes to [`with_notices`](Self::with_notices), and what it says has changed is no longer
    /// kept. Run it beside the calls that may lead to questions, and drop it when they are done.
    ///
    /// It ends by itself after [`Limits::max_serve_time`](super::Limits::max_serve_time) and after
    /// [`Limits::max_reconnections`](super::Limits::max_reconnections) streams in a row on which nothing came.
    ///
    /// # Errors
    ///
    /// [`ClientError::Transport`] when the stream breaks off for good;
    /// [`BadAnswer::TooManyQuestions`] over [`Limits::max_served_questions`](super::Limits::max_served_questions);
    /// what is not a message; otherwise as any request.
    pub async fn serve(&self, listening: Listening) -> Result<(), ClientError> {
        let time = self.limits.max_serve_time;
        let patience = Patience {
            quiet: time,
            at_most: time,
        };
        let work = self.served(listening);
        match within(self.pause.as_ref(), patience, &Pulse::default(), work).await {
            Err(ClientError::TimedOut(_)) => Ok(()),
            outcome => outcome,
        }
    }

    async fn served(&self, listening: Listening) -> Result<(), ClientError> {
        let Listening { mut body, agreed } = listening;
        let mut place = Place::default();
        let mut left = self.limits.max_reconnections;
        loop {
            let before = place.messages;
            let end = match self.one_stream(&mut body, None, &agreed, &mut place).await {
                Ok(_) => Ok(()),
                Err(error @ ClientError::Transport(_)) => Err(error),
                Err(error) => return Err(error),
            };
            if place.messages > before {
                left = self.limits.max_reconnections;
            }
            let Some(fewer) = left.checked_sub(1) else {
                return end;
            };
            left = fewer;
            // What holds the connection is not held through the wait.
            drop(body);
            body = match self.reopened(&place, SHORTEST_RETRY, &agreed).await? {
                Some(body) => body,
                None => return end,
            };
        }
    }

    /// Reads to the answer of a request, through as many streams as it takes and the limits allow.
    pub(super) async fn stream(
        &self,
        mut body: AnswerBody,
        flight: &Flight<'_>,
    ) -> Result<Outcome, ClientError> {
        let mut place = Place::default();
        for left in (0..=self.limits.max_reconnections).rev() {
            let end = match self
                .one_stream(&mut body, Some(flight), flight.agreed, &mut place)
                .await
            {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) => BadAnswer::NoAnswer.into(),
                Err(error @ ClientError::Transport(_)) => error,
                Err(error) => return Err(error),
            };
            flight.broke_off.store(true, Ordering::Relaxed);
            if left == 0 {
                return Err(end);
            }
            // What holds the connection is not held through the wait.
            drop(body);
            body = match self.reopened(&place, Duration::ZERO, flight.agreed).await? {
                Some(body) => body,
                None => return Err(end),
            };
        }
        Err(BadAnswer::NoAnswer.into())
    }

    /// Reads one stream, and has the questions in it answered; none where it ends without the answer.
    ///
    /// Without a request nothing is waited for, and only the length of a single event is limited.
    // MCP 2026-07-28, transports, receiving messages: notifications may come first, and the stream ends with the response.
    async fn one_stream(
        &self,
        body: &mut AnswerBody,
        flight: Option<&Flight<'_>>,
        agreed: &Agreed,
        place: &mut Place,
    ) -> Result<Option<Outcome>, ClientError> {
        let limit = self.limits.max_answer_bytes;
        let too_large = |_| BadAnswer::TooLarge { limit };
        let mut left = limit;
        let mut decoder = Decoder::new(limit);
        let id = flight.map(|flight| &flight.id);
        while let Some(piece) = body.piece().await.map_err(ClientError::Transport)? {
            if flight.is_some() {
                left = left
                    .checked_sub(piece.len())
                    .ok_or(BadAnswer::TooLarge { limit })?;
            }
            for event in decoder.push(&piece).map_err(too_large)? {
                place.note(&event);
                if !is_message(&event) {
                    continue;
                }
                place.messages = place.messages.saturating_add(1);
                let meanings = answer::meanings(event.data.as_bytes(), id, false, agreed.revision)?;
                let mut answered = None;
                for meaning in meanings {
                    match (meaning, flight) {
                        (Meaning::Outcome(outcome), Some(flight)) => {
                            answered = answered.or(Some(flight.end(outcome)));
                        }
                        (Meaning::Question(question), _) => {
                            self.asked(question, flight, agreed, &mut place.questions)
                                .await?;
                        }
                        (Meaning::Note(note), _) => self.hear(note, flight, agreed),
                        (Meaning::Outcome(_) | Meaning::Nothing, _) => {}
                    }
                }
                if answered.is_some() {
                    return Ok(answered);
                }
            }
        }
        Ok(None)
    }

    /// Takes up a question of the server, if it is the time and place for one.
    pub(super) async fn asked(
        &self,
        question: Question,
        flight: Option<&Flight<'_>>,
        agreed: &Agreed,
        questions: &mut usize,
    ) -> Result<(), ClientError> {
        // MCP 2026-07-28, transports: a server of this era asks in its result and nowhere else.
        if agreed.is_modern() {
            return Ok(());
        }
        // A ping asks nobody anything; how many there are is limited by the bytes and the time that a stream may take.
        if question.method == "ping" {
            let text = jsonrpc::result_text(&question.id, Empty {});
            return self.reply(text.into(), agreed).await;
        }
        *questions = questions.saturating_add(1);
        let limit = match flight {
            Some(_) => self.limits.max_questions,
            None => self.limits.max_served_questions,
        };
        if *questions > limit {
            return Err(BadAnswer::TooManyQuestions(limit).into());
        }
        let Question { id, method, params } = question;
        let _asking = flight.map(|flight| flight.pulse.ask());
        let text = match self.answers.to(&method, params).await {
            Ok(result) => jsonrpc::result_text(&id, result),
            Err(error) => jsonrpc::error_text(Some(&id), &error),
        };
        self.reply(text.into(), agreed).await
    }

    /// Answers a question of the server with a message of its own, and once more where the first was lost.
    // MCP 2025-11-25, transports, sending messages: a response is POSTed like everything else.
    async fn reply(&self, text: Bytes, agreed: &Agreed) -> Result<(), ClientError> {
        match self.tell(text.clone(), agreed).await {
            // The server that has it already knows of no such question any more; its stream says how it goes on.
            Err(ClientError::Transport(_) | ClientError::TimedOut(_)) => {
                match self.tell(text, agreed).await {
                    Err(ClientError::Http { status }) if status.is_client_error() => Ok(()),
                    told => told,
                }
            }
            told => told,
        }
    }

    /// Opens the stream again after the time that the server wants; none where it cannot be done.
    // MCP 2025-11-25, transports, resumability: GET with the last event id, not before `retry` has passed.
    async fn reopened(
        &self,
        place: &Place,
        shortest: Duration,
        agreed: &Agreed,
    ) -> Result<Option<AnswerBody>, ClientError> {
        let retry = place.retry.unwrap_or(USUAL_RETRY).max(shortest);
        let (Some(pause), Some(last_event), false) =
            (&self.pause, &place.last_event, agreed.is_modern())
        else {
            return Ok(None);
        };
        if retry > self.limits.max_retry {
            return Ok(None);
        }
        pause.pause(retry).await;
        self.opened(Some(last_event), agreed).await
    }

    /// Opens a stream of the server's own; none where it has none.
    async fn opened(
        &self,
        last_event: Option<&HeaderValue>,
        agreed: &Agreed,
    ) -> Result<Option<AnswerBody>, ClientError> {
        let mut request = self.http_request(Bytes::new(), agreed)?;
        *request.method_mut() = Method::GET;
        let headers = request.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("text/event-stream"),
        );
        if let Some(last_event) = last_event {
            headers.insert(LAST_EVENT_ID, last_event.clone());
        }
        let (parts, body) = self.exchange(request).await?.into_parts();
        let status = parts.status;
        if let Some(error) = ClientError::of_authorization(status, &parts.headers) {
            return Err(error);
        }
        match (status, answer::form(&parts.headers)) {
            // MCP 2025-11-25, transports, listening: 405 where a server has no such stream.
            (StatusCode::METHOD_NOT_ALLOWED, _) => Ok(None),
            (status, _) if !status.is_success() => Err(ClientError::Http { status }),
            (_, Some(Form::Stream)) => Ok(Some(body)),
            (_, Some(Form::Message) | None) => Err(BadAnswer::ContentType.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: Option<&str>, retry_ms: Option<u64>) -> Event {
        Event {
            id: id.map(str::to_owned),
            retry_ms,
            ..Event::default()
        }
    }

    #[test]
    fn the_place_is_the_last_id_and_the_last_retry() {
        let mut place = Place::default();
        place.note(&event(Some("a"), Some(500)));
        place.note(&event(None, None));
        assert_eq!(place.last_event.as_ref().unwrap(), "a");
        assert_eq!(place.retry, Some(Duration::from_millis(500)));
        place.note(&event(Some("b"), Some(0)));
        assert_eq!(place.last_event.as_ref().unwrap(), "b");
        assert_eq!(place.retry, Some(Duration::ZERO));
        for unusable in ["", "a\u{7f}", &"x".repeat(MAX_EVENT_ID + 1)] {
            place.note(&event(Some("b"), None));
            place.note(&event(Some(unusable), None));
            assert_eq!(place.last_event, None, "{unusable}");
        }
    }
}
