//! The client that the program hands in, with its type forgotten, and a limit on its time.

use std::fmt::{self, Display};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use crate::reason::shortened;

type Sent = Pin<Box<dyn Future<Output = Result<Response<Bytes>, SendFailed>> + Send>>;

/// An HTTP client, behind which is the `tower_service::Service` of the program.
///
/// Does not check: addresses, certificates, or how much is read; the service does.
#[derive(Clone)]
pub struct HttpClient {
    send: Arc<dyn Fn(Request<Bytes>) -> Sent + Send + Sync>,
}

/// Why there is no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendFailed {
    /// The client failed; its own words, cut to 200 characters.
    #[error("{0}")]
    Client(String),
    /// There was no whole response in time.
    #[error("no response within {0:?}")]
    TimedOut(Duration),
}

impl HttpClient {
    /// Takes a service; it is cloned for each request.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + Send + Sync + 'static,
        S::Error: Display,
        S::Future: Send,
    {
        let send = move |request| -> Sent {
            let mut service = service.clone();
            Box::pin(async move {
                let failed = |error: S::Error| SendFailed::Client(shortened(&error.to_string()));
                poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(failed)?;
                service.call(request).await.map_err(failed)
            })
        };
        Self {
            send: Arc::new(send),
        }
    }

    /// Sends one request; the caller puts a limit on the time of the whole exchange.
    pub(crate) async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, SendFailed> {
        let response = (self.send)(request.map(Bytes::from)).await?;
        Ok(response.map(Vec::from))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}
