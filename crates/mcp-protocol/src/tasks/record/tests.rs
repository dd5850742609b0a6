//! What a task goes through, one event after the other.

use std::time::UNIX_EPOCH;

use serde_json::json;

use super::*;

const TERMS: Terms = Terms {
    ttl: Duration::from_secs(60),
    poll_interval: Duration::from_millis(500),
};

struct Clock(Instant);

impl Clock {
    fn new() -> Self {
        Clock(Instant::now())
    }

    fn at(&self, seconds: u64) -> Now {
        let span = Duration::from_secs(seconds);
        Now {
            wall: UNIX_EPOCH + span,
            instant: self.0 + span,
        }
    }
}

fn answers(value: Value) -> BTreeMap<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn roots(keys: &[&str]) -> Vec<(String, Ask)> {
    keys.iter()
        .map(|key| ((*key).to_owned(), Ask::Roots))
        .collect()
}

fn result() -> End {
    End::Completed(RawValue::from_string(r#"{"content":[]}"#.into()).unwrap())
}

fn wire(record: &Record) -> Value {
    serde_json::to_value(record.detailed("t")).unwrap()
}

#[test]
fn a_new_task_is_working_and_says_its_terms() {
    let record = Record::new(Some("ada".into()), TERMS, Clock::new().at(1));
    assert_eq!(record.owner(), Some("ada"));
    assert_eq!(
        wire(&record),
        json!({
            "taskId": "t",
            "status": "working",
            "createdAt": "1970-01-01T00:00:01.000Z",
            "lastUpdatedAt": "1970-01-01T00:00:01.000Z",
            "ttlMs": 60_000,
            "pollIntervalMs": 500,
        })
    );
}

#[test]
fn spans_below_a_millisecond_are_one() {
    let terms = Terms {
        ttl: Duration::from_nanos(1),
        poll_interval: Duration::ZERO,
    };
    let task = Record::new(None, terms, Clock::new().at(0)).task("t");
    assert_eq!((task.ttl_ms, task.poll_interval_ms), (Some(1), Some(1)));
}

#[test]
fn a_task_expires_when_its_time_is_over_and_not_before() {
    let clock = Clock::new();
    let record = Record::new(None, TERMS, clock.at(0));
    assert!(!record.is_expired(clock.at(59)));
    assert!(record.is_expired(clock.at(60)));
    let never = Terms {
        ttl: Duration::MAX,
        ..TERMS
    };
    let record = Record::new(None, never, clock.at(0));
    assert!(!record.is_expired(clock.at(1_000_000)));
    assert_eq!(record.task("t").ttl_ms, None);
}

#[test]
fn questions_make_it_wait_and_the_last_answer_lets_it_work() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    let keys = record.ask(roots(&["a", "b"]), clock.at(1)).unwrap();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(record.status(), TaskStatus::InputRequired);
    assert_eq!(
        wire(&record)["inputRequests"],
        json!({ "a": { "method": "roots/list" }, "b": { "method": "roots/list" } })
    );
    let given = json!({ "a": { "roots": [] }, "unknown": 5 });
    record.answer(answers(given), clock.at(2)).unwrap();
    assert_eq!(record.status(), TaskStatus::InputRequired);
    assert_eq!(
        wire(&record)["inputRequests"],
        json!({ "b": { "method": "roots/list" } })
    );
    assert_eq!(wire(&record)["lastUpdatedAt"], "1970-01-01T00:00:02.000Z");
    assert_eq!(record.take_answers(&keys), None);
    // A second answer to the same question is ignored.
    let again = json!({ "a": { "roots": [{ "uri": "file:///" }] } });
    record.answer(answers(again), clock.at(3)).unwrap();
    let rest = json!({ "b": { "roots": [] } });
    record.answer(answers(rest), clock.at(4)).unwrap();
    assert_eq!(record.status(), TaskStatus::Working);
    let taken = record.take_answers(&keys);
    assert_eq!(taken, Some(vec![json!({ "roots": [] }); 2]));
    assert_eq!(record.take_answers(&keys), None, "given once");
}

#[test]
fn an_answer_of_the_wrong_shape_takes_none_and_the_questions_stand() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    record.ask(roots(&["a", "b"]), clock.at(1)).unwrap();
    for wrong in [json!(5), json!(null), json!({}), json!({ "roots": {} })] {
        let given = json!({ "a": { "roots": [] }, "b": wrong });
        assert_eq!(
            record.answer(answers(given), clock.at(2)),
            Err(WrongShape { key: "b".into() })
        );
    }
    assert_eq!(wire(&record)["inputRequests"].as_object().unwrap().len(), 2);
}

#[test]
fn a_key_is_never_used_twice() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    let keys = record.ask(roots(&["a", "a"]), clock.at(1)).unwrap();
    assert_eq!(keys, ["a", "a.2"]);
    record.withdraw(&keys, clock.at(2));
    assert_eq!(record.status(), TaskStatus::Working);
    let keys = record.ask(roots(&["a"]), clock.at(3)).unwrap();
    assert_eq!(keys, ["a.3"]);
}

#[test]
fn questions_are_bounded_over_the_life_of_a_task() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    for _ in 0..MAX_QUESTIONS {
        let keys = record.ask(roots(&["a"]), clock.at(1)).unwrap();
        record.withdraw(&keys, clock.at(1));
    }
    assert_eq!(
        record.ask(roots(&["a"]), clock.at(1)),
        Err(TooManyQuestions)
    );
    assert_eq!(record.status(), TaskStatus::Working);
}

#[test]
fn each_end_shows_what_belongs_to_it_and_nothing_else() {
    let clock = Clock::new();
    let fault = RpcError::internal("broken");
    for (end, status, member) in [
        (
            result(),
            "completed",
            Some(("result", json!({ "content": [] }))),
        ),
        (
            End::Failed(fault),
            "failed",
            Some(("error", json!({ "code": -32603, "message": "broken" }))),
        ),
        (End::Cancelled, "cancelled", None),
    ] {
        let mut record = Record::new(None, TERMS, clock.at(0));
        record.ask(roots(&["a"]), clock.at(1)).unwrap();
        assert!(record.finish(end, clock.at(2)));
        let wire = wire(&record);
        assert_eq!(wire["status"], status);
        assert_eq!(wire["lastUpdatedAt"], "1970-01-01T00:00:02.000Z");
        for name in ["inputRequests", "result", "error"] {
            let expected = member.as_ref().filter(|(member, _)| *member == name);
            assert_eq!(wire.get(name), expected.map(|(_, value)| value), "{name}");
        }
    }
}

#[test]
fn an_end_is_for_ever() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    let keys = record.ask(roots(&["a"]), clock.at(1)).unwrap();
    record.say("asking", clock.at(1));
    assert!(record.finish(End::Cancelled, clock.at(2)));
    let before = wire(&record);
    assert!(!record.finish(result(), clock.at(3)));
    record.say("still here", clock.at(3));
    record.ask(roots(&["b"]), clock.at(3)).unwrap();
    let late = json!({ "a": { "roots": [] } });
    record.answer(answers(late), clock.at(3)).unwrap();
    record.withdraw(&keys, clock.at(3));
    assert_eq!(record.take_answers(&keys), None);
    assert_eq!(wire(&record), before);
}

#[test]
fn a_message_is_bounded() {
    let clock = Clock::new();
    let mut record = Record::new(None, TERMS, clock.at(0));
    record.say(&"ä".repeat(MAX_MESSAGE + 1), clock.at(1));
    assert_eq!(
        record.task("t").status_message,
        Some("ä".repeat(MAX_MESSAGE))
    );
}
