//! Row 1 of what the four seed systems can do, for one resource behind the layer: a challenge,
//! metadata, introspection *or* a key set; and what is done better here than there: the question is a
//! form (RFC 7662), the audience is always checked, and no token is passed through.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use oauth_rs::client::{Client, ClientAuth};
use oauth_rs::secret::Secret;
use resource_guard::fetch::{
    Fetched, IntrospectionEndpoint, IntrospectionLimits, IntrospectionProfile, IntrospectionSource,
    Introspector, KeyCache, KeyLimits, KeySource,
};
use resource_guard::{
    Guard, GuardConfig, GuardLayer, PassedToken, Principal, Reason, Refused, TrustedIssuer,
};
use serde_json::{Value, json};
use tower_layer::Layer;
use tower_service::Service;

use super::endpoint::Endpoint;
use crate::support::{ISSUER, METADATA, NOW, RESOURCE, World, claims, claims_with, issuer};

/// Says who came, and shows everything else that it was given.
#[derive(Clone)]
struct Inner;

impl Service<Request<String>> for Inner {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let principal = request.extensions().get::<Principal>().unwrap();
        assert!(request.extensions().get::<PassedToken>().is_none());
        let seen = format!(
            "{} {:?} {:?} {}",
            request.uri(),
            request.headers(),
            principal,
            request.body()
        );
        ready(Ok(Response::new(Full::new(seen.into()))))
    }
}

/// How the tokens of the issuer are validated: with its keys, or by asking it.
#[derive(Clone, Copy, Debug)]
enum Way {
    Keys,
    Introspection,
}

/// A resource whose issuer validates in one of the ways.
struct Row {
    world: World,
    way: Way,
    endpoint: Endpoint,
    layer: GuardLayer,
}

impl Row {
    fn new(way: Way) -> Self {
        let world = World::new();
        let keys = json!({"keys": [world.key.public_jwk()]}).to_string();
        let endpoint = Endpoint::answering(200, keys);
        let (trusted, source) = match way {
            Way::Keys => {
                let at = KeySource::At("https://as.example/keys".into());
                let keys = KeyCache::new([(issuer(), at)], endpoint.client(), KeyLimits::default());
                (TrustedIssuer::new(issuer()), Fetched::new(keys))
            }
            Way::Introspection => {
                let asked = IntrospectionEndpoint {
                    issuer: issuer(),
                    source: IntrospectionSource::At("https://as.example/introspect".into()),
                    client: Client {
                        client_id: "rs".into(),
                        auth: ClientAuth::Basic(Secret::new("s")),
                    },
                    profile: IntrospectionProfile::Json,
                };
                let asks = Introspector::new(
                    asked,
                    endpoint.client(),
                    Arc::new(|| NOW),
                    Arc::new(|dest: &mut [u8]| dest.fill(7)),
                    IntrospectionLimits::default(),
                );
                let keys = KeyCache::new([], endpoint.client(), KeyLimits::default());
                (
                    TrustedIssuer::introspecting(issuer()),
                    Fetched::new(keys).asking(asks),
                )
            }
        };
        let resource = oauth_rs::uri::ResourceId::parse(RESOURCE).unwrap();
        let guard = Guard::new(GuardConfig::new(resource, trusted)).unwrap();
        let layer = GuardLayer::new(Arc::new(guard), source, Arc::new(|| NOW));
        Self {
            world,
            way,
            endpoint,
            layer,
        }
    }

    /// A token of which its issuer says this: in the token, or when it is asked.
    fn token(&self, claims: &Value) -> String {
        match self.way {
            Way::Keys => self.world.sign(claims),
            Way::Introspection => {
                let mut said = claims.clone();
                said["active"] = json!(true);
                self.endpoint.now_answers(200, said.to_string());
                format!("opaque-{}", self.endpoint.count())
            }
        }
    }

    async fn send(&self, request: http::request::Builder) -> Response<Bytes> {
        let mut service = self.layer.layer(Inner);
        let request = request.body("the body".to_owned()).unwrap();
        let (parts, body) = service.call(request).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    async fn with(&self, token: &str) -> Response<Bytes> {
        let request = Request::post(RESOURCE).header("authorization", format!("Bearer {token}"));
        self.send(request).await
    }
}

fn reason(response: &Response<Bytes>) -> &Reason {
    response.extensions().get::<Refused>().unwrap().reason()
}

#[tokio::test(start_paused = true)]
async fn row_1_challenge_metadata_and_introspection_or_keys() {
    for way in [Way::Keys, Way::Introspection] {
        let row = Row::new(way);

        // Challenge, and metadata where it leads.
        let nobody = row.send(Request::post(RESOURCE)).await;
        assert_eq!(nobody.status(), 401, "{way:?}");
        assert_eq!(
            nobody.headers()["www-authenticate"],
            format!("Bearer resource_metadata=\"{METADATA}\"")
        );
        let metadata = row.send(Request::get(METADATA)).await;
        let metadata: Value = serde_json::from_slice(metadata.body()).unwrap();
        assert_eq!(metadata["resource"], RESOURCE, "{way:?}");
        assert_eq!(metadata["authorization_servers"], json!([ISSUER]));

        // Introspection or a key set.
        assert_eq!(row.endpoint.count(), 0, "{way:?}");
        let token = row.token(&claims());
        let granted = row.with(&token).await;
        assert_eq!(granted.status(), 200, "{way:?}");
        assert_eq!(row.endpoint.count(), 1, "{way:?}");

        // No passthrough: nothing that the service is given has the token in it.
        let seen = String::from_utf8(granted.body().to_vec()).unwrap();
        assert!(
            seen.contains("user-1") && seen.contains("the body"),
            "{seen}"
        );
        assert!(!seen.contains(&token), "{way:?}: {seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn row_1_the_question_is_a_form() {
    let row = Row::new(Way::Introspection);
    let token = row.token(&claims());
    assert_eq!(row.with(&token).await.status(), 200);
    let question = row.endpoint.last();
    assert_eq!(question.method(), "POST");
    assert_eq!(
        question.headers()["content-type"],
        "application/x-www-form-urlencoded"
    );
    let form = format!("token={token}&token_type_hint=access_token");
    assert_eq!(question.body(), form.as_str());
}

#[tokio::test(start_paused = true)]
async fn row_1_the_audience_is_always_checked() {
    for way in [Way::Keys, Way::Introspection] {
        for other in [
            json!("https://other.example"),
            json!("https://rs.example"),
            json!("https://rs.example/mcp/"),
            json!(["https://other.example", "client-1"]),
        ] {
            let row = Row::new(way);
            let token = row.token(&claims_with("aud", other.clone()));
            let refused = row.with(&token).await;
            assert_eq!(refused.status(), 401, "{way:?} {other}");
            assert!(
                matches!(reason(&refused), Reason::OtherAudience { .. }),
                "{way:?} {other}"
            );
        }
        // Without any the token is for nobody.
        let row = Row::new(way);
        let token = row.token(&claims_with("aud", Value::Null));
        let refused = row.with(&token).await;
        assert_eq!(refused.status(), 401, "{way:?}");
        let is_right = match way {
            Way::Keys => matches!(reason(&refused), Reason::Claims { .. }),
            Way::Introspection => matches!(reason(&refused), Reason::OtherAudience { .. }),
        };
        assert!(is_right, "{way:?} {:?}", reason(&refused));
    }
}
