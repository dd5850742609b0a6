//! Clients whose identifier is the address of a document.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::Response;
use oauth_server::document::is_document;
use oauth_server::event::Event;

use crate::world::{Browser, REDIRECT, World, authorization, redemption, refreshing};

const URL: &str = "https://app.example/client.json";

fn document(url: &str) -> String {
    serde_json::json!({
        "client_id": url,
        "client_name": "A described client",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
    .to_string()
}

fn serves(world: &World, url: &str, status: u16, kind: &'static str, body: String) {
    world
        .documents
        .answers
        .lock()
        .unwrap()
        .insert(url.to_owned(), (status, kind, body));
}

#[tokio::test]
async fn a_described_client_signs_in_and_refreshes() {
    let world = World::new();
    serves(&world, URL, 200, "application/json", document(URL));
    let page = Browser::new(&world)
        .consent_page(&authorization(URL, &[]), "ada")
        .await;
    assert!(page.body.contains("A described client"));
    assert!(
        page.body.contains("Described by app.example"),
        "{}",
        page.body
    );
    let (_, refresh) = world.tokens(URL).await;
    assert_eq!(world.refresh(URL, &refresh).await.status, 200);
    let other = "https://app.example/client.json2";
    let code = world.code(URL).await;
    let answer = world
        .post_form("/token", &redemption(other, &code, &[]))
        .await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_document_from_this_machine_counts_if_it_is_allowed() {
    let world = World::new();
    let url = "http://127.0.0.1:9/client.json";
    serves(&world, url, 200, "application/json", document(url));
    let answer = world
        .get(&format!("/authorize?{}", authorization(url, &[])))
        .await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn what_is_no_document_is_a_page_and_is_not_kept() {
    let world = World::new();
    serves(
        &world,
        "https://a.example/moved",
        302,
        "application/json",
        document("https://a.example/moved"),
    );
    serves(
        &world,
        "https://a.example/html",
        200,
        "text/html",
        document("https://a.example/html"),
    );
    serves(
        &world,
        "https://a.example/other",
        200,
        "application/json",
        document(URL),
    );
    serves(
        &world,
        "https://a.example/bad",
        200,
        "application/json",
        "[]".to_owned(),
    );
    for (url, text) in [
        (
            "https://a.example/moved",
            "the document of the client could not be fetched.",
        ),
        (
            "https://a.example/html",
            "the document of the client could not be fetched.",
        ),
        (
            "https://nowhere.example/x",
            "the document of the client could not be fetched.",
        ),
        (
            "https://a.example/other",
            "client_id: is not the address of the document.",
        ),
        ("https://a.example/bad", "document: is not a JSON object"),
    ] {
        let query = format!("/authorize?{}", authorization(url, &[]));
        for _ in 0..2 {
            let answer = world.get(&query).await;
            assert_eq!(answer.status, 400, "{url}");
            assert_eq!(answer.header("location"), "");
            assert!(answer.body.contains(text), "{url}: {}", answer.body);
        }
        let told = world.told();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            matches!(&told[0], Event::ClientDocumentRefused { client_id, .. } if client_id == url)
        );
    }
    let malformed = world
        .get(&format!(
            "/authorize?{}",
            authorization("https://a.example", &[])
        ))
        .await;
    assert!(
        malformed
            .body
            .contains("the client identifier is not a valid document address.")
    );
}

#[tokio::test]
async fn only_a_listed_redirect_address_is_the_clients() {
    let world = World::new();
    serves(&world, URL, 200, "application/json", document(URL));
    let query = authorization(URL, &[("redirect_uri", Some("https://evil.example/cb"))]);
    let answer = world.get(&format!("/authorize?{query}")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (400, "")
    );
}

#[tokio::test]
async fn what_a_document_takes_back_is_heeded_at_the_token_endpoint() {
    let no_client = (401, "invalid_client".to_owned());
    for (change, expected) in [
        (("\"none\"", "\"private_key_jwt\""), no_client.clone()),
        (
            (",\"refresh_token\"", ""),
            (400, "unauthorized_client".to_owned()),
        ),
        ((URL, "https://app.example/other.json"), no_client),
    ] {
        let world = World::new();
        serves(&world, URL, 200, "application/json", document(URL));
        let (_, refresh) = world.tokens(URL).await;
        let changed = document(URL).replace(change.0, change.1);
        assert_ne!(changed, document(URL));
        serves(&world, URL, 200, "application/json", changed);
        assert_eq!(world.refresh(URL, &refresh).await.error(), expected);
        // Nothing was spent: when the document is right again, so is the token.
        serves(&world, URL, 200, "application/json", document(URL));
        assert_eq!(world.refresh(URL, &refresh).await.status, 200);
    }
}

#[tokio::test]
async fn a_code_is_not_redeemed_by_a_client_that_has_to_authenticate_by_now() {
    let world = World::new();
    serves(&world, URL, 200, "application/json", document(URL));
    let mut browser = Browser::new(&world);
    let page = browser.consent_page(&authorization(URL, &[]), "ada").await;
    let code = browser.decide(&page, "allow").await.sent()["code"].clone();
    let keyed = document(URL).replace("\"none\"", "\"private_key_jwt\"");
    serves(&world, URL, 200, "application/json", keyed);
    let form = redemption(URL, &code, &[]);
    assert_eq!(
        world.post_form("/token", &form).await.error(),
        (401, "invalid_client".to_owned())
    );
}

#[tokio::test]
async fn a_document_that_cannot_be_had_signs_nobody_out() {
    let world = World::new();
    serves(&world, URL, 200, "application/json", document(URL));
    let (_, refresh) = world.tokens(URL).await;
    world.documents.answers.lock().unwrap().clear();
    assert_eq!(world.refresh(URL, &refresh).await.status, 200);
}

#[tokio::test]
async fn a_token_request_without_a_token_of_the_client_fetches_nothing() {
    let world = World::new();
    serves(&world, URL, 200, "application/json", document(URL));
    let client = world.register(&[REDIRECT]).await;
    let code = world.code(&client).await;
    for form in [
        redemption(URL, &code, &[]),
        redemption(URL, "unknown", &[]),
        refreshing(URL, "unknown", &[]),
    ] {
        let answer = world.post_form("/token", &form).await;
        assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    }
    assert!(world.documents.fetched.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_so_many_requests_wait_for_documents_at_one_moment() {
    let world = World::new();
    world.documents.hangs.store(true, Ordering::SeqCst);
    let visit = |world: World, number: usize| async move {
        let url = format!("https://slow.example/{number}");
        world
            .get(&format!("/authorize?{}", authorization(&url, &[])))
            .await
    };
    let waiting: Vec<_> = (0..256)
        .map(|number| tokio::spawn(visit(world.clone(), number)))
        .collect();
    while world.documents.fetched.lock().unwrap().len() < 256 {
        tokio::task::yield_now().await;
    }
    assert_eq!(visit(world.clone(), 256).await.status, 503);
    assert_eq!(world.documents.fetched.lock().unwrap().len(), 256);
    for one in waiting {
        one.abort();
        assert!(one.await.is_err());
    }
    // Whoever goes away makes room.
    world.documents.hangs.store(false, Ordering::SeqCst);
    assert_eq!(visit(world.clone(), 257).await.status, 400);
}

#[test]
fn what_may_be_kept_is_a_document() {
    let answer = |status: u16, kind: &str, body: String| {
        let answer = Response::builder()
            .status(status)
            .header("content-type", kind);
        answer.body(Bytes::from(body)).unwrap()
    };
    let json = "application/json";
    assert!(is_document(URL, &answer(200, json, document(URL))));
    for (url, answer) in [
        (URL, answer(404, json, document(URL))),
        (URL, answer(200, "text/html", document(URL))),
        (URL, answer(200, json, "[]".to_owned())),
        (URL, answer(200, json, format!("\u{feff}{}", document(URL)))),
        (
            "https://app.example/other",
            answer(200, json, document(URL)),
        ),
        (
            "https://app.example",
            answer(200, json, document("https://app.example")),
        ),
    ] {
        assert!(!is_document(url, &answer), "{url} {answer:?}");
    }
}
