//! One delivery: read with a bound, verified, let through once, acted on.

use std::convert::Infallible;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use didit_client::webhook::{First, MAX_BODY, Receiver, Refused, Repeats};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is done with deliveries.
pub(crate) struct Hook<N, T> {
    receiver: Receiver,
    repeats: Mutex<Repeats>,
    now: N,
    tell: T,
}

impl<N: Fn() -> u64, T: Fn(String)> Hook<N, T> {
    pub(crate) fn new(receiver: Receiver, now: N, tell: T) -> Self {
        Self {
            receiver,
            repeats: Mutex::new(Repeats::default()),
            now,
            tell,
        }
    }

    /// The answer is a status without a body: the sender learns nothing about the reason.
    pub(crate) async fn answer<B: Body>(
        &self,
        request: Request<B>,
    ) -> Result<Response<Empty<Bytes>>, Infallible>
    where
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let status = match self.event(request).await {
            Ok(first) => {
                // Here an event would be stored or put on a queue; what takes longer is done after the answer.
                let event = first.event();
                (self.tell)(format!(
                    "event     {} {} {}",
                    event.event_type,
                    event.session_id.as_deref().unwrap_or("-"),
                    event.status.as_deref().unwrap_or("-"),
                ));
                StatusCode::NO_CONTENT
            }
            Err(status) => status,
        };
        let mut response = Response::new(Empty::new());
        *response.status_mut() = status;
        Ok(response)
    }

    async fn event<B: Body>(&self, request: Request<B>) -> Result<First, StatusCode>
    where
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        if request.uri().path() != "/didit" {
            return Err(StatusCode::NOT_FOUND);
        }
        if request.method() != Method::POST {
            return Err(StatusCode::METHOD_NOT_ALLOWED);
        }
        let (parts, body) = request.into_parts();
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect())
            .await
            .map_err(|_| StatusCode::REQUEST_TIMEOUT)?
            .map_err(|error| match error.is::<LengthLimitError>() {
                true => self.refused(&Refused::BodyTooLarge),
                false => StatusCode::BAD_REQUEST,
            })?
            .to_bytes();
        let now = (self.now)();
        self.receiver
            .verify(&parts.headers, &body, now)
            .and_then(|verified| {
                let mut repeats = self.repeats.lock().unwrap_or_else(PoisonError::into_inner);
                repeats.first(verified, now)
            })
            .map_err(|refused| self.refused(&refused))
    }

    fn refused(&self, refused: &Refused) -> StatusCode {
        (self.tell)(format!("refused   {refused}"));
        refused.status()
    }
}
