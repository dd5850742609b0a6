//! People, organisations, applications, members and the balance.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::World;

#[test]
fn the_first_organisation_has_one_of_each_role() {
    let world = World::new();
    let people = world.sandbox.people();
    let first: Vec<(&str, &str)> = people
        .iter()
        .take(5)
        .map(|person| (person.id.as_str(), person.role.as_str()))
        .collect();
    assert_eq!(
        first,
        [
            ("olivia", "OWNER"),
            ("adam", "ADMIN"),
            ("carmen", "COMPLIANCE_OFFICER"),
            ("devon", "DEVELOPER"),
            ("rita", "READER"),
        ]
    );
    assert!(people.len() >= 7);
    assert!(
        people
            .iter()
            .all(|person| person.email.ends_with(".example"))
    );
}

#[test]
fn credentials_differ_stay_the_same_and_exist_only_for_people() {
    let world = World::new();
    let people = world.sandbox.people();
    let all: BTreeSet<String> = people
        .iter()
        .map(|person| world.sandbox.credential(&person.id).unwrap())
        .collect();
    assert_eq!(all.len(), people.len());
    assert!(all.iter().all(|credential| credential.len() >= 40));
    assert_eq!(
        World::new().sandbox.credential("rita"),
        world.sandbox.credential("rita")
    );
    assert_eq!(world.sandbox.credential("mallory"), None);
}

#[test]
fn nothing_secret_is_in_the_debug_text() {
    let world = World::new();
    assert_eq!(format!("{:?}", world.sandbox), "Sandbox { .. }");
    assert_eq!(
        format!("{:?}", world.sandbox.service()),
        "SandboxService { .. }"
    );
}

#[test]
fn organisations_are_a_bare_list_with_the_callers_role() {
    let world = World::new();
    let body = world.get("carmen", "/auth/v2/organizations/me/").body;
    assert_eq!(body.as_array().unwrap().len(), 2);
    assert_eq!(body[0]["name"], "Harbour Lane Bank");
    assert_eq!(body[0]["role"], "COMPLIANCE_OFFICER");
    assert_eq!(body[1]["role"], "READER");
    assert_eq!(
        world
            .get("samir", "/auth/v2/organizations/me/")
            .body
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn applications_are_a_bare_list_with_modes_and_secrets() {
    let world = World::new();
    let mut modes = BTreeSet::new();
    let mut secrets = BTreeSet::new();
    for (organization, who) in ["olivia", "noah", "samir"].into_iter().enumerate() {
        let path = format!(
            "/auth/v2/organizations/me/{}/applications/",
            world.org_id(organization)
        );
        for row in world.get(who, &path).body.as_array().unwrap() {
            modes.insert(row["mode"].as_str().unwrap().to_owned());
            secrets.insert(row["api_key"].as_str().unwrap().to_owned());
            secrets.insert(row["client_secret"].as_str().unwrap().to_owned());
            let one = world.get(who, &format!("{path}{}/", row["uuid"].as_str().unwrap()));
            assert_eq!(&one.body, row);
        }
    }
    assert_eq!(modes.len(), 2);
    assert_eq!(secrets.len(), 12);
}

#[test]
fn members_and_roles_are_listed() {
    let world = World::new();
    let path = format!("/auth/v2/organizations/{}/members/", world.org_id(0));
    let body = world.get("rita", &path).body;
    assert_eq!(body["count"], 5);
    assert_eq!(body["results"][3]["email"], "devon@harbourlane.example");
    assert_eq!(body["results"][3]["role"], "DEVELOPER");
    let path = format!("/auth/v2/organizations/{}/roles/", world.org_id(0));
    assert_eq!(world.get("rita", &path).body.as_array().unwrap().len(), 5);
}

#[test]
fn the_balance_has_its_four_fields() {
    let world = World::new();
    let body = world
        .get(
            "rita",
            &format!("/v3/organization/{}/top-up/", world.org_id(0)),
        )
        .body;
    assert_eq!(
        body,
        json!({
            "balance": "1248.50",
            "auto_refill_enabled": false,
            "auto_refill_amount": null,
            "auto_refill_threshold": null,
        })
    );
}
