//! Which authorization server is turned to, and who we are there.

use super::*;
use crate::client::flow::MAX_SERVERS;
use crate::client::{Client, ClientAuth, TlsMethod};

const AS: &str = "https://as.example";
const OTHER: &str = "https://other.example";

fn listing(servers: &[&str]) -> World {
    let mut world = World::new();
    let list = servers.join("\",\"");
    world.resource = world.resource.replace(AS, &list);
    world
}

fn registration(issuer: &str, client_id: &str) -> Registration {
    Registration {
        issuer: Issuer::parse(issuer).unwrap(),
        client: Client::public(client_id),
        redirect_uri: RedirectUri::parse("http://127.0.0.1:9/callback").unwrap(),
    }
}

fn changed(before: &str, now: &str) -> Event {
    Event::ServerChanged {
        before: Issuer::parse(before).unwrap(),
        now: Issuer::parse(now).unwrap(),
    }
}

fn stepping_up(stored: StoredGrant) -> Flow {
    let mut flow = flow(Some(stored));
    let missing = r#"Bearer error="insufficient_scope", scope="more""#;
    flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(missing));
    flow
}

#[test]
fn of_several_the_first_that_can_be_used_is_taken() {
    let no_metadata = "https://none.example";
    let mut world = listing(&[no_metadata, AS]);
    // The world answers for every issuer that the resource lists, but with one document.
    world.answers = vec![
        (
            "https://none.example/.well-known/oauth-authorization-server",
            404,
            String::new(),
        ),
        (
            "https://none.example/.well-known/openid-configuration",
            404,
            String::new(),
        ),
    ];
    let mut flow = flow(None);
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.stored[0].issuer.as_str(), AS);
    assert_eq!(flow.take_events(), []);

    // Not one that is no issuer at all.
    let mut world = listing(&["https://user:secret@as.example", AS]);
    assert_eq!(world.drive(&mut self::flow(None), NOW), Ok("first".into()));
}

#[test]
fn the_reason_is_that_of_the_first_and_the_list_is_bounded() {
    let servers: Vec<String> = (0..=MAX_SERVERS)
        .map(|n| format!("https://s{n}.example"))
        .collect();
    let servers: Vec<&str> = servers.iter().map(String::as_str).collect();
    let mut world = listing(&servers);
    // Each is answered with the metadata of another issuer.
    let failed = world.drive(&mut flow(None), NOW).unwrap_err();
    assert!(
        matches!(failed, FlowFailed::Discovery { url, .. } if url.starts_with("https://s0.example"))
    );
    assert_eq!(world.log.len(), 1 + MAX_SERVERS);
}

#[test]
fn the_one_that_issued_the_tokens_goes_first_as_long_as_it_is_named() {
    let mut world = listing(&[OTHER, AS]);
    let mut flow = stepping_up(signed_in());
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.asked().get("client_id"), Some("registered"));
    assert!(!world.log.iter().any(|line| line.contains("other.example")));
    assert!(!world.log.iter().any(|line| line.contains("register")));
    assert_eq!(flow.take_events(), []);
}

#[test]
fn a_change_of_authorization_server_is_told_and_nothing_of_the_old_one_goes_to_the_new_one() {
    let mut world = World::new();
    for text in [&mut world.resource, &mut world.server] {
        *text = text.replace(AS, "https://new.example");
    }
    world.callback = world.callback.replace("as.example", "new.example");
    world.registered = "at-new".into();
    let mut flow = stepping_up(signed_in());
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(flow.take_events(), [changed(AS, "https://new.example")]);
    assert!(!world.log.iter().any(|line| line.contains("as.example")));
    let sent = world.bodies.concat() + &world.browser.concat();
    for old in ["registered\"", "client_id=registered", "refresh-first"] {
        assert!(!sent.contains(old), "{old}");
    }
    assert_eq!(world.asked().get("client_id"), Some("at-new"));
}

#[test]
fn a_stored_registration_is_used_at_its_own_issuer_only() {
    let run = |registrations: Vec<Registration>| {
        let mut world = World::new();
        let options = FlowOptions {
            registrations,
            ..options()
        };
        let mut flow = Flow::new(SERVER, None, options).unwrap();
        world.drive(&mut flow, NOW).unwrap();
        let client_id = world.asked().get("client_id").unwrap().to_owned();
        (client_id, world.log.iter().any(|l| l.contains("register")))
    };
    let own = registration(AS, "own");
    assert_eq!(run(vec![own.clone()]), ("own".into(), false));
    assert_eq!(
        run(vec![registration(OTHER, "foreign"), own.clone()]),
        ("own".into(), false)
    );
    for of_no_use in [
        registration(OTHER, "foreign"),
        registration("https://as.example/", "slash"),
        Registration {
            redirect_uri: RedirectUri::parse("http://127.0.0.1/elsewhere").unwrap(),
            ..own
        },
    ] {
        assert_eq!(run(vec![of_no_use]), ("registered".into(), true));
    }
}

#[test]
fn the_client_of_a_grant_serves_another_resource_of_the_same_issuer() {
    let mut world = World::new();
    let options = FlowOptions {
        registrations: vec![Registration::from(&signed_in())],
        ..options()
    };
    let mut flow = Flow::new("https://rs.example/mcp/below", None, options).unwrap();
    world.answers = vec![(
        "https://rs.example/.well-known/oauth-protected-resource/mcp/below",
        200,
        world.resource.replace("/mcp\"", "/mcp/below\""),
    )];
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.asked().get("client_id"), Some("registered"));
    assert!(!world.log.iter().any(|line| line.contains("register")));
}

#[test]
fn a_document_is_portable_and_goes_before_what_is_stored() {
    const DOCUMENT: &str = "https://app.example/client.json";
    for (servers, expected) in [(true, DOCUMENT), (false, "own")] {
        let mut world = World::new();
        let flag = format!(r#"{{"client_id_metadata_document_supported":{servers},"#);
        world.server = world.server.replacen('{', &flag, 1);
        let options = FlowOptions {
            client_id_document: Some(DOCUMENT.into()),
            registrations: vec![registration(AS, "own")],
            ..options()
        };
        let mut flow = Flow::new(SERVER, None, options).unwrap();
        world.drive(&mut flow, NOW).unwrap();
        assert_eq!(world.asked().get("client_id"), Some(expected));
    }
}

#[test]
fn an_identifier_of_another_issuer_is_refused_before_anybody_is_asked() {
    let options = FlowOptions {
        client_id: Some("mine".into()),
        client_id_issuer: Some(Issuer::parse("https://old.example").unwrap()),
        ..options()
    };
    let mut world = World::new();
    let mut flow = Flow::new(SERVER, None, options).unwrap();
    assert_eq!(
        world.drive(&mut flow, NOW),
        Err(FlowFailed::OtherIssuer {
            expected: "https://old.example".into(),
            found: AS.into()
        })
    );
    assert_eq!(world.log.len(), 1);
}

#[test]
fn who_cannot_register_is_told_what_to_do() {
    for (flag, also) in [(false, false), (true, true)] {
        let mut world = World::new();
        world.server = world
            .server
            .replace("\"registration_endpoint\"", "\"none\"")
            .replacen(
                '{',
                &format!(r#"{{"client_id_metadata_document_supported":{flag},"#),
                1,
            );
        let failed = world.drive(&mut flow(None), NOW).unwrap_err().to_string();
        assert!(failed.contains("register a client there and give its identifier"));
        assert_eq!(
            failed.contains("publish a client ID metadata document"),
            also
        );
    }
}

#[test]
fn a_client_with_a_certificate_uses_the_endpoints_for_that() {
    const TOKEN: &str = "https://mtls.as.example/token";
    let mut world = World::new();
    let aliases = r#"{"mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/token"},"#;
    world.server = world.server.replacen('{', aliases, 1);
    world.answers = vec![(TOKEN, 200, tokens("first", 60))];
    let mut own = registration(AS, "own");
    own.client.auth = ClientAuth::Tls(TlsMethod::SelfSigned);
    let options = FlowOptions {
        registrations: vec![own],
        ..options()
    };
    let mut flow = Flow::new(SERVER, None, options).unwrap();
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.log.last().unwrap(), &format!("POST {TOKEN}"));
    // So does a refresh.
    assert_eq!(world.stored[0].token_endpoint, TOKEN);
}

/// A client that was registered beforehand at this issuer.
fn bound_to(issuer: &str) -> FlowOptions {
    FlowOptions {
        client_id: Some("mine".into()),
        client_id_issuer: Some(Issuer::parse(issuer).unwrap()),
        client_secret: Some(Secret::new("hush")),
        ..options()
    }
}

#[test]
fn where_the_own_issuer_is_down_no_other_one_is_asked() {
    let mut world = listing(&[AS, OTHER]);
    world.answers = vec![
        (
            "https://as.example/.well-known/oauth-authorization-server",
            503,
            String::new(),
        ),
        (
            "https://as.example/.well-known/openid-configuration",
            503,
            String::new(),
        ),
    ];
    let mut flow = Flow::new(SERVER, None, bound_to(AS)).unwrap();
    let failed = world.drive(&mut flow, NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }), "{failed}");
    assert!(!world.log.iter().any(|line| line.contains("other.example")));
}

#[test]
fn a_slash_makes_it_another_issuer_where_nobody_named_one() {
    let mut world = World::new();
    let own = "https://rs.example/.well-known/oauth-authorization-server";
    let metadata = world
        .server
        .replacen("https://as.example\"", "https://rs.example/\"", 1)
        .replace("https://as.example/", "https://rs.example/");
    world.resource.clear();
    world.answers = vec![
        (
            "https://rs.example/.well-known/oauth-protected-resource/mcp",
            404,
            String::new(),
        ),
        (own, 200, metadata),
    ];
    let options = FlowOptions {
        profile: Profile::V2025_03_26,
        ..bound_to("https://rs.example")
    };
    let mut flow = Flow::new(SERVER, None, options).unwrap();
    let expected = FlowFailed::OtherIssuer {
        expected: "https://rs.example".into(),
        found: "https://rs.example/".into(),
    };
    assert_eq!(world.drive(&mut flow, NOW), Err(expected));
    assert!(world.browser.is_empty() && !world.bodies.concat().contains("hush"));
}

#[test]
fn what_is_handed_in_for_another_resource_is_ignored() {
    let mut flow = Flow::new("https://rs.example/other", None, options()).unwrap();
    flow.restart(Some(signed_in()), options().redirect_uri);
    assert!(flow.grant().is_none());
}
