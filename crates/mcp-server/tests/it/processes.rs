//! 200 calls on one expired token, from four processes that share a file.

use std::sync::atomic::Ordering;

use oauth_rs::client::store::{FileStore, Standing, TokenStore as _};
use oauth_server::event::Event;

use crate::parent::Servers;

fn refreshed(event: &Event) -> bool {
    matches!(event, Event::Refreshed { .. })
}

fn repeated(event: &Event) -> bool {
    matches!(event, Event::RefreshRepeated { .. })
}

fn harm(event: &Event) -> bool {
    matches!(
        event,
        Event::RefreshTokenReused { .. } | Event::GrantRevoked { .. }
    )
}

/// The grant in the file is good, and nobody holds it.
async fn all_is_well(servers: &Servers) {
    let store = FileStore::open(servers.store()).unwrap();
    let kept = store.find(&servers.url).await.unwrap().unwrap();
    assert_eq!(kept.standing, Standing::Good);
    assert_eq!(servers.count(harm), 0, "{:?}", servers.events.lock());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_calls_from_four_processes_cause_one_refresh() {
    let servers = Servers::start().await;
    for _ in 0..2 {
        servers.expire();
        let ends = servers.run(4, 50, 8).await;
        assert_eq!(ends, vec![vec!["200".to_owned(); 50]; 4]);
        assert_eq!(servers.count(refreshed), 1);
        assert_eq!(servers.count(repeated), 0);
        all_is_well(&servers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_with_every_tenth_answer_lost() {
    let servers = Servers::start().await;
    servers.network.loses.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        servers.expire();
        let ends = servers.run(4, 50, 8).await;
        assert_eq!(ends, vec![vec!["200".to_owned(); 50]; 4]);
        // The first answer of the token endpoint is among those that are lost.
        assert_eq!(servers.count(refreshed), 1);
        assert_eq!(servers.count(repeated), 1);
        all_is_well(&servers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_that_refreshes_dies_before_the_answer() {
    let servers = Servers::start().await;
    servers.expire();
    servers.network.kills.store(true, Ordering::SeqCst);
    let mut ends = servers.run(4, 50, 3).await;
    ends.sort();
    assert_eq!(ends[0], Vec::<String>::new(), "nobody died");
    assert_eq!(ends[1..], vec![vec!["200".to_owned(); 50]; 3]);
    assert_eq!(servers.count(refreshed), 1);
    assert_eq!(servers.count(repeated), 1);
    all_is_well(&servers).await;
}
