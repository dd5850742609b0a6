//! One call at a time: what it leads to, and how many requests that takes.

use bytes::Bytes;
use http::Request;
use tower_layer::Layer as _;
use tower_service::Service as _;

use super::world::{Answer, ISSUER, Resource, URL, World, call, grant};
use crate::client::flow::FlowFailed;
use crate::client::renewal::RenewalFailed;
use crate::client::store::save;
use crate::send::{CallFailed, SignInFailed};

#[tokio::test]
async fn from_a_refusal_to_an_answer_with_no_request_too_many() {
    let world = World::new();
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(
        world.log(),
        [
            &format!("call {URL} with nothing"),
            "https://rs.example/.well-known/oauth-protected-resource/mcp",
            "https://as.example/.well-known/oauth-authorization-server",
            "https://as.example/register",
            "browser new a b",
            "token for c",
            &format!("call {URL} with Bearer t1"),
        ]
    );
    let kept = world.kept().await.unwrap();
    assert!(kept.access_token.ct_eq("t1"));
    assert_eq!(kept.issuer.as_str(), ISSUER);
    // The second call is one request.
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.log().len(), 8);
}

#[tokio::test]
async fn what_asks_for_no_token_gets_none() {
    let world = World::new();
    world.change(|b| b.accepts = None);
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(world.log(), [format!("call {URL} with nothing")]);
}

#[tokio::test]
async fn a_stored_token_is_used_and_renewed_before_it_ends() {
    let world = World::with(grant("old-t1", 2_000)).await;
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.log(), [format!("call {URL} with Bearer old-t1")]);
    *world.now.lock().unwrap() = 1_995;
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(
        world.log()[1..],
        [
            "token for refresh-old-t1".to_owned(),
            format!("call {URL} with Bearer t1"),
        ]
    );
    assert!(world.kept().await.unwrap().access_token.ct_eq("t1"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once_and_then_a_person_is_asked_once() {
    let world = World::with(grant("old", 2_000)).await;
    world.change(|b| b.accepts = Some("t2"));
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(
        world.log(),
        [
            &format!("call {URL} with Bearer old"),
            "token for refresh-old",
            &format!("call {URL} with Bearer t1"),
            "https://rs.example/.well-known/oauth-protected-resource/mcp",
            "https://as.example/.well-known/oauth-authorization-server",
            "browser known a b",
            "token for c",
            &format!("call {URL} with Bearer t2"),
        ]
    );
    // A resource that is never content is left with its refusal.
    let world = World::with(grant("old", 2_000)).await;
    world.change(|b| b.accepts = Some("never"));
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 401);
    assert_eq!(world.count("browser"), 1);
    assert_eq!(world.count("call"), 3);
    // And not asked for ever, either.
    for _ in 0..5 {
        let ended = call(&service).await;
        assert!(ended.is_err() || ended.is_ok_and(|status| status == 401));
    }
    assert_eq!(world.count("browser"), 3);
    let ended = call(&service).await.unwrap_err();
    assert!(
        matches!(
            ended,
            CallFailed::SignIn(SignInFailed::Flow(FlowFailed::TooManyAttempts))
        ),
        "{ended:?}"
    );
}

#[tokio::test]
async fn missing_scope_is_asked_for_with_what_there_is() {
    let world = World::with(grant("t1", 2_000)).await;
    world.change(|b| b.lacks = Some("b c"));
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 403);
    assert_eq!(world.count("browser known a b c"), 1);
    assert_eq!(world.count("call"), 2);
    // A refusal that no scope mends is given back as it is.
    world.change(|b| b.lacks = Some(""));
    assert_eq!(call(&service).await.unwrap(), 403);
    assert_eq!((world.count("browser"), world.count("call")), (1, 3));
}

#[tokio::test]
async fn a_grant_that_the_server_has_ended_leads_to_the_person_and_keeps_the_client() {
    let world = World::with(grant("old", 900)).await;
    world.change(|b| b.answers.push_back(Answer::InvalidGrant));
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(world.count("browser known"), 1);
    assert_eq!(world.count("https://as.example/register"), 0);
    assert_eq!(*world.notices.lock().unwrap(), ["Ended"]);

    let world = World::with(grant("old", 900)).await;
    world.change(|b| b.answers.push_back(Answer::InvalidClient));
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(world.count("browser new"), 1);

    // The refusal that was there already says what is wanted: the resource is not asked again for it.
    let world = World::with(grant("old", 2_000)).await;
    world.change(|b| b.answers.push_back(Answer::InvalidGrant));
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(world.count("call"), 2);
}

#[tokio::test]
async fn who_has_nobody_to_ask_is_told_so() {
    let world = World::new();
    let mut seams = world.seams();
    seams.browser = None;
    let service = world.layer_with(seams).layer(Resource(world.clone()));
    let failed = call(&service).await.unwrap_err();
    assert!(matches!(
        failed,
        CallFailed::SignIn(SignInFailed::NobodyToAsk)
    ));
}

#[tokio::test]
async fn tokens_that_another_process_has_stored_are_used_before_a_person_is_asked() {
    let world = World::new();
    let service = world.service();
    world.change(|b| b.accepts = None);
    assert_eq!(call(&service).await.unwrap(), 200);
    // Meanwhile a person has signed in elsewhere.
    world.change(|b| b.accepts = Some("other"));
    save(world.store.as_ref(), &grant("other", 2_000))
        .await
        .unwrap();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("browser"), 0);
    // And again, and those tokens have ended since.
    world.change(|b| b.accepts = Some("t1"));
    save(world.store.as_ref(), &grant("third", 900))
        .await
        .unwrap();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("browser"), 0);
    assert_eq!(world.count("token for refresh-third"), 1);
}

#[tokio::test]
async fn signing_in_anew_takes_nothing_from_the_store() {
    let world = World::with(grant("old-t1", 2_000)).await;
    let layer = world.layer();
    let service = layer.layer(Resource(world.clone()));
    layer.sign_in_anew();
    assert!(layer.grant().is_none());
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("browser new"), 1);
    assert!(layer.grant().unwrap().access_token.ct_eq("t1"));
}

#[tokio::test]
async fn no_token_leaves_for_another_address() {
    let world = World::with(grant("old-t1", 2_000)).await;
    let mut service = world.service();
    for other in ["https://rs.example/other", "https://evil.example/mcp"] {
        let request = Request::get(other).body(Bytes::new()).unwrap();
        assert_eq!(service.call(request).await.unwrap().status(), 401);
        assert_eq!(
            world.log().last().unwrap(),
            &format!("call {other} with nothing")
        );
    }
    assert_eq!(world.count("browser"), 0);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_with_the_same_token() {
    let world = World::with(grant("old", 900)).await;
    world.change(|b| b.answers.push_back(Answer::Lost));
    assert_eq!(call(&world.service()).await.unwrap(), 200);
    assert_eq!(world.count("token for refresh-old"), 2);
    assert_eq!(world.count("browser"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_away_costs_nobody_the_grant() {
    let world = World::with(grant("old", 900)).await;
    world.change(|b| b.answers.extend([Answer::Unavailable; 4]));
    let service = world.service();
    let failed = call(&service).await.unwrap_err();
    assert!(
        matches!(
            failed,
            CallFailed::SignIn(SignInFailed::Renewal(RenewalFailed::Exchange(_)))
        ),
        "{failed:?}"
    );
    assert_eq!(world.count("browser"), 0);
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("token for refresh-old"), 5);
}

#[tokio::test]
async fn tokens_that_live_shorter_than_the_margin_are_used_once() {
    let world = World::with(grant("old", 900)).await;
    world.change(|b| {
        b.life = 3;
        b.accepts = None;
    });
    let service = world.service();
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(call(&service).await.unwrap(), 200);
    assert_eq!(world.count("token"), 2);
    assert!(world.store.find(URL).await.unwrap().is_some());
}
