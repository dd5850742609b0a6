//! Lists of sessions: pages, filters, the organisation's level.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::World;

/// Follows `next` to the end and gives every row.
fn all(world: &World, first: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut path = first.to_owned();
    loop {
        let body = world.get("olivia", &path).body;
        rows.extend(body["results"].as_array().unwrap().iter().cloned());
        match body["next"].as_str() {
            Some(next) => {
                path = next
                    .strip_prefix("http://localhost:3002")
                    .unwrap()
                    .to_owned()
            }
            None => return rows,
        }
    }
}

#[test]
fn there_are_three_hundred_sessions_over_six_applications() {
    let world = World::new();
    let mut ids = BTreeSet::new();
    for (organization, who, count) in [(0, "olivia", 200), (1, "noah", 70), (2, "samir", 30)] {
        let path = format!(
            "/v3/organization/{}/sessions/?limit=200",
            world.org_id(organization)
        );
        let body = world.get(who, &path).body;
        assert_eq!(body["count"], count);
        for row in body["results"].as_array().unwrap() {
            ids.insert(row["session_id"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(ids.len(), 300);
}

#[test]
fn pages_follow_each_other_without_gap_or_repetition() {
    let world = World::new();
    let rows = all(&world, &format!("{}/sessions/?limit=25", world.app(0, 0)));
    assert_eq!(rows.len(), 110);
    let ids: BTreeSet<&str> = rows
        .iter()
        .map(|row| row["session_id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), 110);
    let dates: Vec<&str> = rows
        .iter()
        .map(|row| row["created_at"].as_str().unwrap())
        .collect();
    assert!(dates.is_sorted_by(|left, right| left >= right));
}

#[test]
fn rows_of_an_organisation_say_where_they_come_from() {
    let world = World::new();
    let body = world
        .get(
            "olivia",
            &format!("/v3/organization/{}/sessions/", world.org_id(0)),
        )
        .body;
    for row in body["results"].as_array().unwrap() {
        assert_eq!(row["organization_id"], world.org_id(0));
        assert_eq!(row["organization_name"], "Harbour Lane Bank");
        assert!(row["application_id"].is_string() && row["application_name"].is_string());
    }
    let body = world
        .get("olivia", &format!("{}/sessions/", world.app(0, 0)))
        .body;
    assert_eq!(body["results"][0].get("application_id"), None);
}

#[test]
fn filters_let_through_what_they_say() {
    let world = World::new();
    let app = world.app(0, 0);
    let rows = |query: &str| all(&world, &format!("{app}/sessions/?{query}"));
    let approved = rows("status=Approved");
    assert!(!approved.is_empty() && approved.iter().all(|row| row["status"] == "Approved"));
    let both = rows("status=Approved,Declined");
    assert_eq!(both.len(), approved.len() + rows("status=Declined").len());

    let vendor_data = approved[0]["vendor_data"].as_str().unwrap();
    let theirs = rows(&format!("vendor_data={vendor_data}"));
    assert!(!theirs.is_empty() && theirs.iter().all(|row| row["vendor_data"] == vendor_data));

    let id = approved[0]["session_id"].as_str().unwrap();
    assert_eq!(rows(&format!("search={id}")).len(), 1);
    let name = approved[0]["full_name"].as_str().unwrap();
    let found = rows(&format!("search={}", name.to_uppercase().replace(' ', "+")));
    assert!(found.iter().any(|row| row["session_id"] == id));

    let workflow = world.workflow(0, 1);
    let of_workflow = rows(&format!("workflow_id={workflow}"));
    assert!(!of_workflow.is_empty() && of_workflow.len() < 110);
    assert!(
        of_workflow
            .iter()
            .all(|row| row["workflow_label"] == "Address check")
    );

    let day = approved[0]["created_at"]
        .as_str()
        .unwrap()
        .split('T')
        .next()
        .unwrap()
        .to_owned();
    let that_day = rows(&format!("date_from={day}&date_to={day}"));
    assert!(!that_day.is_empty());
    assert!(
        that_day
            .iter()
            .all(|row| row["created_at"].as_str().unwrap().starts_with(&day))
    );

    assert_eq!(rows("session_kind=business").len(), 0);
    assert_eq!(rows("session_kind=all").len(), 110);
    let business = all(
        &world,
        &format!("{}/sessions/?session_kind=business", world.app(0, 1)),
    );
    assert!(!business.is_empty() && business.iter().all(|row| row["session_kind"] == "business"));
}

#[test]
fn filters_that_make_no_sense_are_refused_by_name() {
    let world = World::new();
    let app = world.app(0, 0);
    let date = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
    for (query, field, why) in [
        ("status=Gone", "status", "\"Gone\" is not a valid choice."),
        (
            "session_kind=pet",
            "session_kind",
            "\"pet\" is not a valid choice.",
        ),
        ("date_from=yesterday", "date_from", date),
        ("date_to=2026-02-30", "date_to", date),
        ("limit=many", "limit", "A valid integer is required."),
        ("offset=-1", "offset", "A valid integer is required."),
    ] {
        let reply = world.get("rita", &format!("{app}/sessions/?{query}"));
        assert_eq!(
            (reply.status, reply.body),
            (400, json!({ field: [why] })),
            "{query}"
        );
    }
}

#[test]
fn every_status_of_didit_is_there_to_be_seen() {
    let world = World::new();
    let mut seen = BTreeSet::new();
    for (organization, who) in ["olivia", "noah", "samir"].into_iter().enumerate() {
        let path = format!(
            "/v3/organization/{}/sessions/?limit=200",
            world.org_id(organization)
        );
        for row in world.get(who, &path).body["results"].as_array().unwrap() {
            seen.insert(row["status"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[test]
fn cases_are_paged_by_cursor() {
    let world = World::new();
    let path = format!("/v3/organization/{}/cases/?limit=5", world.org_id(0));
    let rows = all(&world, &path);
    let ids: BTreeSet<&str> = rows
        .iter()
        .map(|row| row["uuid"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), rows.len());
    assert!(rows.len() > 5);
    let reply = world.get("rita", &format!("{path}&cursor=broken"));
    assert_eq!(
        (reply.status, reply.body),
        (404, json!({ "detail": "Invalid cursor" }))
    );
}
