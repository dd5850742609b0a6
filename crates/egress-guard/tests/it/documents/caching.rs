//! What is kept, for how long, and what never is.

use std::time::Duration;

use bytes::Bytes;
use egress_guard::{DocumentLimits, EgressError};
use http::{Method, Request};

use super::{Host, URL, answer, ask, asking, to_the_letter};

#[tokio::test]
async fn a_fresh_document_is_not_asked_for_again() {
    let host = Host::new([answer(200, &[("cache-control", "max-age=60")], "one")]);
    let documents = host.documents(to_the_letter());
    for _ in 0..3 {
        assert_eq!(ask(&documents).await, "one");
    }
    host.pass(59);
    assert_eq!(ask(&documents).await, "one");
    assert_eq!(host.requests(), 1);
    host.says(answer(200, &[("cache-control", "max-age=60")], "two"));
    host.pass(1);
    assert_eq!(ask(&documents).await, "two");
    assert_eq!(host.requests(), 2);
}

#[tokio::test]
async fn a_kept_answer_is_the_answer_as_it_came_and_says_how_old_it_is() {
    let fields = [
        ("cache-control", "max-age=600"),
        ("content-type", "application/json"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("age", "7"),
        ("connection", "close"),
    ];
    // A byte order mark is the reader's to judge.
    let host = Host::new([answer(200, &fields, "\u{feff}{}")]);
    let documents = host.documents(to_the_letter());
    let first = documents.send(asking(URL)).await.unwrap();
    host.pass(30);
    let second = documents.send(asking(URL)).await.unwrap();
    assert_eq!(second.status(), 200);
    assert_eq!((first.body().len(), first.body()), (5, second.body()));
    assert_eq!(second.headers()["content-type"], "application/json");
    assert_eq!(second.headers().get_all("x-a").iter().count(), 2);
    assert_eq!(second.headers()["age"], "37");
    assert!(!second.headers().contains_key("connection"));
    assert_eq!(host.requests(), 1);
}

#[tokio::test]
async fn what_must_not_be_used_again_is_asked_for_each_time() {
    for fields in [
        &[("cache-control", "no-store")][..],
        &[("cache-control", "private, max-age=60")],
        &[("cache-control", "no-cache")],
        &[("cache-control", "max-age=0")],
        &[("cache-control", "max-age=60"), ("age", "99999999999")],
        &[("cache-control", "max-age=60"), ("vary", "*")],
        &[("expires", "0")],
    ] {
        let host = Host::new([answer(200, fields, "{}")]);
        let documents = host.documents(to_the_letter());
        for asked in 1..4 {
            assert_eq!(ask(&documents).await, "{}");
            assert_eq!(host.requests(), asked, "{fields:?}");
        }
        // No validator came with it, so there is nothing to ask with.
        assert_eq!(host.was_asked("if-none-match"), None);
        assert_eq!(host.was_asked("if-modified-since"), None);
    }
}

#[tokio::test]
async fn the_bounds_are_ours() {
    let limits = DocumentLimits::default();
    for (control, seconds) in [
        ("max-age=0", limits.shortest.as_secs()),
        ("max-age=1000000000", limits.longest.as_secs()),
        ("public", limits.unsaid.as_secs()),
    ] {
        let host = Host::new([answer(200, &[("cache-control", control)], "{}")]);
        let documents = host.documents(limits.clone());
        ask(&documents).await;
        host.pass(seconds - 1);
        ask(&documents).await;
        assert_eq!(host.requests(), 1, "{control}");
        host.pass(1);
        ask(&documents).await;
        assert_eq!(host.requests(), 2, "{control}");
    }
}

#[tokio::test]
async fn nothing_but_a_200_is_kept() {
    for status in [201, 203, 204, 206, 301, 302, 308, 400, 404, 410, 500, 503] {
        let fields = [
            ("cache-control", "max-age=600"),
            ("etag", "\"a\""),
            // A redirect to itself leads nowhere.
            ("location", URL),
        ];
        let host = Host::new([answer(status, &fields, "")]);
        let documents = host.documents(DocumentLimits::default());
        for asked in 1..3 {
            assert_eq!(ask(&documents).await, status.to_string());
            assert_eq!(host.requests(), asked, "{status}");
            assert_eq!(host.was_asked("if-none-match"), None);
        }
    }
}

#[tokio::test]
async fn errors_are_not_kept() {
    let host = Host::new([
        Err(EgressError::NoTrustRoots),
        answer(200, &[("cache-control", "max-age=60")], "{}"),
    ]);
    let documents = host.documents(DocumentLimits::default());
    let error = documents.send(asking(URL)).await.unwrap_err();
    assert!(matches!(error, EgressError::NoTrustRoots), "{error:?}");
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(host.requests(), 2);
}

#[tokio::test]
async fn what_the_check_turns_down_is_answered_and_not_kept() {
    let kind = |kind: &'static str| {
        let fields = [("cache-control", "max-age=600"), ("content-type", kind)];
        answer(200, &fields, "{}")
    };
    let host = Host::new([kind("text/html"), kind("application/json")]);
    let documents = host.documents(DocumentLimits::default());
    let documents = documents.keeping_only(|url, answer| {
        assert_eq!(url, URL);
        answer.headers()["content-type"] == "application/json"
    });
    for asked in [1, 2, 2, 2] {
        assert_eq!(ask(&documents).await, "{}");
        assert_eq!(host.requests(), asked);
    }
    // A document that was right, and is not any more once it is stale, is asked for at every use.
    host.says(kind("text/html"));
    host.pass(600);
    for asked in [3, 4] {
        assert_eq!(ask(&documents).await, "{}");
        assert_eq!(host.requests(), asked);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_keeps_nothing_for_longer() {
    let host = Host::new([answer(200, &[("cache-control", "max-age=60")], "{}")]);
    let documents = host.documents(to_the_letter());
    ask(&documents).await;
    host.set_back(3600);
    ask(&documents).await;
    assert_eq!(host.requests(), 2);
    host.pass(60);
    ask(&documents).await;
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn addresses_and_kinds_are_told_apart() {
    let host = Host::new([answer(200, &[], "{}")]);
    let documents = host.documents(DocumentLimits::default());
    for (asked, url) in [
        URL,
        "https://app.example/client.json?",
        "https://app.example/client.json?a",
        "https://app.example/Client.json",
        "https://app.example/client.json/",
        "https://app.example/%63lient.json",
        "https://app.example:443/client.json",
        "https://other.example/client.json",
    ]
    .iter()
    .enumerate()
    {
        documents.send(asking(url)).await.unwrap();
        assert_eq!(host.requests(), asked + 1, "{url}");
    }
    let html = Request::get(URL).header("accept", "text/html");
    documents
        .send(html.body(Bytes::new()).unwrap())
        .await
        .unwrap();
    let any = Request::get(URL).body(Bytes::new()).unwrap();
    documents.send(any).await.unwrap();
    assert_eq!(host.requests(), 10);
    ask(&documents).await;
    assert_eq!(host.requests(), 10);
}

#[tokio::test]
async fn what_is_no_plain_get_goes_through() {
    let host = Host::new([answer(200, &[("cache-control", "max-age=60")], "{}")]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    let requests: [fn(&mut Request<Bytes>); 6] = [
        |request| *request.method_mut() = Method::POST,
        |request| *request.method_mut() = Method::HEAD,
        |request| *request.body_mut() = Bytes::from_static(b"a"),
        |request| add(request, "authorization", "Bearer a"),
        |request| add(request, "if-none-match", "\"a\""),
        |request| add(request, "accept", "text/html"),
    ];
    for (done, change) in requests.iter().enumerate() {
        let mut request = asking(URL);
        change(&mut request);
        for _ in 0..2 {
            documents.send(request.clone()).await.unwrap();
        }
        assert_eq!(host.requests(), 1 + 2 * (done + 1));
    }
    // What a caller asked for with a condition of its own is the caller's, a 304 included.
    host.says(answer(304, &[], ""));
    let mut request = asking(URL);
    requests[4](&mut request);
    assert_eq!(documents.send(request).await.unwrap().status(), 304);
}

#[tokio::test]
async fn documents_are_bounded_in_number_and_in_bytes() {
    let host = Host::new([answer(200, &[], "0123456789")]);
    for limits in [
        DocumentLimits {
            documents: 4,
            ..DocumentLimits::default()
        },
        DocumentLimits {
            bytes: 4 * 600,
            ..DocumentLimits::default()
        },
    ] {
        let documents = host.documents(limits);
        let before = host.requests();
        for n in 0..100 {
            documents
                .send(asking(&format!("https://a.example/{n}")))
                .await
                .unwrap();
        }
        assert_eq!(host.requests(), before + 100);
        let kept = (0..100).rev();
        for n in kept {
            documents
                .send(asking(&format!("https://a.example/{n}")))
                .await
                .unwrap();
        }
        // The last four were there still, and asking for the others drove out whatever was.
        let asked = host.requests() - before - 100;
        assert_eq!(asked, 96);
    }
    let none = host.documents(DocumentLimits {
        bytes: 10,
        unsaid: Duration::MAX,
        ..DocumentLimits::default()
    });
    let before = host.requests();
    ask(&none).await;
    ask(&none).await;
    assert_eq!(host.requests(), before + 2);
}

fn add(request: &mut Request<Bytes>, name: &'static str, value: &str) {
    request.headers_mut().append(name, value.parse().unwrap());
}
