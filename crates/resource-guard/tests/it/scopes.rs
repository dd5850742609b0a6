//! What operations need: scopes that cover others, roles, and how somebody signed in.

use std::time::Duration;

use oauth_rs::scope::ScopeSet;
use oauth_rs::time::UnixSeconds;
use resource_guard::{
    Guard, Hierarchy, Operations, Principal, Reason, Refused, Requirement, Role, StepUp,
};
use serde_json::{Value, json};

use crate::support::{METADATA, NOW, World, claims_with, config, request};

fn set(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

fn world() -> World {
    let hierarchy = Hierarchy::new([(
        "didit:verification",
        ["didit.session.create", "didit.session.read"].as_slice(),
    )]);
    let operations = Operations::new([
        (
            "session.create",
            Requirement::all_of(["didit.session.create"]).unwrap(),
        ),
        (
            "session.copy",
            Requirement::all_of(["didit.session.create", "didit.session.read"])
                .unwrap()
                .or(Requirement::any_of(["admin"]).unwrap()),
        ),
        ("ping", Requirement::nothing()),
    ]);
    let config = config()
        .hierarchy(hierarchy.unwrap())
        .operations(operations.unwrap());
    let mut world = World::new();
    world.guard = Guard::new(config).unwrap();
    world
}

fn principal(world: &World, scope: &str) -> Principal {
    let token = world.sign(&claims_with("scope", json!(scope)));
    world.principal(&request(&token), NOW).unwrap()
}

fn permit(scope: &str, operation: &str, role: Role<'_>) -> Result<(), Reason> {
    let world = world();
    let permitted = world
        .guard
        .permit(&principal(&world, scope), operation, role);
    permitted.map_err(|refused: Refused| refused.reason().clone())
}

fn lacks(needed: &str, granted: &str) -> Result<(), Reason> {
    Err(Reason::InsufficientScope {
        needed: set(needed),
        granted: set(granted),
    })
}

#[test]
fn a_coarse_scope_covers_fine_ones() {
    let all = "didit.session.create didit.session.read";
    for (scope, operation, expected) in [
        ("didit:verification", "session.create", Ok(())),
        ("didit:verification", "session.copy", Ok(())),
        ("didit.session.create", "session.create", Ok(())),
        ("admin", "session.copy", Ok(())),
        ("", "ping", Ok(())),
        (
            "didit.session.read",
            "session.create",
            lacks("didit.session.create", "didit.session.read"),
        ),
        // All that is needed is named in one go, also what is there already.
        (
            "didit.session.read",
            "session.copy",
            lacks(all, "didit.session.read"),
        ),
        (
            "didit",
            "session.create",
            lacks("didit.session.create", "didit"),
        ),
    ] {
        assert_eq!(
            permit(scope, operation, Role::Unlimited),
            expected,
            "{scope} {operation}"
        );
    }
}

#[test]
fn an_operation_that_nobody_thought_of_is_open_to_nobody() {
    let operation = "session.drop".to_owned();
    assert_eq!(
        permit("didit:verification admin", "session.drop", Role::Unlimited),
        Err(Reason::UnknownOperation { operation })
    );
}

#[test]
fn a_token_allows_no_more_than_the_role() {
    let needed = || set("didit.session.create");
    let reader = set("didit.session.read");
    let creator = set("didit:verification");
    let role = |scope, role| permit(scope, "session.create", Role::May(role));
    assert_eq!(role("didit:verification", &creator), Ok(()));
    assert_eq!(
        role("didit:verification", &reader),
        Err(Reason::Role { needed: needed() })
    );
    // The role would do, the token does not: another token helps.
    assert_eq!(
        role("didit.session.read", &creator),
        lacks("didit.session.create", "didit.session.read")
    );
    // Neither would: no token helps, so none is asked for.
    assert_eq!(role("", &reader), Err(Reason::Role { needed: needed() }));
    // Of several alternatives the one is named that the role allows.
    let admin = set("admin");
    assert_eq!(
        permit("", "session.copy", Role::May(&admin)),
        lacks("admin", "")
    );
}

#[test]
fn a_missing_role_is_told_apart_from_a_missing_scope() {
    let world = world();
    let who = principal(&world, "");
    let answer = |role: &ScopeSet| {
        let refused = world.guard.permit(&who, "session.create", Role::May(role));
        world.guard.response(&refused.unwrap_err())
    };
    let scope = answer(&set("didit:verification"));
    assert_eq!(scope.status(), 403);
    let challenge = scope.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains("error=\"insufficient_scope\""));
    assert!(challenge.contains("scope=\"didit.session.create\""));
    let role = answer(&set(""));
    assert_eq!(role.status(), 403);
    assert!(!role.headers().contains_key("www-authenticate"));
    assert!(String::from_utf8_lossy(role.body()).contains("access_denied"));
}

/// Somebody who signed in like this.
fn signed_in(world: &World, acr: Value, auth_time: Value) -> Principal {
    let mut claims = claims_with("scope", json!("a"));
    for (name, value) in [("acr", acr), ("auth_time", auth_time)] {
        if !value.is_null() {
            claims[name] = value;
        }
    }
    world
        .principal(&request(&world.sign(&claims)), NOW)
        .unwrap()
}

#[test]
fn a_sign_in_has_to_be_strong_and_recent_enough() {
    let world = World::new();
    let mfa = || StepUp::to_any_of(["mfa", "hardware"]).unwrap();
    let minute = Duration::from_secs(60);
    for (acr, auth_time, needed, expected) in [
        (json!("mfa"), Value::Null, mfa(), true),
        (json!("hardware"), Value::Null, mfa(), true),
        (json!("pwd"), Value::Null, mfa(), false),
        (json!("MFA"), Value::Null, mfa(), false),
        (Value::Null, json!(1100), mfa(), false),
        // A minute, and the skew of five seconds.
        (Value::Null, json!(1035), StepUp::recent(minute), true),
        (Value::Null, json!(1034), StepUp::recent(minute), false),
        (json!("mfa"), Value::Null, StepUp::recent(minute), false),
        (json!("mfa"), json!(1090), mfa().within(minute), true),
        (json!("mfa"), json!(1000), mfa().within(minute), false),
        (json!("pwd"), json!(1090), mfa().within(minute), false),
    ] {
        let who = signed_in(&world, acr.clone(), auth_time.clone());
        let got = world.guard.require_sign_in(&who, &needed, NOW);
        assert_eq!(got.is_ok(), expected, "{acr} {auth_time} {needed:?}");
    }
    for values in [vec![], vec![""], vec!["a b"], vec!["a\"b"]] {
        assert!(StepUp::to_any_of(&values).is_err(), "{values:?}");
    }
}

#[test]
fn the_challenge_says_how_to_sign_in() {
    let world = World::new();
    let who = signed_in(&world, json!("pwd"), json!(1000));
    let needed = StepUp::to_any_of(["mfa", "hardware"])
        .unwrap()
        .within(Duration::from_secs(60));
    let refused = world
        .guard
        .require_sign_in(&who, &needed, UnixSeconds(1200));
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.reason(),
        &Reason::InsufficientAuthentication {
            acr_values: vec!["mfa".to_owned(), "hardware".to_owned()],
            max_age: Some(Duration::from_secs(60)),
            acr: Some("pwd".to_owned()),
            age: Some(Duration::from_secs(200)),
        }
    );
    let response = world.guard.response(&refused);
    assert_eq!(response.status(), 401);
    let expected = format!(
        "Bearer error=\"insufficient_user_authentication\", \
         error_description=\"the person has to sign in again\", \
         resource_metadata=\"{METADATA}\", scope=\"a\", \
         acr_values=\"mfa hardware\", max_age=\"60\""
    );
    assert_eq!(response.headers()["www-authenticate"], expected);
}
