//! Which organisation and application a call is for.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::upstream::{ONE, OfOrganization, Row, TWO, Upstream, ada};

const ONE_EACH: &[Row] = &[
    ("o-1", "Harbour", "READER", &[]),
    ("o-2", "Orchard", "ADMIN", &[("a-3", "Shop")]),
];

#[tokio::test]
async fn the_only_one_needs_no_argument() {
    let upstream = Upstream::quiet(ONE);
    upstream.run("didit_webhook_list", json!({})).await.unwrap();
    upstream
        .run("didit_org_get_balance", json!({}))
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        [
            "GET api/organization/o-1/application/a-1/webhook/destinations/",
            "GET api/organization/o-1/top-up/",
        ]
    );
}

#[tokio::test]
async fn the_only_application_overall_is_found_among_organisations() {
    let upstream = Upstream::quiet(ONE_EACH);
    upstream.run("didit_webhook_list", json!({})).await.unwrap();
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-2/application/a-3/webhook/destinations/"]
    );
}

#[tokio::test]
async fn nothing_is_guessed_when_applications_failed_to_load() {
    let upstream = Upstream::new(ONE_EACH, |seen| {
        if seen.path.contains("/o-1/") {
            (500, json!({}))
        } else {
            (200, json!([]))
        }
    });
    let text = upstream.failure("didit_webhook_list", json!({})).await;
    assert!(
        text.starts_with("Error [bad_request]: organization_id is missing"),
        "{text}"
    );
}

#[tokio::test]
async fn arguments_win_and_nothing_else_is_read() {
    let upstream = Upstream::quiet(TWO);
    let both = json!({"organization_id": "o-9", "application_id": "a-9"});
    upstream.run("didit_webhook_list", both).await.unwrap();
    assert_eq!(upstream.all().len(), 1);
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-9/application/a-9/webhook/destinations/"]
    );
}

#[tokio::test]
async fn an_application_alone_brings_its_organisation() {
    let upstream = Upstream::quiet(TWO);
    upstream
        .run("didit_webhook_list", json!({"application_id": "a-3"}))
        .await
        .unwrap();
    assert_eq!(
        upstream.lines(),
        ["GET api/organization/o-2/application/a-3/webhook/destinations/"]
    );
}

#[tokio::test]
async fn a_gap_names_the_id_the_tool_and_the_candidates() {
    let upstream = Upstream::quiet(TWO);
    for (arguments, want) in [
        (
            json!({}),
            "Error [bad_request]: organization_id is missing and the person who is signed in belongs to 2 organisations\nField: organization_id\nHint: didit_context_get lists what can be reached; the candidates are o-1 (Harbour), o-2 (Orchard).\nAllowed: o-1, o-2",
        ),
        (
            json!({"organization_id": "o-1"}),
            "Error [bad_request]: application_id is missing and Harbour has 2 applications\nField: application_id\nHint: didit_context_get lists what can be reached; the candidates are a-1 (Web), a-2 (App).\nAllowed: a-1, a-2",
        ),
        (
            json!({"organization_id": "o-9"}),
            "Error [bad_request]: organization_id is not one that the person who is signed in belongs to\nField: organization_id\nHint: didit_context_get lists what can be reached; the candidates are o-1 (Harbour), o-2 (Orchard).\nAllowed: o-1, o-2",
        ),
    ] {
        assert_eq!(
            upstream.failure("didit_webhook_list", arguments).await,
            want
        );
    }
    let nowhere = Upstream::quiet(&[]);
    assert_eq!(
        nowhere.failure("didit_org_get_balance", json!({})).await,
        "Error [bad_request]: organization_id is missing and the person who is signed in belongs to no organisation\nField: organization_id\nHint: didit_context_get lists what can be reached."
    );
}

#[tokio::test]
async fn a_path_without_an_organisation_has_it_in_the_header_when_it_is_known() {
    let header = |upstream: &Upstream| {
        let sent = upstream.sent();
        sent[0]
            .headers
            .get("x-didit-organization-id")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    for (rows, arguments, want) in [
        (ONE, json!({"workflow_id": "w"}), Some("o-1")),
        (TWO, json!({"workflow_id": "w"}), None),
        (
            TWO,
            json!({"workflow_id": "w", "organization_id": "o-2"}),
            Some("o-2"),
        ),
        (
            TWO,
            json!({"workflow_id": "w", "application_id": "a-3"}),
            Some("o-2"),
        ),
    ] {
        let upstream = Upstream::quiet(rows);
        upstream
            .run("didit_session_create", arguments)
            .await
            .unwrap();
        assert_eq!(header(&upstream).as_deref(), want);
    }
}

#[tokio::test]
async fn the_map_is_read_once_a_minute_for_each_person() {
    let upstream = Upstream::quiet(TWO);
    let tools = upstream.tools();
    let read = |upstream: &Upstream| upstream.all().len();
    for _ in 0..3 {
        tools
            .call(&ada(), "didit_context_get", None)
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(read(&upstream), 3);
    let mut other = ada();
    other.insert(crate::upstream::Person("bob"));
    tools
        .call(&other, "didit_context_get", None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(&upstream), 6);
    upstream.now.fetch_add(60, Ordering::SeqCst);
    tools
        .call(&ada(), "didit_context_get", None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(&upstream), 9);
}

#[tokio::test]
async fn the_map_names_everything_that_can_be_reached() {
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path.contains("/o-2/") {
            (403, json!({"detail": "No."}))
        } else {
            (200, json!([]))
        }
    });
    assert_eq!(
        upstream.run("didit_context_get", json!({})).await.unwrap(),
        json!({
            "organizations": [
                {
                    "organization_id": "o-1", "organization_name": "Harbour", "role": "READER",
                    "applications": [
                        {"application_id": "a-1", "application_name": "Web", "mode": "live"},
                        {"application_id": "a-2", "application_name": "App", "mode": "live"},
                    ],
                },
                {
                    "organization_id": "o-2", "organization_name": "Orchard", "role": "ADMIN",
                    "applications_error": {"code": "forbidden", "message": "No."},
                },
            ],
            "organization_count": 2,
            "application_count": 2,
            "default_organization_id": null,
            "default_application_id": null,
            "hint": "Pass organization_id and application_id where a tool takes them; searches without them look everywhere.",
        })
    );
    let one = Upstream::quiet(ONE)
        .run("didit_context_get", json!({}))
        .await
        .unwrap();
    assert_eq!(one["default_organization_id"], "o-1");
    assert_eq!(one["default_application_id"], "a-1");
}

#[tokio::test]
async fn an_application_that_nobody_knows_is_not_answered_with_all_others() {
    let upstream = Upstream::quiet(TWO);
    for tool in [
        "didit_session_list",
        "didit_session_search",
        "didit_vendor_user_search",
        "didit_workflow_list",
        "didit_webhook_list",
    ] {
        let text = upstream
            .failure(tool, json!({"application_id": "a-9"}))
            .await;
        assert_eq!(
            text,
            "Error [bad_request]: application_id is not one that can be reached\n\
             Field: application_id\n\
             Hint: didit_context_get lists what can be reached; the candidates are a-1 (Web), a-2 (App), a-3 (Shop).\n\
             Allowed: a-1, a-2, a-3",
            "{tool}"
        );
    }
    assert!(upstream.lines().is_empty(), "{:?}", upstream.lines());
}

#[tokio::test]
async fn an_application_that_may_be_among_those_not_listed_needs_its_organisation() {
    let upstream = Upstream::new(TWO, |seen| {
        if seen.path.contains("/o-1/") {
            (500, json!({}))
        } else {
            (200, json!([]))
        }
    });
    let application = json!({"application_id": "a-1"});
    let text = upstream.failure("didit_session_search", application).await;
    assert!(
        text.starts_with("Error [bad_request]: organization_id is missing"),
        "{text}"
    );
}

/// What a tool of one place sends at home in these, by somebody whose token is for this organisation.
async fn at_home(
    home: [Option<&str>; 2],
    own: Option<&'static str>,
    arguments: Value,
) -> Vec<String> {
    let upstream = Upstream::quiet(TWO);
    let tools = upstream.tools().at_home_in(home[0], home[1]).unwrap();
    let mut caller = ada();
    if let Some(own) = own {
        caller.insert(OfOrganization(own));
    }
    let answer = tools.call(&caller, "didit_webhook_list", arguments.as_object());
    answer.await.unwrap().unwrap();
    upstream.lines()
}

#[tokio::test]
async fn a_call_without_a_place_goes_home() {
    let at = |place: &[(&str, &str)]| {
        let mut arguments = json!({});
        for (name, id) in place {
            arguments[name] = json!(id);
        }
        arguments
    };
    let home = [Some("o-1"), Some("a-2")];
    for (home, own, arguments, organization, application) in [
        (home, None, at(&[]), "o-1", "a-2"),
        (home, Some("o-1"), at(&[]), "o-1", "a-2"),
        // The application is of the other organisation; its own one has only one.
        (home, Some("o-2"), at(&[]), "o-2", "a-3"),
        (home, None, at(&[("organization_id", "o-2")]), "o-2", "a-3"),
        (home, None, at(&[("application_id", "a-3")]), "o-2", "a-3"),
        ([None, None], Some("o-2"), at(&[]), "o-2", "a-3"),
    ] {
        let sent = at_home(home, own, arguments.clone()).await;
        let path = format!("organization/{organization}/application/{application}/");
        assert!(
            sent[0].contains(&path),
            "{home:?} {own:?} {arguments}: {sent:?}"
        );
    }
}

#[test]
fn a_home_has_ids() {
    let tools = || Upstream::quiet(ONE).tools();
    let why = |home: [Option<&str>; 2]| {
        let refused = tools().at_home_in(home[0], home[1]);
        refused.err().unwrap().to_string()
    };
    assert_eq!(
        why([Some("../x"), None]),
        "organization_id must not contain `/`, `?` or `#`"
    );
    assert_eq!(why([None, Some(" ")]), "application_id must not be empty");
}
