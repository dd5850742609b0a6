//! The table against the rows of the client: what one sends, the other serves.

use std::collections::BTreeSet;

use didit_client::operation::{self, Base, CredentialKind};
use didit_sandbox::Sandbox;

/// A path whose parts have no names, since the two may name them differently.
fn nameless(path: &str) -> String {
    let named = |part: &str| part.starts_with('{') && part.ends_with('}');
    let parts = path
        .split('/')
        .map(|part| if named(part) { "{}" } else { part });
    parts.collect::<Vec<&str>>().join("/")
}

/// Method and path of every row of the client, as the sandbox has them.
fn sent() -> impl Iterator<Item = (&'static operation::Operation, String, String)> {
    operation::all().map(|row| {
        let base = match row.base {
            Base::Auth => "/auth/v2",
            Base::Api => "/v3",
        };
        let path = nameless(&format!("{base}{}", row.path));
        (row, row.method.method().to_string(), path)
    })
}

#[test]
fn every_operation_of_the_client_is_served_to_the_credential_it_takes() {
    let mut missing = Vec::new();
    for (row, method, path) in sent() {
        let found = Sandbox::operations()
            .find(|served| served.method == method && nameless(served.path) == path);
        let fits = found.is_some_and(|served| match row.credential {
            CredentialKind::Bearer => served.takes_bearer,
            CredentialKind::ApiKey => served.takes_key,
            CredentialKind::Nobody => !served.takes_bearer && !served.takes_key,
        });
        if !fits {
            missing.push(format!("{} {method} {path}", row.name));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn the_permission_of_a_row_is_the_one_that_is_asked_for() {
    for (row, method, path) in sent() {
        let served = Sandbox::operations()
            .find(|served| served.method == method && nameless(served.path) == path);
        // Which organisation it is about is known only by its workflow: the handler asks then.
        if row.name == "session.create" {
            continue;
        }
        if let (Some(served), Some(permission)) = (served, row.permission) {
            assert_eq!(served.permission, permission, "{}", row.name);
        }
    }
}

#[test]
fn what_is_served_beyond_the_rows_takes_a_key() {
    let known: BTreeSet<(String, String)> =
        sent().map(|(_, method, path)| (method, path)).collect();
    let beyond: Vec<String> = Sandbox::operations()
        .filter(|served| !served.takes_key)
        .filter(|served| !known.contains(&(served.method.to_owned(), nameless(served.path))))
        .map(|served| format!("{} {}", served.method, served.path))
        .collect();
    assert_eq!(beyond, Vec::<String>::new());
}
