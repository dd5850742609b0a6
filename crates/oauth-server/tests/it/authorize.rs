//! The authorization request: a page for what cannot be redirected, a redirect for everything else.

use crate::world::{ISSUER, OTHER_RESOURCE, REDIRECT, World, authorization, config};

#[tokio::test]
async fn a_valid_request_leads_to_the_sign_in_page_and_sets_a_cookie() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let query = authorization(&client, &[]);
    for answer in [
        world.get(&format!("/authorize?{query}")).await,
        world.post_form("/authorize", &query).await,
    ] {
        assert_eq!(answer.status, 303);
        assert!(
            answer.header("location").starts_with("/sign-in?request="),
            "{answer:?}"
        );
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("oauth_browser="), "{cookie}");
        assert!(
            cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/"),
            "{cookie}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
}

#[tokio::test]
async fn what_cannot_be_redirected_is_a_page() {
    let world = World::new();
    let client = world.register(&[REDIRECT, "https://c.example/cb"]).await;
    let page = |changes: &[(&str, Option<&str>)]| authorization(&client, changes);
    let twice = format!("{}&client_id=other", page(&[]));
    let twice_uri = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", page(&[]));
    let markup = "<script>alert(1)</script>";
    for (query, text) in [
        (
            page(&[("client_id", None)]),
            "parameter client_id is missing.",
        ),
        (
            page(&[("client_id", Some("nobody"))]),
            "the client is not known here.",
        ),
        (
            page(&[("client_id", Some(markup))]),
            "the client is not known here.",
        ),
        (
            page(&[("redirect_uri", None)]),
            "parameter redirect_uri is missing.",
        ),
        (
            page(&[("redirect_uri", Some("https://evil.example/cb"))]),
            "redirect_uri is not registered for this client.",
        ),
        (
            page(&[("redirect_uri", Some("http://127.0.0.1:4711/other"))]),
            "redirect_uri is not registered for this client.",
        ),
        (
            page(&[("redirect_uri", Some("http://localhost:4711/callback"))]),
            "redirect_uri is not registered for this client.",
        ),
        (
            page(&[("redirect_uri", Some("javascript:alert(1)"))]),
            "redirect_uri is malformed.",
        ),
        (
            page(&[("redirect_uri", Some("http://127.0.0.1@evil/callback"))]),
            "redirect_uri is malformed.",
        ),
        (twice, "parameter client_id occurs more than once."),
        (twice_uri, "parameter redirect_uri occurs more than once."),
        ("%zz=1".to_owned(), "is not correctly encoded."),
    ] {
        let answer = world.get(&format!("/authorize?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.header("location"), "", "{query}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(answer.body.contains(text), "{query}: {}", answer.body);
        assert!(!answer.body.contains("<script"), "{query}");
        assert!(!answer.body.contains("evil"), "{query}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert!(
            answer
                .header("content-security-policy")
                .contains("form-action 'none'")
        );
    }
}

#[tokio::test]
async fn everything_else_goes_to_the_client_with_state_and_issuer() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let long = "A".repeat(44);
    let request = "invalid_request";
    let scope = "invalid_scope";
    let target = "invalid_target";
    let cases: &[(&str, Option<&str>, &str, &str)] = &[
        (
            "response_type",
            None,
            request,
            "parameter response_type is missing",
        ),
        (
            "response_type",
            Some("token"),
            "unsupported_response_type",
            "the only response type is code",
        ),
        (
            "response_type",
            Some("code token"),
            "unsupported_response_type",
            "the only response type is code",
        ),
        (
            "response_mode",
            Some("fragment"),
            request,
            "the only response mode is query",
        ),
        (
            "code_challenge",
            None,
            request,
            "code_challenge is missing: PKCE is required",
        ),
        (
            "code_challenge",
            Some(""),
            request,
            "code_challenge is missing: PKCE is required",
        ),
        (
            "code_challenge",
            Some("short"),
            request,
            "code_challenge is not a SHA-256 hash in base64url",
        ),
        (
            "code_challenge",
            Some(&long),
            request,
            "code_challenge is not a SHA-256 hash in base64url",
        ),
        (
            "code_challenge_method",
            None,
            request,
            "code_challenge_method must be S256",
        ),
        (
            "code_challenge_method",
            Some("plain"),
            request,
            "code_challenge_method must be S256",
        ),
        (
            "code_challenge_method",
            Some("s256"),
            request,
            "code_challenge_method must be S256",
        ),
        (
            "scope",
            Some("didit:management admin"),
            scope,
            "the resource does not offer all of these scopes",
        ),
        (
            "scope",
            Some("other"),
            scope,
            "the resource does not offer all of these scopes",
        ),
        ("scope", Some("a\"b"), scope, "scope is malformed"),
        (
            "resource",
            Some("https://evil.example/mcp"),
            target,
            "the resource is not known here",
        ),
        (
            "resource",
            Some("http://127.0.0.1:3000/mcp/"),
            target,
            "the resource is not known here",
        ),
        (
            "resource",
            Some("http://127.0.0.1:3000/mcp-other"),
            target,
            "the resource is not known here",
        ),
        (
            "prompt",
            Some("none"),
            "login_required",
            "nobody is signed in",
        ),
    ];
    for (name, value, error, description) in cases {
        let query = authorization(&client, &[(name, *value)]);
        let answer = world.get(&format!("/authorize?{query}")).await;
        assert!(
            answer
                .header("location")
                .starts_with(&format!("{REDIRECT}?")),
            "{query}"
        );
        let sent = answer.sent();
        assert_eq!(sent["error"], *error, "{name} {value:?}");
        assert_eq!(sent["error_description"], *description, "{name} {value:?}");
        assert_eq!(sent["state"], "the state");
        assert_eq!(sent["iss"], ISSUER);
        assert!(!sent.contains_key("code"));
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_strangers_address_gets_an_error_by_a_link_and_not_by_itself() {
    let world = World::new();
    for (uri, host, start) in [
        (
            "https://c.example/cb?a=1",
            "c.example",
            "https://c.example/cb?a=1&error=",
        ),
        (
            "com.example.app:/cb",
            "com.example.app: links",
            "com.example.app:/cb?error=",
        ),
    ] {
        let client = world.register(&[uri]).await;
        for (name, value, error, text) in [
            (
                "scope",
                Some("admin"),
                "invalid_scope",
                "the resource does not offer all of these scopes.",
            ),
            (
                "prompt",
                Some("none"),
                "login_required",
                "nobody is signed in.",
            ),
            (
                "response_type",
                None,
                "invalid_request",
                "parameter response_type is missing.",
            ),
            (
                "code_challenge_method",
                Some("plain"),
                "invalid_request",
                "must be S256.",
            ),
        ] {
            let query = authorization(&client, &[("redirect_uri", Some(uri)), (name, value)]);
            let page = world.get(&format!("/authorize?{query}")).await;
            assert_eq!(page.status, 400, "{uri} {name}");
            assert_eq!(page.header("location"), "", "{uri} {name}");
            assert_eq!(page.header("refresh"), "");
            assert_eq!(page.header("x-frame-options"), "DENY");
            let policy = page.header("content-security-policy");
            assert!(policy.contains("form-action 'none'"), "{policy}");
            for words in [text, host, "A client"] {
                assert!(page.body.contains(words), "{words}: {}", page.body);
            }
            let (_, link) = page.body.split_once("href=\"").unwrap();
            let link = link.split('"').next().unwrap().replace("&#38;", "&");
            assert!(link.starts_with(&format!("{start}{error}&")), "{link}");
            assert!(
                link.ends_with("&state=the+state&iss=http%3A%2F%2F127.0.0.1%3A3001"),
                "{link}"
            );
            assert!(!page.body.contains("http-equiv"), "{}", page.body);
        }
    }
}

#[tokio::test]
async fn a_known_application_gets_an_error_by_itself() {
    let world = World::new();
    let uri = "cursor://anysphere.cursor-mcp/cb";
    let client = world.register(&[uri]).await;
    let query = authorization(
        &client,
        &[("redirect_uri", Some(uri)), ("scope", Some("admin"))],
    );
    let answer = world.get(&format!("/authorize?{query}")).await;
    assert!(answer.header("location").starts_with(uri), "{answer:?}");
    assert_eq!(answer.sent()["error"], "invalid_scope");
}

#[tokio::test]
async fn a_page_repeats_no_words_of_a_stranger() {
    let world = World::new();
    let client = world.register(&["https://c.example/cb"]).await;
    let query = authorization(&client, &[("redirect_uri", Some("https://c.example/cb"))]);
    for query in [
        "your+account+is+locked=%zz".to_owned(),
        format!("{query}&your+account+is+locked=1&your+account+is+locked=2"),
    ] {
        let page = world.get(&format!("/authorize?{query}")).await;
        assert_eq!(page.status, 400);
        let text = page.body.split("href=").next().unwrap();
        assert!(text.contains("a parameter "), "{text}");
        assert!(!text.contains("locked"), "{text}");
    }
}

#[tokio::test]
async fn a_repeated_parameter_is_refused_by_redirect_and_resource_may_repeat() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    for (name, sends_state) in [
        ("scope", true),
        ("code_challenge", true),
        ("x", true),
        ("state", false),
    ] {
        let query = format!("{}&{name}=1&{name}=2", authorization(&client, &[]));
        let sent = world.get(&format!("/authorize?{query}")).await.sent();
        assert_eq!(sent["error"], "invalid_request");
        assert_eq!(
            sent["error_description"],
            format!("parameter {name} occurs more than once")
        );
        assert_eq!(sent.contains_key("state"), sends_state, "{name}");
    }
    let same = format!(
        "{}&resource=http%3A%2F%2F127.0.0.1%3A3000%2Fmcp",
        authorization(&client, &[])
    );
    assert!(
        world
            .get(&format!("/authorize?{same}"))
            .await
            .header("location")
            .starts_with("/sign-in")
    );
    let other = format!(
        "{}&resource=http%3A%2F%2F127.0.0.1%3A3000%2Fother",
        authorization(&client, &[])
    );
    assert_eq!(
        world.get(&format!("/authorize?{other}")).await.sent()["error"],
        "invalid_target"
    );
    let long = format!(
        "{}&{n}=1&{n}=2",
        authorization(&client, &[]),
        n = "n".repeat(100)
    );
    assert_eq!(world.get(&format!("/authorize?{long}")).await.status, 400);
}

#[tokio::test]
async fn a_state_that_cannot_be_sent_back_is_refused() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    for state in ["\u{e9}", "a\nb"] {
        let query = authorization(&client, &[("state", Some(state))]);
        let sent = world.get(&format!("/authorize?{query}")).await.sent();
        assert_eq!(sent["error"], "invalid_request");
        assert!(!sent.contains_key("state"));
    }
    let odd = " %&+\"'\\#?=";
    let query = authorization(&client, &[("state", Some(odd)), ("scope", Some("admin"))]);
    assert_eq!(
        world.get(&format!("/authorize?{query}")).await.sent()["state"],
        odd
    );
}

#[tokio::test]
async fn any_port_of_a_loopback_address_is_the_clients() {
    let world = World::with(config().dangerous_auto_consent("ada"));
    let client = world.register(&["http://127.0.0.1/callback"]).await;
    let query = authorization(
        &client,
        &[("redirect_uri", Some("http://127.0.0.1:59999/callback"))],
    );
    let answer = world.get(&format!("/authorize?{query}")).await;
    assert!(
        answer
            .header("location")
            .starts_with("http://127.0.0.1:59999/callback?code=")
    );
}

#[tokio::test]
async fn auto_consent_answers_at_once_and_checks_all_the_same() {
    let world = World::with(config().dangerous_auto_consent("ada"));
    let client = world.register(&[REDIRECT]).await;
    let sent = world
        .get(&format!("/authorize?{}", authorization(&client, &[])))
        .await
        .sent();
    assert_eq!(sent["code"].len(), 43);
    assert_eq!(
        (sent["state"].as_str(), sent["iss"].as_str()),
        ("the state", ISSUER)
    );
    let plain = authorization(&client, &[("code_challenge_method", Some("plain"))]);
    let sent = world.get(&format!("/authorize?{plain}")).await.sent();
    assert_eq!(sent["error"], "invalid_request");
}

#[tokio::test]
async fn without_scope_and_resource_the_default_resource_offers_all() {
    let world = World::with(config().dangerous_auto_consent("ada"));
    let client = world.register(&[REDIRECT]).await;
    for (changes, scope) in [
        (
            vec![("scope", None), ("resource", None)],
            "didit:management didit:verification",
        ),
        (
            vec![("scope", None), ("resource", Some(OTHER_RESOURCE))],
            "other",
        ),
        (
            vec![("scope", Some("didit:verification"))],
            "didit:verification",
        ),
    ] {
        let query = authorization(&client, &changes);
        let code = world.get(&format!("/authorize?{query}")).await.sent()["code"].clone();
        let form = crate::world::redemption(&client, &code, &[("resource", None)]);
        let answer = world.post_form("/token", &form).await;
        assert_eq!(answer.json()["scope"], scope);
    }
}
