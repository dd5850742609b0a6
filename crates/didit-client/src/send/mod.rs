//! Feature `send`: runs calls over an HTTP client that you supply.

mod create;
mod pages;

use std::future::poll_fn;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use tower_service::Service;

use crate::api::Api;
use crate::call::Call;
use crate::credential::Credential;
use crate::error::{ApiError, ErrorCode};
use crate::file::FileKind;
use crate::retry::Retries;

pub use pages::Pages;

/// The time limit of an attempt when none is chosen.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(30);

/// An [`Api`] and an HTTP client for it.
///
/// The client has to cap the size of a body while it reads it, since here the body is complete, and must not follow redirects.
/// Nothing is sent twice unless [`Sender::with_retries`] says so.
/// Dropping the future of a call drops the client's future, which ends the request; a wait between attempts ends the same way.
#[derive(Clone, Debug)]
pub struct Sender<S> {
    service: S,
    api: Api,
    time_limit: Duration,
    retries: Option<Retries>,
}

impl<S> Sender<S> {
    /// A sender with the default time limit, which sends each call once.
    pub fn new(api: Api, service: S) -> Self {
        Self {
            service,
            api,
            time_limit: DEFAULT_TIME_LIMIT,
            retries: None,
        }
    }

    /// Replaces the time limit of an attempt, which covers everything from asking the client to the whole body.
    #[must_use]
    pub fn with_time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Sends calls again by these rules.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.retries = Some(retries);
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
    /// Sends one call and reads its answer; again, where the rules for that allow it.
    ///
    /// # Errors
    /// [`ApiError`]: `bad_request` if the call is no valid request, `network_error` if no answer came in time, otherwise as [`Call::response`] says.
    /// It is the error of the last attempt.
    pub async fn send(&self, credential: &Credential, call: &Call) -> Result<Value, ApiError> {
        let request = self.request(credential, call)?;
        self.exchange(call, request, |response| call.response(response))
            .await
    }

    /// Sends a call that is answered with a file, such as a report in PDF.
    ///
    /// # Errors
    /// [`ApiError`] as for [`Sender::send`], and for an answer that is no file.
    pub async fn send_for_file(
        &self,
        credential: &Credential,
        call: &Call,
    ) -> Result<(FileKind, Bytes), ApiError> {
        let request = self.request(credential, call)?;
        self.exchange(call, request, |response| {
            let (kind, _) = call.file_response(response)?;
            Ok((kind, response.body().clone()))
        })
        .await
    }

    /// Sends a request until the rules say that its outcome is the caller's.
    async fn exchange<T>(
        &self,
        call: &Call,
        request: Request<Bytes>,
        read: impl Fn(&Response<Bytes>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Some(retries) = &self.retries else {
            return read(&self.attempt(request, self.time_limit).await?);
        };
        let started = Instant::now();
        let mut sent = 0;
        loop {
            let left = retries.budget().saturating_sub(started.elapsed());
            let limit = self.time_limit.min(left);
            let attempt = self.attempt(request.clone(), limit).await;
            let error = match attempt.and_then(|response| read(&response)) {
                Ok(read) => return Ok(read),
                Err(error) => error,
            };
            sent += 1;
            let repeatable = call.operation().repeatable;
            match retries.wait(&error, repeatable, sent, started.elapsed()) {
                Some(wait) => sleep(wait).await,
                None => return Err(error),
            }
        }
    }

    fn request(&self, credential: &Credential, call: &Call) -> Result<Request<Bytes>, ApiError> {
        match call.request(&self.api, credential) {
            Ok(request) => Ok(request.map(Bytes::from)),
            Err(invalid) => Err(ApiError::local(ErrorCode::BadRequest, invalid.to_string())),
        }
    }

    async fn attempt(
        &self,
        request: Request<Bytes>,
        limit: Duration,
    ) -> Result<Response<Bytes>, ApiError> {
        let mut service = self.service.clone();
        let exchange = async {
            poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        };
        match timeout(limit, exchange).await {
            Ok(Ok(response)) => Ok(response),
            // The client's own words are not shown: they may hold addresses.
            Ok(Err(_)) => Err(ApiError::local(
                ErrorCode::NetworkError,
                "the Didit API could not be reached",
            )),
            Err(_) => Err(ApiError::local(
                ErrorCode::NetworkError,
                format!(
                    "the Didit API did not answer within {} s",
                    limit.as_secs_f32().ceil()
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
