//! Walks through the machine against small servers that are functions.

mod hostile;

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};

use super::{Credential, Grant, IdentityProvider, Machine, MachineOptions, Step};
use crate::client::flow::FlowFailed;
use crate::client::token_exchange::TokenType;
use crate::client::{AuthRefused, Client, ClientAuth, ExchangeFailed, TlsMethod};
use crate::error_code::ErrorCode;
use crate::jose::SigningKey;
use crate::params::Params;
use crate::scope::ScopeSet;
use crate::secret::Secret;
use crate::time::UnixSeconds;
use crate::uri::Issuer;

const SERVER: &str = "https://rs.example/mcp";
const PRM: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";
const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";
const OPENID: &str = "https://as.example/.well-known/openid-configuration";
const TOKEN: &str = "https://as.example/token";
const PROVIDER: &str = "https://idp.example/token";
const BEARER: &str = r#"{"access_token":"good","token_type":"Bearer","expires_in":60}"#;
const ID_JAG: &str = r#"{"access_token":"j.a.g","token_type":"N_A","expires_in":300,"issued_token_type":"urn:ietf:params:oauth:token-type:id-jag"}"#;
const REFUSAL: &str = r#"{"error":"invalid_grant"}"#;

/// What each address answers, and what was sent to it.
struct World {
    answers: Vec<(&'static str, u16, String)>,
    log: Vec<(String, Request<Vec<u8>>)>,
}

impl World {
    fn new() -> Self {
        let resource = r#"{"resource":"https://rs.example/mcp","authorization_servers":["https://as.example"],"scopes_supported":["read","write"]}"#;
        let server = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/token","grant_types_supported":["client_credentials","urn:ietf:params:oauth:grant-type:jwt-bearer"],"token_endpoint_auth_methods_supported":["client_secret_basic","private_key_jwt","tls_client_auth"],"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/token"}}"#;
        Self {
            answers: vec![
                (PRM, 200, resource.into()),
                (METADATA, 200, server.into()),
                (TOKEN, 200, BEARER.into()),
                ("https://mtls.as.example/token", 200, BEARER.into()),
                (PROVIDER, 200, ID_JAG.into()),
            ],
            log: Vec::new(),
        }
    }

    fn answering(mut self, url: &'static str, status: u16, body: &str) -> Self {
        self.answers.insert(0, (url, status, body.into()));
        self
    }

    fn with(mut self, url: &str, from: &str, to: &str) -> Self {
        let (.., body) = self
            .answers
            .iter_mut()
            .find(|(own, ..)| *own == url)
            .unwrap();
        assert!(body.contains(from));
        *body = body.replace(from, to);
        self
    }

    fn drive(&mut self, machine: &mut Machine, now: u64) -> Result<String, FlowFailed> {
        let zeros = |dest: &mut [u8]| dest.fill(0);
        for _ in 0..20 {
            match machine.next_step(UnixSeconds(now), &zeros) {
                Step::Fetch(request) => {
                    let url = request.uri().to_string();
                    let known = self.answers.iter().find(|(own, ..)| *own == url);
                    let (status, body) =
                        known.map_or((404, String::new()), |(_, s, b)| (*s, b.clone()));
                    let response = Response::builder()
                        .status(status)
                        .body(body.into())
                        .unwrap();
                    self.log.push((url, request));
                    machine.handle_response(&response, UnixSeconds(now));
                }
                Step::Done(access) => return Ok(access.token().expose().to_owned()),
                Step::Failed(reason) => return Err(reason),
            }
        }
        panic!("the machine does not come to an end");
    }

    fn asked(&self) -> Vec<&str> {
        self.log.iter().map(|(url, _)| url.as_str()).collect()
    }

    fn form(&self, url: &str) -> Params {
        let sent = self.log.iter().rev().find(|(own, _)| own == url);
        Params::parse_form(sent.unwrap().1.body(), &[]).unwrap()
    }
}

fn issuer() -> Issuer {
    Issuer::parse("https://as.example").unwrap()
}

fn options(credential: Credential, grant: Grant) -> MachineOptions {
    MachineOptions::new(issuer(), "robot", credential, grant)
}

fn secret() -> Credential {
    Credential::Secret(Secret::new("hush"))
}

fn machine(credential: Credential, grant: Grant) -> Machine {
    Machine::new(SERVER, options(credential, grant)).unwrap()
}

fn credentials() -> Machine {
    machine(secret(), Grant::ClientCredentials)
}

fn enterprise() -> Grant {
    Grant::EnterpriseManaged(Box::new(IdentityProvider {
        issuer: Issuer::parse("https://idp.example").unwrap(),
        token_endpoint: PROVIDER.into(),
        client: Client {
            client_id: "at-idp".into(),
            auth: ClientAuth::Post(Secret::new("idp-secret")),
        },
        subject: Secret::new("id-token"),
        subject_type: TokenType::IdToken,
    }))
}

fn challenge(value: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(value).unwrap();
    headers.insert(header::WWW_AUTHENTICATE, value);
    headers
}

fn unauthorized(machine: &mut Machine) {
    machine.handle_challenge(StatusCode::UNAUTHORIZED, &challenge("Bearer"));
}

#[test]
fn three_requests_to_a_token_by_client_credentials() {
    let mut world = World::new();
    let mut machine = credentials();
    assert_eq!(world.drive(&mut machine, 0).unwrap(), "good");
    assert_eq!(world.asked(), [PRM, METADATA, TOKEN]);
    let sent = world.form(TOKEN);
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("resource", SERVER),
        ("scope", "read write"),
    ] {
        assert_eq!(sent.get(name), Some(value), "{name}");
    }
    assert!(world.log[2].1.headers().contains_key(header::AUTHORIZATION));
    // The token is good until shortly before its end, and then one request brings the next.
    assert!(world.drive(&mut machine, 54).is_ok());
    assert_eq!(world.log.len(), 3);
    assert!(world.drive(&mut machine, 55).is_ok());
    assert_eq!(world.asked()[3..], [TOKEN]);
}

#[test]
fn a_token_that_lives_shorter_than_the_margin_is_used_once() {
    let mut world = World::new().with(TOKEN, ":60", ":1");
    let mut machine = credentials();
    assert!(world.drive(&mut machine, 0).is_ok());
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.asked(), [PRM, METADATA, TOKEN, TOKEN]);
}

#[test]
fn a_key_signs_for_the_issuer_and_a_certificate_has_its_own_endpoint() {
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let mut world = World::new();
    let mut keyed = machine(Credential::Key(key), Grant::ClientCredentials);
    assert!(world.drive(&mut keyed, 0).is_ok());
    let sent = world.form(TOKEN);
    assert!(sent.get("client_assertion").is_some() && sent.get("client_secret").is_none());
    let mut certified = machine(Credential::Tls(TlsMethod::Pki), Grant::ClientCredentials);
    let mut world = World::new();
    assert!(world.drive(&mut certified, 0).is_ok());
    assert_eq!(world.asked()[2], "https://mtls.as.example/token");
}

#[test]
fn the_credential_goes_to_no_other_issuer() {
    let elsewhere = || World::new().with(PRM, "https://as.example", "https://evil.example");
    let mut world = elsewhere();
    let failed = world.drive(&mut credentials(), 0).unwrap_err();
    assert_eq!(
        failed,
        FlowFailed::OtherIssuer {
            expected: "https://as.example".into(),
            found: "https://evil.example".into(),
        }
    );
    assert_eq!(world.asked(), [PRM]);
    // It is found wherever it is listed.
    let both = r#"["https://other.example","https://as.example"]"#;
    let mut world = World::new().with(PRM, r#"["https://as.example"]"#, both);
    assert!(world.drive(&mut credentials(), 0).is_ok());
    assert_eq!(world.asked(), [PRM, METADATA, TOKEN]);
    // Without a binding the first that is named is asked.
    let options =
        MachineOptions::insecure_at_any_issuer("robot", secret(), Grant::ClientCredentials);
    let mut any = Machine::new(SERVER, options).unwrap();
    let mut world = elsewhere();
    assert!(world.drive(&mut any, 0).is_err());
    assert!(world.asked()[1].starts_with("https://evil.example/"));
}

#[test]
fn a_new_issuer_after_a_refusal_gets_nothing() {
    let mut world = World::new();
    let mut machine = credentials();
    assert!(world.drive(&mut machine, 0).is_ok());
    machine.accepted();
    let mut world = World::new().with(PRM, "https://as.example", "https://evil.example");
    unauthorized(&mut machine);
    let failed = world.drive(&mut machine, 1).unwrap_err();
    assert!(matches!(failed, FlowFailed::OtherIssuer { .. }));
    assert_eq!(world.asked(), [PRM]);
}

#[test]
fn an_assertion_is_shown_once_and_its_refusal_is_the_end() {
    let mut world = World::new().answering(TOKEN, 400, REFUSAL);
    let assertion = Grant::Assertion(Secret::new("j.w.t"));
    let mut workload = machine(Credential::None, assertion);
    let failed = world.drive(&mut workload, 0).unwrap_err();
    assert!(matches!(&failed, FlowFailed::Token(reason) if reason.is(ErrorCode::InvalidGrant)));
    let sent = world.form(TOKEN);
    for (name, value) in [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", "j.w.t"),
        ("client_id", "robot"),
        ("resource", SERVER),
    ] {
        assert_eq!(sent.get(name), Some(value), "{name}");
    }
    // Neither another refusal of the resource nor a restart sends it again, or tries another grant.
    unauthorized(&mut workload);
    assert_eq!(world.drive(&mut workload, 1).unwrap_err(), failed);
    workload.restart();
    assert_eq!(world.drive(&mut workload, 1).unwrap_err(), failed);
    assert_eq!(world.asked(), [PRM, METADATA, TOKEN]);
    // Another assertion is another matter.
    workload.replace_subject(Secret::new("next"));
    let mut world = World::new();
    assert_eq!(world.drive(&mut workload, 2).unwrap(), "good");
    assert_eq!(world.form(TOKEN).get("assertion"), Some("next"));
}

#[test]
fn both_legs_of_enterprise_managed_authorization() {
    let mut world = World::new();
    let mut machine = machine(secret(), enterprise());
    assert_eq!(world.drive(&mut machine, 0).unwrap(), "good");
    assert_eq!(world.asked(), [PRM, METADATA, PROVIDER, TOKEN]);
    let first = world.form(PROVIDER);
    for (name, value) in [
        ("audience", "https://as.example"),
        ("resource", SERVER),
        ("client_id", "at-idp"),
        ("subject_token", "id-token"),
        ("scope", "read write"),
    ] {
        assert_eq!(first.get(name), Some(value), "{name}");
    }
    let second = world.form(TOKEN);
    assert_eq!(second.get("assertion"), Some("j.a.g"));
    assert_eq!(second.get("resource"), Some(SERVER));
    // What belongs to one server is not sent to the other.
    let sent = |url: &str| {
        let request = &world.log.iter().find(|(own, _)| own == url).unwrap().1;
        format!(
            "{:?} {}",
            request.headers(),
            String::from_utf8_lossy(request.body())
        )
    };
    assert!(!sent(PROVIDER).contains("hush") && !sent(TOKEN).contains("id-token"));
    assert!(!sent(TOKEN).contains("idp-secret"));
    // An ID-JAG is good once: the next token begins at the identity provider.
    assert!(world.drive(&mut machine, 55).is_ok());
    assert_eq!(world.asked()[4..], [PROVIDER, TOKEN]);
}

#[test]
fn the_identity_provider_says_no_or_something_else() {
    let access = ID_JAG
        .replace("id-jag", "access_token")
        .replace("N_A", "Bearer");
    for (status, answer) in [(400, REFUSAL), (200, access.as_str()), (200, BEARER)] {
        let mut world = World::new().answering(PROVIDER, status, answer);
        let failed = world
            .drive(&mut machine(secret(), enterprise()), 0)
            .unwrap_err();
        assert!(
            matches!(failed, FlowFailed::IdentityProvider(_)),
            "{answer}"
        );
        assert_eq!(world.asked(), [PRM, METADATA, PROVIDER]);
    }
}

#[test]
fn a_fresh_token_that_is_refused_ends_it_and_an_accepted_one_is_renewed() {
    let mut world = World::new();
    let mut machine = credentials();
    assert!(world.drive(&mut machine, 0).is_ok());
    machine.accepted();
    unauthorized(&mut machine);
    assert!(world.drive(&mut machine, 1).is_ok());
    assert_eq!(world.asked()[3..], [PRM, METADATA, TOKEN]);
    unauthorized(&mut machine);
    for _ in 0..3 {
        let failed = world.drive(&mut machine, 2).unwrap_err();
        assert_eq!(failed, FlowFailed::TokenRefused);
        unauthorized(&mut machine);
        machine.restart();
    }
    assert_eq!(world.log.len(), 6);
}

#[test]
fn scope_is_stepped_up_to_the_union_and_not_twice_for_the_same() {
    let mut world = World::new();
    let mut options = options(secret(), Grant::ClientCredentials);
    options.scope = Some(ScopeSet::parse("read").unwrap());
    let mut machine = Machine::new(SERVER, options).unwrap();
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.form(TOKEN).get("scope"), Some("read"));
    let more = challenge(r#"Bearer error="insufficient_scope", scope="write""#);
    machine.handle_challenge(StatusCode::FORBIDDEN, &more);
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.form(TOKEN).get("scope"), Some("read write"));
    machine.handle_challenge(StatusCode::FORBIDDEN, &more);
    let failed = world.drive(&mut machine, 0).unwrap_err();
    assert_eq!(failed, FlowFailed::Forbidden(StatusCode::FORBIDDEN));
}

#[test]
fn a_call_that_is_forbidden_leaves_the_token() {
    let mut world = World::new();
    let mut machine = credentials();
    assert!(world.drive(&mut machine, 0).is_ok());
    machine.handle_challenge(StatusCode::FORBIDDEN, &HeaderMap::new());
    assert!(world.drive(&mut machine, 0).is_err());
    machine.restart();
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.log.len(), 3);
}

#[test]
fn the_challenge_says_where_and_what_for() {
    let mut world = World::new();
    let body = world.answers[0].2.clone();
    world = world.answering("https://rs.example/elsewhere", 200, &body);
    let mut machine = credentials();
    let said = r#"Bearer resource_metadata="https://rs.example/elsewhere", scope="one""#;
    machine.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(said));
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.asked()[0], "https://rs.example/elsewhere");
    assert_eq!(world.form(TOKEN).get("scope"), Some("one"));
    let mut machine = credentials();
    let inside = r#"Bearer resource_metadata="http://127.0.0.1/x""#;
    machine.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(inside));
    let failed = world.drive(&mut machine, 0).unwrap_err();
    assert!(matches!(failed, FlowFailed::Address { .. }));
}

#[test]
fn each_refusal_of_a_server() {
    let run = |world: World| {
        let mut world = world;
        let failed = world.drive(&mut credentials(), 0).unwrap_err();
        let sent = world.asked().contains(&TOKEN);
        (failed, sent)
    };
    let other = World::new().with(METADATA, "client_credentials", "authorization_code");
    let expected = FlowFailed::GrantNotOffered("client_credentials");
    assert_eq!(run(other), (expected, false));
    let other = World::new().with(METADATA, "client_secret_basic", "client_secret_jwt");
    let expected = FlowFailed::Token(ExchangeFailed::Authentication(AuthRefused::SecretJwt));
    assert_eq!(run(other), (expected, false));
    let none = World::new().with(
        METADATA,
        r#""token_endpoint":"https://as.example/token","#,
        "",
    );
    assert_eq!(run(none), (FlowFailed::NoEndpoint("token_endpoint"), false));
    let bound = World::new().with(
        PRM,
        r#""scopes"#,
        r#""dpop_bound_access_tokens_required":true,"scopes"#,
    );
    assert_eq!(run(bound), (FlowFailed::KeyNeeded, false));
    let bound = World::new().with(TOKEN, "Bearer", "DPoP");
    assert_eq!(run(bound), (FlowFailed::KeyNeeded, true));
    let liar = World::new().with(
        METADATA,
        r#""issuer":"https://as"#,
        r#""issuer":"https://evil"#,
    );
    let (failed, sent) = run(liar);
    assert!(matches!(failed, FlowFailed::Discovery { .. }) && !sent);
    let foreign = World::new().with(PRM, "https://rs.example", "https://evil.example");
    let (failed, sent) = run(foreign);
    assert!(matches!(failed, FlowFailed::Discovery { .. }) && !sent);
    let empty = World::new().with(PRM, r#"["https://as.example"]"#, "[]");
    assert!(!run(empty).1);
}

#[test]
fn a_machine_without_a_credential_gets_no_token_of_its_own() {
    let mut world = World::new();
    let mut public = machine(Credential::None, Grant::ClientCredentials);
    let expected = FlowFailed::Token(ExchangeFailed::Authentication(AuthRefused::Public));
    assert_eq!(world.drive(&mut public, 0).unwrap_err(), expected);
    assert_eq!(world.asked(), [PRM, METADATA]);
}

#[test]
fn lost_answers() {
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let mut machine = credentials();
    let _step = machine.next_step(UnixSeconds(0), &zeros);
    machine.handle_failure("timeout");
    let Step::Fetch(root) = machine.next_step(UnixSeconds(0), &zeros) else {
        panic!("the root is next");
    };
    assert_eq!(
        root.uri(),
        "https://rs.example/.well-known/oauth-protected-resource"
    );
    machine.handle_failure("timeout");
    let failed = World::new().drive(&mut machine, 0).unwrap_err();
    assert!(matches!(failed, FlowFailed::Unreachable { .. }));
    machine.restart();
    let mut world = World::new().answering(METADATA, 404, "");
    let body = world.answers[2].2.clone();
    world = world.answering(OPENID, 200, &body);
    assert!(world.drive(&mut machine, 0).is_ok());
    assert_eq!(world.asked(), [PRM, METADATA, OPENID, TOKEN]);
}

#[test]
fn an_answer_that_nobody_asked_for() {
    let mut machine = credentials();
    machine.handle_response(&Response::new(BEARER.into()), UnixSeconds(0));
    let failed = World::new().drive(&mut machine, 0).unwrap_err();
    assert_eq!(failed, FlowFailed::Unexpected);
}

#[test]
fn debug_shows_no_secret() {
    let zeros = |dest: &mut [u8]| dest.fill(0);
    let mut machine = machine(secret(), enterprise());
    let mut world = World::new();
    loop {
        let step = machine.next_step(UnixSeconds(0), &zeros);
        let shown = format!("{step:?} {machine:?}");
        for text in ["hush", "id-token", "idp-secret", "j.a.g", "good"] {
            assert!(!shown.contains(text), "{text}: {shown}");
        }
        let Step::Fetch(request) = step else { break };
        let url = request.uri().to_string();
        let known = world.answers.iter().find(|(own, ..)| *own == url).unwrap();
        machine.handle_response(&Response::new(known.2.clone().into()), UnixSeconds(0));
        world.log.push((url, request));
    }
    assert_eq!(world.log.len(), 4);
}
