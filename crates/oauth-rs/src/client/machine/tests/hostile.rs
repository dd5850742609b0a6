//! A resource that wants more than a token.

use super::*;
use crate::client::flow::AddressRefused;
use crate::client::machine::MAX_STEP_UPS;

#[test]
fn what_a_resource_names_is_shown_only_where_it_is_an_issuer() {
    for named in [
        r"https://evil.example/\u001b[2J",
        r"\u001b]0;x\u0007",
        "https://user:secret@evil.example",
    ] {
        let mut world = World::new().with(PRM, "https://as.example", named);
        let failed = world.drive(&mut credentials(), 0).unwrap_err();
        let shown = failed.to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
        assert!(!shown.contains("secret"), "{shown}");
        assert!(matches!(
            failed,
            FlowFailed::Address {
                what: "authorization server",
                reason: AddressRefused::Invalid(_),
            }
        ));
        assert_eq!(world.asked(), [PRM]);
    }
}

#[test]
fn a_resource_that_always_wants_another_scope_is_left() {
    let mut world = World::new();
    let mut machine = credentials();
    let mut wants = |machine: &mut Machine, scope: u8| {
        let more = format!(r#"Bearer error="insufficient_scope", scope="s{scope}""#);
        machine.handle_challenge(StatusCode::FORBIDDEN, &challenge(&more));
        world.drive(machine, 0)
    };
    for scope in 0..MAX_STEP_UPS {
        assert!(wants(&mut machine, scope).is_ok(), "{scope}");
    }
    let failed = wants(&mut machine, 10).unwrap_err();
    assert_eq!(failed, FlowFailed::Forbidden(StatusCode::FORBIDDEN));
    // A call that was accepted in between lets it count anew.
    machine.restart();
    assert!(wants(&mut machine, 11).is_err());
    machine.restart();
    assert!(World::new().drive(&mut machine, 0).is_ok());
    machine.accepted();
    assert!(wants(&mut machine, 12).is_ok());
}

#[test]
fn a_resource_elsewhere_cannot_name_a_server_on_this_machine() {
    let mut world = World::new().with(PRM, "https://as.example", "http://127.0.0.1:8080");
    let issuer = Issuer::parse("http://127.0.0.1:8080").unwrap();
    let options = MachineOptions::new(issuer, "robot", secret(), Grant::ClientCredentials);
    let mut machine = Machine::new(SERVER, options).unwrap();
    let expected = FlowFailed::Address {
        what: "authorization server",
        reason: AddressRefused::Loopback,
    };
    assert_eq!(world.drive(&mut machine, 0).unwrap_err(), expected);
    assert_eq!(world.asked(), [PRM]);
}

#[test]
fn after_a_refusal_what_was_found_before_is_not_asked_again() {
    let mut machine = credentials();
    assert!(World::new().drive(&mut machine, 0).is_ok());
    machine.accepted();
    unauthorized(&mut machine);
    let mut moved = World::new().with(PRM, "https://as.example", "https://evil.example");
    for _ in 0..2 {
        let failed = moved.drive(&mut machine, 1).unwrap_err();
        assert!(matches!(failed, FlowFailed::OtherIssuer { .. }));
        machine.restart();
    }
    assert_eq!(moved.asked(), [PRM, PRM]);
}
