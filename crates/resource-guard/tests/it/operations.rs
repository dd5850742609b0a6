//! The layer asks for the scopes of the operation that a request names.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use oauth_rs::jose::dpop::Rules;
use oauth_rs::time::UnixSeconds;
use resource_guard::{Guard, GuardLayer, Nonces, Operations, Reason, Refused, Requirement};
use serde_json::json;
use tower_layer::Layer;
use tower_service::Service;

use crate::dpop::Bound;
use crate::support::{METADATA, NOW, RESOURCE, World, config};

/// Counts who comes.
#[derive(Clone, Default)]
struct Inner(Arc<AtomicUsize>);

impl Service<Request<()>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        self.0.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::default()))
    }
}

/// A layer for tokens of scope `a`, whose operations are the methods: POST needs `a`, PUT needs `b`
/// or `c d`, and nobody has thought of the others; OPTIONS is no operation.
fn layer(world: &World) -> GuardLayer {
    let put = Requirement::any_of(["b"]).unwrap();
    let put = put.or(Requirement::all_of(["c", "d"]).unwrap());
    let operations = Operations::new([("POST", Requirement::any_of(["a"]).unwrap()), ("PUT", put)]);
    let config = config()
        .operations(operations.unwrap())
        .dpop(Rules::default());
    let guard = Arc::new(Guard::new(config).unwrap());
    let keys = world.keys.clone().fixed();
    GuardLayer::new(guard, keys, Arc::new(|| NOW)).operation(|parts| {
        let is_one = parts.method != Method::OPTIONS;
        is_one.then(|| parts.method.to_string())
    })
}

async fn send(layer: &GuardLayer, request: http::request::Builder) -> (Response<()>, usize) {
    let inner = Inner::default();
    let mut service = layer.layer(inner.clone());
    let response = service.call(request.body(()).unwrap()).await.unwrap();
    (response.map(|_| ()), inner.0.load(Ordering::SeqCst))
}

fn reason(response: &Response<()>) -> &Reason {
    response.extensions().get::<Refused>().unwrap().reason()
}

#[tokio::test]
async fn each_operation_takes_its_scopes() {
    let world = World::new();
    let layer = layer(&world);
    let bearer = format!("Bearer {}", world.token());
    let request = |method| {
        let request = Request::builder().method(method).uri(RESOURCE);
        request.header("authorization", &bearer)
    };

    for allowed in [Method::POST, Method::OPTIONS] {
        let (response, calls) = send(&layer, request(allowed)).await;
        assert_eq!((response.status().as_u16(), calls), (200, 1));
    }

    let (response, calls) = send(&layer, request(Method::PUT)).await;
    assert_eq!((response.status().as_u16(), calls), (403, 0));
    assert!(matches!(
        reason(&response),
        Reason::InsufficientScope { .. }
    ));
    assert_eq!(
        response.headers()["www-authenticate"],
        format!(
            "Bearer error=\"insufficient_scope\", \
             error_description=\"the access token does not have the scope that this operation needs\", \
             resource_metadata=\"{METADATA}\", scope=\"b\""
        )
    );

    let (response, calls) = send(&layer, request(Method::DELETE)).await;
    assert_eq!((response.status().as_u16(), calls), (403, 0));
    let operation = "DELETE".to_owned();
    assert_eq!(reason(&response), &Reason::UnknownOperation { operation });
    assert!(!response.headers().contains_key("www-authenticate"));
}

#[tokio::test]
async fn the_token_comes_first_and_an_open_request_has_no_scopes_to_look_at() {
    let world = World::new();
    let layer = layer(&world);
    let (response, calls) = send(&layer, Request::put(RESOURCE)).await;
    assert_eq!((reason(&response), calls), (&Reason::NoToken, 0));
    let layer = layer.open(|_| true);
    let (response, calls) = send(&layer, Request::put(RESOURCE)).await;
    assert_eq!((response.status().as_u16(), calls), (200, 1));
}

#[tokio::test]
async fn a_proof_is_spent_and_a_nonce_handed_out_whatever_the_scope() {
    let bound = Bound::new(|config| config);
    let nonces = || Arc::new(Nonces::new([1; 32]));
    let layer = layer(&bound.world).nonces(nonces);
    let mut proof = bound.proof_claims(NOW);
    proof["htm"] = json!("PUT");
    // A nonce that is good and not the newest.
    proof["nonce"] = json!(nonces().fresh(UnixSeconds(NOW.0 - 300)));
    let proof = bound.proof(&proof);
    let token = format!("DPoP {}", bound.token);
    let request = || {
        let request = Request::put(RESOURCE).header("authorization", &token);
        request.header("dpop", &proof)
    };
    let (response, _) = send(&layer, request()).await;
    assert!(matches!(
        reason(&response),
        Reason::InsufficientScope { .. }
    ));
    assert_eq!(
        response.headers()["dpop-nonce"],
        nonces().fresh(NOW).as_str()
    );
    let (response, _) = send(&layer, request()).await;
    assert_eq!(reason(&response), &Reason::Replayed);
}
