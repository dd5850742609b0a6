//! What waits, for how long, and who gets it.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use oauth_rs::time::UnixSeconds;

use super::*;

const NOW: u64 = 1_800_000_000;

/// Tickets with a clock that can be moved, and entropy that counts.
fn tickets() -> (Tickets, Arc<AtomicU64>) {
    let now = Arc::new(AtomicU64::new(NOW));
    let (clock, drawn) = (Arc::clone(&now), AtomicU64::new(0));
    let entropy = move |dest: &mut [u8]| {
        let next = drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        dest.iter_mut()
            .zip(next.iter().cycle())
            .for_each(|(to, from)| *to = *from);
    };
    let tickets = Tickets::new(
        "https://mcp.example",
        Arc::new(move || UnixSeconds(clock.load(Ordering::SeqCst))),
        Arc::new(entropy),
    );
    (tickets, now)
}

fn keep(tickets: &Tickets, person: &str, file: &Bytes) -> Result<String, NoRoom> {
    let kept = tickets.keep(Some(person), FileKind::Pdf, file.clone())?;
    let prefix = "https://mcp.example/downloads/session-report.pdf?";
    Ok(kept.url.strip_prefix(prefix).unwrap().to_owned())
}

fn fetched(tickets: &Tickets, query: &str) -> (u16, HeaderMap, Bytes) {
    let (parts, body) = tickets.page(Some(query)).into_parts();
    (parts.status.as_u16(), parts.headers, body)
}

#[test]
fn a_report_is_fetched_with_its_ticket_until_it_is_late() {
    let (tickets, now) = tickets();
    let file = Bytes::from_static(b"%PDF-1.7 one");
    let kept = tickets.keep(None, FileKind::Pdf, file.clone()).unwrap();
    assert_eq!((kept.expires_at, kept.expires_in), (NOW + 300, 300));
    assert!(!format!("{kept:?}").contains("token"), "{kept:?}");
    let (_, query) = kept.url.split_once('?').unwrap();
    assert_eq!(query.len(), "token=".len() + 64);
    now.store(NOW + 299, Ordering::SeqCst);
    for _ in 0..2 {
        let (status, headers, body) = fetched(&tickets, query);
        assert_eq!((status, body), (200, file.clone()));
        assert_eq!(headers["content-type"], "application/pdf");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(
            headers["content-disposition"],
            "attachment; filename=\"session-report.pdf\""
        );
    }
    now.store(NOW + 300, Ordering::SeqCst);
    let (status, headers, body) = fetched(&tickets, query);
    assert_eq!(status, 403);
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!body.starts_with(b"%PDF"));
    // It is gone, not only out of reach.
    assert!(tickets.kept.lock().unwrap().is_empty());
}

#[test]
fn anything_but_the_whole_ticket_is_refused() {
    let (tickets, _) = tickets();
    let query = keep(&tickets, "ada", &Bytes::from_static(b"%PDF-")).unwrap();
    let (_, ticket) = query.split_once('=').unwrap();
    assert_eq!(tickets.page(None).status(), StatusCode::FORBIDDEN);
    for wrong in [
        "",
        "token=",
        "token",
        ticket,
        query.get(..query.len() - 1).unwrap(),
        &format!("{query}0"),
        &format!("{query}&a=b"),
        &format!("a=b&{query}"),
        &format!("token={}", "f".repeat(64)),
        &query.replace("token", "Token"),
    ] {
        assert_eq!(fetched(&tickets, wrong).0, 403, "{wrong}");
    }
    assert_eq!(fetched(&tickets, &query).0, 200);
}

#[test]
fn a_ticket_is_kept_by_its_hash_alone() {
    let (tickets, _) = tickets();
    let query = keep(&tickets, "ada", &Bytes::from_static(b"%PDF-")).unwrap();
    let (_, ticket) = query.split_once('=').unwrap();
    let kept = tickets.kept.lock().unwrap();
    assert_eq!(kept[0].hash, sha256(ticket.as_bytes()));
}

#[test]
fn a_further_report_of_one_person_takes_the_place_of_the_oldest() {
    let (tickets, _) = tickets();
    let file = Bytes::from_static(b"%PDF-");
    let others = keep(&tickets, "bob", &file).unwrap();
    let own: Vec<String> = (0..5)
        .map(|_| keep(&tickets, "ada", &file).unwrap())
        .collect();
    let found = own.iter().map(|query| fetched(&tickets, query).0);
    assert_eq!(found.collect::<Vec<_>>(), [403, 200, 200, 200, 200]);
    assert_eq!(fetched(&tickets, &others).0, 200);
}

#[test]
fn no_more_bytes_wait_than_the_bound_says() {
    let (tickets, now) = tickets();
    let large = Bytes::from(vec![b' '; MAX_BYTES / 2]);
    let small = Bytes::from_static(b"%PDF-");
    let first = keep(&tickets, "ada", &large).unwrap();
    now.store(NOW + 100, Ordering::SeqCst);
    keep(&tickets, "bob", &large).unwrap();
    let full = keep(&tickets, "eve", &small).unwrap_err();
    assert_eq!(full.retry_after, 200);
    // What was there stays.
    assert_eq!(fetched(&tickets, &first).0, 200);
    now.store(NOW + 300, Ordering::SeqCst);
    keep(&tickets, "eve", &small).unwrap();
}

#[test]
fn no_more_reports_wait_than_the_bound_says() {
    let (tickets, _) = tickets();
    let small = Bytes::from_static(b"%PDF-");
    for number in 0..MAX_FILES {
        keep(&tickets, &number.to_string(), &small).unwrap();
    }
    let full = keep(&tickets, "ada", &small).unwrap_err();
    assert_eq!(full.retry_after, LIFE);
}
