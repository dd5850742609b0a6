//! The rows hold together.

mod texts;

use std::collections::HashSet;

use didit_client::Operation;

use super::*;
use crate::acting::row;

/// The operations of a tool.
fn operations(tool: &Tool) -> Vec<&'static Operation> {
    let names = tool.operations.iter();
    names.map(|name| row(name).unwrap()).collect()
}

#[test]
fn names_are_unique_and_found() {
    let mut seen = HashSet::new();
    for tool in all() {
        assert!(seen.insert(tool.name), "{} twice", tool.name);
    }
    assert_eq!(seen.len(), 163);
    for tool in all() {
        assert!(std::ptr::eq(find(tool.name).unwrap(), tool));
    }
}

#[test]
fn every_path_part_of_a_tool_that_is_one_call_is_a_required_argument_or_a_place() {
    for tool in all().filter(|tool| matches!(tool.run, Run::One)) {
        for operation in operations(tool) {
            for part in operation
                .parts()
                .filter(|part| !matches!(*part, "org" | "app"))
            {
                let argument = tool.argument(tool.argument_of(part));
                assert!(
                    argument.is_some_and(|argument| argument.required),
                    "{} {part}",
                    tool.name
                );
            }
        }
    }
}

#[test]
fn what_is_destructive_says_what_is_agreed_to() {
    for tool in all().filter(|tool| tool.kind == Kind::Destructive) {
        let first = operations(tool).into_iter().next().unwrap();
        assert!(first.confirm.is_some(), "{}", tool.name);
    }
}

#[test]
fn a_read_runs_nothing_that_changes_something() {
    for tool in all().filter(|tool| tool.kind == Kind::Read) {
        for operation in operations(tool) {
            assert_eq!(operation.kind, Kind::Read, "{}", tool.name);
        }
    }
}

#[test]
fn roles_are_named_for_the_permission_that_didit_checks() {
    for tool in all().filter(|tool| matches!(tool.run, Run::One)) {
        for operation in operations(tool) {
            assert_eq!(tool.permission, operation.permission, "{}", tool.name);
        }
    }
}

#[test]
fn fine_scopes_are_of_three_parts_and_in_their_coarse_ones() {
    let pairs: HashSet<_> = scopes().collect();
    for tool in all() {
        let parts: Vec<&str> = tool.fine_scope.split('.').collect();
        let is_word = |part: &&str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c == '_' || c == '2')
        };
        assert_eq!((parts.len(), parts[0]), (3, "didit"), "{}", tool.name);
        assert!(parts.iter().all(is_word), "{}", tool.name);
    }
    for tool in all() {
        assert_eq!(fine_scope(tool.name), Some(tool.fine_scope));
        for coarse in tool.scopes {
            assert!(pairs.contains(&(*coarse, tool.fine_scope)), "{}", tool.name);
        }
        let account = tool.name.starts_with("didit_account_");
        assert_eq!(tool.scopes.is_empty(), account, "{}", tool.name);
    }
    assert_eq!(scopes().count(), pairs.len());
    assert_eq!(fine_scope("didit_nothing"), None);
}

#[test]
fn what_is_about_credentials_or_money_is_for_standard_input_and_output_alone() {
    let stdio: Vec<&str> = all()
        .filter(|tool| tool.visibility == Visibility::Stdio)
        .map(|tool| tool.name)
        .collect();
    assert_eq!(
        stdio,
        [
            "didit_account_register",
            "didit_account_verify_email",
            "didit_account_resend_otp",
            "didit_account_login",
            "didit_account_verify_2fa",
            "didit_org_reveal_application_api_key",
            "didit_org_top_up",
        ]
    );
}
