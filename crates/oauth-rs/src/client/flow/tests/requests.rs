//! From a 401 to the first call: every request on each way, and none that the specification does not need.

use std::sync::Arc;

use super::*;
use crate::jose::SigningKey;

const PRM_URL: &str = "https://rs.example/.well-known/oauth-protected-resource/mcp";
const PRM_ROOT_URL: &str = "https://rs.example/.well-known/oauth-protected-resource";
const PRM: &str = "GET https://rs.example/.well-known/oauth-protected-resource/mcp";
const PRM_ROOT: &str = "GET https://rs.example/.well-known/oauth-protected-resource";
const METADATA: &str = "GET https://as.example/.well-known/oauth-authorization-server";
const REGISTER: &str = "POST https://as.example/register";
const TOKEN: &str = "POST https://as.example/token";
const BROWSER: &str = "browser https://as.example/authorize";
const CALL: &str = "call";

/// What the resource says to a call: fine, or this status and challenge.
type Verdict = Result<(), (u16, &'static str)>;

/// A call to the resource, and whatever it takes until it is accepted: the requests in their order.
///
/// `accepts` says what the resource makes of the scheme and token that a call carries.
fn until_accepted(
    world: &mut World,
    flow: &mut Flow,
    now: UnixSeconds,
    accepts: impl Fn(Option<(&str, &str)>) -> Verdict,
) -> Vec<String> {
    let e = |dest: &mut [u8]| dest.fill(3);
    let mut sent: Vec<String> = Vec::new();
    for _ in 0..50 {
        let headers = if flow.has_token(now) {
            flow.call_headers(&http::Method::POST, SERVER, now, &e)
                .unwrap()
        } else {
            None
        };
        sent.push(CALL.into());
        let shown = headers.as_ref().map(|headers| {
            let value = headers[header::AUTHORIZATION].to_str().unwrap();
            let nonce = headers.get("dpop").map(|p| claims(p.to_str().unwrap()));
            (value.to_owned(), nonce.unwrap_or_default())
        });
        let shown = shown
            .as_ref()
            .map(|(value, nonce)| (value.as_str(), nonce.as_str()));
        let Err((status, value)) = accepts(shown) else {
            flow.accepted();
            return sent;
        };
        let mut refusal = challenge(value);
        if value.contains("use_dpop_nonce") {
            refusal.insert("dpop-nonce", HeaderValue::from_static("of-the-resource"));
        }
        flow.handle_challenge(StatusCode::from_u16(status).unwrap(), &refusal);
        loop {
            match flow.next_step(now, &e) {
                Step::Fetch(request) => {
                    sent.push(format!("{} {}", request.method(), request.uri()));
                    let response = world.answer(&request);
                    flow.handle_response(&response, now);
                }
                Step::OpenBrowser { url, state } => {
                    let page = url.split_once('?').unwrap().0;
                    sent.push(format!("browser {page}"));
                    world.browser.push(url);
                    flow.handle_callback(&world.callback.replace("{state}", state.expose()));
                }
                Step::Store(grant) => world.stored.push(grant),
                Step::Done(_) => break,
                Step::Failed(reason) => panic!("{reason}"),
            }
        }
    }
    panic!("never accepted: {sent:?}");
}

fn wants(token: &'static str) -> impl Fn(Option<(&str, &str)>) -> Verdict {
    move |shown| match shown {
        Some((value, _)) if value.ends_with(token) => Ok(()),
        _ => Err((401, r#"Bearer realm="x""#)),
    }
}

fn of(options: FlowOptions, stored: Option<StoredGrant>) -> Flow {
    Flow::new(SERVER, stored, options).unwrap()
}

#[test]
fn by_client_id_metadata_document() {
    let mut world = World::new();
    let flag = r#"{"client_id_metadata_document_supported":true,"#;
    world.server = world.server.replacen('{', flag, 1);
    let options = FlowOptions {
        client_id_document: Some("https://app.example/client.json".into()),
        ..options()
    };
    let sent = until_accepted(&mut world, &mut of(options, None), NOW, wants("first"));
    assert_eq!(sent, [CALL, PRM, METADATA, BROWSER, TOKEN, CALL]);
}

#[test]
fn registered_beforehand() {
    let options = FlowOptions {
        client_id: Some("mine".into()),
        client_id_issuer: Some(Issuer::parse("https://as.example").unwrap()),
        client_secret: Some(Secret::new("hush")),
        ..options()
    };
    let mut flow = of(options, None);
    let sent = until_accepted(&mut World::new(), &mut flow, NOW, wants("first"));
    assert_eq!(sent, [CALL, PRM, METADATA, BROWSER, TOKEN, CALL]);
}

#[test]
fn registered_dynamically_and_from_then_on_not_again() {
    let mut world = World::new();
    let mut flow = of(options(), None);
    let sent = until_accepted(&mut world, &mut flow, NOW, wants("first"));
    assert_eq!(sent, [CALL, PRM, METADATA, REGISTER, BROWSER, TOKEN, CALL]);

    // The next sign-in, in another process, has the registration.
    let stored = StoredGrant {
        refresh_token: None,
        ..world.stored.pop().unwrap()
    };
    let late = UnixSeconds(9_000);
    let mut flow = of(options(), Some(stored));
    let sent = until_accepted(&mut world, &mut flow, late, wants("first"));
    assert_eq!(sent, [CALL, PRM, METADATA, BROWSER, TOKEN, CALL]);
}

#[test]
fn a_challenge_that_names_the_metadata_or_metadata_at_the_root() {
    let named = |shown: Option<(&str, &str)>| match shown {
        Some(_) => Ok(()),
        None => Err((
            401,
            r#"Bearer resource_metadata="https://rs.example/elsewhere""#,
        )),
    };
    let sent = until_accepted(&mut World::new(), &mut of(options(), None), NOW, named);
    let elsewhere = "GET https://rs.example/elsewhere";
    assert_eq!(
        sent,
        [CALL, elsewhere, METADATA, REGISTER, BROWSER, TOKEN, CALL]
    );

    let mut world = World::new();
    world.answers = vec![
        (PRM_URL, 404, String::new()),
        (PRM_ROOT_URL, 200, world.resource.clone()),
    ];
    let sent = until_accepted(&mut world, &mut of(options(), None), NOW, wants("first"));
    assert_eq!(
        sent,
        [
            CALL, PRM, PRM_ROOT, METADATA, REGISTER, BROWSER, TOKEN, CALL
        ]
    );
}

#[test]
fn a_stored_token() {
    let mut flow = of(options(), Some(signed_in()));
    let sent = until_accepted(&mut World::new(), &mut flow, NOW, wants("first"));
    assert_eq!(sent, [CALL]);
}

#[test]
fn a_token_that_is_refused_is_refreshed() {
    let mut flow = of(options(), Some(signed_in()));
    let sent = until_accepted(&mut World::new(), &mut flow, NOW, wants("second"));
    assert_eq!(sent, [CALL, TOKEN, CALL]);
}

#[test]
fn a_step_up() {
    let mut flow = of(options(), Some(signed_in()));
    let mut world = World::new();
    let asked = Cell::new(false);
    let sent = until_accepted(&mut world, &mut flow, NOW, |_| {
        if asked.replace(true) {
            Ok(())
        } else {
            Err((403, r#"Bearer error="insufficient_scope", scope="admin""#))
        }
    });
    // The metadata is read again, since the authorization server may have changed.
    assert_eq!(sent, [CALL, PRM, METADATA, BROWSER, TOKEN, CALL]);
    assert_eq!(world.asked().get("scope"), Some("read write admin"));
}

#[test]
fn dpop_with_nonces_of_both_servers() {
    let mut world = World::new();
    let algs = r#"{"dpop_signing_alg_values_supported":["ES256"],"#;
    world.server = world.server.replacen('{', algs, 1);
    world.nonce = Some("of-the-server");
    let options = FlowOptions {
        dpop_key: Some(Arc::new(SigningKey::generate_es256().unwrap())),
        ..options()
    };
    let mut flow = of(options, None);
    let accepts = |shown: Option<(&str, &str)>| match shown {
        Some(("DPoP first", claims)) if claims.contains("of-the-resource") => Ok(()),
        Some(_) => Err((401, r#"DPoP error="use_dpop_nonce""#)),
        None => Err((401, r#"DPoP algs="ES256""#)),
    };
    let sent = until_accepted(&mut world, &mut flow, NOW, accepts);
    assert_eq!(
        sent,
        [
            CALL, PRM, METADATA, REGISTER, BROWSER, TOKEN, TOKEN, CALL, CALL
        ]
    );
    // Both nonces are known from then on.
    let sent = until_accepted(&mut world, &mut flow, NOW, accepts);
    assert_eq!(sent, [CALL]);
}

#[test]
fn pushed_where_that_is_demanded_and_where_the_profile_wants_it() {
    let par = "POST https://as.example/par";
    let run = |demanded: bool, profile: Profile| {
        let mut world = World::new();
        let flags = format!(
            r#"{{"require_pushed_authorization_requests":{demanded},"pushed_authorization_request_endpoint":"https://as.example/par","#
        );
        world.server = world.server.replacen('{', &flags, 1);
        let pushed = r#"{"request_uri":"urn:x:1","expires_in":60}"#;
        world.answers = vec![("https://as.example/par", 201, pushed.into())];
        let options = FlowOptions {
            profile,
            ..options()
        };
        let sent = until_accepted(&mut world, &mut of(options, None), NOW, wants("first"));
        let named = world.asked().get("request_uri").is_some();
        assert_eq!(named, sent.contains(&par.to_owned()));
        // The address says nothing else then.
        assert_eq!(world.asked().get("state").is_none(), named);
        sent
    };
    let with = [CALL, PRM, METADATA, REGISTER, par, BROWSER, TOKEN, CALL];
    let without = [CALL, PRM, METADATA, REGISTER, BROWSER, TOKEN, CALL];
    assert_eq!(run(true, Profile::STRICT), with);
    assert_eq!(run(false, Profile::STRICT.pushing()), with);
    assert_eq!(run(false, Profile::STRICT), without);
}

#[test]
fn a_server_of_2025_03_26() {
    for (status, metadata) in [(200, true), (404, false)] {
        let mut world = World::new();
        let own = "https://rs.example/.well-known/oauth-authorization-server";
        let document = world.server.replace("as.example", "rs.example");
        let client = r#"{"client_id":"old","token_endpoint_auth_method":"none"}"#;
        world.callback = "code=c&state={state}&iss=https%3A%2F%2Frs.example".into();
        world.answers = vec![
            (PRM_URL, 404, String::new()),
            (PRM_ROOT_URL, 404, String::new()),
            (own, status, if metadata { document } else { String::new() }),
            ("https://rs.example/register", 201, client.into()),
            ("https://rs.example/token", 200, tokens("first", 60)),
        ];
        let options = FlowOptions {
            profile: Profile::V2025_03_26,
            ..options()
        };
        let sent = until_accepted(&mut world, &mut of(options, None), NOW, wants("first"));
        assert_eq!(
            sent,
            [
                CALL,
                PRM,
                PRM_ROOT,
                "GET https://rs.example/.well-known/oauth-authorization-server",
                "POST https://rs.example/register",
                "browser https://rs.example/authorize",
                "POST https://rs.example/token",
                CALL
            ]
        );
    }
}
