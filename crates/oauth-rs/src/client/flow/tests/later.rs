//! With a grant at hand: refreshing, signing in again, stepping up, and when it ends.

use super::*;

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
fn a_refusal_that_stays_leads_to_the_browser_and_one_that_passes_does_not() {
    for (code, browser) in [
        ("invalid_request", 1),
        ("invalid_scope", 1),
        ("invalid_target", 1),
        ("unsupported_grant_type", 1),
        ("temporarily_unavailable", 0),
        ("server_error", 0),
        ("something_else", 0),
    ] {
        let mut world = World::new();
        world.refresh = (400, format!(r#"{{"error":"{code}"}}"#));
        let result = world.drive(&mut flow(Some(signed_in())), UnixSeconds(2_000));
        assert_eq!(result.is_ok(), browser == 1, "{code}");
        assert_eq!(world.browser.len(), browser, "{code}");
    }
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
fn a_step_up_that_asks_for_nothing_new_is_limited_though_other_calls_go_well() {
    let mut world = World::new();
    let mut flow = flow(Some(signed_in()));
    let missing = challenge(r#"Bearer error="insufficient_scope", scope="admin""#);
    let mut signed_in = 0;
    for _ in 0..10 {
        flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
        match world.drive(&mut flow, NOW) {
            Ok(_) => signed_in += 1,
            Err(reason) => {
                assert_eq!(reason, FlowFailed::TooManyAttempts);
                break;
            }
        }
        flow.accepted();
    }
    // One for the scope, and two more tries.
    assert_eq!(signed_in, 3);

    // A scope that is new each time is asked for each time, after a call that went well.
    let mut flow = self::flow(Some(self::signed_in()));
    for number in 0..10 {
        let value = format!(r#"Bearer error="insufficient_scope", scope="s{number}""#);
        flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(&value));
        assert!(world.drive(&mut flow, NOW).is_ok());
        flow.accepted();
    }
    // One that no request has room for is not.
    let many: Vec<String> = (0..128).map(|n| format!("m{n}")).collect();
    let value = format!(
        r#"Bearer error="insufficient_scope", scope="{}""#,
        many.join(" ")
    );
    flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(&value));
    assert_eq!(
        world.drive(&mut flow, NOW),
        Err(FlowFailed::TooManyAttempts)
    );
}

#[test]
fn a_step_up_keeps_what_was_granted_without_asking() {
    let mut world = World::new();
    let granted = StoredGrant {
        requested_scope: None,
        granted_scope: Some(crate::scope::ScopeSet::parse("basic").unwrap()),
        ..signed_in()
    };
    let mut flow = flow(Some(granted));
    let missing = challenge(r#"Bearer error="insufficient_scope", scope="admin""#);
    flow.handle_challenge(StatusCode::FORBIDDEN, &missing);
    world.drive(&mut flow, NOW).unwrap();
    assert_eq!(world.asked().get("scope"), Some("basic admin"));
}

#[test]
fn a_403_for_another_reason_is_final() {
    let mut flow = flow(Some(signed_in()));
    flow.handle_challenge(StatusCode::FORBIDDEN, &HeaderMap::new());
    let failed = World::new().drive(&mut flow, NOW);
    assert_eq!(failed, Err(FlowFailed::Forbidden(StatusCode::FORBIDDEN)));
}

#[test]
fn an_issuer_that_is_still_listed_is_kept_before_one_that_stands_first() {
    let mut world = World::new();
    world.resource = world
        .resource
        .replace(r#"["https://as"#, r#"["https://first.example","https://as"#);
    world.refresh = (400, r#"{"error":"invalid_grant"}"#.into());
    let mut flow = flow(Some(signed_in()));
    assert_eq!(
        world.drive(&mut flow, UnixSeconds(2_000)),
        Ok("first".into())
    );
    assert_eq!(world.stored[0].issuer.as_str(), "https://as.example");
    assert!(!world.log.iter().any(|line| line.contains("first.example")));
}

#[test]
fn a_registration_is_used_again_with_its_own_redirect_address_only() {
    for (redirect_uri, registers) in [
        ("http://127.0.0.1:5001/callback", false),
        ("http://127.0.0.1:5000/other", true),
        ("http://localhost:5000/callback", true),
    ] {
        let mut world = World::new();
        world.refresh = (400, r#"{"error":"invalid_grant"}"#.into());
        let options = FlowOptions::new("CLI", RedirectUri::parse(redirect_uri).unwrap());
        let mut flow = Flow::new(SERVER, Some(signed_in()), options).unwrap();
        world.drive(&mut flow, UnixSeconds(2_000)).unwrap();
        let registered = world.log.iter().any(|line| line.contains("register"));
        assert_eq!(registered, registers, "{redirect_uri}");
        assert_eq!(world.asked().get("redirect_uri"), Some(redirect_uri));
    }
}

#[test]
fn a_client_that_is_gone_later_is_registered_anew_too() {
    let mut world = World::new();
    let mut flow = flow(Some(signed_in()));
    // First the tokens end and the client is used again; then the client is gone as well.
    world.refresh = (400, r#"{"error":"invalid_grant"}"#.into());
    world.drive(&mut flow, UnixSeconds(2_000)).unwrap();
    assert!(!world.log.iter().any(|line| line.contains("register")));
    world.refresh = (401, r#"{"error":"invalid_client"}"#.into());
    world.registered = "anew".into();
    world.drive(&mut flow, UnixSeconds(3_000)).unwrap();
    assert_eq!(world.asked().get("client_id"), Some("anew"));
}

#[test]
fn what_a_refresh_says_about_scope_is_kept() {
    for (more, expected) in [("", "read write"), (r#","scope":"read""#, "read")] {
        let mut world = World::new();
        world.refresh = (
            200,
            format!(r#"{{"access_token":"second","token_type":"Bearer"{more}}}"#),
        );
        let mut flow = flow(Some(signed_in()));
        world.drive(&mut flow, UnixSeconds(2_000)).unwrap();
        assert_eq!(world.stored[0].scope().unwrap().to_string(), expected);
    }
}

#[test]
fn what_a_resource_wants_of_the_persons_authentication_is_passed_on() {
    let mut world = World::new();
    let mut flow = flow(Some(signed_in()));
    let wants =
        r#"Bearer error="insufficient_user_authentication", acr_values="strong any", max_age="5""#;
    flow.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(wants));
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    // A refresh would bring nothing of that.
    assert!(!world.bodies.concat().contains("refresh_token="));
    assert_eq!(world.asked().get("acr_values"), Some("strong any"));
    assert_eq!(world.asked().get("max_age"), Some("5"));

    // Once that was enough, later sign-ins have nothing of it.
    flow.accepted();
    let missing = r#"Bearer error="insufficient_scope", scope="admin", max_age="7""#;
    flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(missing));
    world.drive(&mut flow, NOW).unwrap();
    for name in ["acr_values", "max_age"] {
        assert_eq!(world.asked().get(name), None);
    }
}
