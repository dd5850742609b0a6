//! Walks through the machine against a small server that is a function.

use std::cell::Cell;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use super::{Flow, FlowFailed, FlowOptions, Step, StoredGrant};
use crate::client::authorize::CallbackRefused;
use crate::client::discover::DiscoveryFailed;
use crate::error_code::ErrorCode;
use crate::metadata::resource::InvalidResourceMetadata;
use crate::metadata::server::InvalidServerMetadata;
use crate::params::Params;
use crate::time::UnixSeconds;
use crate::uri::{InvalidUri, RedirectUri};

const SERVER: &str = "https://rs.example/mcp";
const NOW: UnixSeconds = UnixSeconds(1_000);

/// A resource and its authorization server, with what a test wants to be different.
struct World {
    resource: String,
    server: String,
    /// What follows the code in the redirect; `{state}` is filled in.
    callback: String,
    refresh: (u16, String),
    expires_in: u64,
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
            expires_in: 60,
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
        let (status, text) = match request.uri().to_string().as_str() {
            "https://rs.example/.well-known/oauth-protected-resource/mcp"
            | "https://rs.example/elsewhere" => (200, self.resource.clone()),
            "https://as.example/.well-known/oauth-authorization-server" => {
                (200, self.server.clone())
            }
            "https://as.example/register" => (
                201,
                r#"{"client_id":"registered","token_endpoint_auth_method":"none"}"#.into(),
            ),
            "https://as.example/token" if body.contains("refresh_token") => self.refresh.clone(),
            "https://as.example/token" => (200, tokens("first", self.expires_in)),
            _ => (404, String::new()),
        };
        Response::builder()
            .status(status)
            .body(text.into_bytes())
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
                Step::Done(token) => return Ok(token.expose().to_owned()),
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

#[test]
fn from_a_challenge_to_a_token() {
    let mut world = World::new();
    let mut flow = flow(None);
    flow.handle_challenge(
        StatusCode::UNAUTHORIZED,
        &challenge(r#"Bearer resource_metadata="https://rs.example/elsewhere", scope="read""#),
    );
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    // No request more than the specification needs.
    assert_eq!(
        world.log,
        [
            "GET https://rs.example/elsewhere",
            "GET https://as.example/.well-known/oauth-authorization-server",
            "POST https://as.example/register",
            "POST https://as.example/token",
        ]
    );
    let asked = world.asked();
    assert_eq!(asked.get("scope"), Some("read"));
    assert_eq!(asked.get("client_id"), Some("registered"));
    assert_eq!(asked.get("resource"), Some(SERVER));
    assert!(world.bodies[2].contains(r#""application_type":"native""#));
    assert!(world.bodies[3].contains("resource=https%3A%2F%2Frs.example%2Fmcp"));
    let grant = &world.stored[0];
    assert_eq!(grant.expires_at, Some(UnixSeconds(1_060)));
    assert_eq!(
        grant.revocation_endpoint.as_deref(),
        Some("https://as.example/revoke")
    );
    assert_eq!(grant.scope().unwrap().to_string(), "read");
}

#[test]
fn without_a_challenge_it_looks_at_the_path_and_then_at_the_root() {
    let mut world = World::new();
    let mut other = Flow::new("https://rs.example/mcp/deep", None, options()).unwrap();
    let failed = world.drive(&mut other, NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }));
    assert_eq!(
        world.log,
        [
            "GET https://rs.example/.well-known/oauth-protected-resource/mcp/deep",
            "GET https://rs.example/.well-known/oauth-protected-resource",
        ]
    );
    let mut world = World::new();
    world.drive(&mut flow(None), NOW).unwrap();
    assert_eq!(world.asked().get("scope"), Some("read write"));
}

#[test]
fn scope_is_left_out_when_nobody_suggests_one_and_offline_access_added_where_listed() {
    let mut world = World::new();
    world.resource = world
        .resource
        .replace(r#","scopes_supported":["read","write"]"#, "");
    world.drive(&mut flow(None), NOW).unwrap();
    assert_eq!(world.asked().get("scope"), None);

    let mut world = World::new();
    world.server = world
        .server
        .replacen('{', r#"{"scopes_supported":["offline_access"],"#, 1);
    world.drive(&mut flow(None), NOW).unwrap();
    assert_eq!(
        world.asked().get("scope"),
        Some("read write offline_access")
    );
}

#[test]
fn registration_by_priority() {
    const DOCUMENT: &str = "https://app.example/client.json";
    let run = |options: FlowOptions, server: &dyn Fn(&str) -> String| {
        let mut world = World::new();
        world.server = server(&world.server);
        let mut flow = Flow::new(SERVER, None, options).unwrap();
        let result = world.drive(&mut flow, NOW);
        let registered = world.log.iter().any(|line| line.contains("register"));
        result.map(|_| {
            (
                world.asked().get("client_id").unwrap().to_owned(),
                registered,
            )
        })
    };
    let same = |text: &str| text.to_owned();
    let documents =
        |text: &str| text.replacen('{', r#"{"client_id_metadata_document_supported":true,"#, 1);
    let nothing = |text: &str| {
        text.replace(
            r#""registration_endpoint":"https://as.example/register","#,
            "",
        )
    };

    let given = FlowOptions {
        client_id: Some("given".into()),
        ..options()
    };
    let document = FlowOptions {
        client_id_document: Some(DOCUMENT.into()),
        ..options()
    };
    assert_eq!(run(given, &documents), Ok(("given".into(), false)));
    assert_eq!(
        run(document.clone(), &documents),
        Ok((DOCUMENT.into(), false))
    );
    assert_eq!(
        run(document.clone(), &same),
        Ok(("registered".into(), true))
    );
    assert_eq!(run(options(), &documents), Ok(("registered".into(), true)));
    let failed = run(document, &nothing).unwrap_err();
    assert_eq!(
        failed,
        FlowFailed::NoRegistration {
            issuer: "https://as.example".into()
        }
    );
    assert!(failed.to_string().contains("register a client there"));
}

#[test]
fn a_stored_token_is_used_until_it_ends_and_then_refreshed() {
    let grant = signed_in();
    let mut world = World::new();
    let mut flow = flow(Some(grant));
    assert!(flow.has_token(NOW));
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.log, Vec::<String>::new());

    let later = UnixSeconds(1_058);
    assert!(!flow.has_token(later));
    assert_eq!(world.drive(&mut flow, later), Ok("second".into()));
    assert_eq!(world.log, ["POST https://as.example/token"]);
    assert!(world.bodies[0].contains("refresh_token=refresh-first"));
    assert!(world.bodies[0].contains("resource=https%3A%2F%2Frs.example%2Fmcp"));
    let kept = world.stored[0].refresh_token.as_ref().unwrap();
    assert!(kept.ct_eq("refresh-second"));
    assert_eq!(world.browser, Vec::<String>::new());
}

#[test]
fn a_refresh_without_a_new_refresh_token_keeps_the_old_one() {
    let mut world = World::new();
    world.refresh = (
        200,
        r#"{"access_token":"second","token_type":"Bearer"}"#.into(),
    );
    let mut flow = flow(Some(signed_in()));
    assert_eq!(
        world.drive(&mut flow, UnixSeconds(2_000)),
        Ok("second".into())
    );
    assert!(
        world.stored[0]
            .refresh_token
            .as_ref()
            .unwrap()
            .ct_eq("refresh-first")
    );
    assert_eq!(world.stored[0].expires_at, None);
}

#[test]
fn a_token_that_lives_shorter_than_the_margin_is_still_used_once() {
    let mut world = World::new();
    world.expires_in = 1;
    assert_eq!(world.drive(&mut flow(None), NOW), Ok("first".into()));
    assert_eq!(world.browser.len(), 1);
}

#[test]
fn a_401_leads_to_one_refresh_and_then_to_the_browser() {
    let mut world = World::new();
    let mut flow = flow(Some(signed_in()));
    let refused = challenge(r#"Bearer error="invalid_token""#);
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &refused);
    assert_eq!(world.drive(&mut flow, NOW), Ok("second".into()));
    assert_eq!(world.browser.len(), 0);

    // Refused again at once: a fresh token that is not accepted is no reason to refresh again.
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &refused);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.browser.len(), 1);

    // Accepted in between: a later 401 may refresh again.
    flow.accepted();
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &refused);
    assert_eq!(world.drive(&mut flow, NOW), Ok("second".into()));
    assert_eq!(world.browser.len(), 1);
}

#[test]
fn a_dead_refresh_token_leads_to_the_browser_with_the_same_client() {
    let mut world = World::new();
    world.refresh = (400, r#"{"error":"invalid_grant"}"#.into());
    assert_eq!(
        world.drive(&mut flow(Some(signed_in())), UnixSeconds(2_000)),
        Ok("first".into())
    );
    assert!(!world.log.iter().any(|line| line.contains("register")));
    assert_eq!(world.asked().get("client_id"), Some("registered"));
}

#[test]
fn a_client_that_is_gone_is_registered_anew() {
    let mut world = World::new();
    world.refresh = (401, r#"{"error":"invalid_client"}"#.into());
    assert_eq!(
        world.drive(&mut flow(Some(signed_in())), UnixSeconds(2_000)),
        Ok("first".into())
    );
    assert!(world.log.iter().any(|line| line.contains("register")));
}

#[test]
fn a_refresh_that_fails_otherwise_keeps_the_tokens() {
    let mut world = World::new();
    world.refresh = (503, String::new());
    let mut flow = flow(Some(signed_in()));
    let failed = world.drive(&mut flow, UnixSeconds(2_000)).unwrap_err();
    assert!(matches!(failed, FlowFailed::Refresh(_)));
    assert!(flow.grant().is_some());
}

#[test]
fn a_step_up_asks_for_the_union_and_ends_after_three_attempts() {
    let mut world = World::new();
    let mut flow = flow(Some(signed_in()));
    let missing = challenge(r#"Bearer error="insufficient_scope", scope="admin read""#);
    flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.asked().get("scope"), Some("read write admin"));
    for _ in 0..2 {
        flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
        assert!(world.drive(&mut flow, NOW).is_ok());
    }
    flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
    assert_eq!(
        world.drive(&mut flow, NOW),
        Err(FlowFailed::TooManyAttempts)
    );
    assert_eq!(world.browser.len(), 3);
}

#[test]
fn every_attempt_has_its_own_state_and_verifier() {
    let mut world = World::new();
    let mut flow = flow(None);
    world.drive(&mut flow, NOW).unwrap();
    let first = world.asked();
    let missing = challenge(r#"Bearer error="insufficient_scope", scope="admin""#);
    flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
    world.drive(&mut flow, NOW).unwrap();
    let second = world.asked();
    for name in ["state", "code_challenge"] {
        assert_ne!(first.get(name), second.get(name), "{name}");
    }
}

#[test]
fn a_403_for_another_reason_is_final() {
    let mut flow = flow(Some(signed_in()));
    flow.handle_challenge(StatusCode::FORBIDDEN, &HeaderMap::new());
    let failed = World::new().drive(&mut flow, NOW);
    assert_eq!(failed, Err(FlowFailed::Forbidden(StatusCode::FORBIDDEN)));
}

#[test]
fn credentials_stay_with_their_issuer() {
    // The resource has moved to another authorization server: nothing of the old one is sent there.
    let mut world = World::new();
    world.resource = world
        .resource
        .replace("https://as.example", "https://new.example");
    world.refresh = (400, r#"{"error":"invalid_grant"}"#.into());
    let mut flow = flow(Some(signed_in()));
    let failed = world.drive(&mut flow, UnixSeconds(2_000)).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }));
    for (line, body) in world.log.iter().zip(&world.bodies) {
        let sent_secret = body.contains("refresh-first");
        assert!(
            !sent_secret || line.ends_with("https://as.example/token"),
            "{line}"
        );
    }
    // A grant of another resource is not used at all.
    let other = Flow::new("https://other.example/mcp", Some(signed_in()), options()).unwrap();
    assert!(other.grant().is_none());
}

#[test]
fn discovery_ends_at_a_document_about_somebody_else() {
    let reason = |change: &dyn Fn(&mut World)| {
        let mut world = World::new();
        change(&mut world);
        match world.drive(&mut flow(None), NOW).unwrap_err() {
            FlowFailed::Discovery { reason, .. } => (reason, world.browser.len()),
            other => panic!("{other}"),
        }
    };
    let (mismatch, _) = reason(&|world| {
        world.resource = world.resource.replace("rs.example", "evil.example");
    });
    assert!(matches!(
        mismatch,
        DiscoveryFailed::Resource(InvalidResourceMetadata::Mismatch { .. })
    ));
    let (issuer, _) = reason(&|world| {
        world.server = world
            .server
            .replacen("https://as.example", "https://as.example/", 1);
    });
    assert!(matches!(
        issuer,
        DiscoveryFailed::Server(InvalidServerMetadata::Issuer { .. })
    ));
    let (pkce, opened) = reason(&|world| world.server = world.server.replace("S256", "plain"));
    assert_eq!((pkce, opened), (DiscoveryFailed::NoPkce, 0));
    let (endpoint, _) = reason(&|world| {
        world.server = world
            .server
            .replace("https://as.example/token", "http://as.example/token");
    });
    assert_eq!(
        endpoint,
        DiscoveryFailed::Server(InvalidServerMetadata::Endpoint("token_endpoint"))
    );
}

#[test]
fn the_callback_is_checked_before_any_token_request() {
    for (callback, reason) in [
        (
            "code=x&state={state}&iss=https%3A%2F%2Fevil.example",
            CallbackRefused::Issuer,
        ),
        ("code=x&state={state}", CallbackRefused::IssuerMissing),
        (
            "state={state}&iss=https%3A%2F%2Fas.example",
            CallbackRefused::NoCode,
        ),
    ] {
        let mut world = World::new();
        world.callback = callback.into();
        assert_eq!(
            world.drive(&mut flow(None), NOW),
            Err(FlowFailed::Callback(reason))
        );
        assert!(!world.log.iter().any(|line| line.contains("/token")));
    }
    let mut world = World::new();
    world.callback = "error=access_denied&state={state}&iss=https%3A%2F%2Fas.example".into();
    let failed = world.drive(&mut flow(None), NOW).unwrap_err();
    let denied = Some(ErrorCode::AccessDenied);
    assert!(
        matches!(failed, FlowFailed::Callback(CallbackRefused::Denied { code, .. }) if code == denied)
    );
}

#[test]
fn a_wrong_state_changes_nothing() {
    let mut world = World::new();
    let mut flow = flow(None);
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let state = loop {
        match flow.next_step(NOW, &zeros) {
            Step::Fetch(request) => {
                let response = world.answer(&request);
                flow.handle_response(&response, NOW);
            }
            Step::OpenBrowser { state, .. } => break state,
            other => panic!("{other:?}"),
        }
    };
    flow.handle_callback("code=attack&state=wrong&iss=https%3A%2F%2Fas.example");
    assert!(matches!(
        flow.next_step(NOW, &zeros),
        Step::OpenBrowser { .. }
    ));
    flow.handle_callback(&world.callback.replace("{state}", state.expose()));
    assert!(matches!(flow.next_step(NOW, &zeros), Step::Fetch(_)));
}

#[test]
fn failures_of_the_sender() {
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let mut flow = flow(None);
    for _ in 0..2 {
        assert!(matches!(flow.next_step(NOW, &zeros), Step::Fetch(_)));
        flow.handle_failure("connection refused");
    }
    let Step::Failed(reason) = flow.next_step(NOW, &zeros) else {
        panic!("still going")
    };
    assert_eq!(
        reason,
        FlowFailed::Unreachable {
            what: "resource metadata",
            why: "connection refused".into()
        }
    );

    // A lost answer to a refresh does not lose the session.
    let mut flow = self::flow(Some(signed_in()));
    assert!(matches!(
        flow.next_step(UnixSeconds(2_000), &zeros),
        Step::Fetch(_)
    ));
    flow.handle_failure("timed out");
    assert!(flow.grant().is_some());
}

#[test]
fn answers_nobody_asked_for_and_addresses_nobody_may_use() {
    let mut unasked = flow(None);
    unasked.handle_callback("code=x");
    assert_eq!(
        World::new().drive(&mut unasked, NOW),
        Err(FlowFailed::Unexpected)
    );
    let insecure = Flow::new("http://rs.example/mcp", None, options());
    assert_eq!(insecure.unwrap_err(), InvalidUri::InsecureHttp);
    let mut pointed = flow(None);
    let metadata = r#"Bearer resource_metadata="http://169.254.169.254/latest""#;
    pointed.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(metadata));
    let failed = World::new().drive(&mut pointed, NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }));
}

#[test]
fn debug_of_a_flow_shows_no_secret() {
    let shown = format!("{:?}", flow(Some(signed_in())));
    assert!(
        !shown.contains("refresh-first") && !shown.contains("\"first\""),
        "{shown}"
    );
}
