//! What servers may send and no flow accepts: each with its reason, and nobody is sent to a browser for it.

use super::*;
use crate::client::ExchangeFailed;
use crate::metadata::InvalidDocument;
use crate::metadata::client::InvalidRegistration;

const PRM: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";
const PRM_ROOT: &str = "https://rs.example/.well-known/oauth-protected-resource";
const METADATA: &str = "https://as.example/.well-known/oauth-authorization-server";
const OPENID: &str = "https://as.example/.well-known/openid-configuration";
const REGISTER: &str = "https://as.example/register";
const PAR: &str = "https://as.example/par";
const TOKEN: &str = "https://as.example/token";

/// Drives a fresh flow in a world with this change, and says why it gave up.
fn failed(change: impl FnOnce(&mut World)) -> (FlowFailed, World) {
    let mut world = World::new();
    change(&mut world);
    let failed = world.drive(&mut flow(None), NOW).unwrap_err();
    assert_eq!(world.stored.len(), 0);
    (failed, world)
}

fn pushing(world: &mut World) {
    let flags = format!(
        r#"{{"require_pushed_authorization_requests":true,"pushed_authorization_request_endpoint":"{PAR}","#
    );
    world.server = world.server.replacen('{', &flags, 1);
}

/// What went wrong at one of the endpoints, wherever that is.
fn exchange(failed: FlowFailed) -> ExchangeFailed {
    match failed {
        FlowFailed::Discovery {
            reason: DiscoveryFailed::Exchange(reason),
            ..
        }
        | FlowFailed::Registration(reason)
        | FlowFailed::Authorization(reason)
        | FlowFailed::Token(reason)
        | FlowFailed::Refresh(reason) => reason,
        other => panic!("{other}"),
    }
}

/// Each endpoint that is asked on the way to a token, answering like this.
fn at_each_endpoint(status: u16, body: &str) -> Vec<(&'static str, FlowFailed)> {
    let answers = |urls: &[&'static str]| {
        let answer = |url: &&'static str| (*url, status, body.to_owned());
        urls.iter().map(answer).collect::<Vec<_>>()
    };
    let mut results = Vec::new();
    for urls in [
        &[PRM, PRM_ROOT][..],
        &[METADATA, OPENID],
        &[REGISTER],
        &[PAR],
        &[TOKEN],
    ] {
        let (failed, world) = failed(|world| {
            pushing(world);
            world.answers = vec![(PAR, 201, r#"{"request_uri":"urn:x","expires_in":9}"#.into())];
            world.answers.splice(0..0, answers(urls));
        });
        // Only a code is redeemed after the browser was away.
        assert_eq!(world.browser.len(), usize::from(urls[0] == TOKEN));
        results.push((urls[0], failed));
    }
    // A refresh of tokens that are there.
    let mut world = World::new();
    world.refresh = (status, body.to_owned());
    let mut flow = flow(Some(signed_in()));
    let failed = world.drive(&mut flow, UnixSeconds(2_000)).unwrap_err();
    assert!(flow.grant().is_some());
    results.push(("refresh", failed));
    results
}

#[test]
fn redirects_are_followed_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        for (at, failed) in at_each_endpoint(status, "") {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(exchange(failed), ExchangeFailed::Redirect(status), "{at}");
        }
    }
}

#[test]
fn documents_over_64_kib() {
    let fits = format!(r#"{{"x":"{}"}}"#, "a".repeat(64 * 1024 - 8));
    assert_eq!(fits.len(), 64 * 1024);
    for (at, failed) in at_each_endpoint(200, &format!("{fits} ")) {
        assert_eq!(exchange(failed), ExchangeFailed::TooLong, "{at}");
    }
    // One byte less is read, and refused for what it says.
    let (failed, _) = failed(|world| world.answers = vec![(TOKEN, 200, fits)]);
    let malformed = ExchangeFailed::Malformed("token response");
    assert_eq!(exchange(failed), malformed);
}

#[test]
fn what_is_no_json_object_or_says_something_twice() {
    for body in [
        "",
        "<html>",
        "[]",
        "7",
        "{",
        r#"{"a":1,"a":1}"#,
        r#"{"access_token":"a","token_type":"Bearer","x":1,"x":2}"#,
        "\u{feff}{}",
    ] {
        for (at, failed) in at_each_endpoint(200, body) {
            let is_malformed = match &failed {
                FlowFailed::Discovery { reason, .. } => matches!(
                    reason,
                    DiscoveryFailed::Resource(InvalidResourceMetadata::Document(
                        InvalidDocument::Malformed
                    )) | DiscoveryFailed::Server(InvalidServerMetadata::Document(
                        InvalidDocument::Malformed
                    ))
                ),
                // A pushed request is created, which is another status.
                FlowFailed::Authorization(reason) => {
                    matches!(reason, ExchangeFailed::Status(StatusCode::OK))
                }
                _ => matches!(
                    exchange(failed),
                    ExchangeFailed::Malformed(_)
                        | ExchangeFailed::Registration(InvalidRegistration::Document(
                            InvalidDocument::Malformed
                        ))
                ),
            };
            assert!(is_malformed, "{at} {body}");
        }
    }
}

#[test]
fn credentials_in_addresses() {
    let address = |what| FlowFailed::Address {
        what,
        reason: AddressRefused::Invalid(InvalidUri::UserInfo),
    };
    let server = Flow::new("https://user:secret@rs.example/mcp", None, options());
    assert_eq!(server.unwrap_err(), InvalidUri::UserInfo);

    let mut pointed = flow(None);
    let named = r#"Bearer resource_metadata="https://user:secret@rs.example/m""#;
    pointed.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(named));
    let mut world = World::new();
    assert_eq!(world.drive(&mut pointed, NOW), Err(address("metadata")));
    assert_eq!(world.log, Vec::<String>::new());

    let with = "https://user:secret@as.example";
    let (refused, world) =
        failed(|world| world.resource = world.resource.replace("https://as.example", with));
    assert_eq!(refused, address("authorization server"));
    assert!(!refused.to_string().contains("secret"));
    assert_eq!(world.log.len(), 1);

    for (endpoint, path) in [
        ("authorization_endpoint", "authorize"),
        ("token_endpoint", "token"),
        ("registration_endpoint", "register"),
    ] {
        for (bad, rule) in [
            ("https://user:secret@as.example", InvalidUri::UserInfo),
            ("http://as.example", InvalidUri::InsecureHttp),
            ("http://127.0.0.1", InvalidUri::Loopback),
        ] {
            let (refused, world) = failed(|world| {
                let good = format!("https://as.example/{path}");
                world.server = world.server.replace(&good, &format!("{bad}/{path}"));
            });
            let FlowFailed::Discovery { reason, .. } = &refused else {
                panic!("{refused}")
            };
            assert_eq!(
                *reason,
                DiscoveryFailed::Server(InvalidServerMetadata::Endpoint {
                    member: endpoint,
                    reason: rule
                })
            );
            assert!(!refused.to_string().contains("secret"));
            assert_eq!((world.log.len(), world.browser.len()), (2, 0));
        }
    }
}

#[test]
fn an_answer_of_another_issuer_brings_no_code_and_shows_nothing() {
    for (iss, reason) in [
        ("", CallbackRefused::IssuerMissing),
        ("&iss=https%3A%2F%2Fevil.example", CallbackRefused::Issuer),
        ("&iss=https%3A%2F%2Fas.example%2F", CallbackRefused::Issuer),
        ("&iss=https%3A%2F%2FAS.example", CallbackRefused::Issuer),
        (
            "&iss=https%3A%2F%2Fas.example%3A443",
            CallbackRefused::Issuer,
        ),
        ("&iss=HTTPS%3A%2F%2Fas.example", CallbackRefused::Issuer),
    ] {
        for answer in ["code=c", "error=access_denied&error_description=call+me"] {
            let (refused, world) =
                failed(|world| world.callback = format!("{answer}&state={{state}}{iss}"));
            assert!(!refused.to_string().contains("access_denied"));
            assert!(!refused.to_string().contains("call me"));
            assert_eq!(refused, FlowFailed::Callback(reason.clone()), "{iss}");
            assert!(!world.log.contains(&format!("POST {TOKEN}")));
        }
    }
}

#[test]
fn an_issuer_with_a_path_is_looked_for_in_three_places_and_nowhere_else() {
    for answers in [(404, ""), (405, ""), (200, "<html>"), (401, "{}")] {
        let (refused, world) = failed(|world| {
            world.resource = world
                .resource
                .replace("https://as.example", "https://as.example/t1");
            for url in [
                "https://as.example/.well-known/oauth-authorization-server/t1",
                "https://as.example/.well-known/openid-configuration/t1",
                "https://as.example/t1/.well-known/openid-configuration",
            ] {
                world.answers.push((url, answers.0, answers.1.into()));
            }
        });
        assert!(matches!(refused, FlowFailed::Discovery { .. }));
        assert_eq!(
            world.log[1..],
            [
                "GET https://as.example/.well-known/oauth-authorization-server/t1",
                "GET https://as.example/.well-known/openid-configuration/t1",
                "GET https://as.example/t1/.well-known/openid-configuration",
            ]
        );
    }
}

#[test]
fn a_fresh_token_that_is_refused_again_and_again_ends_it() {
    let mut world = World::new();
    let mut flow = flow(None);
    let refused = challenge(r#"Bearer error="invalid_token""#);
    let mut tokens = 0;
    let failed = loop {
        match world.drive(&mut flow, NOW) {
            Ok(_) => tokens += 1,
            Err(failed) => break failed,
        }
        assert!(tokens < 20, "goes round in circles");
        flow.handle_challenge(StatusCode::UNAUTHORIZED, &refused);
    };
    assert_eq!(failed, FlowFailed::TooManyAttempts);
    // Three sign-ins, and one refresh after each of them.
    assert_eq!((world.browser.len(), tokens), (3, 6));
    let again = flow.next_step(NOW, &|dest: &mut [u8]| dest.fill(0));
    assert!(matches!(again, Step::Failed(FlowFailed::TooManyAttempts)));
}

#[test]
fn a_server_that_demands_pushed_requests_and_takes_none() {
    let (refused, _) = failed(|world| {
        let flag = r#"{"require_pushed_authorization_requests":true,"#;
        world.server = world.server.replacen('{', flag, 1);
    });
    let missing = "pushed_authorization_request_endpoint";
    assert_eq!(refused, FlowFailed::NoEndpoint(missing));
}
