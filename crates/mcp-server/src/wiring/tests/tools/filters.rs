//! Filters let through what they say, and pages lead to the end.

use std::collections::BTreeSet;

use oauth_rs::params::Params;

use super::*;

type Fits = fn(&Value) -> bool;

/// The first of the days that the filters below ask for, and the last.
const FROM: &str = "2026-11-15";
const TO: &str = "2027-01-05";

fn in_window(row: &Value) -> bool {
    (FROM..="2027-01-05T23:59:59Z").contains(&row["created_at"].as_str().unwrap())
}

fn in_last_thirty_days(row: &Value) -> bool {
    row["created_at"].as_str().unwrap() >= "2026-12-16"
}

fn says(row: &Value, name: &str, wanted: &[&str]) -> bool {
    row[name]
        .as_str()
        .is_some_and(|found| wanted.contains(&found))
}

/// A list tool, its search tool, and what each filter must leave of their rows.
fn table(workflow: &str) -> Vec<(&'static str, Vec<&'static str>, Value, Fits)> {
    let sessions = || vec!["didit_session_list", "didit_session_search"];
    let searched = |name| vec![name];
    let window = || json!({"date_from": FROM, "date_to": TO});
    let days = || json!({"last_n_days": 30});
    vec![
        (
            "didit_session_list",
            sessions(),
            json!({"status": "Approved"}),
            |row| says(row, "status", &["Approved"]),
        ),
        (
            "didit_session_list",
            sessions(),
            json!({"status": "In Review,Declined"}),
            |row| says(row, "status", &["In Review", "Declined"]),
        ),
        (
            "didit_session_list",
            sessions(),
            json!({"session_kind": "business"}),
            |row| says(row, "session_kind", &["business"]),
        ),
        (
            "didit_session_list",
            sessions(),
            json!({"session_kind": "all"}),
            |_| true,
        ),
        (
            "didit_session_list",
            sessions(),
            json!({"search": "CUSTOMER-102"}),
            |row| {
                let found = row["vendor_data"].as_str().unwrap_or_default();
                found.contains("customer-102")
            },
        ),
        (
            "didit_session_list",
            sessions(),
            json!({"workflow_id": workflow}),
            |row| says(row, "workflow_label", &["Director check"]),
        ),
        ("didit_session_list", sessions(), window(), in_window),
        (
            "didit_session_list",
            sessions(),
            with(&window(), json!({"status": "Approved"})),
            |row| in_window(row) && says(row, "status", &["Approved"]),
        ),
        (
            "didit_session_list",
            searched("didit_session_search"),
            days(),
            in_last_thirty_days,
        ),
        (
            "didit_vendor_user_list",
            searched("didit_vendor_user_search"),
            json!({"status": "BLOCKED"}),
            |row| says(row, "status", &["BLOCKED"]),
        ),
        (
            "didit_vendor_user_list",
            searched("didit_vendor_user_search"),
            json!({"search": "AN"}),
            |row| {
                row["full_name"]
                    .as_str()
                    .unwrap()
                    .to_lowercase()
                    .contains("an")
            },
        ),
        (
            "didit_vendor_user_list",
            searched("didit_vendor_user_search"),
            window(),
            in_window,
        ),
        (
            "didit_vendor_user_list",
            searched("didit_vendor_user_search"),
            days(),
            in_last_thirty_days,
        ),
        (
            "didit_case_list",
            vec!["didit_case_list", "didit_case_search"],
            json!({"status": "OPEN"}),
            |row| says(row, "status", &["OPEN"]),
        ),
        (
            "didit_case_list",
            searched("didit_case_search"),
            json!({"search": "check of"}),
            |_| true,
        ),
        (
            "didit_case_list",
            searched("didit_case_search"),
            window(),
            in_window,
        ),
        (
            "didit_case_list",
            searched("didit_case_search"),
            days(),
            in_last_thirty_days,
        ),
        (
            "didit_transaction_list",
            searched("didit_transaction_search"),
            json!({"status": "APPROVED"}),
            |row| says(row, "status", &["APPROVED"]),
        ),
        (
            "didit_transaction_list",
            searched("didit_transaction_search"),
            json!({"search": "txn-1-000"}),
            |row| {
                row["transaction_id"]
                    .as_str()
                    .unwrap()
                    .starts_with("txn-1-000")
            },
        ),
        (
            "didit_transaction_list",
            searched("didit_transaction_search"),
            window(),
            in_window,
        ),
        (
            "didit_transaction_list",
            searched("didit_transaction_search"),
            days(),
            in_last_thirty_days,
        ),
    ]
}

#[tokio::test]
async fn a_filter_lets_through_what_it_says_and_nothing_else() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 1).await;
    let workflows = stage
        .ok("olivia", "didit_workflow_list", place.clone())
        .await;
    let workflow = rows(&workflows)
        .iter()
        .find(|row| row["workflow_label"] == "Director check")
        .unwrap()["workflow_id"]
        .as_str()
        .unwrap();
    for (list, tools, filter, fits) in table(workflow) {
        let here = everything(&stage, list, &place).await;
        let mut everywhere: Vec<Value> = Vec::new();
        for (organization, count) in [(0, 3), (1, 2)] {
            for application in 0..count {
                let place = stage.place("olivia", organization, application).await;
                everywhere.extend(everything(&stage, list, &place).await);
            }
        }
        for tool in tools {
            let limit = match tool {
                "didit_case_list" => json!({}),
                name if name.ends_with("_list") => json!({"limit": "200"}),
                _ => json!({"limit": 200}),
            };
            let filter = with(&filter, limit);
            let found = stage.ok("olivia", tool, with(&place, filter.clone())).await;
            let expected = fitting(&here, fits);
            assert_eq!(ids(&found), expected, "{tool} {filter} in one place");
            assert!(!expected.is_empty(), "{tool} {filter} proves nothing");

            let found = stage.ok("olivia", tool, filter.clone()).await;
            assert_eq!(found["aggregated"], true);
            let expected = fitting(&everywhere, fits);
            let most = if tool == "didit_case_list" { 20 } else { 200 };
            if expected.len() <= most {
                assert_eq!(ids(&found), expected, "{tool} {filter} everywhere");
            } else {
                assert_eq!(rows(&found).len(), most, "{tool} {filter}");
                assert!(ids(&found).is_subset(&expected), "{tool} {filter}");
            }
        }
    }
}

fn fitting(rows: &[Value], fits: Fits) -> BTreeSet<String> {
    rows.iter()
        .filter(|row| fits(row))
        .map(|row| id(row).to_owned())
        .collect()
}

/// Every row of a list in one place, page by page, without a repeat.
async fn everything(stage: &Stage, tool: &str, place: &Value) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let mut next = json!({});
    for _ in 0..100 {
        let page = stage.ok("olivia", tool, with(place, next)).await;
        found.extend(rows(&page).iter().cloned());
        let Some(link) = page["next"].as_str() else {
            if let Some(count) = page["count"].as_u64() {
                assert_eq!(found.len() as u64, count, "{tool}");
            }
            let different: BTreeSet<&str> = found.iter().map(id).collect();
            assert_eq!(different.len(), found.len(), "{tool} repeats a row");
            return found;
        };
        // A model reads the next page's arguments off this address.
        let query = Params::parse_query(link.split_once('?').unwrap().1, &[]).unwrap();
        next = query
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
    }
    panic!("{tool} has no last page");
}

#[tokio::test]
async fn pages_lead_to_the_end_without_repeats_or_gaps() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    for tool in [
        "didit_session_list",
        "didit_transaction_list",
        "didit_vendor_user_list",
        "didit_lists_list",
    ] {
        let all = stage
            .ok("olivia", tool, with(&place, json!({"limit": "200"})))
            .await;
        let count = rows(&all).len();
        assert_eq!(all["count"], count, "{tool}");
        for size in [1, 2, 7] {
            let mut paged: Vec<String> = Vec::new();
            for offset in (0..count).step_by(size) {
                let page = json!({"limit": size.to_string(), "offset": offset.to_string()});
                let page = stage.ok("olivia", tool, with(&place, page)).await;
                assert!(rows(&page).len() <= size, "{tool}");
                assert_eq!(
                    page["next"].is_null(),
                    offset + size >= count,
                    "{tool} {offset}"
                );
                paged.extend(rows(&page).iter().map(|row| id(row).to_owned()));
            }
            let whole: Vec<String> = rows(&all).iter().map(|row| id(row).to_owned()).collect();
            assert_eq!(paged, whole, "{tool} by {size}");
            if count > 60 {
                break;
            }
        }
        let beyond = json!({"offset": "100000"});
        let beyond = stage.ok("olivia", tool, with(&place, beyond)).await;
        assert!(rows(&beyond).is_empty(), "{tool}");
    }
}

#[tokio::test]
async fn cases_are_paged_by_the_cursor_of_the_next_address() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    let first = stage.ok("olivia", "didit_case_list", place.clone()).await;
    assert_eq!(rows(&first).len(), 20);
    assert!(first["next"].is_string(), "there is a second page");
    let all = everything(&stage, "didit_case_list", &place).await;
    let whole = stage
        .ok(
            "olivia",
            "didit_case_search",
            with(&place, json!({"limit": 200})),
        )
        .await;
    assert_eq!(rows(&whole).len(), all.len());
    assert!(all.len() > 20);
    assert_eq!(
        ids(&whole),
        all.iter().map(|row| id(row).to_owned()).collect()
    );

    let text = stage
        .refused(
            "olivia",
            "didit_case_list",
            with(&place, json!({"cursor": "gone"})),
        )
        .await;
    assert!(text.starts_with("Error [not_found]: "), "{text}");
    assert!(line(&text, "Hint").contains("value of cursor"), "{text}");
}

#[tokio::test]
async fn limits_are_held_to_their_bounds() {
    let stage = Stage::new().await;
    for (limit, wanted) in [
        (json!(3), 3),
        (json!(0), 1),
        (json!(-5), 1),
        (json!(1_000), 200),
        (json!(2.9), 2),
    ] {
        let answer = stage
            .ok("olivia", "didit_session_search", json!({"limit": limit}))
            .await;
        assert_eq!(answer["returned"], wanted, "{limit}");
    }
    for (limit, wanted) in [("3", 3), ("0", 1), ("100000", 200)] {
        let answer = stage
            .ok("olivia", "didit_session_list", json!({"limit": limit}))
            .await;
        assert_eq!(answer["returned"], wanted, "{limit}");
    }
}

#[tokio::test]
async fn pages_need_one_place() {
    let stage = Stage::new().await;
    for (tool, argument, value) in [
        ("didit_session_list", "offset", "20"),
        ("didit_transaction_list", "offset", "20"),
        ("didit_vendor_user_list", "offset", "20"),
        ("didit_case_list", "cursor", "68a.x"),
    ] {
        let text = stage
            .refused("olivia", tool, json!({argument: value}))
            .await;
        assert_eq!(line(&text, "Field"), argument, "{tool}: {text}");
        assert!(
            line(&text, "Hint").contains("didit_context_get"),
            "{tool}: {text}"
        );
        let first = json!({"offset": "0"});
        if argument == "offset" {
            stage.ok("olivia", tool, first).await;
        }
    }
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_named() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    for (tool, argument, value, remedy) in [
        ("didit_session_list", "status", "Aproved", "Awaiting User"),
        ("didit_session_search", "status", "Aproved", "Awaiting User"),
        (
            "didit_session_search",
            "date_from",
            "yesterday",
            "YYYY-MM-DD",
        ),
        ("didit_session_list", "date_to", "2027-13-01", "YYYY-MM-DD"),
        ("didit_case_search", "status", "Gone", "RESOLVED"),
        ("didit_transaction_search", "status", "Gone", "IN_REVIEW"),
        ("didit_vendor_user_search", "status", "Gone", "FLAGGED"),
        ("didit_analytics", "date_from", "yesterday", "YYYY-MM-DD"),
        ("didit_lists_list", "list_type", "grey", "allowlist"),
    ] {
        for given in [place.clone(), json!({})] {
            if tool == "didit_lists_list" && given == json!({}) {
                continue;
            }
            let text = stage
                .refused("olivia", tool, with(&given, json!({argument: value})))
                .await;
            assert_eq!(line(&text, "Field"), argument, "{tool}: {text}");
            assert!(line(&text, "Hint").contains(remedy), "{tool}: {text}");
        }
    }
}

#[tokio::test]
async fn days_that_count_nothing_are_no_filter() {
    let stage = Stage::new().await;
    let all = stage.ok("olivia", "didit_analytics", json!({})).await;
    for days in [json!(0), json!(-3), json!(1e300)] {
        let asked = json!({"last_n_days": days});
        let found = stage.ok("olivia", "didit_analytics", asked).await;
        assert_eq!(found["sessions_started"], all["sessions_started"], "{days}");
    }
    let explicit = json!({"last_n_days": 1, "date_from": "2020-01-01"});
    let found = stage.ok("olivia", "didit_analytics", explicit).await;
    assert_eq!(
        found["date_window"],
        json!({"date_from": "2020-01-01", "date_to": "2027-01-15"})
    );
    assert_eq!(found["sessions_started"], all["sessions_started"]);
}

#[tokio::test]
async fn an_application_alone_is_enough_to_look_in_it() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 1, 1).await;
    let application = json!({"application_id": place["application_id"]});
    for tool in [
        "didit_session_list",
        "didit_session_search",
        "didit_transaction_search",
        "didit_vendor_user_list",
        "didit_workflow_list",
        "didit_analytics",
        "didit_webhook_list",
    ] {
        let short = stage.ok("olivia", tool, application.clone()).await;
        assert_eq!(
            short,
            stage.ok("olivia", tool, place.clone()).await,
            "{tool}"
        );
    }
}
