//! Many at once with the same code or token: one wins, and what the others get.

use std::sync::Arc;

use oauth_server::event::Event;
use tokio::sync::Barrier;

use crate::prover::Prover;
use crate::world::{Answer, REDIRECT, World, pair, redemption, refreshing};

const RACERS: usize = 8;
const RACES: usize = 10;

async fn race(world: &World, form: &str) -> Vec<Answer> {
    race_with(world, form, None).await
}

async fn race_with(world: &World, form: &str, proof: Option<&str>) -> Vec<Answer> {
    let start = Arc::new(Barrier::new(RACERS));
    let racers: Vec<_> = (0..RACERS)
        .map(|_| {
            let (world, start, form) = (world.clone(), Arc::clone(&start), form.to_owned());
            let proof: Vec<String> = proof.iter().map(|proof| (*proof).to_owned()).collect();
            tokio::spawn(async move {
                start.wait().await;
                let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
                world.prove(&form, &proofs).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_redemptions_one_wins_and_the_code_counts_as_replayed() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    for _ in 0..RACES {
        let code = world.code(&client).await;
        let _told = world.told();
        let answers = race(&world, &redemption(&client, &code, &[])).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
        assert_eq!(won.len(), 1, "{answers:?}");
        for answer in lost {
            assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
        }
        let told = world.told();
        let revoked = told
            .iter()
            .filter(|event| matches!(event, Event::GrantRevoked { .. }));
        assert_eq!(revoked.count(), 1, "{told:?}");
        let refresh = pair(won.first().unwrap()).1;
        assert_eq!(
            world.refresh(&client, &refresh).await.error().1,
            "invalid_grant"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn racing_refreshes_all_get_the_one_successor() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let (_, mut token) = world.tokens(&client).await;
    for _ in 0..RACES {
        let _told = world.told();
        let answers = race(&world, &refreshing(&client, &token, &[])).await;
        let mut successors: Vec<String> = answers.iter().map(|answer| pair(answer).1).collect();
        successors.dedup();
        assert_eq!(successors.len(), 1, "more than one line of tokens");
        let told = world.told();
        let rotations = told
            .iter()
            .filter(|event| matches!(event, Event::Refreshed { .. }));
        assert_eq!(rotations.count(), 1, "more than one rotation");
        assert_eq!(told.len(), RACERS, "a token was issued and not told of");
        token = successors.remove(0);
    }
    assert_eq!(world.refresh(&client, &token).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_token_lives_that_was_issued_beside_a_revocation() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    for _ in 0..RACES {
        let (_, token) = world.tokens(&client).await;
        let start = Arc::new(Barrier::new(2));
        let refreshing = {
            let (world, client, token, start) = (
                world.clone(),
                client.clone(),
                token.clone(),
                Arc::clone(&start),
            );
            tokio::spawn(async move {
                start.wait().await;
                world.refresh(&client, &token).await
            })
        };
        start.wait().await;
        let form = oauth_rs::params::encode(&[("client_id", &client), ("token", &token)]);
        assert_eq!(world.post_form("/revoke", &form).await.status, 200);
        let answer = refreshing.await.unwrap();
        if answer.status == 200 {
            let late = world.refresh(&client, &pair(&answer).1).await;
            assert_eq!(
                late.error().1,
                "invalid_grant",
                "a refresh token outlived its grant"
            );
        }
        assert_eq!(
            world.refresh(&client, &token).await.error().1,
            "invalid_grant"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_racing_requests_with_one_proof_one_is_answered_and_the_rest_change_nothing() {
    let world = World::new();
    let client = world.register(&[REDIRECT]).await;
    let prover = Prover::new();
    for _ in 0..RACES {
        let code = world.code(&client).await;
        let forms = |token: Option<&str>| match token {
            None => redemption(&client, &code, &[]),
            Some(token) => refreshing(&client, token, &[]),
        };
        // A code first, and then the refresh token that came of it.
        let mut token: Option<String> = None;
        for _ in 0..2 {
            let _told = world.told();
            let (form, proof) = (forms(token.as_deref()), prover.proof(&world));
            let answers = race_with(&world, &form, Some(&proof)).await;
            let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
            assert_eq!((won.len(), lost.len()), (1, RACERS - 1), "{answers:?}");
            for answer in lost {
                assert_eq!(answer.error(), (400, "invalid_dpop_proof".to_owned()));
            }
            assert_eq!(world.told().len(), 1, "more than one request had an effect");
            token = Some(pair(won.first().unwrap()).1);
        }
        let last = prover.refresh(&world, &client, &token.unwrap()).await;
        assert_eq!(last.status, 200, "the family died");
    }
}
