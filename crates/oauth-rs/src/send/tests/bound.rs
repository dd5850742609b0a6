//! Tokens that are bound to a key, at servers that want to see their nonces.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, header};
use tower_layer::Layer as _;
use tower_service::Service;

use super::world::{ISSUER, URL, World, grant};
use crate::client::flow::{FlowOptions, StoredGrant};
use crate::client::store::save;
use crate::jose::SigningKey;
use crate::jose::dpop::{self, Rules, Sent};
use crate::send::{CallFailed, Egress, Seams, SignInFailed, SignInLayer};
use crate::time::UnixSeconds;
use crate::uri::{RedirectUri, TargetUri};

/// Both servers: each knows a proof with its nonce, and asks for it otherwise.
#[derive(Clone, Default)]
struct Strict {
    log: Arc<Mutex<Vec<String>>>,
    proofs: Arc<Mutex<Vec<String>>>,
    /// The nonce of the resource changes with every answer.
    restless: bool,
}

impl Service<Request<Bytes>> for Strict {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        ready(Ok(self.answer(&request)))
    }
}

impl Strict {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let url = request.uri().to_string();
        let shown = request.headers().get(header::AUTHORIZATION);
        let token = shown.map(|value| value.to_str().unwrap().strip_prefix("DPoP ").unwrap());
        let proof = dpop::header(request.headers()).unwrap().unwrap();
        let mut log = self.log.lock().unwrap();
        let mut proofs = self.proofs.lock().unwrap();
        assert!(
            !proofs.contains(&proof.to_owned()),
            "a proof was used twice"
        );
        proofs.push(proof.to_owned());
        let at_token_endpoint = url.starts_with(ISSUER);
        let mut nonce = if at_token_endpoint { "of-as" } else { "of-rs" }.to_owned();
        if self.restless && !at_token_endpoint {
            nonce.push_str(&proofs.len().to_string());
        }
        let expected = nonce.as_str();
        let uri = TargetUri::parse(&url).unwrap();
        let sent = Sent {
            method: request.method(),
            uri: &uri,
            access_token: token,
            nonce: Some(&|shown: &str| shown == expected),
        };
        let proven = dpop::verify(proof, &sent, &Rules::default(), UnixSeconds(1_000));
        log.push(format!(
            "{url} {}",
            if proven.is_ok() { "proven" } else { "no nonce" }
        ));
        let mut response = match (proven.is_ok(), at_token_endpoint) {
            (true, true) => Response::new(Bytes::from_static(
                br#"{"access_token":"t1","token_type":"DPoP","expires_in":300,"refresh_token":"r1"}"#,
            )),
            (true, false) => Response::new(Bytes::new()),
            (false, true) => {
                let body = Bytes::from_static(br#"{"error":"use_dpop_nonce"}"#);
                Response::builder().status(400).body(body).unwrap()
            }
            (false, false) => Response::builder()
                .status(401)
                .header(header::WWW_AUTHENTICATE, r#"DPoP error="use_dpop_nonce""#)
                .body(Bytes::new())
                .unwrap(),
        };
        let nonce = nonce.parse().unwrap();
        response.headers_mut().insert("dpop-nonce", nonce);
        response
    }
}

fn layer(strict: &Strict, world: &World, key: Option<Arc<SigningKey>>) -> SignInLayer {
    let mut options = FlowOptions::new("test", RedirectUri::parse("http://127.0.0.1/x").unwrap());
    options.dpop_key = key;
    let seams = Seams {
        egress: Egress::new(strict.clone()),
        browser: None,
        entropy: Arc::new(counted()),
        ..world.seams()
    };
    SignInLayer::new(URL, options, seams).unwrap()
}

/// Bytes that never come twice.
fn counted() -> impl Fn(&mut [u8]) + Send + Sync {
    let count = Mutex::new(0_u64);
    move |dest: &mut [u8]| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let bytes = count.to_be_bytes();
        dest.iter_mut()
            .zip(bytes.iter().rev().cycle())
            .for_each(|(to, from)| *to = *from);
    }
}

fn bound(key: &SigningKey, expires_at: u64) -> StoredGrant {
    StoredGrant {
        dpop_jkt: Some(key.kid().to_owned()),
        ..grant("t0", expires_at)
    }
}

async fn call(layer: &SignInLayer, strict: &Strict) -> Result<u16, CallFailed> {
    let request = Request::post(URL).body(Bytes::new()).unwrap();
    let response = layer.layer(strict.clone()).call(request).await?;
    Ok(response.status().as_u16())
}

#[tokio::test]
async fn each_request_carries_a_proof_with_the_nonce_of_its_server() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let world = World::with(bound(&key, 900)).await;
    let strict = Strict::default();
    let layer = layer(&strict, &world, Some(Arc::clone(&key)));
    assert_eq!(call(&layer, &strict).await.unwrap(), 200);
    assert_eq!(
        *strict.log.lock().unwrap(),
        [
            "https://as.example/token no nonce",
            "https://as.example/token proven",
            "https://rs.example/mcp no nonce",
            "https://rs.example/mcp proven",
        ]
    );
    let kept = world.kept().await.unwrap();
    assert!(kept.access_token.ct_eq("t1"));
    assert_eq!(kept.dpop_jkt.as_deref(), Some(key.kid()));
    // What the servers want is known by now.
    assert_eq!(call(&layer, &strict).await.unwrap(), 200);
    assert_eq!(strict.log.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn a_nonce_that_changes_with_every_answer_is_followed_once() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let world = World::with(bound(&key, 2_000)).await;
    let strict = Strict {
        restless: true,
        ..Strict::default()
    };
    let layer = layer(&strict, &world, Some(key));
    assert_eq!(call(&layer, &strict).await.unwrap(), 401);
    assert_eq!(strict.log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn tokens_without_their_key_are_not_used() {
    let key = SigningKey::generate_es256().unwrap();
    let other = Arc::new(SigningKey::generate_es256().unwrap());
    for given in [None, Some(other)] {
        let world = World::with(bound(&key, 2_000)).await;
        let layer = layer(&Strict::default(), &world, given);
        // Nothing is shown, and the refusal leads to a person.
        let failed = {
            let request = Request::post(URL).body(Bytes::new()).unwrap();
            let mut service = layer.layer(super::world::Resource(world.clone()));
            service.call(request).await.unwrap_err()
        };
        assert!(matches!(
            failed,
            CallFailed::SignIn(SignInFailed::NobodyToAsk)
        ));
        assert_eq!(world.log(), [format!("call {URL} with nothing")]);
    }
}

/// Answers that take a moment, so that calls are under way at the same time.
#[derive(Clone)]
struct Slow(Strict);

impl Service<Request<Bytes>> for Slow {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let answer = self.0.answer(&request);
        Box::pin(async move {
            tokio::task::yield_now().await;
            Ok(answer)
        })
    }
}

#[tokio::test]
async fn calls_at_the_same_time_all_learn_the_nonce() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let world = World::with(bound(&key, 2_000)).await;
    let strict = Strict::default();
    let layer = layer(&strict, &world, Some(key));
    let call = || {
        let request = Request::post(URL).body(Bytes::new()).unwrap();
        layer.layer(Slow(strict.clone())).call(request)
    };
    // The first call finds the stored tokens; the others have them.
    let (one, two, three) = tokio::join!(call(), call(), call());
    for answer in [one, two, three] {
        assert_eq!(answer.unwrap().status(), 200);
    }
    assert_eq!(strict.log.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn tokens_that_somebody_with_another_key_has_stored_are_neither_used_nor_sent() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let other = SigningKey::generate_es256().unwrap();
    for theirs_ends in [900, 5_000] {
        let world = World::with(bound(&key, 2_000)).await;
        let strict = Strict::default();
        let layer = layer(&strict, &world, Some(Arc::clone(&key)));
        assert_eq!(call(&layer, &strict).await.unwrap(), 200);
        let theirs = bound(&other, theirs_ends);
        let theirs = StoredGrant {
            access_token: crate::secret::Secret::new("theirs"),
            ..theirs
        };
        save(world.store.as_ref(), &theirs).await.unwrap();
        let before = world.store.find(URL).await.unwrap().unwrap();
        // Ours end; nobody can be asked, and what is sent goes without a token.
        *world.now.lock().unwrap() = 2_000;
        let request = Request::post(URL).body(Bytes::new()).unwrap();
        let mut service = layer.layer(super::world::Resource(world.clone()));
        let failed = service.call(request).await.unwrap_err();
        assert!(
            matches!(failed, CallFailed::SignIn(SignInFailed::NobodyToAsk)),
            "{failed:?}"
        );
        assert_eq!(world.log(), [format!("call {URL} with nothing")]);
        let asked = strict.log.lock().unwrap().join(" ");
        assert!(!asked.contains("token"), "{asked}");
        let after = world.store.find(URL).await.unwrap().unwrap();
        assert_eq!(after.version, before.version);
    }
}
