//! One question over several organisations and applications.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::upstream::{ONE, Row, Seen, TWO, Upstream};

/// Rows whose age follows from the place that was asked.
fn dated(seen: &Seen) -> (u16, Value) {
    let day = match seen.path.as_str() {
        path if path.contains("a-1") => 5,
        path if path.contains("a-2") => 9,
        path if path.contains("a-3") => 7,
        path if path.contains("o-1") => 6,
        _ => 8,
    };
    let row = |day: u32| json!({"session_id": format!("s-{day}"), "created_at": format!("2026-01-{day:02}T00:00:00Z")});
    (
        200,
        json!({"results": [row(day), row(day - 4), {"session_id": "undated"}]}),
    )
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["session_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_search_asks_each_organisation_once() {
    let upstream = Upstream::new(TWO, dated);
    let answer = upstream
        .run(
            "didit_session_search",
            json!({"status": "In Review,Approved", "last_n_days": 7, "limit": 3}),
        )
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        [
            "GET api/organization/o-1/sessions/?status=In%20Review%2CApproved&date_from=2025-12-25&date_to=2026-01-01&limit=3",
            "GET api/organization/o-2/sessions/?status=In%20Review%2CApproved&date_from=2025-12-25&date_to=2026-01-01&limit=3",
        ]
    );
    assert_eq!(ids(&answer), ["s-8", "s-6", "s-4"]);
    assert_eq!(answer["results"][0]["organization_id"], "o-2");
    assert_eq!(answer["results"][0]["organization_name"], "Orchard");
    let mut keys: Vec<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["aggregated", "results", "returned", "scanned_orgs", "via"]
    );
    assert_eq!(answer["returned"], 3);
    assert_eq!(answer["scanned_orgs"], 2);
    assert_eq!(answer["aggregated"], true);
    assert_eq!(answer["via"], "one call per organisation");
}

#[tokio::test]
async fn an_organisations_rows_keep_their_own_values() {
    let upstream = Upstream::new(TWO, |_| {
        (
            200,
            json!([{"session_id": "s", "organization_name": "Own", "organization_id": null}]),
        )
    });
    let answer = upstream
        .run("didit_session_search", json!({"organization_id": "o-2"}))
        .await
        .unwrap();
    assert_eq!(
        answer["results"],
        json!([{"session_id": "s", "organization_name": "Own", "organization_id": "o-2"}])
    );
    let answer = upstream
        .run(
            "didit_vendor_user_search",
            json!({"organization_id": "o-2"}),
        )
        .await
        .unwrap();
    assert_eq!(
        answer["results"],
        json!([{
            "session_id": "s", "organization_name": "Orchard", "organization_id": "o-2",
            "application_id": "a-3", "application_name": "Shop",
        }])
    );
}

#[tokio::test]
async fn an_organisation_that_fails_is_asked_by_application() {
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path == "api/organization/o-1/sessions/" {
            (403, json!({"detail": "No."}))
        } else {
            dated(seen)
        }
    });
    let answer = upstream
        .run("didit_session_search", json!({}))
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        [
            "GET api/organization/o-1/sessions/?limit=20",
            "GET api/organization/o-2/sessions/?limit=20",
            "GET api/organization/o-1/application/a-1/sessions/?limit=20",
            "GET api/organization/o-1/application/a-2/sessions/?limit=20",
        ]
    );
    assert_eq!(
        ids(&answer),
        [
            "s-9", "s-8", "s-5", "s-5", "s-4", "s-1", "undated", "undated", "undated"
        ]
    );
    assert_eq!(answer["scanned_orgs"], 2);
    assert_eq!(
        answer["via"],
        "one call per organisation; 1 of 2 through their 2 applications instead, 0 calls failed or were left out"
    );
    assert_eq!(answer.get("partial"), None);
}

#[tokio::test]
async fn what_failed_is_said() {
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path.contains("a-2") {
            (500, json!({"detail": "Broken by ada@b.example."}))
        } else {
            dated(seen)
        }
    });
    let answer = upstream
        .run("didit_vendor_user_search", json!({}))
        .await
        .unwrap();
    assert_eq!(answer["scanned_apps"], 2);
    assert_eq!(answer["skipped_apps"], 1);
    assert_eq!(answer["partial"], true);
    assert_eq!(
        answer["failures"],
        json!([{
            "organization_id": "o-1", "organization_name": "Harbour",
            "application_id": "a-2", "application_name": "App",
            "code": "server_error", "message": "Broken by [email].",
        }])
    );
    assert_eq!(answer["results"][0]["application_name"], "Shop");
}

#[tokio::test]
async fn when_nothing_answers_it_is_an_error_and_not_an_empty_list() {
    let refusing = |seen: &Seen| {
        if seen.path.starts_with("auth/") {
            (200, json!([]))
        } else {
            (403, json!({"detail": "No."}))
        }
    };
    let upstream = Upstream::new(ONE, refusing);
    for tool in [
        "didit_session_search",
        "didit_vendor_user_search",
        "didit_analytics",
    ] {
        let text = upstream.failure(tool, json!({})).await;
        assert!(
            text.starts_with(
                "Error [forbidden]: the role of the person who is signed in is READER in Harbour; "
            ),
            "{text}"
        );
    }
    let html = Upstream::new(ONE, |seen| {
        if seen.path.starts_with("auth/") {
            (200, json!([]))
        } else {
            (200, json!("<html>"))
        }
    });
    assert_eq!(
        html.failure("didit_session_search", json!({})).await,
        "Error [error]: the answer of the Didit API is not a list"
    );
}

#[tokio::test]
async fn both_ids_mean_one_call() {
    let upstream = Upstream::new(TWO, dated);
    let answer = upstream
        .run(
            "didit_session_search",
            json!({"organization_id": "o-1", "application_id": "a-1"}),
        )
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-1/application/a-1/sessions/?limit=20"]
    );
    assert_eq!(answer["aggregated"], false);
    assert_eq!(answer["scanned_apps"], 1);
    assert_eq!(answer["skipped_apps"], 0);
    assert_eq!(ids(&answer), ["s-5", "s-1", "undated"]);
}

#[tokio::test]
async fn the_limit_is_held() {
    for (limit, want) in [
        (json!(0), 1),
        (json!(-5), 1),
        (json!(7.9), 7),
        (json!(1e99), 200),
        (json!(null), 20),
    ] {
        let upstream = Upstream::quiet(TWO);
        upstream
            .run("didit_case_search", json!({"limit": limit}))
            .await
            .unwrap();
        assert_eq!(
            upstream.lines()[0],
            format!("GET api/organization/o-1/cases/?limit={want}")
        );
    }
}

#[tokio::test]
async fn explicit_dates_win() {
    for (arguments, want) in [
        (
            json!({"last_n_days": 7, "date_from": "2025-01-01"}),
            "date_from=2025-01-01&date_to=2026-01-01&limit=20",
        ),
        (
            json!({"last_n_days": 7, "date_to": "2025-12-30"}),
            "date_from=2025-12-25&date_to=2025-12-30&limit=20",
        ),
        (json!({"last_n_days": 0}), "limit=20"),
        (json!({"last_n_days": -3}), "limit=20"),
    ] {
        let upstream = Upstream::quiet(ONE);
        upstream
            .run("didit_transaction_search", arguments)
            .await
            .unwrap();
        assert_eq!(
            upstream.lines(),
            [format!("GET api/organization/o-1/transactions/?{want}")]
        );
    }
}

#[tokio::test]
async fn a_list_is_one_call_where_the_place_is_known_and_a_search_where_not() {
    let upstream = Upstream::new(ONE, dated);
    let answer = upstream
        .run("didit_session_list", json!({"limit": "7", "offset": "14"}))
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-1/application/a-1/sessions/?limit=7&offset=14"]
    );
    assert_eq!(answer.as_object().unwrap().len(), 1);

    for (tool, want) in [
        (
            "didit_session_list",
            vec![
                "GET api/organization/o-1/sessions/?limit=20",
                "GET api/organization/o-2/sessions/?limit=20",
            ],
        ),
        (
            "didit_case_list",
            vec![
                "GET api/organization/o-1/cases/?limit=20",
                "GET api/organization/o-2/cases/?limit=20",
            ],
        ),
        (
            "didit_transaction_list",
            vec![
                "GET api/organization/o-1/transactions/?limit=20",
                "GET api/organization/o-2/transactions/?limit=20",
            ],
        ),
        (
            "didit_vendor_user_list",
            vec![
                "GET api/organization/o-1/application/a-1/vendor-users/?limit=20",
                "GET api/organization/o-1/application/a-2/vendor-users/?limit=20",
                "GET api/organization/o-2/application/a-3/vendor-users/?limit=20",
            ],
        ),
    ] {
        let upstream = Upstream::new(TWO, dated);
        let answer = upstream.run(tool, json!({})).await.unwrap();
        assert_eq!(upstream.lines(), want);
        assert_eq!(answer["aggregated"], true);
    }
}

#[tokio::test]
async fn the_workflows_of_all_applications_stay_in_order() {
    let upstream = Upstream::new(TWO, dated);
    let answer = upstream
        .run("didit_workflow_list", json!({}))
        .await
        .unwrap();
    assert_eq!(
        ids(&answer),
        [
            "s-5", "s-1", "undated", "s-9", "s-5", "undated", "s-7", "s-3", "undated"
        ]
    );
    assert_eq!(answer["total_matched"], 9);
    let mut keys: Vec<_> = answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "aggregated",
            "results",
            "returned",
            "scanned_apps",
            "skipped_apps",
            "total_matched"
        ]
    );
    assert_eq!(
        upstream.lines()[0],
        "GET api/organization/o-1/application/a-1/verification-settings/"
    );
}

#[tokio::test]
async fn pages_of_several_applications_are_refused_and_not_made_up() {
    let upstream = Upstream::new(TWO, dated);
    for (tool, name, value) in [
        ("didit_session_list", "offset", "20"),
        ("didit_case_list", "cursor", "abc"),
    ] {
        let mut arguments = json!({});
        arguments[name] = json!(value);
        assert_eq!(
            upstream.failure(tool, arguments).await,
            format!(
                "Error [bad_request]: {name} works within one application only\nField: {name}\nHint: Pass organization_id and application_id as well; didit_context_get lists them."
            )
        );
    }
    let first = upstream
        .run("didit_session_list", json!({"offset": "0"}))
        .await
        .unwrap();
    assert_eq!(first["aggregated"], true);
    assert!(
        upstream.lines().iter().all(|line| !line.contains("offset")),
        "{:?}",
        upstream.lines()
    );
}

const MANY: &[(&str, &str)] = &[("a", "A"); 250];

#[tokio::test]
async fn eight_at_once_and_no_more_than_the_bound_in_all() {
    const ROWS: &[Row] = &[("o-1", "Harbour", "OWNER", MANY)];
    let upstream = Upstream::new(ROWS, dated);
    let answer = upstream
        .run("didit_vendor_user_search", json!({}))
        .await
        .unwrap();
    assert_eq!(upstream.most.load(Ordering::SeqCst), 8);
    assert_eq!(upstream.lines().len(), 200);
    assert_eq!(answer["scanned_apps"], 200);
    assert_eq!(answer["skipped_apps"], 50);
    assert_eq!(answer["partial"], true);
    assert_eq!(answer["returned"], 20);
}

fn counts(seen: &Seen) -> (u16, Value) {
    if seen.path.contains("a-2") {
        return (500, json!({"detail": "Broken."}));
    }
    (
        200,
        json!({
            "request_breakdown": {"approved": 2, "declined": 1, "in_review": 0, "expired": 3},
            "original_status_stats": {"approved": 1},
            "warning_stats": {"BLURRED": 1},
            "resubmission_stats": {"resubmitted": 1},
            "workflow_funnel_stats": [
                {"workflow_id": "w", "total": 4, "features": [{"feature": "OCR", "reached": 3}, {"feature": "AML", "reached": 1}]},
            ],
            "data_points": [{"rounded_date": "2026-01-02", "total": 3}, {"rounded_date": "2026-01-01", "total": 1}],
        }),
    )
}

#[tokio::test]
async fn analytics_are_summed_and_say_what_is_missing() {
    let upstream = Upstream::new(TWO, counts);
    let answer = upstream
        .run(
            "didit_analytics",
            json!({"last_n_days": 7, "include_timeseries": true}),
        )
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        ["a-1", "a-2", "a-3"].map(|app| {
            let org = if app == "a-3" { "o-2" } else { "o-1" };
            format!("GET api/organization/{org}/application/{app}/analytics/?date_from=2025-12-25&date_to=2026-01-01")
        })
    );
    assert_eq!(
        answer,
        json!({
            "date_window": {"date_from": "2025-12-25", "date_to": "2026-01-01"},
            "aggregated": true,
            "scanned_apps": 2,
            "skipped_apps": 1,
            "sessions_started": 8,
            "request_breakdown": {"approved": 4, "declined": 2, "in_review": 0, "expired": 6},
            "original_status_stats": {"approved": 2},
            "conversion_rate": 66.7,
            "feature_funnel": {
                "AML": {"reached": 2, "workflows": 2, "share_of_started": 25.0},
                "OCR": {"reached": 6, "workflows": 2, "share_of_started": 75.0},
            },
            "warning_stats": {"BLURRED": 2},
            "resubmission_stats": {"resubmitted": 2},
            "timeseries": [{"rounded_date": "2026-01-01", "total": 2}, {"rounded_date": "2026-01-02", "total": 6}],
            "per_app": [
                {"organization_id": "o-1", "organization_name": "Harbour", "application_id": "a-1", "application_name": "Web", "sessions_started": 4, "conversion_rate": 66.7},
                {"organization_id": "o-2", "organization_name": "Orchard", "application_id": "a-3", "application_name": "Shop", "sessions_started": 4, "conversion_rate": 66.7},
            ],
            "partial": true,
            "failures": [{
                "organization_id": "o-1", "organization_name": "Harbour", "application_id": "a-2", "application_name": "App",
                "code": "server_error", "message": "Broken.",
            }],
            "note": "Counts are partial: 1 applications or organisations did not answer or were left out.",
        })
    );
}

#[tokio::test]
async fn analytics_of_one_application_are_one_call() {
    let upstream = Upstream::new(TWO, counts);
    let both = json!({"organization_id": "o-2", "application_id": "a-3"});
    let answer = upstream.run("didit_analytics", both).await.unwrap();
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-2/application/a-3/analytics/"]
    );
    assert_eq!(answer["aggregated"], false);
    assert_eq!(answer["sessions_started"], 4);
    assert_eq!(answer.get("timeseries"), None);
    assert_eq!(
        answer["date_window"],
        json!({"date_from": null, "date_to": null})
    );
    let text = upstream
        .failure("didit_analytics", json!({"application_id": "a-9"}))
        .await;
    assert!(
        text.starts_with("Error [bad_request]: application_id is not one that can be reached\n"),
        "{text}"
    );
}
