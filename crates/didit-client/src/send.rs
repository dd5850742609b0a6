//! Feature `send`: runs calls over an HTTP client that you supply.

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use tower_service::Service;

use crate::api::Api;
use crate::call::Call;
use crate::credential::Credential;
use crate::error::{ApiError, ErrorCode};

/// The time limit of a call when none is chosen.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(30);

/// An [`Api`] and an HTTP client for it.
///
/// The client should cap the size of a body while it reads it, and must not follow redirects.
/// Nothing is repeated: a call is sent once.
/// Dropping the future of a call drops the client's future, which ends the request.
#[derive(Clone, Debug)]
pub struct Sender<S> {
    service: S,
    api: Api,
    time_limit: Duration,
}

impl<S> Sender<S> {
    /// A sender with the default time limit.
    pub fn new(api: Api, service: S) -> Self {
        Self {
            service,
            api,
            time_limit: DEFAULT_TIME_LIMIT,
        }
    }

    /// Replaces the time limit, which covers everything from asking the client to the whole body.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// The addresses it sends to.
    pub fn api(&self) -> &Api {
        &self.api
    }
}

impl<S> Sender<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone,
{
    /// Sends one call and reads its answer.
    ///
    /// # Errors
    /// [`ApiError`]: `bad_request` if the call is no valid request, `network_error` if no answer came in time, otherwise as [`Call::response`] says.
    pub async fn send(&self, credential: &Credential, call: &Call) -> Result<Value, ApiError> {
        let request = call
            .request(&self.api, credential)
            .map_err(|invalid| ApiError::local(ErrorCode::BadRequest, invalid.to_string()))?
            .map(Bytes::from);
        let mut service = self.service.clone();
        let exchange = async {
            poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        };
        match tokio::time::timeout(self.time_limit, exchange).await {
            Ok(Ok(response)) => call.response(&response),
            // The client's own words are not shown: they may hold addresses.
            Ok(Err(_)) => Err(ApiError::local(
                ErrorCode::NetworkError,
                "the Didit API could not be reached",
            )),
            Err(_) => Err(ApiError::local(
                ErrorCode::NetworkError,
                format!(
                    "the Didit API did not answer within {} s",
                    self.time_limit.as_secs()
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use serde_json::json;

    use super::*;
    use crate::operation::find;

    /// A client made of a function; `None` is a failure, and 999 never answers.
    #[derive(Clone)]
    struct Answering(fn(&Request<Bytes>) -> Option<(u16, &'static str)>);

    impl Service<Request<Bytes>> for Answering {
        type Response = Response<Bytes>;
        type Error = &'static str;
        type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, &'static str>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            let answer = (self.0)(&request);
            Box::pin(async move {
                match answer {
                    None => Err("refused by 10.0.0.1"),
                    Some((999, _)) => std::future::pending().await,
                    Some((status, body)) => Ok(Response::builder()
                        .status(status)
                        .body(Bytes::from(body))
                        .unwrap()),
                }
            })
        }
    }

    async fn run(
        answer: fn(&Request<Bytes>) -> Option<(u16, &'static str)>,
    ) -> Result<Value, ApiError> {
        let call = Call::new(find("organization.list").unwrap());
        Sender::new(Api::hosted(), Answering(answer))
            .send(&Credential::bearer("t"), &call)
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_read() {
        let answer = run(|request| {
            assert_eq!(
                request.uri(),
                "https://apx.didit.me/auth/v2/organizations/me/"
            );
            Some((200, "[1]"))
        });
        assert_eq!(answer.await.unwrap(), json!([1]));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_at_the_time_limit() {
        let error = run(|_| Some((999, ""))).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::NetworkError);
        assert_eq!(error.message(), "the Didit API did not answer within 30 s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_client_says_nothing_of_its_inside() {
        let error = run(|_| None).await.unwrap_err();
        assert_eq!(error.message(), "the Didit API could not be reached");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_keeps_its_code() {
        let error = run(|_| Some((403, r#"{"detail":"no"}"#)))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (ErrorCode::Forbidden, "no")
        );
    }
}
