//! Asking whether what is kept is still right.

use egress_guard::{DocumentLimits, EgressError};

use super::{Host, URL, answer, ask, asking, to_the_letter};

const MINUTE: (&str, &str) = ("cache-control", "max-age=60");
const TAG: (&str, &str) = ("etag", "\"a\"");
const DATE: &str = "Sun, 09 Sep 2001 01:00:00 GMT";

#[tokio::test]
async fn a_304_makes_a_stale_document_fresh_again() {
    let fields = [
        MINUTE,
        TAG,
        ("last-modified", DATE),
        ("content-type", "application/json"),
    ];
    let host = Host::new([answer(200, &fields, "{}")]);
    let documents = host.documents(to_the_letter());
    ask(&documents).await;
    assert_eq!(host.was_asked("if-none-match"), None);

    // What the 304 says about a body that it does not have counts for nothing.
    let fields = [
        ("cache-control", "max-age=10"),
        ("content-type", "text/html"),
        ("content-length", "9"),
    ];
    host.says(answer(304, &fields, ""));
    host.pass(60);
    let response = documents.send(asking(URL)).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.body().as_ref()),
        (200, &b"{}"[..])
    );
    assert_eq!(response.headers()["content-type"], "application/json");
    assert!(!response.headers().contains_key("content-length"));
    assert_eq!(response.headers()["age"], "0");
    assert_eq!(host.was_asked("if-none-match").as_deref(), Some("\"a\""));
    assert_eq!(host.was_asked("if-modified-since").as_deref(), Some(DATE));
    assert_eq!(
        host.was_asked("accept").as_deref(),
        Some("application/json")
    );

    // From here on the lifetime is the new one.
    host.pass(9);
    ask(&documents).await;
    assert_eq!(host.requests(), 2);
    host.pass(1);
    ask(&documents).await;
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn the_age_of_a_copy_is_not_that_of_its_confirmation() {
    // It is the time at which the tests begin.
    let date = ("date", "Sun, 09 Sep 2001 01:46:40 GMT");
    let host = Host::new([answer(200, &[MINUTE, TAG, date, ("age", "5")], "{}")]);
    let documents = host.documents(to_the_letter());
    ask(&documents).await;
    host.pass(55);
    host.says(answer(304, &[], ""));
    ask(&documents).await;
    assert_eq!(host.requests(), 2);
    host.pass(59);
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(host.requests(), 2);
    host.pass(1);
    // Its own age and date count.
    host.says(answer(
        304,
        &[("age", "50"), ("date", "Sun, 09 Sep 2001 01:48:34 GMT")],
        "",
    ));
    ask(&documents).await;
    host.pass(9);
    ask(&documents).await;
    assert_eq!(host.requests(), 3);
    host.pass(1);
    ask(&documents).await;
    assert_eq!(host.requests(), 4);
}

#[tokio::test]
async fn no_cache_is_kept_and_asked_about_each_time() {
    let fields = [("cache-control", "no-cache"), TAG];
    let host = Host::new([answer(200, &fields, "{}"), answer(304, &[], "")]);
    let documents = host.documents(DocumentLimits::default());
    for asked in 1..4 {
        assert_eq!(ask(&documents).await, "{}");
        assert_eq!(host.requests(), asked);
    }
    assert_eq!(host.was_asked("if-none-match").as_deref(), Some("\"a\""));
}

#[tokio::test]
async fn a_304_to_no_condition_is_an_error() {
    let host = Host::new([answer(304, &[TAG, MINUTE], "")]);
    let documents = host.documents(DocumentLimits::default());
    for asked in 1..3 {
        let error = documents.send(asking(URL)).await.unwrap_err();
        assert!(matches!(error, EgressError::NotModified), "{error:?}");
        assert!(!error.is_refusal());
        assert_eq!(host.requests(), asked);
    }
    // The same for what was kept without a validator.
    let host = Host::new([answer(200, &[MINUTE], "{}"), answer(304, &[], "")]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    let error = documents.send(asking(URL)).await.unwrap_err();
    assert!(matches!(error, EgressError::NotModified), "{error:?}");
    assert_eq!(host.requests(), 2);
}

#[tokio::test]
async fn a_304_about_something_else_is_answered_by_one_plain_request() {
    for (kept, said) in [
        (&[MINUTE, TAG][..], &[("etag", "\"b\"")][..]),
        (&[MINUTE, ("last-modified", DATE)], &[TAG]),
        (
            &[MINUTE, ("last-modified", DATE)],
            &[("last-modified", "Sun, 09 Sep 2001 01:00:01 GMT")],
        ),
    ] {
        let again = answer(200, &[MINUTE], "new");
        let host = Host::new([answer(200, kept, "old"), answer(304, said, ""), again]);
        let documents = host.documents(DocumentLimits::default());
        ask(&documents).await;
        host.pass(60);
        assert_eq!(ask(&documents).await, "new", "{said:?}");
        assert_eq!(host.requests(), 3);
        assert_eq!(host.was_asked("if-none-match"), None);
        assert_eq!(host.was_asked("if-modified-since"), None);
    }
    // And a server that insists is not asked for ever.
    let host = Host::new([
        answer(200, &[MINUTE, TAG], "old"),
        answer(304, &[("etag", "\"b\"")], ""),
    ]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    let error = documents.send(asking(URL)).await.unwrap_err();
    assert!(matches!(error, EgressError::NotModified), "{error:?}");
    assert_eq!(host.requests(), 3);
}

#[tokio::test]
async fn a_tag_is_compared_weakly_and_a_304_without_one_is_believed() {
    for said in [
        &[("etag", "W/\"a\"")][..],
        &[TAG],
        &[("last-modified", DATE)],
        &[],
    ] {
        let kept = [MINUTE, TAG, ("last-modified", DATE)];
        let host = Host::new([answer(200, &kept, "{}"), answer(304, said, "")]);
        let documents = host.documents(DocumentLimits::default());
        ask(&documents).await;
        host.pass(60);
        assert_eq!(ask(&documents).await, "{}");
        assert_eq!(host.requests(), 2, "{said:?}");
    }
}

#[tokio::test]
async fn a_304_that_forbids_keeping_is_the_last_use() {
    let host = Host::new([
        answer(200, &[MINUTE, TAG], "{}"),
        answer(304, &[("cache-control", "no-store")], ""),
        answer(200, &[MINUTE], "new"),
    ]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(ask(&documents).await, "new");
    assert_eq!(host.was_asked("if-none-match"), None);
}

#[tokio::test]
async fn nothing_stale_is_given_out() {
    // Not where the answer is another one, and not where there is none, whatever the document once allowed.
    let lenient = (
        "cache-control",
        "max-age=60, stale-if-error=600, stale-while-revalidate=600",
    );
    let host = Host::new([answer(200, &[lenient, TAG], "{}")]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    host.says(Err(EgressError::NoTrustRoots));
    let error = documents.send(asking(URL)).await.unwrap_err();
    assert!(matches!(error, EgressError::NoTrustRoots), "{error:?}");

    // A failure to get an answer says nothing about the document: the validator is still good.
    host.says(answer(304, &[], ""));
    assert_eq!(ask(&documents).await, "{}");
    assert_eq!(host.was_asked("if-none-match").as_deref(), Some("\"a\""));

    // Any other answer does, and the copy is given up.
    host.pass(60);
    host.says(answer(503, &[], ""));
    assert_eq!(ask(&documents).await, "503");
    host.says(answer(200, &[], "new"));
    assert_eq!(ask(&documents).await, "new");
    assert_eq!(host.was_asked("if-none-match"), None);
}

#[tokio::test]
async fn a_changed_document_takes_the_place_of_the_stale_one() {
    let changed = [MINUTE, ("etag", "\"b\"")];
    let host = Host::new([
        answer(200, &[MINUTE, TAG], "old"),
        answer(200, &changed, "new"),
    ]);
    let documents = host.documents(DocumentLimits::default());
    ask(&documents).await;
    host.pass(60);
    assert_eq!(ask(&documents).await, "new");
    assert_eq!(ask(&documents).await, "new");
    assert_eq!(host.requests(), 2);
    host.pass(60);
    ask(&documents).await;
    assert_eq!(host.was_asked("if-none-match").as_deref(), Some("\"b\""));
}
