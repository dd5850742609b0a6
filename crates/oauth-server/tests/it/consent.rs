//! The pages, and who may answer them.

use http::header;
use http_body_util::Full;
use oauth_rs::params::encode;
use oauth_server::event::Event;

use crate::world::{
    Answer, Browser, ISSUER, REDIRECT, World, authorization, configured, hidden, request,
};

fn is_a_safe_page(page: &Answer, form_action: &str) {
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("access-control-allow-origin"), "");
    // It would cut off clients that sign in by a window of their own and wait for it.
    assert_eq!(page.header("cross-origin-opener-policy"), "");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("base-uri 'none'"), "{policy}");
    assert!(
        policy.contains(&format!("form-action {form_action};")),
        "{policy}"
    );
    let (_, style) = page.body.split_once("<style>").unwrap();
    let (style, _) = style.split_once("</style>").unwrap();
    use base64::Engine;
    let hash = base64::prelude::BASE64_STANDARD.encode(oauth_rs::hash::sha256(style.as_bytes()));
    assert!(
        policy.contains(&format!("'sha256-{hash}'")),
        "the style is not the one allowed"
    );
}

#[tokio::test]
async fn the_sign_in_page_is_safe_and_escapes_names() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let answer = browser
        .get(&format!("/authorize?{}", authorization(&client, &[])))
        .await;
    let page = browser.get(answer.header("location")).await;
    is_a_safe_page(&page, "'self'");
    assert!(
        page.body.contains(r#"name="person" value="ada""#),
        "{}",
        page.body
    );
    assert!(page.body.contains(r#"name="person" value="bob""#));
    assert!(page.body.contains("ada@example.com"));
    assert!(page.body.contains("OWNER"));
    assert!(!page.body.contains("<Owner>"), "a name was not escaped");
    assert!(page.body.contains(r#"<html lang="en">"#));
    assert!(page.body.contains("<title>Sign in</title>"));
}

#[tokio::test]
async fn the_consent_page_says_who_what_and_where() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let page = Browser::new(&world)
        .consent_page(&authorization(&client, &[]), "bob")
        .await;
    is_a_safe_page(&page, "'self' https: http://127.0.0.1:4711");
    for text in [
        "A client",
        "An application on this computer",
        "127.0.0.1 (this computer)",
        REDIRECT,
        "Bob",
        "bob@example.com",
        "Management",
        "Lets the application use Verification.",
        "didit:verification",
        "Did you start this yourself, just now?",
        "Use another account",
        r#"name="decision" value="allow""#,
        r#"name="decision" value="deny""#,
    ] {
        assert!(page.body.contains(text), "{text}: {}", page.body);
    }
    let remote = world.register(&["https://c.example/cb"]).await;
    let query = authorization(&remote, &[("redirect_uri", Some("https://c.example/cb"))]);
    let page = Browser::new(&world).consent_page(&query, "bob").await;
    is_a_safe_page(&page, "'self' https:");
    assert!(page.body.contains("An application at c.example"));
    assert!(!page.body.contains("Did you start this yourself"));
}

#[tokio::test]
async fn a_hostile_name_stays_text() {
    let world = World::new();
    let body = r#"{"client_name":"<img src=x onerror=alert(1)>\"'","redirect_uris":["http://127.0.0.1:4711/callback"]}"#;
    let client = world.post_json("/register", body).await.json()["client_id"].clone();
    let query = authorization(client.as_str().unwrap(), &[]);
    let page = Browser::new(&world).consent_page(&query, "bob").await;
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("onerror=alert(1)"));
}

#[tokio::test]
async fn allow_sends_a_code_and_deny_sends_access_denied() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let page = browser
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    let answer = browser.decide(&page, "allow").await;
    assert!(
        answer
            .header("location")
            .starts_with(&format!("{REDIRECT}?code="))
    );
    let sent = answer.sent();
    assert_eq!(
        (sent["state"].as_str(), sent["iss"].as_str()),
        ("the state", ISSUER)
    );
    assert_eq!(sent["code"].len(), 43);

    let page = browser
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    let sent = browser.decide(&page, "deny").await.sent();
    assert_eq!(sent["error"], "access_denied");
    assert_eq!(
        (sent["state"].as_str(), sent["iss"].as_str()),
        ("the state", ISSUER)
    );
    assert!(!sent.contains_key("code"));
}

#[tokio::test]
async fn a_signed_in_browser_goes_straight_to_consent_and_may_switch() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let _first = browser.allow(&authorization(&client, &[]), "ada").await;
    let before = browser.cookies["oauth_session"].clone();
    let answer = browser
        .get(&format!("/authorize?{}", authorization(&client, &[])))
        .await;
    assert!(answer.header("location").starts_with("/consent?request="));
    let page = browser.get(answer.header("location")).await;
    assert!(page.body.contains("ada@example.com"));
    let picker = browser
        .get(&format!("/sign-in?request={}", hidden(&page, "request")))
        .await;
    let (id, csrf) = (hidden(&picker, "request"), hidden(&picker, "csrf"));
    let fields = [
        ("request", id.as_str()),
        ("csrf", csrf.as_str()),
        ("person", "bob"),
    ];
    let answer = browser.post("/sign-in", &fields).await;
    assert_ne!(
        browser.cookies["oauth_session"], before,
        "the session was not renewed"
    );
    let page = browser.get(answer.header("location")).await;
    assert!(page.body.contains("bob@example.com"));
    let after = browser
        .cookies
        .insert("oauth_session".into(), before)
        .unwrap();
    let signed_out = browser.get(&format!("/consent?request={id}")).await;
    assert!(
        signed_out.header("location").starts_with("/sign-in?"),
        "the old session still works"
    );
    browser.cookies.insert("oauth_session".into(), after);
}

#[tokio::test]
async fn a_forged_consent_is_refused_and_issues_nothing() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut victim = Browser::new(&world);
    let page = victim
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    let (id, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let mut attacker = Browser::new(&world);
    let own = attacker
        .consent_page(&authorization(&client, &[]), "bob")
        .await;
    let (own_id, own_csrf) = (hidden(&own, "request"), hidden(&own, "csrf"));
    let _told = world.told();

    let post = |id: &str, csrf: Option<&str>| {
        let mut pairs = vec![("request", id.to_owned()), ("decision", "allow".to_owned())];
        pairs.extend(csrf.map(|csrf| ("csrf", csrf.to_owned())));
        pairs
    };
    let mut planted = victim.clone();
    planted.cookies.insert(
        "oauth_session".into(),
        attacker.cookies["oauth_session"].clone(),
    );
    let mut anonymous = victim.clone();
    anonymous.cookies.remove("oauth_session");
    for (name, browser, pairs) in [
        ("no token", &mut victim.clone(), post(&id, None)),
        (
            "a wrong token",
            &mut victim.clone(),
            post(&id, Some(&"A".repeat(43))),
        ),
        (
            "the token of another request",
            &mut victim.clone(),
            post(&id, Some(&own_csrf)),
        ),
        (
            "another browser's request",
            &mut victim.clone(),
            post(&own_id, Some(&own_csrf)),
        ),
        (
            "another browser",
            &mut attacker.clone(),
            post(&id, Some(&csrf)),
        ),
        (
            "no cookies",
            &mut Browser::new(&world),
            post(&id, Some(&csrf)),
        ),
        ("another session", &mut planted, post(&id, Some(&csrf))),
        ("no session", &mut anonymous, post(&id, Some(&csrf))),
    ] {
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let answer = browser.post("/consent", &pairs).await;
        assert_eq!(answer.status, 403, "{name}");
        assert_eq!(answer.header("location"), "", "{name}");
        assert!(
            answer
                .body
                .contains("the form was not made for this browser."),
            "{name}"
        );
        assert_eq!(world.told(), [Event::ForgeryRefused], "{name}");
    }
    let answer = victim.decide(&page, "allow").await;
    assert!(
        answer.sent().contains_key("code"),
        "the true form no longer works"
    );
    let again = victim.decide(&page, "allow").await;
    assert_eq!(again.status, 400);
    assert!(
        again
            .body
            .contains("the request was answered before or has expired.")
    );
}

#[tokio::test]
async fn a_request_of_another_browser_is_shown_to_nobody() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut attacker = Browser::new(&world);
    let lure = attacker
        .consent_page(&authorization(&client, &[]), "bob")
        .await;
    let id = hidden(&lure, "request");
    let mut victim = Browser::new(&world);
    let _own = victim
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    for path in ["/sign-in", "/consent"] {
        let answer = victim.get(&format!("{path}?request={id}")).await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(!answer.body.contains("name=\"csrf\""), "{path}");
        assert_eq!(
            attacker.get(&format!("{path}?request={id}")).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let page = browser
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    let (id, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let form = encode(&[("request", &id), ("csrf", &csrf), ("decision", "allow")]);
    for (name, value, status) in [
        ("origin", "https://evil.example", 403),
        ("origin", "http://127.0.0.1:3000", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", ISSUER, 303),
    ] {
        let request = request("POST", "/consent")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value)
            .body(Full::from(form.clone()))
            .unwrap();
        assert_eq!(
            browser.send(request).await.status,
            status,
            "{name}: {value}"
        );
    }
}

#[tokio::test]
async fn a_forged_sign_in_is_refused() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let answer = browser
        .get(&format!("/authorize?{}", authorization(&client, &[])))
        .await;
    let page = browser.get(answer.header("location")).await;
    let (id, csrf) = (hidden(&page, "request"), hidden(&page, "csrf"));
    let good = [
        ("request", id.as_str()),
        ("csrf", csrf.as_str()),
        ("person", "ada"),
    ];
    let wrong = [("request", id.as_str()), ("csrf", "x"), ("person", "ada")];
    assert_eq!(browser.clone().post("/sign-in", &wrong).await.status, 403);
    assert_eq!(
        browser.clone().post("/sign-in", &good[..1]).await.status,
        403
    );
    assert_eq!(
        Browser::new(&world).post("/sign-in", &good).await.status,
        403
    );
    assert_eq!(
        Browser::new(&world)
            .get(&format!("/sign-in?request={id}"))
            .await
            .status,
        403
    );
    let nobody = [
        ("request", id.as_str()),
        ("csrf", csrf.as_str()),
        ("person", "eve"),
    ];
    assert_eq!(browser.clone().post("/sign-in", &nobody).await.status, 400);
    assert_eq!(browser.post("/sign-in", &good).await.status, 303);
}

#[tokio::test]
async fn a_request_and_a_session_end() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let page = browser
        .consent_page(&authorization(&client, &[]), "ada")
        .await;
    world.advance(600);
    let answer = browser.decide(&page, "allow").await;
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .body
            .contains("the request was answered before or has expired.")
    );
    world.advance(12 * 60 * 60);
    let answer = browser
        .get(&format!("/authorize?{}", authorization(&client, &[])))
        .await;
    let answer = browser.get(answer.header("location")).await;
    assert!(
        answer.header("location").starts_with("/sign-in?"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn cookies_of_an_https_issuer_are_secure_and_bound_to_the_host() {
    let world = World::with(configured("https://as.example"));
    let body = format!(r#"{{"redirect_uris":["{REDIRECT}"]}}"#);
    let call = |method: &str, path: &str, body: &str| {
        let kind = "application/json";
        http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "as.example")
            .header("content-type", kind)
            .body(Full::from(body.to_owned()))
            .unwrap()
    };
    let client = world.call(call("POST", "/register", &body)).await.json()["client_id"].clone();
    let query = authorization(client.as_str().unwrap(), &[]);
    let answer = world
        .call(call("GET", &format!("/authorize?{query}"), ""))
        .await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-oauth_browser="), "{cookie}");
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/; Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn the_warning_about_this_computer_follows_the_address_of_the_request() {
    let world = World::new();
    let client = world.register(&[REDIRECT, "https://c.example/cb"]).await;
    let page = Browser::new(&world)
        .consent_page(&authorization(&client, &[]), "bob")
        .await;
    assert!(
        page.body.contains("Did you start this yourself"),
        "a second address hid the warning"
    );
}

#[tokio::test]
async fn a_blank_name_is_no_name() {
    let world = World::new();
    let body = r#"{"client_name":" ","redirect_uris":["http://127.0.0.1:4711/callback"]}"#;
    let client = world.post_json("/register", body).await.json()["client_id"].clone();
    let query = authorization(client.as_str().unwrap(), &[]);
    let page = Browser::new(&world).consent_page(&query, "bob").await;
    assert!(
        page.body.contains("An application without a name"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn who_is_no_longer_known_allows_nothing() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let mut browser = Browser::new(&world);
    let page = browser
        .consent_page(&authorization(&client, &[]), "bob")
        .await;
    world.people.0.lock().unwrap().retain(|one| one.id != "bob");
    let answer = browser.clone().decide(&page, "allow").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (403, "")
    );
    let id = hidden(&page, "request");
    let answer = browser.get(&format!("/consent?request={id}")).await;
    assert!(answer.header("location").starts_with("/sign-in?"));
}
