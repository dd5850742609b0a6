//! Puts the access token into every request to the one server it was issued for.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use oauth_rs::secret::Secret;
use tower_service::Service;

/// The token that requests carry now; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Token(Arc<Mutex<Option<Secret>>>);

impl Token {
    /// Carries this token from now on, or none.
    pub(super) fn set(&self, token: Option<Secret>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    fn header(&self) -> Option<HeaderValue> {
        let token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // RFC 6750 section 2.1: in the header, and in no other place.
        let text = format!("Bearer {}", token.as_ref()?.expose());
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// A service that adds the token to each request and passes it on.
#[derive(Clone, Debug)]
pub(super) struct Bearer<S> {
    inner: S,
    token: Token,
}

impl<S> Bearer<S> {
    pub(super) fn new(inner: S, token: Token) -> Self {
        Self { inner, token }
    }
}

impl<S> Service<Request<Bytes>> for Bearer<S>
where
    S: Service<Request<Bytes>, Response = Response<Bytes>>,
{
    type Response = Response<Bytes>;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Bytes>) -> S::Future {
        if let Some(value) = self.token.header() {
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};

    use super::*;

    /// Answers with the authorization that it was shown.
    #[derive(Clone, Debug)]
    struct Echo;

    impl Service<Request<Bytes>> for Echo {
        type Response = Response<Bytes>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Bytes>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            let shown = request.headers().get(header::AUTHORIZATION);
            let sensitive = shown.is_none_or(HeaderValue::is_sensitive);
            assert!(sensitive);
            let body = shown.map_or_else(Bytes::new, |v| Bytes::copy_from_slice(v.as_bytes()));
            ready(Ok(Response::new(body)))
        }
    }

    #[tokio::test]
    async fn the_token_of_the_moment_is_sent() {
        let token = Token::default();
        let mut service = Bearer::new(Echo, token.clone());
        let mut shown = async || {
            service
                .call(Request::new(Bytes::new()))
                .await
                .unwrap()
                .into_body()
        };
        assert_eq!(shown().await, "");
        token.set(Some(Secret::new("first")));
        assert_eq!(shown().await, "Bearer first");
        token.set(Some(Secret::new("second")));
        assert_eq!(shown().await, "Bearer second");
        token.set(None);
        assert_eq!(shown().await, "");
        token.set(Some(Secret::new("third")));
        assert!(!format!("{service:?}").contains("third"));
    }

    #[tokio::test]
    async fn a_token_that_no_header_can_carry_is_not_sent() {
        let token = Token::default();
        token.set(Some(Secret::new("two\nlines")));
        let mut service = Bearer::new(Echo, token);
        assert_eq!(
            service
                .call(Request::new(Bytes::new()))
                .await
                .unwrap()
                .into_body(),
            ""
        );
    }
}
