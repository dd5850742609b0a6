//! Transactions under rules, wallets, and the travel rule.

use serde_json::{Value, json};

use crate::harness::World;

fn transaction(id: &str, amount: &str) -> Value {
    json!({
        "transaction_id": id,
        "transaction_category": "finance",
        "transaction_details": { "direction": "INBOUND", "amount": amount, "currency": "EUR" },
        "subject": { "vendor_data": "customer-0001" },
    })
}

fn rule(mode: &str, action: Value) -> Value {
    json!({
        "title": "Large",
        "category": "amount",
        "mode": mode,
        "conditions": [{ "field": "transaction_details.amount", "operator": "gte", "value": 1_000 }],
        "actions": [action],
    })
}

#[test]
fn rules_decide_what_becomes_of_a_transaction() {
    let world = World::new();
    let app = world.app(0, 0);
    let post = |tail: &str, body: Value| {
        world.call(
            "olivia",
            "POST",
            &format!("{app}/transactions/{tail}"),
            body,
        )
    };
    let made = post("", transaction("t-1", "5000.00"));
    assert_eq!(
        (made.status, &made.body["status"], &made.body["rule_runs"]),
        (201, &json!("APPROVED"), &json!([]))
    );
    let scoring = post(
        "rules/",
        rule("ACTIVE", json!({ "type": "add_score", "value": 50 })),
    )
    .body;
    let made = post("", transaction("t-2", "5000.00")).body;
    assert_eq!(
        (&made["status"], &made["score"], &made["severity"]),
        (&json!("IN_REVIEW"), &json!(50), &json!("MEDIUM"))
    );
    assert_eq!(made["rule_runs"][0]["rule_uuid"], scoring["uuid"]);
    assert_eq!(
        post("", transaction("t-3", "999.99")).body["status"],
        "APPROVED"
    );
    let status = rule(
        "ACTIVE",
        json!({ "type": "change_status", "value": "AWAITING_USER" }),
    );
    post("rules/", status);
    assert_eq!(
        post("", transaction("t-4", "5000.00")).body["status"],
        "AWAITING_USER"
    );
    // One on trial is noted and does nothing; one that is off is not even noted.
    let path = format!(
        "{app}/transactions/rules/{}/",
        scoring["uuid"].as_str().unwrap()
    );
    for (mode, score, runs) in [("TEST", 0, 2), ("DISABLED", 0, 1), ("ACTIVE", 50, 2)] {
        assert_eq!(
            world
                .call("olivia", "PATCH", &path, json!({ "mode": mode }))
                .status,
            200
        );
        let made = post("", transaction(&format!("t-{mode}"), "5000.00")).body;
        assert_eq!(
            (&made["score"], made["rule_runs"].as_array().unwrap().len()),
            (&json!(score), runs),
            "{mode}"
        );
    }
    let again = post("", transaction("t-1", "1.00"));
    assert_eq!(
        (again.status, again.body["transaction_id"].is_array()),
        (400, true)
    );
    let listed = world
        .get("rita", &format!("{app}/transactions/?search=t-4"))
        .body;
    assert_eq!(listed["count"], 1);
}

#[test]
fn a_rule_is_tried_on_the_past_and_the_library_is_installed_and_taken_out() {
    let world = World::new();
    let app = world.app(0, 0);
    let call = |method: &str, tail: &str, body: Value| {
        world.call(
            "olivia",
            method,
            &format!("{app}/transactions/rules/{tail}"),
            body,
        )
    };
    world.call(
        "olivia",
        "POST",
        &format!("{app}/transactions/"),
        transaction("t-1", "123456"),
    );
    let conditions =
        json!([{ "field": "transaction_details.amount", "operator": "gte", "value": 100_000 }]);
    let tried = call(
        "POST",
        "backtest/",
        json!({ "conditions": conditions, "period_days": 1 }),
    )
    .body;
    assert_eq!(
        (&tried["matched"], &tried["sample"]),
        (&json!(1), &json!(["t-1"]))
    );
    world.advance(2 * 86_400);
    let tried = call(
        "POST",
        "backtest/",
        json!({ "conditions": conditions, "period_days": 1 }),
    )
    .body;
    assert_eq!(tried["matched"], 0);
    let installed = |world: &World| {
        let rows = world
            .get("rita", &format!("{app}/transactions/rules/?source=PRESET"))
            .body;
        rows["count"].as_u64().unwrap()
    };
    assert_eq!(
        call("POST", "install/", json!({ "bundle": "velocity" })).body["installed"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        call(
            "POST",
            "install/",
            json!({ "library_keys": ["daily_volume", "large_amount"] })
        )
        .body,
        json!({ "installed": ["large_amount"] })
    );
    assert_eq!(installed(&world), 4);
    let listed = world
        .get(
            "rita",
            &format!("{app}/transactions/rules/library/?bundle=velocity&search=volume"),
        )
        .body;
    assert_eq!(
        (&listed["count"], &listed["results"][0]["installed"]),
        (&json!(2), &json!(true))
    );
    assert_eq!(
        call("DELETE", "install/", json!({ "bundle": "velocity" })).body,
        json!({ "uninstalled": 3 })
    );
    assert_eq!(installed(&world), 1);
    for body in [
        json!({}),
        json!({ "bundle": "velocity", "library_keys": ["daily_volume"] }),
        json!({ "bundle": "pets" }),
        json!({ "library_keys": ["pets"] }),
    ] {
        assert_eq!(call("POST", "install/", body.clone()).status, 400, "{body}");
    }
}

#[test]
fn a_wallet_is_screened_where_there_is_a_provider() {
    let world = World::new();
    let screen = |application: usize, body: Value| {
        world.call(
            "olivia",
            "POST",
            &format!("{}/transactions/screen-wallet/", world.app(0, application)),
            body,
        )
    };
    let wallet = json!({ "wallet_address": "0xabc", "blockchain": "ETH" });
    let first = screen(0, wallet.clone());
    assert_eq!(
        (first.status, &first.body["provider"]),
        (200, &json!("chain-compass"))
    );
    assert_eq!(screen(0, wallet.clone()).body, first.body);
    assert_eq!(screen(1, wallet).status, 409);
    assert_eq!(
        screen(0, json!({ "wallet_address": "0xabc", "blockchain": "XYZ" })).status,
        400
    );
}

#[test]
fn a_transfer_is_confirmed_and_ends_once() {
    let world = World::new();
    let inbound =
        json!({ "txid": "tx-9", "wallet_address": "0xabc", "amount": 1_500, "currency": "USDC" });
    let made = world
        .call(
            "olivia",
            "POST",
            "/v3/travel-rule/inbound/",
            inbound.clone(),
        )
        .body;
    assert_eq!(
        (&made["status"], &made["travel_rule"]["status"]),
        (&json!("IN_REVIEW"), &json!("PENDING"))
    );
    let path = format!(
        "/v3/transactions/{}/travel-rule/",
        made["uuid"].as_str().unwrap()
    );
    let owned = world
        .call(
            "olivia",
            "POST",
            &format!("{path}ownership/"),
            json!({ "confirmed": true }),
        )
        .body;
    assert_eq!(owned["travel_rule"]["ownership_confirmed"], true);
    let act = |body: Value| world.call("olivia", "PATCH", &path, body);
    assert_eq!(act(json!({})).status, 400);
    assert_eq!(
        act(json!({ "payment_txn_id": "p-1", "action": "cancel" })).status,
        400
    );
    assert_eq!(
        act(json!({ "payment_txn_id": "p-1" })).body["travel_rule"]["status"],
        "COMPLETED"
    );
    assert_eq!(act(json!({ "action": "cancel" })).status, 409);
    // One that the travel rule says nothing of.
    let other = world
        .get(
            "olivia",
            &format!("{}/transactions/?search=txn-0-0001", world.app(0, 0)),
        )
        .body;
    let path = format!(
        "/v3/transactions/{}/travel-rule/",
        other["results"][0]["uuid"].as_str().unwrap()
    );
    assert_eq!(
        world
            .call("olivia", "PATCH", &path, json!({ "action": "cancel" }))
            .status,
        409
    );
    world.call(
        "olivia",
        "PUT",
        "/v3/travel-rule/settings/",
        json!({ "inbound_auto_accept": true }),
    );
    assert_eq!(
        world.get("rita", "/v3/travel-rule/settings/").body["inbound_auto_accept"],
        true
    );
    let made = world
        .call("olivia", "POST", "/v3/travel-rule/inbound/", inbound)
        .body;
    assert_eq!(made["status"], "APPROVED");
}

#[test]
fn flat_routes_act_where_the_headers_say() {
    let world = World::new();
    let wallets = |org: Option<String>, app: Option<String>| {
        let mut request = world.request(
            "olivia",
            "GET",
            "/v3/travel-rule/wallet-addresses/",
            Value::Null,
        );
        for (name, value) in [
            ("x-didit-organization-id", org),
            ("x-didit-application-id", app),
        ] {
            if let Some(value) = value {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        let reply = world.send(request);
        (
            reply.status,
            reply.body["results"][0]["address"]
                .as_str()
                .map(|address| address.chars().last().unwrap()),
        )
    };
    assert_eq!(wallets(None, None), (200, Some('0')));
    assert_eq!(wallets(Some(world.org_id(1)), None), (200, Some('3')));
    assert_eq!(wallets(None, Some(world.app_id(0, 2))), (200, Some('2')));
    assert_eq!(
        wallets(Some(world.org_id(0)), Some(world.app_id(0, 1))),
        (200, Some('1'))
    );
    // What does not hang together, or is not hers to see.
    assert_eq!(
        wallets(Some(world.org_id(1)), Some(world.app_id(0, 1))),
        (404, None)
    );
    assert_eq!(wallets(Some(world.org_id(2)), None), (404, None));
    assert_eq!(wallets(None, Some(world.app_id(2, 0))), (404, None));
}
