//! Faults on request: what each does to the answer, and whether the call was done.

use std::time::Duration;

use didit_sandbox::{CutOff, Fault, Matching};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;

use crate::harness::World;

const LISTS: &str = "/lists/";

/// An answer with its body as far as it came.
struct Raw {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
    ended: Result<(), CutOff>,
}

async fn raw(world: &World, method: &str, path: &str, body: Value) -> Raw {
    let request = world.request("olivia", method, path, body);
    let response = world.sandbox.service().call(request).await.unwrap();
    let (parts, mut left) = response.into_parts();
    let mut raw = Raw {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: Vec::new(),
        ended: Ok(()),
    };
    while let Some(frame) = left.frame().await {
        match frame {
            Ok(frame) => raw.body.extend_from_slice(frame.data_ref().unwrap()),
            Err(cut) => {
                raw.ended = Err(cut);
                break;
            }
        }
    }
    raw
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

#[test]
fn a_fault_that_stands_for_the_call_leaves_everything_as_it_was() {
    let html = "<!doctype html><title>Didit</title><p>Be right back.";
    for (fault, status, header, body) in [
        (
            Fault::RateLimited { retry_after: 7 },
            429,
            Some(("retry-after", "7")),
            r#"{"detail":"Request was throttled. Expected available in 7 seconds."}"#,
        ),
        (
            Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
            500,
            Some(("content-type", "text/plain")),
            "something went wrong",
        ),
        (
            Fault::Redirect("http://elsewhere.example/".to_owned()),
            302,
            Some(("location", "http://elsewhere.example/")),
            "",
        ),
        (Fault::Html, 200, Some(("content-type", "text/html")), html),
    ] {
        let world = World::new();
        let path = format!("{}{LISTS}", world.app(0, 0));
        world.sandbox.fault(Matching::next(), fault.clone());
        let list = json!({ "name": "New", "list_type": "custom", "entry_type": "email" });
        let reply = wait(raw(&world, "POST", &path, list));
        assert_eq!(reply.status, status, "{fault:?}");
        assert_eq!(String::from_utf8(reply.body).unwrap(), body, "{fault:?}");
        if let Some((name, value)) = header {
            assert_eq!(reply.headers[name], value, "{fault:?}");
        }
        // The fault is used up, and nothing was made.
        assert_eq!(world.get("olivia", &path).body["count"], 3, "{fault:?}");
    }
}

#[test]
fn a_fault_of_the_answer_leaves_the_call_done() {
    for fault in [
        Fault::Cut,
        Fault::Truncated,
        Fault::WrongShape,
        Fault::WrongTypes,
    ] {
        let world = World::new();
        let path = format!("{}{LISTS}", world.app(0, 0));
        let list = json!({ "name": "New", "list_type": "custom", "entry_type": "email" });
        world.sandbox.fault(Matching::next(), fault.clone());
        let reply = wait(raw(&world, "POST", &path, list));
        assert_eq!(reply.status, 201, "{fault:?}");
        let parsed: Option<Value> = serde_json::from_slice(&reply.body).ok();
        match fault {
            Fault::Cut => assert!(reply.ended.is_err() && !reply.body.is_empty()),
            Fault::Truncated => assert!(reply.ended.is_ok() && parsed.is_none()),
            Fault::WrongShape => assert_eq!(parsed.unwrap()[0]["name"], "New"),
            _ => assert_eq!(parsed.unwrap()["name"], 3),
        }
        assert_eq!(world.get("olivia", &path).body["count"], 4, "{fault:?}");
    }
}

#[test]
fn a_cut_body_announces_all_of_its_bytes() {
    let world = World::new();
    let path = format!("{}{LISTS}", world.app(0, 0));
    let whole = wait(raw(&world, "GET", &path, Value::Null)).body.len() as u64;
    world.sandbox.fault(Matching::next(), Fault::Cut);
    let request = world.request("olivia", "GET", &path, Value::Null);
    let response = wait(world.sandbox.service().call(request)).unwrap();
    let hint = http_body::Body::size_hint(response.body());
    assert_eq!(hint.exact(), Some(whole));
}

#[test]
fn a_huge_body_is_a_hundred_mebibytes_of_json_in_small_pieces() {
    let world = World::new();
    world.sandbox.fault(Matching::next(), Fault::Huge);
    let request = world.request("olivia", "GET", "/v3/anything/", Value::Null);
    let (total, ends) = wait(async {
        let response = world.sandbox.service().call(request).await.unwrap();
        let mut body = response.into_body();
        let (mut total, mut ends) = (0_usize, Vec::new());
        while let Some(frame) = body.frame().await {
            let piece = frame.unwrap().into_data().unwrap();
            assert!(piece.len() <= 64 * 1024);
            total += piece.len();
            if piece.len() < 64 {
                ends.push(piece);
            }
        }
        (total, ends)
    });
    assert_eq!(total, 100 * 1024 * 1024);
    assert_eq!(
        (&ends[0][..], &ends[ends.len() - 1][..]),
        (&b"{\"results\":[\""[..], &b"\"]}"[..])
    );
}

#[test]
fn a_slow_call_is_done_after_the_wait_and_a_silent_one_never() {
    let world = World::new();
    let path = format!("{}{LISTS}", world.app(0, 0));
    let minute = || tokio::time::sleep(Duration::from_secs(60));
    let list = json!({ "name": "New", "list_type": "custom", "entry_type": "email" });
    wait(async {
        let fault = Fault::slow(minute);
        world
            .sandbox
            .fault(Matching::all().method(Method::POST).times(2), fault);
        let began = tokio::time::Instant::now();
        let reply = raw(&world, "POST", &path, list.clone()).await;
        assert_eq!((reply.status, began.elapsed().as_secs()), (201, 60));
        // A caller that gave up changed nothing.
        let limit = Duration::from_secs(59);
        let given_up = tokio::time::timeout(limit, raw(&world, "POST", &path, list.clone()));
        assert!(given_up.await.is_err());
        world.sandbox.fault(Matching::next(), Fault::Silent);
        let limit = Duration::from_secs(86_400);
        let silent = tokio::time::timeout(limit, raw(&world, "POST", &path, list));
        assert!(silent.await.is_err());
    });
    assert_eq!(world.get("olivia", &path).body["count"], 4);
}

#[test]
fn a_fault_meets_the_calls_it_is_for_and_no_others() {
    let world = World::new();
    let path = format!("{}{LISTS}", world.app(0, 0));
    let down = || Fault::Status(StatusCode::BAD_GATEWAY);
    let statuses = |calls: usize| -> Vec<u16> {
        (0..calls)
            .map(|_| wait(raw(&world, "GET", &path, Value::Null)).status)
            .collect()
    };
    world
        .sandbox
        .fault(Matching::next().method(Method::POST), down());
    world.sandbox.fault(Matching::all().path("/cases/"), down());
    assert_eq!(statuses(2), [200, 200]);
    world.sandbox.heal();
    world
        .sandbox
        .fault(Matching::all().path("/lists/").times(2), down());
    assert_eq!(statuses(3), [502, 502, 200]);
    world.sandbox.fault(Matching::all(), down());
    assert_eq!(statuses(3), [502, 502, 502]);
    world.sandbox.heal();
    assert_eq!(statuses(1), [200]);
}

#[test]
fn faults_that_wait_are_bounded_and_the_oldest_goes() {
    let world = World::new();
    let path = format!("{}{LISTS}", world.app(0, 0));
    for status in [500_u16, 503].into_iter().chain([504; 63]) {
        let fault = Fault::Status(StatusCode::from_u16(status).unwrap());
        world.sandbox.fault(Matching::next(), fault);
    }
    assert_eq!(wait(raw(&world, "GET", &path, Value::Null)).status, 503);
}
