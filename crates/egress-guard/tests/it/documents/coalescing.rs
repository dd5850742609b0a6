//! One request for many callers, and who is failed by whom: nobody.

use std::time::Duration;

use egress_guard::{DocumentLimits, Documents, EgressError};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Host, URL, answer, ask, asking};

const SLOW: Duration = Duration::from_secs(2);

/// A hundred callers at once, and what each of them got.
async fn stampede(documents: &Documents<Host>) -> Vec<Result<String, String>> {
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let documents = documents.clone();
        callers.spawn(async move {
            let answer = documents.send(asking(URL)).await;
            let answer = answer.map_err(|error| error.to_string())?;
            Ok(String::from_utf8(answer.body().to_vec()).unwrap())
        });
    }
    callers.join_all().await
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_cause_one_request() {
    // Also where the answer must not be kept, and where there is none.
    for (said, expected) in [
        (answer(200, &[], "{}"), Ok("{}".to_owned())),
        (
            answer(200, &[("cache-control", "no-store")], "{}"),
            Ok("{}".to_owned()),
        ),
        (answer(404, &[], "no"), Ok("no".to_owned())),
        (
            Err(EgressError::Credentials),
            Err("the address carries credentials".to_owned()),
        ),
    ] {
        let host = Host::new([said]).taking(SLOW);
        let documents = host.documents(DocumentLimits::default());
        let got = stampede(&documents).await;
        assert!(got.iter().all(|got| *got == expected), "{got:?}");
        assert_eq!((got.len(), host.requests()), (100, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_callers_of_a_stale_document_cause_one_question() {
    let fields = [("cache-control", "max-age=60"), ("etag", "\"a\"")];
    let host = Host::new([answer(200, &fields, "{}"), answer(304, &fields, "")]).taking(SLOW);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    let got = stampede(&documents).await;
    assert!(got.iter().all(|got| *got == Ok("{}".to_owned())), "{got:?}");
    assert_eq!(host.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_fails_nobody() {
    let host = Host::new([answer(200, &[("cache-control", "no-store")], "{}")]).taking(SLOW);
    let documents = host.documents(DocumentLimits::default());
    let first = timeout(SLOW / 2, ask(&documents));
    let second = async {
        tokio::time::sleep(SLOW / 4).await;
        ask(&documents).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert_eq!((second.as_str(), host.requests()), ("{}", 1));
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_nobody_waits_for_any_more_is_kept_all_the_same() {
    let host = Host::new([answer(200, &[], "{}")]).taking(SLOW);
    let documents = host.documents(DocumentLimits::default());
    assert!(timeout(SLOW / 2, ask(&documents)).await.is_err());
    tokio::time::sleep(SLOW).await;
    assert_eq!((ask(&documents).await.as_str(), host.requests()), ("{}", 1));
}

#[tokio::test(start_paused = true)]
async fn callers_of_one_document_are_bounded_and_others_do_not_notice() {
    let host = Host::new([answer(200, &[], "{}")]).taking(SLOW);
    let documents = host.documents(DocumentLimits {
        waiting: 3,
        ..DocumentLimits::default()
    });
    let other = documents.send(asking("https://other.example/"));
    let (a, b, c, d, other) = tokio::join!(
        documents.send(asking(URL)),
        documents.send(asking(URL)),
        documents.send(asking(URL)),
        documents.send(asking(URL)),
        other
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok() && other.is_ok());
    let error = d.unwrap_err();
    assert!(
        matches!(error, EgressError::TooManyWaiting { limit: 3 }),
        "{error:?}"
    );
    assert!(!error.is_refusal());
    // Whoever comes later finds it kept.
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(host.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_of_one_who_gave_up_is_free_again() {
    let host = Host::new([answer(200, &[], "{}")]).taking(SLOW);
    let documents = host.documents(DocumentLimits {
        waiting: 1,
        ..DocumentLimits::default()
    });
    assert!(timeout(SLOW / 2, ask(&documents)).await.is_err());
    assert_eq!((ask(&documents).await.as_str(), host.requests()), ("{}", 1));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_panics_fails_its_callers_and_no_later_ones() {
    let host = Host::new([answer(200, &[], "{}")]);
    let panics = host.documents(DocumentLimits::default());
    let panics = panics.keeping_only(|url, _| {
        assert!(url.ends_with('2'), "as the test wants it");
        true
    });
    let error = panics
        .send(asking("https://a.example/1"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Abandoned), "{error:?}");
    assert!(panics.send(asking("https://a.example/2")).await.is_ok());
    let error = panics
        .send(asking("https://a.example/1"))
        .await
        .unwrap_err();
    assert!(matches!(error, EgressError::Abandoned), "{error:?}");
    assert_eq!(host.requests(), 3);
}
