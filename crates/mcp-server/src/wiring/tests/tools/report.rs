//! The report of a session: fetched once, and behind a link that holds nothing but its ticket.

use std::time::Duration;

use http::StatusCode;

use super::*;

#[tokio::test]
async fn a_report_is_fetched_once_and_is_behind_a_link_for_five_minutes() {
    let stage = Stage::new().await;
    let sessions = stage
        .ok(
            "rita",
            "didit_session_list",
            stage.place("rita", 0, 0).await,
        )
        .await;
    let session = json!({"session_id": rows(&sessions)[0]["session_id"]});
    let (before, now) = (stage.world.sent(), stage.world.now());
    let answer = stage
        .ok("rita", "didit_session_generate_pdf", session.clone())
        .await;
    assert_eq!(answer["expires_in"], 300);
    assert!(answer["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(answer.as_object().unwrap().len(), 3);
    let asked = stage.world.sent() - before;
    let link = answer["download_url"].as_str().unwrap();
    let (path, ticket) = link
        .strip_prefix("http://127.0.0.1:3000")
        .unwrap()
        .split_once("?token=")
        .unwrap();
    assert_eq!((path, ticket.len()), ("/downloads/session-report.pdf", 64));

    // Whoever has the link has the report, as often as they like, and Didit is not asked again.
    for _ in 0..2 {
        let page = stage.world.mcp_get(&format!("{path}?token={ticket}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert_eq!(page.header("content-type"), "application/pdf");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(page.text().starts_with("%PDF-"), "{}", page.text());
    }
    assert_eq!(stage.world.sent() - before, asked);
    // A second report has another ticket.
    let other = stage
        .ok("rita", "didit_session_generate_pdf", session)
        .await;
    assert_ne!(other["download_url"], answer["download_url"]);

    for bad in ["", "?token=", "?token=0", &format!("?token={ticket}0")] {
        let page = stage.world.mcp_get(&format!("{path}{bad}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{bad}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    assert_eq!(stage.world.now(), now);
    stage.world.advance(Duration::from_secs(300));
    let late = stage.world.mcp_get(&format!("{path}?token={ticket}")).await;
    assert_eq!(late.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nothing_is_kept_for_a_session_that_may_not_be_seen() {
    let stage = Stage::new().await;
    let text = stage
        .refused(
            "rita",
            "didit_session_generate_pdf",
            json!({"session_id": "00000000-0000-4000-8000-000000000000"}),
        )
        .await;
    assert!(text.starts_with("Error [not_found]:"), "{text}");
}
