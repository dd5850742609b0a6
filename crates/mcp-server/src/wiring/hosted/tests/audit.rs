//! The audit lines: one for each call, and no value in any of them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use didit_sandbox::{Fault, Matching};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::world::{Issuer, World};

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

impl Log {
    /// Logs everything of this thread here, until what is returned is dropped.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt()
            .with_writer(self.clone())
            .with_ansi(false)
            .with_max_level(tracing::Level::TRACE)
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The audit lines, without the time of day.
    fn audit(&self) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter_map(|line| line.split_once(" audit: "));
        lines.map(|(_, line)| line.to_owned()).collect()
    }
}

fn has(line: &str, parts: &[&str]) {
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_call_is_one_line_with_names_and_a_digest() {
    let log = Log::default();
    let _listening = log.listen();
    let scope = "didit:verification didit:management list:sessions";
    let flags = ["defaults.organization=o-default"];
    let world = World::with(Issuer::with_scope(scope), &flags);
    let filters = json!({"limit": "3", "status": "Approved"});
    world.call("olivia", "didit_session_list", filters).await;
    let deletes = json!({"session_id": "s-77", "confirm": true});
    world.call("olivia", "didit_session_delete", deletes).await;
    world.call("olivia", "no_such_tool", json!({})).await;
    let lines = log.audit();
    assert_eq!(lines.len(), 3, "{lines:?}");
    has(
        &lines[0],
        &[
            r#"event="mcp.tool_call" tool="didit_session_list" outcome="#,
            " duration_ms=0 ",
            r#"transport="http" sub="olivia" organization_id="o-default" client_id="client-1" args_digest=""#,
            r#"arg_keys="limit,status""#,
            r#"permission_check="passed""#,
        ],
    );
    has(
        &lines[1],
        &[
            r#"tool="didit_session_delete" outcome="error" error_code="missing_scope""#,
            r#"arg_keys="confirm,session_id" confirm=true permission_check="refused""#,
        ],
    );
    has(
        &lines[2],
        &[r#"tool="unknown" outcome="error" error_code="unknown_tool""#],
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_that_a_caller_sends_is_in_the_log() {
    let log = Log::default();
    let _listening = log.listen();
    let world = World::new();
    for (tool, arguments) in [
        (
            "didit_session_search",
            json!({"query": "value-in-query", "organization_id": "value-in-organization"}),
        ),
        (
            "didit_session_list",
            json!({"vendor_data": "value-in-vendor", "value-in-name": "x"}),
        ),
        (
            "didit_session_get_decision",
            json!({"session_id": "value-in-path"}),
        ),
        ("value-in-tool", json!({"value-in-name": "value-in-value"})),
    ] {
        world.call("olivia", tool, arguments).await;
    }
    world
        .modern(Some("value-in-token"), "tools/list", json!({}))
        .await;
    let text = log.text();
    assert!(
        text.contains(" audit: ") && text.contains("refused"),
        "{text}"
    );
    assert!(!text.contains("value-in-"), "{text}");
    let token = world.token("olivia");
    for secret in [token.as_str(), "rs-secret", "cnMtMTpycy1zZWNyZXQ="] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_has_its_line() {
    let log = Log::default();
    let _listening = log.listen();
    let world = World::new();
    world.sandbox.fault(Matching::all(), Fault::Silent);
    {
        let mut calling = Box::pin(world.call("olivia", "didit_session_list", json!({})));
        while world.to_didit().is_empty() {
            let polled =
                std::future::poll_fn(|cx| std::task::Poll::Ready(calling.as_mut().poll(cx)));
            assert!(polled.await.is_pending());
            tokio::task::yield_now().await;
        }
    }
    let lines = log.audit();
    assert_eq!(lines.len(), 1, "{lines:?}");
    has(&lines[0], &[r#"outcome="cancelled""#]);
}
