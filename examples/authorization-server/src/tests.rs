//! The walk by hand, made by a browser and a client in memory, and what must fail.

use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use oauth_rs::params::{Params, encode};
use serde_json::Value;
use tower_service::Service as _;

use super::by_hand::{REDIRECT, authorization, redemption, registration, told};
use super::*;

const ISSUER: &str = "http://127.0.0.1:4004";

/// The server, a browser's cookies, and what the server told.
struct Walk {
    service: router::Service,
    cookies: Vec<String>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Walk {
    fn new() -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&events);
        let issuer = Issuer::parse(ISSUER).unwrap();
        Self {
            service: serve(issuer, move |event| {
                kept.lock().unwrap().push(event.clone())
            }),
            cookies: Vec::new(),
            events,
        }
    }

    async fn send(&mut self, request: http::request::Builder, body: String) -> Response<String> {
        let request = request
            .header(header::HOST, "127.0.0.1:4004")
            .header(header::COOKIE, self.cookies.join("; "))
            .body(Full::<Bytes>::from(body))
            .unwrap();
        let (parts, body) = self.service.call(request).await.unwrap().into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            self.cookies.push(pair.to_owned());
        }
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn get(&mut self, url: &str) -> Response<String> {
        self.send(Request::get(url), String::new()).await
    }

    async fn form(&mut self, path: &str, body: String) -> Response<String> {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        self.send(request, body).await
    }

    /// Answers the page's only form with one more field, as its buttons do.
    async fn press(&mut self, path: &str, page: &str, name: &str, value: &str) -> Response<String> {
        let (request, csrf) = (hidden(page, "request"), hidden(page, "csrf"));
        let fields = [("request", request), ("csrf", csrf), (name, value)];
        self.form(path, encode(&fields)).await
    }

    async fn register(&mut self, body: String) -> Response<String> {
        let request = Request::post("/register").header(header::CONTENT_TYPE, "application/json");
        self.send(request, body).await
    }

    async fn registered(&mut self) -> String {
        let answer = self.register(registration()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", answer.body());
        json(&answer)["client_id"].as_str().unwrap().to_owned()
    }

    /// From the printed address to the consent page.
    async fn consent_page(&mut self, client: &str, person: &str) -> String {
        let url = authorization(&Issuer::parse(ISSUER).unwrap(), client);
        let mut answer = self.get(&url).await;
        while answer.status().is_redirection() {
            answer = self.get(&location(&answer)).await;
        }
        assert!(answer.body().contains("Who are you?"), "{}", answer.body());
        let answer = self
            .press("/sign-in", answer.body(), "person", person)
            .await;
        self.get(&location(&answer)).await.into_body()
    }

    /// The parameters that the browser comes back with.
    async fn decided(&mut self, client: &str, decision: &str) -> Params {
        let page = self.consent_page(client, "ada").await;
        let answer = self.press("/consent", &page, "decision", decision).await;
        let address = location(&answer);
        let query = address.strip_prefix(&format!("{REDIRECT}?")).unwrap();
        Params::parse_query(query, &[]).unwrap()
    }
}

fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("name=\"{name}\" value=\""))
        .unwrap();
    rest.split_once('"').unwrap().0
}

fn location(answer: &Response<String>) -> String {
    answer.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}

fn json(answer: &Response<String>) -> Value {
    serde_json::from_str(answer.body()).unwrap()
}

#[tokio::test]
async fn the_walk_ends_with_tokens() {
    let mut walk = Walk::new();
    let metadata = walk.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(json(&metadata)["issuer"], ISSUER);

    let client = walk.registered().await;
    let back = walk.decided(&client, "allow").await;
    assert_eq!(
        (back.get("state"), back.get("iss")),
        (Some("by-hand"), Some(ISSUER))
    );

    let form = redemption(&client, back.get("code").unwrap());
    let tokens = walk.form("/token", form.clone()).await;
    assert_eq!(tokens.status(), StatusCode::OK, "{}", tokens.body());
    let tokens = json(&tokens);
    assert_eq!(
        (&tokens["token_type"], &tokens["scope"]),
        (&"Bearer".into(), &"notes:read".into())
    );

    // The code again: it does not work, and ends the grant.
    let again = walk.form("/token", form).await;
    assert_eq!(again.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(&again)["error"], "invalid_grant");
    let events = walk.events.lock().unwrap();
    let told = |what: &str| {
        events
            .iter()
            .any(|event| format!("{event:?}").starts_with(what))
    };
    for what in [
        "ClientRegistered",
        "SignedIn",
        "ConsentGiven",
        "CodeRedeemed",
        "CodeReplayed",
    ] {
        assert!(told(what), "{what}: {events:?}");
    }
}

#[tokio::test]
async fn what_must_fail_fails() {
    let mut walk = Walk::new();
    // An address that a browser would run.
    let refused = walk
        .register(registration().replace("http://127.0.0.1:9/callback", "javascript:alert(1)"))
        .await;
    assert_eq!(json(&refused)["error"], "invalid_redirect_uri");

    // A client that nobody registered is told on a page, and the browser goes nowhere.
    let url = authorization(&Issuer::parse(ISSUER).unwrap(), "nobody");
    let refused = walk.get(&url).await;
    assert!(refused.status().is_client_error() && !refused.headers().contains_key("location"));

    // A person who says no.
    let client = walk.registered().await;
    let back = walk.decided(&client, "deny").await;
    assert_eq!(
        (back.get("error"), back.get("code")),
        (Some("access_denied"), None)
    );

    // Another verifier.
    let mut walk = Walk::new();
    let client = walk.registered().await;
    let back = walk.decided(&client, "allow").await;
    let form = redemption(&client, back.get("code").unwrap()).replace("dBjftJeZ", "dBjftJeA");
    let refused = walk.form("/token", form).await;
    assert_eq!(json(&refused)["error"], "invalid_grant");
}

#[test]
fn the_printed_lines_are_the_ones_that_are_tried() {
    let issuer = Issuer::parse(ISSUER).unwrap();
    let text = told(&issuer);
    for line in [
        registration(),
        authorization(&issuer, "$CLIENT"),
        redemption("$CLIENT", "$CODE"),
    ] {
        assert!(text.contains(&line), "{text}");
    }
}
