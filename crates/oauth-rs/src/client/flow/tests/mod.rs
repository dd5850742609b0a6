//! Walks through the machine against a small server that is a function.

mod bad_input;
mod binding;
mod later;
mod profiles;
mod refusals;
mod requests;
mod servers;
mod sign_in;

use std::cell::Cell;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use super::{
    AddressRefused, Event, Flow, FlowFailed, FlowOptions, Leniency, Profile, Registration, Step,
    StoredGrant,
};
use crate::client::AuthRefused;
use crate::client::authorize::CallbackRefused;
use crate::client::discover::DiscoveryFailed;
use crate::error_code::ErrorCode;
use crate::metadata::client::AuthMethod;
use crate::metadata::resource::InvalidResourceMetadata;
use crate::metadata::server::InvalidServerMetadata;
use crate::params::Params;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, Issuer, RedirectUri};

const SERVER: &str = "https://rs.example/mcp";
const NOW: UnixSeconds = UnixSeconds(1_000);

/// A resource and its authorization server, with what a test wants to be different.
struct World {
    resource: String,
    server: String,
    /// What follows the code in the redirect; `{state}` is filled in.
    callback: String,
    refresh: (u16, String),
    registered: String,
    expires_in: u64,
    /// Answers that go before all others, by address.
    answers: Vec<(&'static str, u16, String)>,
    /// The kind of token that is issued where a proof comes with the request.
    token_type: &'static str,
    /// The nonce without which the token endpoint takes no proof.
    nonce: Option<&'static str>,
    /// The proofs that came.
    proofs: Vec<String>,
    log: Vec<String>,
    browser: Vec<String>,
    bodies: Vec<String>,
    stored: Vec<StoredGrant>,
}

impl World {
    fn new() -> Self {
        Self {
            resource: r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://as.example"],"scopes_supported":["read","write"]}"#.into(),
            server: r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize","token_endpoint":"https://as.example/token","registration_endpoint":"https://as.example/register","revocation_endpoint":"https://as.example/revoke","code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true}"#.into(),
            callback: "code=the-code&state={state}&iss=https%3A%2F%2Fas.example".into(),
            refresh: (200, tokens("second", 60)),
            registered: "registered".into(),
            expires_in: 60,
            answers: Vec::new(),
            token_type: "DPoP",
            nonce: None,
            proofs: Vec::new(),
            log: Vec::new(),
            browser: Vec::new(),
            bodies: Vec::new(),
            stored: Vec::new(),
        }
    }

    fn answer(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let body = String::from_utf8(request.body().clone()).unwrap();
        self.log
            .push(format!("{} {}", request.method(), request.uri()));
        self.bodies.push(body.clone());
        let address = request.uri().to_string();
        let own = self.answers.iter().find(|(own, ..)| *own == address);
        let (status, text) = match address.as_str() {
            _ if own.is_some() => own
                .map(|(_, status, text)| (*status, text.clone()))
                .unwrap(),
            "https://rs.example/.well-known/oauth-protected-resource/mcp"
            | "https://rs.example/elsewhere" => (200, self.resource.clone()),
            address
                if self.resource.contains(
                    address
                        .strip_suffix("/.well-known/oauth-authorization-server")
                        .unwrap_or("no issuer"),
                ) =>
            {
                (200, self.server.clone())
            }
            "https://as.example/register" | "https://new.example/register" => (
                201,
                format!(
                    r#"{{"client_id":"{}","token_endpoint_auth_method":"none"}}"#,
                    self.registered
                ),
            ),
            "https://as.example/token" if body.contains("refresh_token") => self.refresh.clone(),
            "https://as.example/token" | "https://new.example/token" => {
                (200, tokens("first", self.expires_in))
            }
            _ => (404, String::new()),
        };
        let proof = request.headers().get("dpop");
        let proof = proof.map(|proof| proof.to_str().unwrap().to_owned());
        let Some(proof) = proof else {
            return Response::builder()
                .status(status)
                .body(text.into_bytes())
                .unwrap();
        };
        let shown = claims(&proof);
        self.proofs.push(proof);
        let builder = Response::builder();
        match self.nonce {
            Some(nonce) if !shown.contains(&format!(r#""nonce":"{nonce}""#)) => builder
                .status(400)
                .header("DPoP-Nonce", nonce)
                .body(br#"{"error":"use_dpop_nonce"}"#.to_vec()),
            _ => builder
                .status(status)
                .body(text.replace("Bearer", self.token_type).into_bytes()),
        }
        .unwrap()
    }

    fn drive(&mut self, flow: &mut Flow, now: UnixSeconds) -> Result<String, FlowFailed> {
        let counter = Cell::new(u8::try_from(self.browser.len()).unwrap());
        for _ in 0..50 {
            let drawn = AsEntropy(counter.get());
            match flow.next_step(now, &move |dest: &mut [u8]| dest.fill(drawn.0)) {
                Step::Fetch(request) => {
                    let response = self.answer(&request);
                    flow.handle_response(&response, now);
                }
                Step::OpenBrowser { url, state } => {
                    counter.set(counter.get() + 1);
                    self.browser.push(url);
                    flow.handle_callback(&self.callback.replace("{state}", state.expose()));
                }
                Step::Store(grant) => self.stored.push(grant),
                Step::Done(access) => return Ok(access.token().expose().to_owned()),
                Step::Failed(reason) => return Err(reason),
            }
        }
        panic!("the flow does not come to an end: {:?}", self.log);
    }

    /// The parameters of the last address that the browser was sent to.
    fn asked(&self) -> Params {
        let url = self.browser.last().unwrap();
        Params::parse_query(url.split_once('?').unwrap().1, &[]).unwrap()
    }
}

#[derive(Clone, Copy)]
struct AsEntropy(u8);

/// The claims of a proof, as they were written.
fn claims(proof: &str) -> String {
    let payload = proof.split('.').nth(1).unwrap();
    String::from_utf8(crate::base64url::decode(payload).unwrap()).unwrap()
}

fn tokens(name: &str, expires_in: u64) -> String {
    format!(
        r#"{{"access_token":"{name}","token_type":"Bearer","expires_in":{expires_in},"refresh_token":"refresh-{name}"}}"#
    )
}

fn options() -> FlowOptions {
    FlowOptions::new(
        "CLI",
        RedirectUri::parse("http://127.0.0.1:5000/callback").unwrap(),
    )
}

fn flow(stored: Option<StoredGrant>) -> Flow {
    Flow::new(SERVER, stored, options()).unwrap()
}

fn challenge(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_str(value).unwrap(),
    );
    headers
}

/// A grant as the first sign-in leaves it.
fn signed_in() -> StoredGrant {
    let mut world = World::new();
    world.drive(&mut flow(None), NOW).unwrap();
    world.stored.pop().unwrap()
}
