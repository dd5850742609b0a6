//! What each profile puts up with, and that it is told.

use super::*;

const PRM: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";
const PRM_ROOT: &str = "https://rs.example/.well-known/oauth-protected-resource";
const OWN_METADATA: &str = "https://rs.example/.well-known/oauth-authorization-server";

fn with(profile: Profile) -> Flow {
    let options = FlowOptions {
        profile,
        ..options()
    };
    Flow::new(SERVER, None, options).unwrap()
}

fn lenient(leniencies: &[Leniency]) -> Vec<Event> {
    leniencies.iter().copied().map(Event::Lenient).collect()
}

/// A server of 2025-03-26 that is its own authorization server.
fn old_world(issuer: &str) -> World {
    let mut world = World::new();
    let document = world
        .server
        .replacen("https://as.example\"", &format!("{issuer}\""), 1)
        .replace("https://as.example/", "https://rs.example/");
    world.callback = "code=the-code&state={state}".into();
    world.answers = vec![
        (PRM, 404, String::new()),
        (PRM_ROOT, 404, String::new()),
        (
            OWN_METADATA,
            200,
            document.replace("_parameter_supported\":true", "\":0"),
        ),
        (
            "https://rs.example/register",
            201,
            r#"{"client_id":"at-rs","token_endpoint_auth_method":"none"}"#.into(),
        ),
        ("https://rs.example/token", 200, tokens("old", 60)),
    ];
    world
}

#[test]
fn without_resource_metadata_only_the_oldest_profile_goes_on_at_the_origin() {
    for profile in [
        Profile::STRICT,
        Profile::V2025_11_25,
        Profile::V2025_06_18,
        Profile::V2025_03_26.without(Leniency::NoResourceMetadata),
    ] {
        let (mut world, mut flow) = (old_world("https://rs.example"), with(profile));
        let failed = world.drive(&mut flow, NOW).unwrap_err();
        assert!(matches!(failed, FlowFailed::Discovery { .. }), "{failed}");
        assert_eq!(world.log, [format!("GET {PRM}"), format!("GET {PRM_ROOT}")]);
        assert_eq!(flow.take_events(), []);
    }
    let mut world = old_world("https://rs.example");
    let mut flow = with(Profile::V2025_03_26);
    assert_eq!(world.drive(&mut flow, NOW), Ok("old".into()));
    assert_eq!(
        world.log,
        [
            format!("GET {PRM}").as_str(),
            &format!("GET {PRM_ROOT}"),
            &format!("GET {OWN_METADATA}"),
            "POST https://rs.example/register",
            "POST https://rs.example/token",
        ]
    );
    assert_eq!(flow.take_events(), lenient(&[Leniency::NoResourceMetadata]));
    assert_eq!(flow.take_events(), []);
    // RFC 8707 came later; a server that does not know `resource` ignores it.
    assert_eq!(world.asked().get("resource"), Some(SERVER));
    assert_eq!(world.asked().get("code_challenge_method"), Some("S256"));
    assert_eq!(world.stored[0].resource.as_str(), SERVER);
    assert_eq!(world.stored[0].issuer.as_str(), "https://rs.example");
}

#[test]
fn the_request_for_metadata_at_the_origin_says_the_revision() {
    let mut world = old_world("https://rs.example");
    let mut flow = with(Profile::V2025_03_26);
    let mut said = Vec::new();
    while let Step::Fetch(request) = flow.next_step(NOW, &|dest: &mut [u8]| dest.fill(0)) {
        let version = request.headers().get("mcp-protocol-version");
        said.push(version.map(|value| value.to_str().unwrap().to_owned()));
        let response = world.answer(&request);
        flow.handle_response(&response, NOW);
    }
    assert_eq!(said, [None, None, Some("2025-03-26".to_owned()), None]);
}

#[test]
fn without_any_metadata_the_default_endpoints_are_taken() {
    let mut world = old_world("https://rs.example");
    world.answers[2] = (OWN_METADATA, 404, String::new());
    let mut flow = with(Profile::V2025_03_26);
    assert_eq!(world.drive(&mut flow, NOW), Ok("old".into()));
    assert_eq!(
        world.log[3..],
        [
            "POST https://rs.example/register",
            "POST https://rs.example/token"
        ]
    );
    assert!(world.browser[0].starts_with("https://rs.example/authorize?"));
    assert_eq!(world.asked().get("code_challenge_method"), Some("S256"));
    assert_eq!(
        flow.take_events(),
        lenient(&[Leniency::NoResourceMetadata, Leniency::DefaultEndpoints])
    );

    let narrowed = Profile::V2025_03_26.without(Leniency::DefaultEndpoints);
    let mut world = old_world("https://rs.example");
    world.answers[2] = (OWN_METADATA, 404, String::new());
    let failed = world.drive(&mut with(narrowed), NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { url, .. } if url == OWN_METADATA));
}

#[test]
fn an_old_server_has_no_metadata_only_where_it_says_so_itself() {
    let signs_in = |change: &dyn Fn(&mut World)| {
        let mut world = old_world("https://rs.example");
        change(&mut world);
        world.drive(&mut with(Profile::V2025_03_26), NOW).is_ok()
    };
    // A token wanted everywhere, one page for every address, a method that is not taken.
    assert!(signs_in(&|world| world.answers[0].1 = 401));
    assert!(signs_in(&|world| world.answers[1].1 = 405));
    assert!(signs_in(
        &|world| world.answers[0] = (PRM, 200, "<html>".into())
    ));
    let refusal = r#"{"error":"not_found"}"#;
    assert!(signs_in(
        &|world| world.answers[1] = (PRM_ROOT, 404, refusal.into())
    ));
    // A failure that may pass, a redirect, and a document about somebody else.
    for passing in [408, 425, 429, 503] {
        assert!(!signs_in(&|world| world.answers[0].1 = passing));
        assert!(!signs_in(&|world| world.answers[1].1 = passing));
        assert!(!signs_in(&|world| world.answers[2].1 = passing));
    }
    assert!(!signs_in(&|world| world.answers[1].1 = 302));
    let other = r#"{"resource":"https://evil.example/mcp"}"#;
    assert!(!signs_in(
        &|world| world.answers[1] = (PRM_ROOT, 200, other.into())
    ));
    let twice = r#"{"resource":"https://rs.example/mcp","resource":"https://rs.example/mcp"}"#;
    assert!(!signs_in(
        &|world| world.answers[0] = (PRM, 200, twice.into())
    ));
    let long = "x".repeat(64 * 1024 + 1);
    assert!(!signs_in(
        &|world| world.answers[0] = (PRM, 200, long.clone())
    ));
    assert!(!signs_in(&|world| world.answers[2].1 = 500));
    assert!(!signs_in(&|world| world.answers[2].1 = 307));
}

#[test]
fn a_challenge_that_names_metadata_is_of_a_newer_server() {
    let mut world = old_world("https://rs.example");
    let mut flow = with(Profile::V2025_03_26);
    let named = format!(r#"Bearer resource_metadata="{PRM}""#);
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(&named));
    let failed = world.drive(&mut flow, NOW).unwrap_err();
    assert!(matches!(failed, FlowFailed::Discovery { .. }));
    assert_eq!(world.log, [format!("GET {PRM}")]);
}

#[test]
fn an_unreachable_server_is_not_an_old_one() {
    let mut flow = with(Profile::V2025_03_26);
    let zeros = |dest: &mut [u8]| dest.fill(0);
    for answer in [None, Some(404_u16)] {
        assert!(matches!(flow.next_step(NOW, &zeros), Step::Fetch(_)));
        match answer {
            None => flow.handle_failure("timed out"),
            Some(status) => {
                let nothing = Response::builder().status(status).body(Vec::new());
                flow.handle_response(&nothing.unwrap(), NOW);
            }
        }
    }
    let Step::Failed(reason) = flow.next_step(NOW, &zeros) else {
        panic!("went on")
    };
    assert!(matches!(reason, FlowFailed::Unreachable { .. }), "{reason}");
}

#[test]
fn an_issuer_that_nobody_named_may_end_with_a_slash_and_is_kept_as_written() {
    let slashed = "https://rs.example/";
    let mut world = old_world(slashed);
    let mut flow = with(Profile::V2025_03_26);
    assert_eq!(world.drive(&mut flow, NOW), Ok("old".into()));
    assert_eq!(world.stored[0].issuer.as_str(), slashed);

    // Signing in again, the registration there is found, and nothing has changed.
    let options = FlowOptions {
        profile: Profile::V2025_03_26,
        ..options()
    };
    let mut again = Flow::new(SERVER, world.stored.pop(), options).unwrap();
    let missing = r#"Bearer error="insufficient_scope", scope="more""#;
    again.handle_challenge(StatusCode::FORBIDDEN, &challenge(missing));
    let mut world = old_world(slashed);
    assert_eq!(world.drive(&mut again, NOW), Ok("old".into()));
    assert!(!world.log.iter().any(|line| line.contains("register")));
    let told = again.take_events();
    assert_eq!(told, lenient(&[Leniency::NoResourceMetadata]));

    for issuer in [
        "https://rs.example/mcp",
        "https://evil.example",
        "https://RS.example",
    ] {
        let failed = old_world(issuer)
            .drive(&mut with(Profile::V2025_03_26), NOW)
            .unwrap_err();
        let FlowFailed::Discovery { reason, .. } = failed else {
            panic!("{failed}")
        };
        assert!(matches!(
            reason,
            DiscoveryFailed::Server(InvalidServerMetadata::Issuer { .. })
        ));
    }
}

#[test]
fn pkce_that_is_not_announced_is_put_up_with_by_two_profiles_and_weak_pkce_by_none() {
    for profile in Profile::ALL {
        let mut world = World::new();
        let list = r#""code_challenge_methods_supported":["S256"],"#;
        world.server = world.server.replace(list, "");
        let mut flow = with(profile);
        let result = world.drive(&mut flow, NOW);
        if profile.allows(Leniency::PkceUnannounced) {
            assert_eq!(result, Ok("first".into()));
            assert_eq!(world.asked().get("code_challenge_method"), Some("S256"));
            assert_eq!(flow.take_events(), lenient(&[Leniency::PkceUnannounced]));
        } else {
            assert!(matches!(
                result,
                Err(FlowFailed::Discovery {
                    reason: DiscoveryFailed::NoPkce,
                    ..
                })
            ));
            assert_eq!(world.browser.len(), 0);
        }
        let mut world = World::new();
        world.server = world.server.replace("S256", "plain");
        assert!(matches!(
            world.drive(&mut with(profile), NOW),
            Err(FlowFailed::Discovery {
                reason: DiscoveryFailed::NoS256,
                ..
            })
        ));
    }
}

#[test]
fn a_resource_that_names_itself_by_a_parent_path_is_told_and_can_be_refused() {
    let parent = |world: &mut World| {
        world.resource = world
            .resource
            .replace(r#""https://rs.example/mcp""#, r#""https://rs.example""#);
    };
    for profile in Profile::ALL {
        let mut world = World::new();
        parent(&mut world);
        let mut flow = with(profile);
        assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
        assert_eq!(flow.take_events(), lenient(&[Leniency::ParentResource]));
        // The identifier is sent as the metadata spells it.
        assert_eq!(world.asked().get("resource"), Some("https://rs.example"));
        assert!(world.bodies[3].contains("resource=https%3A%2F%2Frs.example&"));

        let mut world = World::new();
        parent(&mut world);
        let exact = profile.without(Leniency::ParentResource);
        let failed = world.drive(&mut with(exact), NOW).unwrap_err();
        let FlowFailed::Discovery { reason, .. } = failed else {
            panic!("{failed}")
        };
        assert!(matches!(
            reason,
            DiscoveryFailed::Resource(InvalidResourceMetadata::Mismatch { .. })
        ));
        assert_eq!(world.log.len(), 1);
    }
}

// A query chooses what an endpoint shows, and not which endpoint it is.
#[test]
fn the_query_of_the_address_is_left_out_when_the_resource_names_itself_without_one() {
    let at = |query: &str| format!("{SERVER}?{query}");
    let metadata = "https://rs.example/.well-known/oauth-protected-resource/mcp?toolsets=core";
    let flow = |server: &str| {
        let options = FlowOptions {
            profile: Profile::STRICT.without(Leniency::ParentResource),
            ..options()
        };
        Flow::new(server, None, options).unwrap()
    };
    let world = || {
        let mut world = World::new();
        world.answers.push((metadata, 200, world.resource.clone()));
        world
    };
    let query = "toolsets=core";
    let mut world_of = world();
    let mut signing_in = flow(&at(query));
    assert_eq!(world_of.drive(&mut signing_in, NOW), Ok("first".into()));
    assert_eq!(signing_in.take_events(), []);
    assert_eq!(world_of.asked().get("resource"), Some(SERVER));
    // One sign-in is for all queries of the endpoint.
    let kept = world_of.stored.pop().unwrap();
    for server in [SERVER.to_owned(), at("toolsets=cases"), at(query)] {
        let mut again = Flow::new(&server, Some(kept.clone()), options()).unwrap();
        let mut nobody = World::new();
        assert_eq!(
            nobody.drive(&mut again, NOW),
            Ok("first".into()),
            "{server}"
        );
        assert!(nobody.log.is_empty(), "{:?}", nobody.log);
    }

    // An identifier with a query of its own is another resource.
    let mut world_of = world();
    world_of.answers[0].2 = world_of.resource.replace(SERVER, &at("tenant=1"));
    let failed = world_of.drive(&mut flow(&at(query)), NOW).unwrap_err();
    assert!(
        matches!(
            failed,
            FlowFailed::Discovery {
                reason: DiscoveryFailed::Resource(InvalidResourceMetadata::Mismatch { .. }),
                ..
            }
        ),
        "{failed}"
    );
}

#[test]
fn a_server_of_today_gets_the_same_requests_from_every_profile_and_nothing_is_told() {
    let run = |profile| {
        let (mut world, mut flow) = (World::new(), with(profile));
        world.drive(&mut flow, NOW).unwrap();
        assert_eq!(flow.take_events(), []);
        (world.log, world.browser)
    };
    for profile in Profile::ALL {
        assert_eq!(run(profile), run(Profile::STRICT));
    }
}
