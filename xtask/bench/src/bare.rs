//! A server that reads each body and answers with the same bytes: the least that HTTP costs.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Incoming};

/// For hyper as it is, and for the layers of tower.
#[derive(Clone, Debug)]
pub struct Bare {
    answer: Bytes,
}

type Answering<E> = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, E>> + Send>>;

impl Bare {
    /// Answers with these bytes.
    pub fn new(answer: Bytes) -> Self {
        Self { answer }
    }

    fn answer<B>(&self, request: Request<B>) -> Answering<B::Error>
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Send,
    {
        let answer = self.answer.clone();
        Box::pin(async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                frame?;
            }
            let mut response = Response::new(Full::new(answer));
            response
                .headers_mut()
                .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(response)
        })
    }
}

impl hyper::service::Service<Request<Incoming>> for Bare {
    type Response = Response<Full<Bytes>>;
    type Error = hyper::Error;
    type Future = Answering<hyper::Error>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.answer(request)
    }
}

impl<B> tower_service::Service<Request<B>> for Bare
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
{
    type Response = Response<Full<Bytes>>;
    type Error = B::Error;
    type Future = Answering<B::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.answer(request)
    }
}
