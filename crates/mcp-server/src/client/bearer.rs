//! Puts the access token into every request to the one server it was issued for, with a proof where it is bound.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use oauth_rs::client::flow::{Access, Nonces, asks_for_nonce};
use oauth_rs::entropy::Entropy;
use oauth_rs::time::Clock;
use tower_service::Service;

/// The token that requests carry now; clones share it.
#[derive(Clone)]
pub(super) struct Token {
    carried: Arc<Mutex<Carried>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

#[derive(Debug, Default)]
struct Carried {
    access: Option<Access>,
    nonces: Nonces,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Token").field(&self.carried).finish()
    }
}

impl Token {
    pub(super) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            carried: Arc::default(),
            clock,
            entropy,
        }
    }

    /// Carries this token from now on, or none.
    pub(super) fn set(&self, access: Option<Access>) {
        self.lock().access = access;
    }

    fn lock(&self) -> MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request as it is sent: each time with a proof of its own, where the token is bound.
    fn onto(&self, request: &Request<Bytes>) -> Request<Bytes> {
        let mut request = request.clone();
        let carried = self.lock();
        if let Some(access) = &carried.access {
            let url = request.uri().to_string();
            let (now, entropy) = (self.clock.now(), self.entropy.as_ref());
            // Without it the server says what it wants; there is nothing better to do about a token that no header carries.
            let headers = access.headers(request.method(), &url, &carried.nonces, now, entropy);
            request.headers_mut().extend(headers.unwrap_or_default());
        }
        request
    }

    fn note(&self, request: &Request<Bytes>, response: &Response<Bytes>) {
        let url = request.uri().to_string();
        self.lock().nonces.note(&url, response.headers());
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
    S: Service<Request<Bytes>, Response = Response<Bytes>> + Clone + 'static,
{
    type Response = Response<Bytes>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, S::Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let token = self.token.clone();
        // What was made ready sends it; a clone is asked again before it sends.
        let sent = self.inner.call(token.onto(&request));
        let mut inner = self.inner.clone();
        Box::pin(async move {
            let response = sent.await?;
            token.note(&request, &response);
            // RFC 9449 section 9: with the nonce, once.
            if !asks_for_nonce(response.status(), response.headers()) {
                return Ok(response);
            }
            poll_fn(|context| inner.poll_ready(context)).await?;
            let response = inner.call(token.onto(&request)).await?;
            token.note(&request, &response);
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};

    use http::{HeaderValue, StatusCode, header};
    use oauth_rs::secret::Secret;
    use oauth_rs::time::UnixSeconds;

    use super::*;
    use crate::client::grants::tests::{URL, grant, grants};
    use crate::system::SystemEntropy;

    /// Notes the authorization that it was shown, and refuses a proof without its nonce.
    #[derive(Clone, Debug, Default)]
    struct Echo {
        seen: Arc<Mutex<Vec<(String, bool)>>>,
        wants_nonce: bool,
    }

    impl Service<Request<Bytes>> for Echo {
        type Response = Response<Bytes>;
        type Error = Infallible;
        type Future = Ready<Result<Response<Bytes>, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: Request<Bytes>) -> Self::Future {
            let shown = request.headers().get(header::AUTHORIZATION);
            assert!(shown.is_none_or(HeaderValue::is_sensitive));
            let shown = shown.map_or("", |value| value.to_str().unwrap());
            let proof = request.headers().get("dpop");
            let mut seen = self.seen.lock().unwrap();
            seen.push((shown.to_owned(), proof.is_some()));
            let mut response = Response::new(Bytes::new());
            if self.wants_nonce {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                let wants = HeaderValue::from_static("DPoP error=\"use_dpop_nonce\"");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, wants);
                let nonce = HeaderValue::from_static("n");
                response.headers_mut().insert("dpop-nonce", nonce);
            }
            ready(Ok(response))
        }
    }

    fn token() -> Token {
        Token::new(
            Arc::new(|| UnixSeconds(1_000)),
            Arc::new(SystemEntropy::new()),
        )
    }

    async fn sent(service: &mut Bearer<Echo>, url: &str) -> Vec<(String, bool)> {
        let request = Request::post(url).body(Bytes::new()).unwrap();
        service.call(request).await.unwrap();
        std::mem::take(&mut *service.inner.seen.lock().unwrap())
    }

    #[tokio::test]
    async fn the_token_of_the_moment_is_sent_to_its_server_only() {
        let token = token();
        let mut service = Bearer::new(Echo::default(), token.clone());
        assert_eq!(sent(&mut service, URL).await, [(String::new(), false)]);
        for name in ["first", "second"] {
            token.set(Access::new(&grant(name), None).ok());
            assert_eq!(
                sent(&mut service, URL).await,
                [(format!("Bearer {name}"), false)]
            );
        }
        let elsewhere = sent(&mut service, "https://other.example/mcp").await;
        assert_eq!(elsewhere, [(String::new(), false)]);
        assert!(!format!("{service:?}").contains("second"));
        token.set(None);
        assert_eq!(sent(&mut service, URL).await, [(String::new(), false)]);
    }

    #[tokio::test]
    async fn a_token_that_no_header_can_carry_is_not_sent() {
        let token = token();
        let mut broken = grant("x");
        broken.access_token = Secret::new("two\nlines");
        token.set(Access::new(&broken, None).ok());
        let mut service = Bearer::new(Echo::default(), token);
        assert_eq!(sent(&mut service, URL).await, [(String::new(), false)]);
    }

    #[tokio::test]
    async fn a_bound_token_is_proven_and_the_nonce_of_the_server_shown_once() {
        let (_folder, grants) = grants();
        let key = grants.key().unwrap();
        // The key is kept: the next command has the same one.
        assert_eq!(key.kid(), grants.key().unwrap().kid());
        let mut bound = grant("bound");
        bound.dpop_jkt = Some(key.kid().to_owned());
        let token = token();
        token.set(Access::new(&bound, Some(&key)).ok());
        let mut service = Bearer::new(Echo::default(), token.clone());
        let proven = ("DPoP bound".to_owned(), true);
        assert_eq!(sent(&mut service, URL).await, std::slice::from_ref(&proven));
        service.inner.wants_nonce = true;
        assert_eq!(sent(&mut service, URL).await, [proven.clone(), proven]);
    }
}
