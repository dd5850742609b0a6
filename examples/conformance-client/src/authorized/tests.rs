//! Signing in against a resource and an authorization server that are two functions.

use std::future::ready;
use std::sync::Mutex as Plain;

use http::HeaderMap;
use oauth_rs::params::Params;

use super::*;

const URL: &str = "http://localhost:7/mcp";
const CHALLENGE: &str = r#"Bearer scope="basic""#;

/// What came to the resource, and what the sign-in asked for.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Plain<Vec<String>>>);

impl Log {
    fn note(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn count(&self, word: &str) -> usize {
        let lines = self.0.lock().unwrap();
        lines.iter().filter(|line| line.contains(word)).count()
    }
}

/// A resource that answers with this status and challenge for what it is shown.
#[derive(Clone)]
struct Resource {
    log: Log,
    answer: fn(Option<&str>) -> (u16, &'static str),
}

impl Service<Request<Bytes>> for Resource {
    type Response = Response<AnswerBody>;
    type Error = TransportError;
    type Future = Carried;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Carried {
        let shown = request.headers().get(header::AUTHORIZATION);
        let shown = shown.map(|value| value.to_str().unwrap());
        let body = std::str::from_utf8(request.body()).unwrap();
        self.log.note(format!("resource {body} {shown:?}"));
        let (status, challenge) = (self.answer)(shown);
        let response = Response::builder()
            .status(status)
            .header(header::WWW_AUTHENTICATE, challenge)
            .body(Bytes::new().into());
        Box::pin(ready(response.map_err(Into::into)))
    }
}

/// An authorization server that agrees to everything and sends the browser to this address.
fn fetched(log: &Log, redirect_to: &str, request: &Request<Bytes>) -> Response<Bytes> {
    let url = request.uri().to_string();
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    log.note(path);
    let mut headers = HeaderMap::new();
    let (status, body) = match path {
        "http://localhost:7/.well-known/oauth-protected-resource/mcp" => (
            200,
            r#"{"resource":"http://localhost:7/mcp","authorization_servers":["http://localhost:8"]}"#,
        ),
        "http://localhost:8/.well-known/oauth-authorization-server" => (
            200,
            r#"{"issuer":"http://localhost:8","authorization_endpoint":"http://localhost:8/authorize","token_endpoint":"http://localhost:8/token","client_id_metadata_document_supported":true,"code_challenge_methods_supported":["S256"]}"#,
        ),
        "http://localhost:8/authorize" => {
            let params = Params::parse_query(query, &[]).unwrap();
            assert_eq!(params.get("client_id"), Some(DOCUMENT));
            let state = params.get("state").unwrap();
            let location = format!("{redirect_to}?code=the-code&state={state}");
            headers.insert(header::LOCATION, location.parse().unwrap());
            (302, "")
        }
        "http://localhost:8/token" => (200, r#"{"access_token":"good","token_type":"Bearer"}"#),
        other => panic!("{other}"),
    };
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().extend(headers);
    response
}

fn service(
    log: &Log,
    answer: fn(Option<&str>) -> (u16, &'static str),
    redirect_to: &'static str,
) -> Authorized<Resource> {
    let scenario = |name: &str| name.ends_with("SCENARIO").then(|| "auth/x".to_owned());
    let environment = Environment::read(scenario).unwrap();
    let asked = log.clone();
    let sign_in = SignIn::over(URL, &environment, move |request| {
        Box::pin(ready(Ok(fetched(&asked, redirect_to, &request))))
    })
    .unwrap();
    let resource = Resource {
        log: log.clone(),
        answer,
    };
    Authorized::new(resource, sign_in)
}

async fn sent(
    answer: fn(Option<&str>) -> (u16, &'static str),
    redirect_to: &'static str,
) -> (Result<u16, String>, Log) {
    let log = Log::default();
    let mut service = service(&log, answer, redirect_to);
    let request = Request::post(URL)
        .body(Bytes::from_static(b"call"))
        .unwrap();
    let response = service.call(request).await;
    let status = response.map(|response| response.status().as_u16());
    (status.map_err(|error| error.to_string()), log)
}

#[tokio::test]
async fn a_refused_request_is_sent_again_with_a_token() {
    let answer = |shown: Option<&str>| match shown {
        Some("Bearer good") => (200, ""),
        _ => (401, CHALLENGE),
    };
    let (status, log) = sent(answer, REDIRECT_URI).await;
    assert_eq!(status, Ok(200));
    assert_eq!(log.count("resource call None"), 1);
    assert_eq!(log.count(r#"resource call Some("Bearer good")"#), 1);
    assert_eq!(log.count("/token"), 1);
}

#[tokio::test]
async fn what_needs_no_token_gets_none() {
    let (status, log) = sent(|_| (200, ""), REDIRECT_URI).await;
    assert_eq!((status, log.0.lock().unwrap().len()), (Ok(200), 1));
}

#[tokio::test]
async fn a_server_that_is_never_content_is_left_with_its_refusal() {
    let answer = |shown: Option<&str>| match shown {
        None => (401, CHALLENGE),
        Some(_) => (403, r#"Bearer error="insufficient_scope", scope="admin""#),
    };
    let (status, log) = sent(answer, REDIRECT_URI).await;
    assert_eq!(status, Ok(403));
    assert!((1..=3).contains(&log.count("/authorize")));
}

#[tokio::test]
async fn a_refusal_that_no_sign_in_mends_is_passed_on() {
    let (status, log) = sent(|_| (403, "Bearer"), REDIRECT_URI).await;
    assert_eq!((status, log.count("/authorize")), (Ok(403), 0));
}

#[tokio::test]
async fn a_browser_that_is_sent_elsewhere_brings_no_code() {
    let (status, log) = sent(|_| (401, CHALLENGE), "http://127.0.0.1/callbacks").await;
    let why = "the authorization server sends the browser somewhere else";
    assert_eq!((status, log.count("/token")), (Err(why.to_owned()), 0));
}

#[tokio::test]
async fn a_refusal_that_no_sign_in_mends_does_not_cost_the_token() {
    let answer = |shown: Option<&str>| match shown {
        None => (401, CHALLENGE),
        Some(_) => (403, "Bearer"),
    };
    let log = Log::default();
    let mut service = service(&log, answer, REDIRECT_URI);
    for calls in [1, 2] {
        let request = Request::post(URL)
            .body(Bytes::from_static(b"call"))
            .unwrap();
        assert_eq!(service.call(request).await.unwrap().status(), 403);
        assert_eq!(log.count("resource call None"), 1);
        assert_eq!(log.count(r#"resource call Some("Bearer good")"#), calls);
    }
    assert_eq!(log.count("/token"), 1);
}
