//! How often a message makes the allocator work, held against the table; and what is left behind.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../benches/dispatch/messages.rs"]
mod messages;

use std::collections::BTreeMap;

use allocation_counter::measure;
use messages::{Server, kinds};

/// The most allocations of each kind of message.
const TABLE: &str = include_str!("../benches/dispatch/allocations.json");

/// MCP servers keep sessions for clients that are away; 2 KiB times 10,000 is 20 MB.
const MAX_SESSION_BYTES: i64 = 2048;

/// The id, the record and the entry in the table are at least as much; less is no session.
const MIN_SESSION_BYTES: i64 = 256;

#[test]
fn no_message_allocates_more_often_than_the_table_says() {
    let table: BTreeMap<String, u64> = serde_json::from_str(TABLE).unwrap();
    let server = Server::start();
    let mut counted = BTreeMap::new();
    for kind in kinds() {
        // The first of its kind fills what is made once.
        server.answer(&kind, server.request(&kind));
        let request = server.request(&kind);
        let info = measure(|| {
            server.answer(&kind, request);
        });
        counted.insert(kind.name.to_owned(), info.count_total);
    }
    let names = |counts: &BTreeMap<String, u64>| counts.keys().cloned().collect::<Vec<_>>();
    let now = serde_json::to_string_pretty(&counted).unwrap();
    assert_eq!(names(&table), names(&counted), "the counts are now\n{now}");
    for (name, count) in &counted {
        let most = table[name];
        assert!(
            *count <= most,
            "{name}: {count} allocations instead of {most}; the counts are now\n{now}"
        );
    }
}

#[test]
fn requests_without_a_session_leave_nothing_behind() {
    let server = Server::start();
    for kind in kinds()
        .iter()
        .filter(|kind| !kind.name.contains("in a session"))
    {
        server.answer(kind, server.request(kind));
        let left = measure(|| {
            for _ in 0..100 {
                server.answer(kind, server.request(kind));
            }
        });
        assert_eq!(left.bytes_current, 0, "{}", kind.name);
    }
}

#[test]
fn an_idle_session_is_small() {
    const SESSIONS: i64 = 2_000;
    let server = Server::start();
    let kinds = kinds();
    let call = kinds
        .iter()
        .find(|kind| kind.name.starts_with("tools/call in a session"))
        .unwrap();
    let kept = measure(|| {
        for _ in 0..SESSIONS {
            let session = server.open();
            // A call leaves nothing behind in its session.
            let mut request = server.request(call);
            request.headers_mut().insert("mcp-session-id", session);
            server.answer(call, request);
        }
    });
    let each = kept.bytes_current / SESSIONS;
    assert!(each <= MAX_SESSION_BYTES, "{each} bytes each");
    assert!(each >= MIN_SESSION_BYTES, "{each} bytes is no session");
}
