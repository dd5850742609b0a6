//! Our client before the stack: the sign-in layer of `oauth-rs` and the MCP client over it, and everything that they send.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use mcp_protocol::client::Client;
use mcp_protocol::types::Implementation;
use oauth_rs::client::flow::{FlowOptions, StoredGrant};
use oauth_rs::client::store::MemoryStore;
use oauth_rs::jose::SigningKey;
use oauth_rs::jose::dpop::Proof;
use oauth_rs::secret::Secret;
use oauth_rs::send::{Browser, Egress, Pending, Seams, SignInLayer, SignedIn, Visit, VisitWith};
use oauth_rs::time::UnixSeconds;
use oauth_rs::uri::{RedirectUri, TargetUri};
use serde_json::value::RawValue;
use tower_layer::Layer as _;
use tower_service::Service;

use super::world::*;

/// What went over the wire once.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) to: String,
    pub(super) scheme: Option<String>,
    pub(super) proof: Option<String>,
    pub(super) status: StatusCode,
    /// The nonce in the answer.
    pub(super) nonce: Option<String>,
}

/// The way to both servers, with a record of what was sent.
#[derive(Clone)]
pub(super) struct Wire {
    world: Arc<World>,
    log: Arc<Mutex<Vec<Sent>>>,
}

impl Wire {
    pub(super) fn to(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            log: Arc::default(),
        }
    }

    /// What was sent to one of the servers since the last time.
    pub(super) fn sent(&self, place: &str) -> Vec<Sent> {
        let mut log = self.log.lock().unwrap();
        let (there, rest) = log.drain(..).partition(|sent| sent.to == place);
        *log = rest;
        there
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap().to_owned())
}

impl Service<Request<Bytes>> for Wire {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let wire = self.clone();
        Box::pin(async move {
            let to = request.uri().to_string();
            let authorization = text(request.headers(), "authorization");
            let scheme = authorization.map(|value| value.split(' ').next().unwrap().to_owned());
            let proof = text(request.headers(), "dpop");
            let answer = wire.world.exchange(request).await;
            wire.log.lock().unwrap().push(Sent {
                to,
                scheme,
                proof,
                status: answer.status,
                nonce: text(&answer.headers, "dpop-nonce"),
            });
            let mut response = Response::new(answer.body);
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}

/// A person who is signed in and consents: the browser comes straight back.
fn browser(world: &Arc<World>) -> Arc<dyn Browser> {
    let world = Arc::clone(world);
    Arc::new(move || -> Pending<'static, Box<dyn Visit>> {
        let world = Arc::clone(&world);
        Box::pin(async move {
            let visit = move |url: String, _: Secret| -> Pending<'static, Secret> {
                let world = Arc::clone(&world);
                Box::pin(async move {
                    let request = Request::get(url).body(Bytes::new()).unwrap();
                    let answer = world.exchange(request).await;
                    let (_, query) = answer.header(header::LOCATION).split_once('?').unwrap();
                    Ok(Secret::new(query))
                })
            };
            let back = RedirectUri::parse(CALLBACK).unwrap();
            Ok(Box::new(VisitWith::new(back, visit)) as Box<dyn Visit>)
        })
    })
}

/// A program with our client in it.
pub(super) struct Program {
    pub(super) world: Arc<World>,
    pub(super) key: Option<Arc<SigningKey>>,
    pub(super) store: Arc<MemoryStore>,
    client: Client<SignedIn<Wire>>,
    layer: SignInLayer,
    wire: Wire,
}

impl Program {
    /// With a key to bind tokens to, or without.
    pub(super) fn new(world: &Arc<World>, key: Option<SigningKey>) -> Self {
        Self::with(world, key, Arc::new(MemoryStore::new()))
    }

    pub(super) fn bound(world: &Arc<World>) -> Self {
        Self::new(world, Some(SigningKey::generate_es256().unwrap()))
    }

    /// The program with the grants that another run of it kept.
    pub(super) fn with(
        world: &Arc<World>,
        key: Option<SigningKey>,
        store: Arc<MemoryStore>,
    ) -> Self {
        Self::at(MCP_URL, world, key, store)
    }

    /// The program with another address of the endpoint.
    fn at(
        address: &str,
        world: &Arc<World>,
        key: Option<SigningKey>,
        store: Arc<MemoryStore>,
    ) -> Self {
        let wire = Wire::to(world);
        let key = key.map(Arc::new);
        let mut options = FlowOptions::new("A test", RedirectUri::parse(CALLBACK).unwrap());
        options.dpop_key = key.clone();
        let clock = Arc::clone(world);
        let seams = Seams {
            store: Arc::clone(&store) as _,
            egress: Egress::new(wire.clone()),
            browser: Some(browser(world)),
            clock: Arc::new(move || UnixSeconds(clock.now())),
            entropy: Arc::new(world.entropy.clone()),
            spawn: Arc::new(|work| drop(tokio::spawn(work))),
        };
        let layer = SignInLayer::new(address, options, seams).unwrap();
        let info = Implementation::new("test", "1");
        let endpoint = address.parse().unwrap();
        Self {
            client: Client::new(layer.layer(wire.clone()), endpoint, info),
            world: Arc::clone(world),
            key,
            store,
            layer,
            wire,
        }
    }

    /// Calls a tool, signing in or refreshing where that is needed.
    pub(super) async fn call(&self) {
        let arguments = RawValue::from_string("{}".to_owned()).unwrap();
        let called = self.client.call_tool("didit_context_get", &arguments).await;
        let called = called.unwrap();
        let text = format!("{called:?}");
        assert!(text.contains("organization_count"), "{text}");
    }

    pub(super) fn grant(&self) -> StoredGrant {
        self.layer.grant().unwrap()
    }

    /// What was sent to one of the servers since the last time.
    pub(super) fn sent(&self, place: &str) -> Vec<Sent> {
        self.wire.sent(place)
    }

    /// A proof by the key of this program, with something wrong in it.
    pub(super) fn proof(&self, broken: &Broken<'_>) -> String {
        let key = broken.key.or(self.key.as_deref()).unwrap();
        let proof = Proof {
            method: broken.method,
            uri: &TargetUri::parse(broken.uri).unwrap(),
            nonce: None,
            access_token: broken.access_token,
        };
        let now = UnixSeconds(self.world.now().saturating_add_signed(broken.seconds));
        proof.sign(key, now, &self.world.entropy).unwrap()
    }

    /// A call of a tool, past the client.
    pub(super) async fn raw_call(&self, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
        let params = serde_json::json!({"name": "didit_context_get", "arguments": {}});
        let mut head = modern_head(None, "tools/call", &params)
            .header(header::AUTHORIZATION, format!("{scheme} {token}"));
        for proof in proofs {
            head = head.header("DPoP", *proof);
        }
        self.world
            .mcp(head, modern_body("tools/call", params))
            .await
    }

    /// A refresh, past the client.
    pub(super) async fn raw_refresh(&self, proofs: &[&str]) -> Answer {
        let grant = self.grant();
        let mut head = form_post("/token");
        for proof in proofs {
            head = head.header("DPoP", *proof);
        }
        let form = oauth_rs::params::encode(&[
            ("grant_type", "refresh_token"),
            ("client_id", grant.client.client_id.as_str()),
            ("refresh_token", grant.refresh_token.unwrap().expose()),
        ]);
        self.world.auth(head, form).await
    }
}

/// A proof that is right but for what is changed.
#[derive(Clone, Copy)]
pub(super) struct Broken<'a> {
    pub(super) key: Option<&'a SigningKey>,
    pub(super) method: &'a http::Method,
    pub(super) uri: &'a str,
    pub(super) access_token: Option<&'a str>,
    pub(super) seconds: i64,
}

impl<'a> Broken<'a> {
    /// Nothing is wrong with it, for a call with this token.
    pub(super) fn not(access_token: &'a str) -> Self {
        Self {
            key: None,
            method: &http::Method::POST,
            uri: MCP_URL,
            access_token: Some(access_token),
            seconds: 0,
        }
    }

    /// Nothing is wrong with it, for the token endpoint.
    pub(super) fn not_for_tokens() -> Self {
        Self {
            uri: TOKEN_ENDPOINT,
            access_token: None,
            ..Self::not("")
        }
    }
}

pub(super) const TOKEN_ENDPOINT: &str = "http://127.0.0.1:3001/token";

// ResourceMatch::WithoutQuery
#[tokio::test]
async fn a_sign_in_at_an_address_with_a_query_is_for_the_endpoint_and_for_every_query() {
    let world = Arc::new(World::as_person("olivia"));
    let address = format!("{MCP_URL}?toolsets=core");
    let program = Program::at(&address, &world, None, Arc::new(MemoryStore::new()));
    program.call().await;
    assert_eq!(program.grant().resource.as_str(), MCP_URL);
    assert_eq!(program.sent(TOKEN_ENDPOINT).len(), 1);
    let listed = program.client.list_tools().await.unwrap();
    assert!(listed.tools.len() < 40, "{}", listed.tools.len());
    // The kept grant is found by each address of the endpoint.
    for other in [MCP_URL.to_owned(), format!("{MCP_URL}?read_only=true")] {
        let again = Program::at(&other, &world, None, Arc::clone(&program.store));
        again.call().await;
        assert!(again.sent(TOKEN_ENDPOINT).is_empty(), "{other}");
    }
}
