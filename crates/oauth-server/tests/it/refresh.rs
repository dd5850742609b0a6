//! Refreshing: rotation, the overlap, reuse, and every refusal.

use oauth_server::event::Event;

use crate::world::{OTHER_RESOURCE, REDIRECT, World, pair, refreshing};

const DAY: u64 = 24 * 60 * 60;

#[tokio::test]
async fn every_refresh_brings_a_new_pair() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (access, mut refresh) = world.tokens(&client).await;
    for _ in 0..3 {
        world.advance(60);
        let answer = world.refresh(&client, &refresh).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        let (next_access, next) = pair(&answer);
        assert_ne!((&next_access, &next), (&access, &refresh));
        assert_eq!(
            answer.json()["scope"],
            "didit:management didit:verification"
        );
        refresh = next;
    }
}

#[tokio::test]
async fn who_lost_the_answer_gets_the_same_successor_within_the_overlap() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, first) = world.tokens(&client).await;
    let (_, second) = pair(&world.refresh(&client, &first).await);
    world.advance(9);
    let again = world.refresh(&client, &first).await;
    assert_eq!(again.status, 200);
    assert_eq!(pair(&again).1, second, "a second line of tokens began");
    assert_eq!(
        world.refresh(&client, &second).await.status,
        200,
        "the family died"
    );
}

#[tokio::test]
async fn reuse_after_the_overlap_ends_the_grant() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, first) = world.tokens(&client).await;
    let (_, second) = pair(&world.refresh(&client, &first).await);
    let _told = world.told();
    world.advance(10);
    let reused = world.refresh(&client, &first).await;
    assert_eq!(
        (reused.status.as_u16(), reused.body.as_str()),
        (
            400,
            r#"{"error":"invalid_grant","error_description":"the refresh token is unknown, used, expired, revoked or of another client"}"#
        )
    );
    let told = world.told();
    assert!(matches!(
        told.as_slice(),
        [Event::RefreshTokenReused { .. }, Event::GrantRevoked { .. }]
    ));
    assert_eq!(
        world.refresh(&client, &second).await.error().1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn reuse_ends_the_grant_within_the_overlap_too_once_the_successor_was_used() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, first) = world.tokens(&client).await;
    let (_, second) = pair(&world.refresh(&client, &first).await);
    let (_, third) = pair(&world.refresh(&client, &second).await);
    assert_eq!(
        world.refresh(&client, &first).await.error().1,
        "invalid_grant"
    );
    assert_eq!(
        world.refresh(&client, &third).await.error().1,
        "invalid_grant"
    );
}

#[tokio::test]
async fn each_refusal_leaves_the_token_whole() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let other = world.register(&[REDIRECT]).await;
    let (_, token) = world.tokens(&client).await;
    let _told = world.told();
    let cases: &[(&str, Option<&str>, u16, &str)] = &[
        ("refresh_token", None, 400, "invalid_request"),
        ("refresh_token", Some("AAAA"), 400, "invalid_grant"),
        ("client_id", Some("nobody"), 401, "invalid_client"),
        ("client_id", Some(&other), 400, "invalid_grant"),
        (
            "scope",
            Some("didit:management other"),
            400,
            "invalid_scope",
        ),
        ("scope", Some("a\"b"), 400, "invalid_scope"),
        ("resource", Some(OTHER_RESOURCE), 400, "invalid_target"),
    ];
    for (name, value, status, error) in cases {
        let answer = world
            .post_form("/token", &refreshing(&client, &token, &[(name, *value)]))
            .await;
        assert_eq!(
            answer.error(),
            (*status, (*error).to_owned()),
            "{name} {value:?}"
        );
    }
    assert_eq!(world.told(), []);
    let narrow = [("scope", Some("didit:verification"))];
    let answer = world
        .post_form("/token", &refreshing(&client, &token, &narrow))
        .await;
    assert_eq!(answer.json()["scope"], "didit:verification");
    let (_, next) = pair(&answer);
    let answer = world.refresh(&client, &next).await;
    assert_eq!(
        answer.json()["scope"],
        "didit:management didit:verification",
        "a grant shrank"
    );
}

#[tokio::test]
async fn a_token_ends_for_want_of_use_and_a_grant_ends_in_any_case() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, idle) = world.tokens(&client).await;
    world.advance(30 * DAY);
    assert_eq!(
        world.refresh(&client, &idle).await.error().1,
        "invalid_grant"
    );

    let (_, mut token) = world.tokens(&client).await;
    for _ in 0..4 {
        world.advance(20 * DAY);
        token = pair(&world.refresh(&client, &token).await).1;
    }
    world.advance(10 * DAY - 60);
    let last = world.refresh(&client, &token).await;
    assert_eq!(
        last.json()["expires_in"],
        60,
        "an access token outlives its grant"
    );
    world.advance(60);
    assert_eq!(
        world.refresh(&client, &pair(&last).1).await.error().1,
        "invalid_grant"
    );
}
