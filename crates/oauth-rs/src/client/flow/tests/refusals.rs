//! What is refused, from whom, and what must not be seen.

use super::*;

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
    // Where the new one can be used, it is asked who we are there, and told nothing of before.
    let mut world = World::new();
    world.resource = world
        .resource
        .replace("https://as.example", "https://new.example");
    world.server = world
        .server
        .replace("https://as.example", "https://new.example");
    world.registered = "at-new".into();
    world.callback = world.callback.replace("as.example", "new.example");
    let mut moved = self::flow(Some(signed_in()));
    moved.handle_challenge(
        StatusCode::FORBIDDEN,
        &challenge(r#"Bearer error="insufficient_scope""#),
    );
    assert_eq!(world.drive(&mut moved, NOW), Ok("first".into()));
    assert!(
        world
            .log
            .contains(&"POST https://new.example/register".to_owned())
    );
    assert_eq!(world.asked().get("client_id"), Some("at-new"));
    let stored = world.stored.last().unwrap();
    assert_eq!(stored.issuer.as_str(), "https://new.example");
    assert_eq!(stored.client.client_id, "at-new");
    assert!(!world.log.iter().any(|line| line.contains("as.example")));
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
    assert_eq!((pkce, opened), (DiscoveryFailed::NoS256, 0));
    let (pkce, opened) = reason(&|world| {
        let list = r#""code_challenge_methods_supported":["S256"],"#;
        world.server = world.server.replace(list, "");
    });
    assert_eq!((pkce, opened), (DiscoveryFailed::NoPkce, 0));
    let (endpoint, _) = reason(&|world| {
        world.server = world
            .server
            .replace("https://as.example/token", "http://as.example/token");
    });
    assert_eq!(
        endpoint,
        DiscoveryFailed::Server(InvalidServerMetadata::Endpoint {
            member: "token_endpoint",
            reason: InvalidUri::InsecureHttp
        })
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
    assert_eq!(
        failed,
        FlowFailed::Address {
            what: "metadata",
            reason: AddressRefused::Invalid(InvalidUri::InsecureHttp)
        }
    );
}

#[test]
fn a_server_elsewhere_cannot_send_requests_to_this_machine() {
    let mut world = World::new();
    let mut pointed = flow(None);
    let metadata = r#"Bearer resource_metadata="http://127.0.0.1:6379/x""#;
    pointed.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(metadata));
    let loopback = |what| FlowFailed::Address {
        what,
        reason: AddressRefused::Loopback,
    };
    assert_eq!(world.drive(&mut pointed, NOW), Err(loopback("metadata")));
    assert_eq!(world.log, Vec::<String>::new());

    let mut world = World::new();
    world.resource = world
        .resource
        .replace("https://as.example", "http://localhost:9");
    let failed = world.drive(&mut flow(None), NOW).unwrap_err();
    assert_eq!(failed, loopback("authorization server"));

    let mut world = World::new();
    world.server = world.server.replace(
        "https://as.example/register",
        "http://127.0.0.1:9200/register",
    );
    let failed = world.drive(&mut flow(None), NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }));
    assert!(!world.log.iter().any(|line| line.contains("127.0.0.1")));
}

#[test]
fn garbage_at_the_listener_does_not_end_a_sign_in() {
    let mut world = World::new();
    let mut flow = flow(None);
    let zeros = |dest: &mut [u8]| dest.fill(0);
    while !matches!(flow.next_step(NOW, &zeros), Step::OpenBrowser { .. }) {
        let Step::Fetch(request) = flow.next_step(NOW, &zeros) else {
            panic!("neither a request nor the browser")
        };
        let response = world.answer(&request);
        flow.handle_response(&response, NOW);
    }
    for garbage in ["", "%", "a=1&a=2", "code=attack", "state=&state=x"] {
        flow.handle_callback(garbage);
        assert!(
            matches!(flow.next_step(NOW, &zeros), Step::OpenBrowser { .. }),
            "{garbage}"
        );
    }
}

#[test]
fn debug_of_a_step_shows_no_secret() {
    let mut world = World::new();
    let mut flow = flow(None);
    let ones = |dest: &mut [u8]| dest.fill(0xff);
    let mut seen = 0;
    loop {
        let step = flow.next_step(NOW, &ones);
        for shown in [format!("{step:?}"), format!("{flow:?}")] {
            // The state and the verifier, the code as text and as the numbers of its bytes.
            for secret in [
                "_______",
                "the-code",
                "116, 104, 101",
                "refresh-first",
                "\"first",
            ] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        seen += 1;
        match step {
            Step::Fetch(request) => {
                let response = world.answer(&request);
                flow.handle_response(&response, NOW);
            }
            Step::OpenBrowser { state, .. } => {
                flow.handle_callback(&world.callback.replace("{state}", state.expose()));
            }
            Step::Store(_) => {}
            Step::Done(_) => break,
            Step::Failed(reason) => panic!("{reason}"),
        }
    }
    assert_eq!(seen, 7);
}

#[test]
fn debug_of_a_flow_shows_no_secret() {
    let shown = format!("{:?}", flow(Some(signed_in())));
    assert!(
        !shown.contains("refresh-first") && !shown.contains("\"first\""),
        "{shown}"
    );
}
