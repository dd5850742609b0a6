//! What carries requests: any tower service with bodies that are read as they arrive.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use egress_guard::Streaming;
use http::{Request, Response};
use mcp_protocol::client::{AnswerBody, TransportError};
use tower_service::Service;

/// A service that carries requests of an MCP client.
pub(crate) trait Carrier:
    Service<Request<Bytes>, Response = Response<AnswerBody>, Error = TransportError> + Clone
{
}

impl<S> Carrier for S where
    S: Service<Request<Bytes>, Response = Response<AnswerBody>, Error = TransportError> + Clone
{
}

/// A response that is on its way.
pub(crate) type Carried =
    Pin<Box<dyn Future<Output = Result<Response<AnswerBody>, TransportError>> + Send>>;

/// Guarded connections as a carrier.
#[derive(Clone, Debug)]
pub(crate) struct Open(Streaming);

impl Open {
    pub(crate) fn new(streaming: Streaming) -> Self {
        Self(streaming)
    }
}

impl Service<Request<Bytes>> for Open {
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Carried;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried {
        let response = self.0.call(request);
        Box::pin(async move { Ok(response.await?.map(AnswerBody::stream)) })
    }
}
