//! Signing in for the first time.

use std::sync::Arc;

use super::*;
use crate::client::ClientAuth;
use crate::jose::SigningKey;
use crate::scope::ScopeSet;

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
fn the_secret_of_a_registered_client_goes_to_its_issuer_in_a_way_that_it_knows() {
    let run = |methods: &str, issuer: Option<&str>| {
        let mut world = World::new();
        let listed = format!(r#"{{"token_endpoint_auth_methods_supported":{methods},"#);
        world.server = world.server.replacen('{', &listed, 1);
        let options = FlowOptions {
            client_id: Some("mine".into()),
            client_id_issuer: issuer.map(|issuer| Issuer::parse(issuer).unwrap()),
            client_secret: Some(Secret::new("hush")),
            ..options()
        };
        let mut flow = Flow::new(SERVER, None, options).unwrap();
        let result = world.drive(&mut flow, NOW).map(|_| {
            let client = world.stored.last().unwrap().client.clone();
            (client.client_id, client.auth.method())
        });
        let in_bodies = world.bodies.iter().any(|body| body.contains("hush"));
        (result, in_bodies)
    };
    let here = Some("https://as.example");
    let mine = |method| Ok(("mine".to_owned(), method));
    let (basic, post) = (AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost);
    assert_eq!(run("[]", here), (mine(basic), false));
    let both = r#"["client_secret_post","client_secret_basic"]"#;
    assert_eq!(run(both, here), (mine(basic), false));
    assert_eq!(run(r#"["client_secret_post"]"#, here), (mine(post), true));
    let none = AuthRefused::NotOffered("a secret");
    let refused = Err(FlowFailed::Authorization(none.into()));
    assert_eq!(run(r#"["private_key_jwt"]"#, here), (refused, false));
    assert_eq!(run("[]", None), (Err(FlowFailed::UnboundSecret), false));
    let (elsewhere, sent) = run("[]", Some("https://old.example"));
    assert!(matches!(elsewhere, Err(FlowFailed::OtherIssuer { .. })) && !sent);
}

#[test]
fn a_registered_client_signs_in_at_its_own_issuer_wherever_that_is_listed() {
    let mut world = World::new();
    world.resource = world.resource.replace(
        r#"["https://as.example"]"#,
        r#"["https://other.example","https://as.example"]"#,
    );
    let options = FlowOptions {
        client_id: Some("mine".into()),
        client_id_issuer: Some(Issuer::parse("https://as.example").unwrap()),
        client_secret: Some(Secret::new("hush")),
        ..options()
    };
    let mut flow = Flow::new(SERVER, None, options).unwrap();
    assert_eq!(world.drive(&mut flow, NOW), Ok("first".into()));
    assert_eq!(world.asked().get("client_id"), Some("mine"));
    assert!(!world.log.iter().any(|line| line.contains("other.example")));
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
    assert_eq!(run(given.clone(), &documents), Ok(("given".into(), false)));
    let bound = |issuer: &str| FlowOptions {
        client_id_issuer: Some(Issuer::parse(issuer).unwrap()),
        ..given.clone()
    };
    assert_eq!(
        run(bound("https://as.example"), &same),
        Ok(("given".into(), false))
    );
    assert_eq!(
        run(bound("https://old.example"), &same),
        Err(FlowFailed::OtherIssuer {
            expected: "https://old.example".into(),
            found: "https://as.example".into()
        })
    );
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
            issuer: "https://as.example".into(),
            documents: false,
        }
    );
    assert!(failed.to_string().contains("register a client there"));
}

#[test]
fn whoever_wants_no_scope_is_not_given_offline_access_alone() {
    let mut world = World::new();
    world.server = world
        .server
        .replacen('{', r#"{"scopes_supported":["offline_access"],"#, 1);
    let options = FlowOptions {
        scope: Some(ScopeSet::empty()),
        ..options()
    };
    let mut flow = Flow::new(SERVER, None, options).unwrap();
    world.drive(&mut flow, NOW).unwrap();
    assert_eq!(world.asked().get("scope"), None);
    assert_eq!(world.stored[0].requested_scope, None);
}

#[test]
fn an_empty_scope_in_a_challenge_is_none() {
    let mut world = World::new();
    let mut flow = flow(None);
    flow.handle_challenge(
        StatusCode::UNAUTHORIZED,
        &challenge(r#"Bearer scope="", realm="x""#),
    );
    world.drive(&mut flow, NOW).unwrap();
    assert_eq!(world.asked().get("scope"), Some("read write"));
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
fn offline_access_is_the_servers_to_offer_and_not_the_resources() {
    let run = |server_lists: bool, challenged: Option<&str>, chosen: Option<&str>| {
        let mut world = World::new();
        world.resource = world.resource.replace("\"write\"", "\"offline_access\"");
        if server_lists {
            let list = r#"{"scopes_supported":["offline_access"],"#;
            world.server = world.server.replacen('{', list, 1);
        }
        let options = FlowOptions {
            scope: chosen.map(|scope| ScopeSet::parse(scope).unwrap()),
            ..options()
        };
        let mut flow = Flow::new(SERVER, None, options).unwrap();
        if let Some(scope) = challenged {
            let value = format!(r#"Bearer scope="{scope}""#);
            flow.handle_challenge(StatusCode::UNAUTHORIZED, &challenge(&value));
        }
        world.drive(&mut flow, NOW).unwrap();
        world.asked().get("scope").map(str::to_owned)
    };
    let asked = |scope: &str| Some(scope.to_owned());
    assert_eq!(run(false, None, None), asked("read"));
    assert_eq!(run(true, None, None), asked("read offline_access"));
    assert_eq!(run(false, Some("a offline_access"), None), asked("a"));
    assert_eq!(run(true, Some("a"), None), asked("a offline_access"));
    // Alone it would be a scope that asks for nothing.
    assert_eq!(run(true, Some("offline_access"), None), None);
    // What the program asks for is its own choice.
    let own = run(false, None, Some("a offline_access"));
    assert_eq!(own, asked("a offline_access"));
}

#[test]
fn a_step_up_does_not_carry_offline_access_to_a_server_that_does_not_offer_it() {
    let stored = StoredGrant {
        requested_scope: Some(ScopeSet::parse("read offline_access").unwrap()),
        ..signed_in()
    };
    let mut world = World::new();
    let mut flow = flow(Some(stored));
    let missing = r#"Bearer error="insufficient_scope", scope="admin""#;
    flow.handle_challenge(StatusCode::FORBIDDEN, &challenge(missing));
    world.drive(&mut flow, NOW).unwrap();
    assert_eq!(world.asked().get("scope"), Some("read admin"));
}

#[test]
fn a_client_with_a_key_signs_what_it_says_to_the_token_endpoint() {
    const DOCUMENT: &str = "https://app.example/client.json";
    let key = Arc::new(SigningKey::generate_es256().unwrap());
    let run = |client_id: Option<&str>, methods: &str| {
        let mut world = World::new();
        let flags = format!(
            r#"{{"client_id_metadata_document_supported":true,"token_endpoint_auth_methods_supported":{methods},"#
        );
        world.server = world.server.replacen('{', &flags, 1);
        let options = FlowOptions {
            client_id: client_id.map(str::to_owned),
            client_id_document: Some(DOCUMENT.into()),
            client_key: Some(Arc::clone(&key)),
            ..options()
        };
        let mut flow = Flow::new(SERVER, None, options.clone()).unwrap();
        let result = world.drive(&mut flow, NOW);
        (result, world, options)
    };
    for (given, expected) in [(Some("mine"), "mine"), (None, DOCUMENT)] {
        let (result, mut world, options) = run(given, r#"["none","private_key_jwt"]"#);
        assert_eq!(result, Ok("first".into()));
        let sent = Params::parse_form(world.bodies[2].as_bytes(), &[]).unwrap();
        assert_eq!(sent.get("client_id"), Some(expected));
        assert!(
            claims(sent.get("client_assertion").unwrap()).contains(r#""aud":"https://as.example""#)
        );
        // Read back from where no key is kept, the client has it again.
        let mut stored = world.stored.pop().unwrap();
        stored.client.auth = ClientAuth::KeyAbsent;
        let mut later = Flow::new(SERVER, Some(stored.clone()), options).unwrap();
        assert_eq!(
            world.drive(&mut later, UnixSeconds(2_000)),
            Ok("second".into())
        );
        assert!(world.bodies.last().unwrap().contains("client_assertion="));
        // So has one that is handed in later.
        let ended = UnixSeconds(4_000);
        later.restart(Some(stored), self::options().redirect_uri);
        assert_eq!(world.drive(&mut later, ended), Ok("second".into()));

        let (result, world, _) = run(given, r#"["none"]"#);
        let refused = AuthRefused::NotOffered("a private key");
        assert_eq!(result, Err(FlowFailed::Authorization(refused.into())));
        assert_eq!(world.browser.len(), 0);
    }
}
