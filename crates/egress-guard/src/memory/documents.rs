//! Documents over a guarded client: what strangers ask for at the same time, and what their hosts try.

use std::time::SystemTime;

use tokio::task::JoinSet;

use super::{At, NAME, Network, Step, get, seconds, send};
use crate::document::{DocumentLimits, Documents};
use crate::error::EgressError;

const URL: &str = "https://named.example/client.json";

fn documents(network: &Network) -> Documents {
    Documents::new(network.strict(), DocumentLimits::default(), SystemTime::now)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_take_one_place_and_one_connection() {
    // More than one host may have at once, so all of them together are one exchange.
    let head = "HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 2\r\n\r\n";
    let network = Network::public(vec![send(head), Step::Wait(seconds(3)), send("{}")]);
    let documents = documents(&network);
    let callers = (0..100).map(|_| {
        let documents = documents.clone();
        async move {
            documents
                .send(get(URL))
                .await
                .map(http::Response::into_body)
        }
    });
    let got = callers.collect::<JoinSet<_>>().join_all().await;
    assert!(got.len() == 100 && got.iter().all(|body| body.as_ref().unwrap() == "{}"));
    assert_eq!((network.requests().len(), network.dialed().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_drips_fails_all_its_callers_at_one_deadline_and_others_not_at_all() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n";
    let network = Network::public(vec![send(head), Step::Wait(seconds(60))])
        .name("other.example", &[&["10.0.0.1"]]);
    let documents = documents(&network);
    let begun = tokio::time::Instant::now();
    let late = async {
        tokio::time::sleep(seconds(8)).await;
        documents.send(get(URL)).await
    };
    let other = documents.send(get("https://other.example/"));
    let (first, late, other) = tokio::join!(documents.send(get(URL)), late, other);
    for error in [first.unwrap_err(), late.unwrap_err()] {
        assert!(matches!(error, EgressError::Deadline { .. }), "{error:?}");
    }
    assert!(matches!(
        other.unwrap_err(),
        EgressError::ForbiddenAddress { .. }
    ));
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(network.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_kept_document_needs_no_connection_and_a_stale_one_is_judged_again() {
    let answer = "HTTP/1.1 200 OK\r\ncache-control: no-cache\r\netag: \"a\"\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let network = Network::public(vec![send(answer), Step::Close])
        .name(NAME, &[&[super::PUBLIC], &["127.0.0.1"]])
        .at("127.0.0.1:443", At::Https(Vec::new()));
    let documents = documents(&network);
    assert_eq!(documents.send(get(URL)).await.unwrap().body(), "{}");
    // The name leads inside by now: what is kept for it is of no use.
    let error = documents.send(get(URL)).await.unwrap_err();
    assert!(
        matches!(error, EgressError::ForbiddenAddress { .. }),
        "{error:?}"
    );
    assert_eq!(network.dialed(), [format!("{}:443", super::PUBLIC)]);
}
