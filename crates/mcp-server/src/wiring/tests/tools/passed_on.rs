//! What goes on to the sandbox: a credential of the person's own there, and nothing of the token that came in.

use serde_json::json;

use super::Stage;

#[tokio::test]
async fn the_sandbox_never_sees_the_token_of_the_caller() {
    let stage = Stage::new().await;
    stage.world.sandbox.forget_requests();
    let token = stage.token("olivia");
    let place = stage.place("olivia", 0, 0).await;
    stage.ok("olivia", "didit_session_list", place).await;
    let search = json!({ "search": "nobody" });
    stage.ok("olivia", "didit_session_search", search).await;
    let seen = stage.world.sandbox.requests();
    assert!(seen.len() > 3, "{seen:?}");
    for request in &seen {
        let credential = request.header("authorization");
        assert_eq!(credential, Some("Bearer (olivia)"), "{request:?}");
        // Header, claims and signature of the token, each for itself.
        let told = format!("{request:?} {}", String::from_utf8_lossy(&request.body));
        for part in token.split('.') {
            assert!(!told.contains(part), "{told}");
        }
    }
}
