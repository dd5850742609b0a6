//! Every tool answers, in one place and without one, in the form that is documented.

use std::collections::BTreeSet;

use super::*;

/// The tools that read, with an answer's keys or, for a list in one place, the keys of its rows.
const READS: &[(&str, &[&str])] = &[
    ("didit_session_list", SESSION_ROW),
    ("didit_session_search", SESSION_ROW),
    ("didit_workflow_list", WORKFLOW_ROW),
    (
        "didit_vendor_user_list",
        &[
            "uuid",
            "vendor_data",
            "status",
            "created_at",
            "session_count",
        ],
    ),
    (
        "didit_vendor_user_search",
        &[
            "uuid",
            "vendor_data",
            "status",
            "created_at",
            "session_count",
        ],
    ),
    (
        "didit_case_list",
        &["uuid", "case_number", "status", "created_at"],
    ),
    (
        "didit_case_search",
        &["uuid", "case_number", "status", "created_at"],
    ),
    (
        "didit_transaction_list",
        &["uuid", "transaction_id", "status", "score", "created_at"],
    ),
    (
        "didit_transaction_search",
        &["uuid", "transaction_id", "status", "score", "created_at"],
    ),
    (
        "didit_webhook_list",
        &["uuid", "label", "url", "subscribed_events", "secret_set"],
    ),
    ("didit_questionnaire_list", &["uuid", "title", "languages"]),
    (
        "didit_lists_list",
        &["uuid", "name", "list_type", "entry_type"],
    ),
];

const SESSION_ROW: &[&str] = &[
    "session_id",
    "session_number",
    "status",
    "workflow_id",
    "created_at",
];
const WORKFLOW_ROW: &[&str] = &[
    "uuid",
    "workflow_id",
    "workflow_label",
    "status",
    "features",
];

const ORGANIZATION_KEYS: &[&str] = &["results", "returned", "aggregated", "scanned_orgs", "via"];
const APPLICATION_KEYS: &[&str] = &[
    "results",
    "returned",
    "aggregated",
    "scanned_apps",
    "skipped_apps",
];
const TAGS: [&str; 4] = [
    "organization_id",
    "organization_name",
    "application_id",
    "application_name",
];

/// What runs across applications, and the keys of its answer.
const ACROSS: &[(&str, &[&str])] = &[
    ("didit_session_list", ORGANIZATION_KEYS),
    ("didit_session_search", ORGANIZATION_KEYS),
    ("didit_case_list", ORGANIZATION_KEYS),
    ("didit_case_search", ORGANIZATION_KEYS),
    ("didit_transaction_list", ORGANIZATION_KEYS),
    ("didit_transaction_search", ORGANIZATION_KEYS),
    ("didit_vendor_user_list", APPLICATION_KEYS),
    ("didit_vendor_user_search", APPLICATION_KEYS),
    (
        "didit_workflow_list",
        &[
            "results",
            "returned",
            "total_matched",
            "aggregated",
            "scanned_apps",
            "skipped_apps",
        ],
    ),
];

const ANALYTICS_KEYS: &[&str] = &[
    "date_window",
    "aggregated",
    "scanned_apps",
    "skipped_apps",
    "sessions_started",
    "request_breakdown",
    "original_status_stats",
    "conversion_rate",
    "feature_funnel",
    "warning_stats",
    "resubmission_stats",
    "per_app",
    "note",
];

/// The arguments that a call of a tool at a place needs besides the place.
fn needed(tool: &str, session: &Value, workflow: &Value) -> Value {
    match tool {
        "didit_session_create" => json!({"workflow_id": workflow["workflow_id"]}),
        "didit_session_get_decision" => json!({"session_id": session["session_id"]}),
        "didit_session_update_status" => {
            json!({"session_id": session["session_id"], "new_status": "Approved"})
        }
        "didit_session_delete" => json!({"session_id": session["session_id"], "confirm": true}),
        "didit_workflow_get" => json!({"workflow_id": workflow["uuid"]}),
        "didit_workflow_create" => json!({"features": [{"feature": "OCR"}]}),
        _ => json!({}),
    }
}

/// Which of the two ids a tool takes, by its schema.
fn placed(tool: &Value, place: &Value) -> Value {
    let takes = |name: &str| tool["inputSchema"]["properties"].get(name).is_some();
    let ids = place.as_object().unwrap().clone();
    Value::Object(ids.into_iter().filter(|(name, _)| takes(name)).collect())
}

#[tokio::test]
async fn the_tools_of_everyday_answer_at_one_place() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    let session = rows(
        &stage
            .ok("olivia", "didit_session_list", place.clone())
            .await,
    )[0]
    .clone();
    let workflow = rows(
        &stage
            .ok("olivia", "didit_workflow_list", place.clone())
            .await,
    )[0]
    .clone();
    let mut called = BTreeSet::new();
    for listed in stage.everyday().await {
        let tool = listed["name"].as_str().unwrap();
        let arguments = with(&placed(&listed, &place), needed(tool, &session, &workflow));
        let answer = stage.ok("olivia", tool, arguments).await;
        called.insert(tool.to_owned());
        if let Some((_, keys)) = READS.iter().find(|(name, _)| *name == tool) {
            assert!(!rows(&answer).is_empty(), "{tool}");
            for row in rows(&answer) {
                for key in *keys {
                    assert!(!row[*key].is_null(), "{tool} has no {key}: {row}");
                }
            }
        }
        match tool {
            "didit_session_search"
            | "didit_case_search"
            | "didit_transaction_search"
            | "didit_vendor_user_search" => {
                assert_eq!(
                    keys(&answer),
                    set(&["results", "aggregated", "scanned_apps", "skipped_apps"])
                );
                assert_eq!(answer["aggregated"], false, "{tool}");
                assert_eq!(
                    (&answer["scanned_apps"], &answer["skipped_apps"]),
                    (&json!(1), &json!(0))
                );
            }
            "didit_context_get" => context(&answer),
            "didit_org_list" => {
                let roles: Vec<_> = rows(&answer).iter().map(|row| &row["role"]).collect();
                assert_eq!(roles, ["OWNER", "ADMIN"]);
            }
            "didit_org_list_applications" => {
                assert_eq!(rows(&answer).len(), 3);
                for row in rows(&answer) {
                    for name in ["api_key", "client_secret"] {
                        assert!(row.get(name).is_none(), "{row}");
                        assert_eq!(row[format!("{name}_set")], true);
                        let preview = row[format!("{name}_preview")].as_str().unwrap();
                        assert!(
                            preview.contains('…') && preview.ends_with("(43)"),
                            "{preview}"
                        );
                    }
                }
            }
            "didit_org_get_balance" => {
                assert_eq!(
                    keys(&answer),
                    set(&[
                        "balance",
                        "auto_refill_enabled",
                        "auto_refill_amount",
                        "auto_refill_threshold"
                    ])
                );
                assert_eq!(answer["balance"], "1248.50");
            }
            "didit_org_list_members" => {
                let known: BTreeSet<_> = rows(&answer)
                    .iter()
                    .map(|row| {
                        (
                            row["email"].as_str().unwrap(),
                            row["role"].as_str().unwrap(),
                        )
                    })
                    .collect();
                assert!(
                    known.contains(&("rita@harbourlane.example", "READER")),
                    "{known:?}"
                );
                assert_eq!(known.len(), 5);
            }
            "didit_session_create" => {
                for key in [
                    "session_id",
                    "session_number",
                    "session_token",
                    "url",
                    "workflow_id",
                ] {
                    assert!(!answer[key].is_null(), "{key}");
                }
                assert_eq!(answer["status"], "Not Started");
            }
            "didit_session_get_decision" => {
                assert_eq!(answer["session_id"], session["session_id"]);
                assert!(answer["reviews"].is_array());
            }
            "didit_session_update_status" => assert_eq!(answer["status"], "Approved"),
            "didit_session_delete" => assert_eq!(answer, json!({"success": true})),
            "didit_workflow_get" => {
                assert_eq!(answer["workflow_label"], workflow["workflow_label"])
            }
            "didit_workflow_create" => assert_eq!(answer["features"][0]["feature"], "OCR"),
            "didit_analytics" => {
                assert_eq!(keys(&answer), set(ANALYTICS_KEYS));
                assert_eq!(answer["aggregated"], false);
                assert_eq!(answer["scanned_apps"], 1);
            }
            "didit_webhook_list" => {
                for row in rows(&answer) {
                    assert!(row.get("secret_shared_key").is_none(), "{row}");
                    assert_eq!(row["secret_set"], true);
                }
            }
            _ => assert!(
                READS.iter().any(|(name, _)| *name == tool),
                "{tool} was not looked at"
            ),
        }
    }
    assert_eq!(called.len(), EVERYDAY.len());
}

fn context(answer: &Value) {
    assert_eq!(
        keys(answer),
        set(&[
            "organizations",
            "organization_count",
            "application_count",
            "default_organization_id",
            "default_application_id",
            "hint",
        ])
    );
    assert_eq!(answer["organization_count"], 2);
    assert_eq!(answer["application_count"], 5);
    assert_eq!(answer["default_organization_id"], Value::Null);
    assert_eq!(answer["organizations"][0]["role"], "OWNER");
    let modes: Vec<_> = answer["organizations"][0]["applications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["mode"].as_str().unwrap())
        .collect();
    assert_eq!(modes, ["live", "live", "sandbox"]);
}

#[tokio::test]
async fn without_a_place_the_searches_cover_everything_the_person_can_reach() {
    let stage = Stage::new().await;
    for (tool, wanted) in ACROSS {
        let answer = stage.ok("olivia", tool, json!({})).await;
        assert_eq!(keys(&answer), set(wanted), "{tool}");
        assert_eq!(answer["aggregated"], true, "{tool}");
        let rows = rows(&answer);
        assert_eq!(answer["returned"], rows.len(), "{tool}");
        match wanted.contains(&"scanned_orgs") {
            true => assert_eq!(answer["scanned_orgs"], 2, "{tool}"),
            false => {
                assert_eq!(answer["scanned_apps"], 5, "{tool}");
                assert_eq!(answer["skipped_apps"], 0, "{tool}");
            }
        }
        for row in rows {
            for tag in TAGS {
                assert!(row[tag].is_string(), "{tool} {tag}: {row}");
            }
        }
        let from: BTreeSet<_> = rows
            .iter()
            .map(|row| row["organization_name"].as_str().unwrap())
            .collect();
        assert_eq!(
            from,
            set(&["Harbour Lane Bank", "Pixel Orchard Games"]),
            "{tool}"
        );
        if *tool == "didit_workflow_list" {
            assert_eq!(answer["total_matched"], 10);
            continue;
        }
        assert_eq!(rows.len(), 20, "{tool}: 20 unless said");
        let times: Vec<_> = rows
            .iter()
            .map(|row| row["created_at"].as_str().unwrap())
            .collect();
        assert!(times.is_sorted_by(|a, b| a >= b), "{tool}: {times:?}");
    }
}

#[tokio::test]
async fn a_search_covers_one_organisation_when_that_is_given() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 1, 0).await;
    let within = json!({"organization_id": place["organization_id"]});
    for (tool, _) in ACROSS {
        let answer = stage.ok("olivia", tool, within.clone()).await;
        assert_eq!(answer["aggregated"], true, "{tool}");
        for row in rows(&answer) {
            assert_eq!(row["organization_id"], place["organization_id"], "{tool}");
        }
        let elsewhere = stage.place("samir", 0, 0).await;
        let text = stage
            .refused(
                "olivia",
                tool,
                json!({"organization_id": elsewhere["organization_id"]}),
            )
            .await;
        assert_eq!(line(&text, "Field"), "organization_id", "{tool}: {text}");
        assert!(line(&text, "Hint").contains("didit_context_get"), "{text}");
    }
}

#[tokio::test]
async fn who_has_one_application_never_names_it() {
    let stage = Stage::new().await;
    let session = rows(&stage.ok("samir", "didit_session_list", json!({})).await)[0].clone();
    let workflow = rows(&stage.ok("samir", "didit_workflow_list", json!({})).await)[0].clone();
    for listed in stage.everyday().await {
        let tool = listed["name"].as_str().unwrap();
        if tool == "didit_org_list_applications" {
            continue;
        }
        let answer = stage
            .ok("samir", tool, needed(tool, &session, &workflow))
            .await;
        if tool.ends_with("_list") && tool != "didit_org_list" {
            // One call, answered as Didit does.
            assert!(answer.get("aggregated").is_none(), "{tool}");
            assert!(!rows(&answer).is_empty(), "{tool}");
        }
        if tool.ends_with("_search") {
            assert_eq!(answer["aggregated"], true, "{tool}");
            for row in rows(&answer) {
                assert_eq!(row["organization_name"], "Cedar Mobility", "{tool}");
            }
        }
    }
    let context = stage.ok("samir", "didit_context_get", json!({})).await;
    let place = stage.place("samir", 0, 0).await;
    assert_eq!(context["default_organization_id"], place["organization_id"]);
    assert_eq!(context["default_application_id"], place["application_id"]);
}

#[tokio::test]
async fn what_needs_one_place_asks_for_it_and_names_the_candidates() {
    let stage = Stage::new().await;
    let place = stage.place("olivia", 0, 0).await;
    let organization = json!({"organization_id": place["organization_id"]});
    for (tool, one_application) in [
        ("didit_org_get_balance", false),
        ("didit_org_list_members", false),
        ("didit_webhook_list", true),
        ("didit_questionnaire_list", true),
        ("didit_lists_list", true),
        ("didit_workflow_get", true),
        ("didit_workflow_create", true),
    ] {
        let needed = needed(tool, &json!({}), &json!({"uuid": "w"}));
        let text = stage.refused("olivia", tool, needed.clone()).await;
        assert_eq!(line(&text, "Field"), "organization_id", "{tool}: {text}");
        assert!(line(&text, "Hint").contains("didit_context_get"), "{text}");
        let allowed = place["organization_id"].as_str().unwrap();
        assert!(line(&text, "Allowed").contains(allowed), "{text}");
        if one_application {
            let text = stage
                .refused("olivia", tool, with(&organization, needed))
                .await;
            assert_eq!(line(&text, "Field"), "application_id", "{tool}: {text}");
            let allowed = place["application_id"].as_str().unwrap();
            assert!(line(&text, "Allowed").contains(allowed), "{text}");
        } else {
            stage.ok("olivia", tool, organization.clone()).await;
        }
    }
}

#[tokio::test]
async fn analytics_are_the_sum_of_their_applications() {
    let stage = Stage::new().await;
    let everything = json!({"include_timeseries": true});
    let all = stage.ok("olivia", "didit_analytics", everything).await;
    assert_eq!(keys(&all), set(&[ANALYTICS_KEYS, &["timeseries"]].concat()));
    assert_eq!(
        (&all["aggregated"], &all["scanned_apps"]),
        (&json!(true), &json!(5))
    );
    assert_eq!(all["sessions_started"], 270);
    let days = all["timeseries"].as_array().unwrap();
    let by_day: u64 = days.iter().map(|day| day["total"].as_u64().unwrap()).sum();
    assert_eq!(by_day, 270);
    assert!(days.is_sorted_by_key(|day| day["rounded_date"].as_str().unwrap()));

    let of = |name: &str| all["request_breakdown"][name].as_f64().unwrap();
    for (name, status) in [
        ("approved", "Approved"),
        ("declined", "Declined"),
        ("in_review", "In Review"),
        ("kyc_expired", "Kyc Expired"),
    ] {
        let found = stage
            .ok(
                "olivia",
                "didit_session_search",
                json!({"status": status, "limit": 200}),
            )
            .await;
        assert_eq!(of(name), rows(&found).len() as f64, "{name}");
    }
    let decided = of("approved") + of("declined") + of("in_review");
    let rate = (of("approved") / decided * 1_000.0).round() / 10.0;
    assert_eq!(all["conversion_rate"], rate);
    let step = &all["feature_funnel"]["LIVENESS"];
    assert!(step["reached"].as_u64().unwrap() > 0, "{step}");
    assert_eq!(step["workflows"], 7, "{step}");

    let mut started = 0;
    for row in all["per_app"].as_array().unwrap() {
        let place = json!({"organization_id": row["organization_id"], "application_id": row["application_id"]});
        let one = stage.ok("olivia", "didit_analytics", place).await;
        assert_eq!(one["sessions_started"], row["sessions_started"]);
        started += one["sessions_started"].as_u64().unwrap();
    }
    assert_eq!(started, 270);

    let week = stage
        .ok("olivia", "didit_analytics", json!({"last_n_days": 7}))
        .await;
    assert_eq!(
        week["date_window"],
        json!({"date_from": "2027-01-08", "date_to": "2027-01-15"})
    );
    let started = week["sessions_started"].as_u64().unwrap();
    assert!(started > 0 && started < 100, "{started}");
}

pub(super) fn keys(answer: &Value) -> BTreeSet<&str> {
    answer
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

pub(super) fn set<'n>(names: &[&'n str]) -> BTreeSet<&'n str> {
    names.iter().copied().collect()
}
