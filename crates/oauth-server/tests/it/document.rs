//! Clients whose identifier is the address of a document.

use oauth_server::event::Event;

use crate::world::{Browser, REDIRECT, World, authorization, redemption};

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
    assert_eq!(
        world.documents.fetched.lock().unwrap().len(),
        1,
        "the document was not kept"
    );
    world.advance(60);
    let _code = world.code(URL).await;
    assert_eq!(
        world.documents.fetched.lock().unwrap().len(),
        2,
        "the document was kept too long"
    );
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
