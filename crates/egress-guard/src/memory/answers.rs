//! What servers send: size, time, and what is left as it is.

use tokio::time::Instant;

use super::{Network, Step, get, ok, seconds, send};
use crate::error::EgressError;
use crate::limits::Limits;
use crate::policy::Policy;

const URL: &str = "https://named.example/client.json";

async fn fetch(steps: Vec<Step>, limits: Limits) -> Result<usize, EgressError> {
    let client = Network::public(steps).client(Policy::strict(), limits);
    Ok(client.send(get(URL)).await?.body().len())
}

fn document_limits() -> Limits {
    Limits {
        body_bytes: 5120,
        ..Limits::default()
    }
}

fn chunked(length: usize) -> Vec<Step> {
    let body = "x".repeat(length);
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    vec![send(&format!("{head}{length:x}\r\n{body}\r\n0\r\n\r\n"))]
}

fn until_closed(length: usize) -> Vec<Step> {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
    vec![send(&format!("{head}{}", "x".repeat(length))), Step::Close]
}

#[tokio::test(start_paused = true)]
async fn a_document_of_5120_bytes_is_read_and_one_of_5121_is_not() {
    for body in [|n| ok(&"x".repeat(n)), chunked, until_closed] {
        assert_eq!(fetch(body(5120), document_limits()).await.unwrap(), 5120);
        let error = fetch(body(5121), document_limits()).await.unwrap_err();
        assert!(
            matches!(error, EgressError::BodyTooLarge { limit: 5120 }),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_length_that_is_announced_is_refused_before_any_of_it_arrives() {
    let begun = Instant::now();
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 5121\r\n\r\n";
    let steps = vec![send(head), Step::Wait(seconds(60))];
    let error = fetch(steps, document_limits()).await.unwrap_err();
    assert!(
        matches!(error, EgressError::BodyTooLarge { limit: 5120 }),
        "{error:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn header_fields_up_to_the_limit_are_read_over_http1_too() {
    // "content-length" and "0" are 15 bytes, the names of the others one each.
    for (fields, over) in [(1, false), (1, true), (63, false), (63, true)] {
        let left = Limits::default().header_bytes - 15 - fields + usize::from(over);
        let mut head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n".to_owned();
        for n in 0..fields {
            let length = left / fields + usize::from(n < left % fields);
            head.push_str(&format!("x: {}\r\n", "v".repeat(length)));
        }
        let read = fetch(vec![send(&format!("{head}\r\n"))], Limits::default()).await;
        match over {
            true => assert!(
                matches!(read, Err(EgressError::HeadersTooLarge)),
                "{read:?}"
            ),
            false => assert_eq!(read.unwrap(), 0, "{fields}"),
        }
    }
}

/// A byte each second, for a minute.
fn dripping(before: &str) -> Vec<Step> {
    let mut steps = vec![send(before)];
    for _ in 0..60 {
        steps.extend([Step::Wait(seconds(1)), send("x")]);
    }
    steps
}

#[tokio::test(start_paused = true)]
async fn a_body_that_drips_ends_at_the_deadline() {
    let begun = Instant::now();
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n";
    let error = fetch(dripping(head), Limits::default()).await.unwrap_err();
    assert!(
        matches!(error, EgressError::Deadline { limit } if limit == seconds(10)),
        "{error:?}"
    );
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_meets_the_deadline() {
    let begun = Instant::now();
    let silent = vec![Step::Wait(seconds(60))];
    let error = fetch(silent, Limits::default()).await.unwrap_err();
    assert!(matches!(error, EgressError::Deadline { .. }), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn header_fields_that_drip_end_at_their_own_limit() {
    let begun = Instant::now();
    let limits = Limits {
        headers: seconds(4),
        ..Limits::default()
    };
    let error = fetch(dripping("HTTP/1.1 200 OK\r\na: "), limits)
        .await
        .unwrap_err();
    assert!(
        matches!(error, EgressError::HeadersTimeout { limit } if limit == seconds(4)),
        "{error:?}"
    );
    assert!(!error.is_refusal());
    assert_eq!(begun.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_longer_than_the_header_fields() {
    let limits = Limits {
        headers: seconds(2),
        ..Limits::default()
    };
    let mut steps = vec![send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")];
    steps.extend([Step::Wait(seconds(8)), send("{}")]);
    assert_eq!(fetch(steps, limits).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn answers_before_the_answer_do_not_move_the_deadline() {
    let begun = Instant::now();
    let mut steps = Vec::new();
    for _ in 0..60 {
        let early = "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        steps.extend([send(early), Step::Wait(seconds(1))]);
    }
    let error = fetch(steps, Limits::default()).await.unwrap_err();
    assert!(matches!(error, EgressError::Deadline { .. }), "{error:?}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn trailers_and_extensions_of_chunks_are_bounded() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let long = "x".repeat(64 * 1024);
    for rest in [
        format!("2;{long}\r\n{{}}\r\n0\r\n\r\n"),
        format!("2\r\n{{}}\r\n0\r\na: {long}\r\n\r\n"),
        format!("2\r\n{{}}\r\n0\r\n{}\r\n", "a: b\r\n".repeat(1000)),
        "fffffffffffffffff\r\n".to_owned(),
    ] {
        let shown: String = rest.chars().take(20).collect();
        let error = fetch(vec![send(head), send(&rest)], Limits::default()).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, EgressError::Broken { .. }),
            "{shown}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn lengths_that_contradict_each_other_break_off() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\n folded: a\r\ncontent-length: 2\r\n\r\n{}",
        "{}",
    ] {
        let error = fetch(vec![send(head), Step::Close], Limits::default()).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, EgressError::Broken { .. }),
            "{head}: {error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_compressed_stays_so_and_nobody_asked_for_it() {
    let gzip = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\n\r\n";
    let network = Network::public(vec![send(head), Step::Send(gzip.to_vec())]);
    let response = network.strict().send(get(URL)).await.unwrap();
    assert_eq!(response.body().as_ref(), gzip);
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert!(!network.requests()[0].contains("accept-encoding"));
}
