//! Revocation: what it ends, and whose it is.

use oauth_rs::params::encode;
use oauth_rs::time::UnixSeconds;
use oauth_server::event::Event;

use crate::world::{Answer, REDIRECT, START, World};

async fn revoke(world: &World, client: &str, token: &str) -> Answer {
    let form = encode(&[
        ("client_id", client),
        ("token", token),
        ("token_type_hint", "wrong"),
    ]);
    world.post_form("/revoke", &form).await
}

#[tokio::test]
async fn a_grant_is_withdrawn_from_inside_once_and_for_good() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, refresh) = world.tokens(&client).await;
    let told = world.told();
    let grant_id = told.iter().find_map(|event| match event {
        Event::CodeRedeemed { grant_id, .. } => Some(grant_id.clone()),
        _ => None,
    });
    let grant_id = grant_id.unwrap();
    let server = world.service.server();
    assert!(!server.withdraw("nothing").await.unwrap());
    assert!(server.withdraw(&grant_id).await.unwrap());
    assert!(!server.withdraw(&grant_id).await.unwrap());
    assert!(matches!(
        world.told().as_slice(),
        [Event::GrantRevoked { grant_id: told, .. }] if *told == grant_id
    ));
    let answer = world.refresh(&client, &refresh).await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_refresh_token_ends_its_grant() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, refresh) = world.tokens(&client).await;
    let _told = world.told();
    let answer = revoke(&world, &client, &refresh).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert!(matches!(
        world.told().as_slice(),
        [Event::GrantRevoked { .. }]
    ));
    assert_eq!(
        world.refresh(&client, &refresh).await.error().1,
        "invalid_grant"
    );
    assert_eq!(revoke(&world, &client, &refresh).await.status, 200);
    assert_eq!(world.told(), []);
}

#[tokio::test]
async fn an_access_token_ends_itself() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (access, refresh) = world.tokens(&client).await;
    let _told = world.told();
    assert_eq!(revoke(&world, &client, &access).await.status, 200);
    let told = world.told();
    let [Event::AccessTokenRevoked { jti, expires_at }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!((jti.len(), *expires_at), (22, UnixSeconds(START + 600)));
    assert_eq!(revoke(&world, &client, &access).await.status, 200);
    assert_eq!(world.told(), []);
    assert_eq!(world.refresh(&client, &refresh).await.status, 200);
}

#[tokio::test]
async fn what_is_not_the_clients_is_left_alone_without_a_word() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let other = world.register(&[REDIRECT]).await;
    let (access, refresh) = world.tokens(&client).await;
    let (signed, signature) = access.rsplit_once('.').unwrap();
    let backwards: String = signature.chars().rev().collect();
    let forged = format!("{signed}.{backwards}");
    let _told = world.told();
    for token in [access.as_str(), refresh.as_str(), "unknown"] {
        let answer = revoke(&world, &other, token).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    }
    assert_eq!(revoke(&world, &client, &forged).await.status, 200);
    assert_eq!(world.told(), []);
    assert_eq!(world.refresh(&client, &refresh).await.status, 200);
}

#[tokio::test]
async fn an_unknown_client_and_a_missing_token_are_refused() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    assert_eq!(
        revoke(&world, "nobody", "x").await.error(),
        (401, "invalid_client".to_owned())
    );
    assert_eq!(
        revoke(&world, &client, "").await.error(),
        (400, "invalid_request".to_owned())
    );
    assert_eq!(world.get("/revoke").await.status, 405);
}
