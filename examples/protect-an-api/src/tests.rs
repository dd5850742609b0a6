//! Every line that the example prints, tried in memory.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

use super::*;

const URL: &str = "http://127.0.0.1:4001/notes";

async fn send(mint: &Mint, method: Method, url: &str, token: Option<&str>) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let (parts, body) = protect(URL, mint).call(request).await.unwrap().into_parts();
    Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

fn challenge(answer: &Response<Bytes>) -> &str {
    answer.headers()["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn every_printed_line_has_the_status_that_it_promises() {
    let mint = Mint::new();
    let tokens = tokens(URL, &mint);
    let text = told(URL, &mint);
    for (what, method, name, expected) in TRIES {
        let token = tokens.iter().find(|(own, _)| Some(*own) == name);
        assert_eq!(token.is_some(), name.is_some(), "{what}");
        let token = token.map(|(_, token)| token.as_str());
        let answer = send(&mint, method, URL, token).await;
        assert_eq!(answer.status(), expected, "{what}");
        assert!(text.contains(&format!("# {what}: {expected}\n")), "{text}");
    }
}

#[tokio::test]
async fn the_challenge_leads_to_the_metadata() {
    let mint = Mint::new();
    let refused = send(&mint, Method::GET, URL, None).await;
    let metadata = "http://127.0.0.1:4001/.well-known/oauth-protected-resource/notes";
    assert_eq!(
        challenge(&refused),
        format!("Bearer resource_metadata=\"{metadata}\", scope=\"notes:read\""),
    );
    let document = send(&mint, Method::GET, metadata, None).await;
    let document: serde_json::Value = serde_json::from_slice(document.body()).unwrap();
    assert_eq!(document["resource"], URL);
    assert_eq!(
        document["authorization_servers"][0],
        "https://issuer.example"
    );
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let mint = Mint::new();
    let [(_, reader), ..] = tokens(URL, &mint);
    let refused = send(&mint, Method::POST, URL, Some(&reader)).await;
    let challenge = challenge(&refused);
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
    assert!(challenge.contains("scope=\"notes:write\""), "{challenge}");
}

#[tokio::test]
async fn what_must_fail_fails() {
    let mint = Mint::new();
    let [(_, reader), ..] = tokens(URL, &mint);
    // The token of an earlier run: another key, the same name.
    let old = Mint::new().token(URL, "notes:read", now().after(LIFETIME));
    assert_eq!(
        send(&mint, Method::GET, URL, Some(&old)).await.status(),
        401
    );
    // A changed token.
    let changed = format!("{reader}A");
    assert_eq!(
        send(&mint, Method::GET, URL, Some(&changed)).await.status(),
        401
    );
    // A token in the address.
    let query = format!("{URL}?access_token={reader}");
    assert_eq!(send(&mint, Method::GET, &query, None).await.status(), 401);
    // A route that is not there, with a good token and without one.
    let other = "http://127.0.0.1:4001/other";
    assert_eq!(
        send(&mint, Method::GET, other, Some(&reader))
            .await
            .status(),
        404
    );
    assert_eq!(send(&mint, Method::GET, other, None).await.status(), 401);
}
