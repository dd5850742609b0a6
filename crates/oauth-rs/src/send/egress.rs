//! The way to authorization servers and to metadata: a service that the program hands in.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::browser::ProgramError;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Bytes>, ProgramError>> + Send>>;

/// A service that sends the requests of OAuth itself: metadata, registration, tokens.
///
/// It follows no redirect, limits the body (64 KiB is the most that is read) and decides which addresses may be connected
/// to, since strangers choose them.
pub struct Egress(Box<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>);

impl Egress {
    /// Takes the service over; it is cloned for each request.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + 'static,
        S::Error: Into<ProgramError>,
        S::Future: Send,
    {
        // Only cloned under the lock.
        let service = Mutex::new(service);
        Self(Box::new(move |request| {
            let mut service = service
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            Box::pin(async move {
                poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(Into::into)?;
                service.call(request).await.map_err(Into::into)
            })
        }))
    }

    /// Sends a request; what goes wrong is told in one line.
    pub(super) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, String> {
        match (self.0)(request.map(Bytes::from)).await {
            Ok(response) => Ok(response.map(|body| body.to_vec())),
            Err(error) => Err(in_one_line(error.as_ref())),
        }
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Egress(..)")
    }
}

/// An error and what caused it.
fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        line.push_str(": ");
        line.push_str(&error.to_string());
        source = error.source();
    }
    line
}
