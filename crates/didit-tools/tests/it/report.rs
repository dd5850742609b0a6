//! The tool that makes a file, and the tool that waits.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use didit_client::FileKind;
use didit_tools::{Download, Downloads, NoRoom};
use serde_json::{Value, json};

use crate::upstream::{ONE, Upstream, ada};

const TOOL: &str = "didit_session_generate_pdf";

/// Keeps what it is given, unless it is full.
#[derive(Default)]
struct Shelf {
    full: bool,
    kept: Mutex<Vec<(Option<String>, FileKind, Bytes)>>,
}

impl Downloads for Shelf {
    fn keep(&self, person: Option<&str>, kind: FileKind, file: Bytes) -> Result<Download, NoRoom> {
        if self.full {
            return Err(NoRoom { retry_after: 17 });
        }
        let mut kept = self.kept.lock().unwrap();
        kept.push((person.map(str::to_owned), kind, file));
        Ok(Download {
            url: "https://mcp.test/d?token=t".to_owned(),
            expires_at: 1_767_225_600 + 86_399,
            expires_in: 300,
        })
    }
}

fn pdf(bytes: usize) -> Upstream {
    let file = format!("%PDF-{}", " ".repeat(bytes - 5));
    Upstream::new(ONE, move |_| (200, json!(file)))
}

async fn with(upstream: &Upstream, shelf: Arc<Shelf>) -> Result<Value, String> {
    let tools = upstream.tools().with_downloads(shelf);
    let arguments = json!({"session_id": "s-1"});
    let answer = tools.call(&ada(), TOOL, arguments.as_object()).await;
    answer.unwrap().map_err(|failure| failure.text())
}

#[tokio::test]
async fn a_link_is_to_what_was_fetched_once_for_the_person() {
    let (upstream, shelf) = (pdf(9), Arc::new(Shelf::default()));
    let answer = with(&upstream, Arc::clone(&shelf)).await;
    let link = json!({
        "download_url": "https://mcp.test/d?token=t",
        "expires_at": "2026-01-01T23:59:59Z",
        "expires_in": 300,
    });
    assert_eq!(answer, Ok(link));
    assert_eq!(upstream.lines(), ["GET api/session/s-1/generate-pdf/"]);
    let agent = upstream.sent()[0].headers["user-agent"].clone();
    assert!(agent.to_str().unwrap().ends_with(TOOL), "{agent:?}");
    let kept = shelf.kept.lock().unwrap();
    let file = Bytes::from_static(b"%PDF-    ");
    assert_eq!(*kept, [(Some("ada".to_owned()), FileKind::Pdf, file)]);
}

#[tokio::test]
async fn without_room_it_says_when_there_is_some() {
    let shelf = Shelf {
        full: true,
        ..Shelf::default()
    };
    let text = with(&pdf(9), Arc::new(shelf)).await.unwrap_err();
    assert!(text.starts_with("Error [rate_limited]:"), "{text}");
    assert!(text.contains("Call again in 17 s."), "{text}");
}

#[tokio::test]
async fn nothing_is_kept_of_an_answer_that_is_no_report() {
    for (status, body, code) in [
        (200, json!({"detail": "soon"}), "[error]"),
        (404, json!({"detail": "Not found."}), "[not_found]"),
        (403, json!({"detail": "No."}), "[forbidden]"),
    ] {
        let upstream = Upstream::new(ONE, move |seen| match seen.path.as_str() {
            path if path.ends_with("generate-pdf/") => (status, body.clone()),
            _ => (200, json!({})),
        });
        let shelf = Arc::new(Shelf::default());
        let text = with(&upstream, Arc::clone(&shelf)).await.unwrap_err();
        assert!(text.contains(code), "{text}");
        assert!(shelf.kept.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn without_a_place_for_downloads_the_file_is_enclosed_up_to_a_bound() {
    const MOST: usize = 4 * 1024 * 1024;
    let session = json!({"session_id": "s-1"});
    let answer = pdf(5).run(TOOL, session.clone()).await.unwrap();
    let wanted = json!({"media_type": "application/pdf", "size_bytes": 5, "blob": "JVBERi0="});
    assert_eq!(answer, wanted);
    let largest = pdf(MOST).run(TOOL, session.clone()).await.unwrap();
    assert_eq!(largest["size_bytes"], MOST);
    let text = pdf(MOST + 1).failure(TOOL, session).await;
    assert!(text.contains("the report has 4194305 bytes"), "{text}");
}

/// How often Didit is asked in this many seconds, and how long that takes.
async fn looks(wait: u64, poll: Option<Duration>, found_at: usize) -> (usize, Duration) {
    let upstream = Upstream::quiet(ONE);
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let upstream = match found_at {
        0 => upstream,
        at => Upstream::new(ONE, move |seen| {
            if seen.path.starts_with("auth/") {
                return (200, json!({}));
            }
            let mut count = count.lock().unwrap();
            *count += 1;
            let rows: &[u8] = if *count >= at { &[1] } else { &[] };
            (200, json!({"results": rows}))
        }),
    };
    let tools = upstream.tools();
    let tools = match poll {
        Some(poll) => tools.looking_every(poll),
        None => tools,
    };
    let arguments = json!({"session_id": "s-1", "wait_seconds": wait});
    let begun = tokio::time::Instant::now();
    let answer = tools
        .call(&ada(), "didit_session_webhooks", arguments.as_object())
        .await;
    answer.unwrap().unwrap();
    (upstream.sent().len(), begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_looked_for_as_often_as_was_chosen() {
    let seconds = Duration::from_secs;
    // At the beginning, after each pause, and at the end.
    assert_eq!(looks(10, None, 0).await, (5, seconds(10)));
    assert_eq!(looks(10, Some(seconds(1)), 0).await, (11, seconds(10)));
    assert_eq!(looks(10, Some(seconds(60)), 0).await, (2, seconds(10)));
    assert_eq!(looks(0, Some(seconds(1)), 0).await, (1, seconds(0)));
    // Not longer than there is nothing.
    assert_eq!(looks(10, Some(seconds(2)), 3).await, (3, seconds(4)));
    // Nobody asks Didit without a pause.
    assert_eq!(looks(1, Some(Duration::ZERO), 0).await, (5, seconds(1)));
}
