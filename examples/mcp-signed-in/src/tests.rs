//! The client against a server and its authorization server in memory.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Mutex;
use std::task::{Context, Poll};

use mcp_protocol::client::ClientError;
use oauth_rs::params::Params;
use oauth_rs::send::{Pending, Visit, VisitWith};

use super::*;

const URL: &str = "https://rs.example/mcp";

/// Answers for both, and remembers what was asked.
#[derive(Clone, Default)]
struct Servers {
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service<Request<Bytes>> for Servers {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let asked = format!("{} {}", request.method(), request.uri());
        self.asked.lock().unwrap().push(asked);
        ready(Ok(answer(&request)))
    }
}

fn answer(request: &Request<Bytes>) -> Response<Bytes> {
    let (status, body) = match request.uri().to_string().as_str() {
        URL if request.headers().get("authorization").is_some_and(|value| value == "Bearer good") => {
            (200, called(request.body()))
        }
        URL => (401, String::new()),
        "https://rs.example/.well-known/oauth-protected-resource/mcp" => (
            200,
            format!(r#"{{"resource":"{URL}","authorization_servers":["https://as.example"]}}"#),
        ),
        "https://as.example/.well-known/oauth-authorization-server" => (
            200,
            r#"{"issuer":"https://as.example","authorization_endpoint":"https://as.example/authorize","token_endpoint":"https://as.example/token","registration_endpoint":"https://as.example/register","response_types_supported":["code"],"code_challenge_methods_supported":["S256"]}"#.to_owned(),
        ),
        "https://as.example/register" => (
            201,
            r#"{"client_id":"c","token_endpoint_auth_method":"none"}"#.to_owned(),
        ),
        "https://as.example/token" => (
            200,
            r#"{"access_token":"good","token_type":"Bearer","expires_in":600}"#.to_owned(),
        ),
        other => panic!("nobody should ask {other}"),
    };
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("www-authenticate", "Bearer")
        .body(body.into())
        .unwrap()
}

/// An MCP server of 2026-07-28 with one tool.
fn called(body: &[u8]) -> String {
    let call: serde_json::Value = serde_json::from_slice(body).unwrap();
    let result = match call["method"].as_str().unwrap() {
        "server/discover" => r#""supportedVersions":["2026-07-28"],"capabilities":{"tools":{}}"#,
        _ => r#""tools":[{"name":"greet","inputSchema":{"type":"object"}}]"#,
    };
    let id = &call["id"];
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"complete","ttlMs":0,"cacheScope":"public",{result}}}}}"#
    )
}

/// A person whose browser brings this back, with the `state` that it was sent with.
fn bringing(answer: &'static str) -> Arc<dyn Browser> {
    Arc::new(move || -> Pending<'static, Box<dyn Visit>> {
        let visit = VisitWith::new(
            RedirectUri::parse(person::CALLBACK).unwrap(),
            move |url: String, _| {
                let (_, sent) = url.split_once('?').unwrap();
                let sent = Params::parse_query(sent, &[]).unwrap();
                let address = format!(
                    "{}?{answer}&state={}",
                    person::CALLBACK,
                    sent.get("state").unwrap()
                );
                Box::pin(ready(person::query(&address)))
            },
        );
        Box::pin(ready(Ok(Box::new(visit) as Box<dyn Visit>)))
    })
}

#[tokio::test]
async fn the_first_call_signs_in_and_the_others_are_signed_in() {
    let servers = Servers::default();
    let client = signed_in(URL, servers.clone(), bringing("code=x")).unwrap();
    let listed = client.list_tools().await.unwrap();
    assert_eq!(listed.tools[0].name, "greet");
    client.list_tools().await.unwrap();
    let asked = servers.asked.lock().unwrap();
    let token = asked
        .iter()
        .filter(|request| request.contains("/token"))
        .count();
    assert_eq!(token, 1, "{asked:#?}");
}

#[tokio::test]
async fn who_does_not_agree_is_not_signed_in() {
    let servers = Servers::default();
    let client = signed_in(URL, servers.clone(), bringing("error=access_denied")).unwrap();
    let refused = client.list_tools().await.unwrap_err();
    assert!(matches!(refused, ClientError::Transport(_)), "{refused:?}");
    let asked = servers.asked.lock().unwrap();
    assert!(!asked.iter().any(|request| request.contains("/token")));
}

#[test]
fn an_address_from_elsewhere_is_not_taken() {
    assert!(person::query("http://127.0.0.1/callback?code=x").is_ok());
    assert!(person::query("https://evil.example/callback?code=x").is_err());
    assert!(person::query("http://127.0.0.1/callback").is_err());
}
