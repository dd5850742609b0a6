//! Analytics agree with the state they are counted from.

use serde_json::{Value, json};

use crate::harness::World;

fn sum(counts: &Value) -> u64 {
    counts
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum()
}

#[test]
fn the_counts_add_up_and_follow_a_decision() {
    let world = World::new();
    let app = world.app(0, 0);
    let path = format!("{app}/analytics/");
    let before = world.get("rita", &path).body;
    assert_eq!(sum(&before["request_breakdown"]), 110);
    assert_eq!(sum(&before["original_status_stats"]), 110);
    assert_eq!(sum(&before["resubmission_stats"]), 110);
    let funnel = before["workflow_funnel_stats"].as_array().unwrap();
    assert_eq!(
        funnel
            .iter()
            .map(|row| row["total"].as_u64().unwrap())
            .sum::<u64>(),
        110
    );
    for row in funnel {
        let reached: Vec<u64> = row["features"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["reached"].as_u64().unwrap())
            .collect();
        assert!(reached.is_sorted_by(|left, right| left >= right), "{row}");
    }
    let points = before["data_points"].as_array().unwrap();
    assert_eq!(
        points
            .iter()
            .map(|row| row["total"].as_u64().unwrap())
            .sum::<u64>(),
        110
    );

    let list = format!("{app}/sessions/?status=In%20Review");
    let id = world.get("rita", &list).body["results"][0]["session_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = json!({ "new_status": "Approved" });
    world.call(
        "carmen",
        "PATCH",
        &format!("/v3/session/{id}/update-status/"),
        body,
    );
    let after = world.get("rita", &path).body;
    let count = |body: &Value, name: &str| body["request_breakdown"][name].as_u64().unwrap();
    assert_eq!(count(&after, "approved"), count(&before, "approved") + 1);
    assert_eq!(count(&after, "in_review"), count(&before, "in_review") - 1);
    assert_eq!(
        after["original_status_stats"],
        before["original_status_stats"]
    );
}

#[test]
fn a_period_narrows_what_is_counted() {
    let world = World::new();
    let app = world.app(0, 0);
    let body = world
        .get(
            "rita",
            &format!("{app}/analytics/?date_from=2025-12-01&date_to=2025-12-15"),
        )
        .body;
    let list = world
        .get(
            "rita",
            &format!("{app}/sessions/?date_from=2025-12-01&date_to=2025-12-15"),
        )
        .body;
    assert_eq!(
        sum(&body["request_breakdown"]),
        list["count"].as_u64().unwrap()
    );
    assert!(list["count"].as_u64().unwrap() > 0);
    let reply = world.get("rita", &format!("{app}/analytics/?date_from=x"));
    assert_eq!(reply.status, 400);
}
