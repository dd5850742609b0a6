//! Which crate may depend on which, inside the workspace and out of it.

use crate::tidy::Finding;
use crate::workspace::{Package, Workspace};

/// What one crate of the workspace may use.
struct Row {
    name: &'static str,
    /// The crates of this workspace that it may depend on. None means all of them.
    ours: Option<&'static [&'static str]>,
    /// The crates of others that it must never name itself.
    never: &'static [&'static str],
}

/// The table. A crate without a row is refused until it has one.
const TABLE: [Row; 25] = [
    Row {
        name: "mcp-protocol",
        ours: Some(&[]),
        never: &["url", "hyper", "tracing"],
    },
    Row {
        name: "oauth-rs",
        ours: Some(&[]),
        never: &["hyper", "tracing"],
    },
    Row {
        name: "didit-client",
        ours: Some(&[]),
        never: &["url", "hyper"],
    },
    Row {
        name: "egress-guard",
        ours: Some(&[]),
        never: &["serde"],
    },
    Row {
        name: "resource-guard",
        ours: Some(&["oauth-rs"]),
        never: &["hyper"],
    },
    Row {
        name: "oauth-server",
        ours: Some(&["oauth-rs"]),
        never: &["rusqlite", "tokio-postgres"],
    },
    Row {
        name: "oauth-store",
        ours: Some(&["oauth-server", "oauth-rs"]),
        never: &["hyper"],
    },
    Row {
        name: "didit-tools",
        // The sandbox is what its tests run against.
        ours: Some(&["mcp-protocol", "didit-client", "didit-sandbox"]),
        never: &["hyper"],
    },
    Row {
        name: "didit-sandbox",
        ours: Some(&["didit-client"]),
        never: &["hyper"],
    },
    Row {
        name: "conformance-server",
        ours: Some(&["mcp-protocol"]),
        never: &[],
    },
    Row {
        name: "conformance-client",
        ours: Some(&["mcp-protocol", "oauth-rs", "egress-guard"]),
        never: &["hyper"],
    },
    Row {
        name: "protect-an-api",
        ours: Some(&["resource-guard", "oauth-rs"]),
        never: &[],
    },
    Row {
        name: "protect-an-axum-api",
        ours: Some(&["resource-guard", "oauth-rs", "egress-guard"]),
        never: &["hyper"],
    },
    Row {
        name: "authorization-server",
        ours: Some(&["oauth-server", "oauth-rs"]),
        never: &[],
    },
    Row {
        name: "mcp-echo",
        ours: Some(&["mcp-protocol"]),
        never: &[],
    },
    Row {
        name: "mcp-call",
        ours: Some(&["mcp-protocol"]),
        never: &["hyper"],
    },
    Row {
        name: "mcp-signed-in",
        ours: Some(&["mcp-protocol", "oauth-rs", "egress-guard"]),
        never: &["hyper"],
    },
    Row {
        name: "mcp-protected",
        ours: Some(&["mcp-protocol", "resource-guard", "oauth-rs"]),
        never: &[],
    },
    Row {
        name: "client-walkthrough",
        ours: Some(&["oauth-rs", "egress-guard", "oauth-server", "resource-guard"]),
        never: &[],
    },
    Row {
        name: "machine-client",
        ours: Some(&["oauth-rs", "egress-guard"]),
        never: &[],
    },
    Row {
        name: "didit-session",
        ours: Some(&["didit-client", "didit-sandbox"]),
        never: &[],
    },
    Row {
        name: "didit-webhook",
        ours: Some(&["didit-client", "didit-sandbox"]),
        never: &[],
    },
    Row {
        name: "mcp-server",
        ours: None,
        never: &[],
    },
    Row {
        name: "bench-server",
        ours: Some(&["mcp-protocol", "oauth-rs", "resource-guard"]),
        never: &[],
    },
    Row {
        name: "xtask",
        ours: Some(&[]),
        never: &["tokio"],
    },
];

/// Checks every dependency that a crate of the workspace names.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let members: Vec<&Package> = workspace.members().collect();
    let names: Vec<&str> = members
        .iter()
        .map(|package| package.name.as_str())
        .collect();
    members
        .iter()
        .flat_map(|package| check_package(package, &names))
        .collect()
}

fn check_package(package: &Package, ours: &[&str]) -> Vec<Finding> {
    let at = format!("crate {}", package.name);
    let Some(row) = TABLE.iter().find(|row| row.name == package.name) else {
        return vec![Finding::new(
            at,
            "has no row in the table of xtask/src/tidy/edges.rs",
        )];
    };
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let name = dependency.name.as_str();
        // A crate's tests may use the crate itself with other features on.
        if ours.contains(&name) && name != package.name {
            if row.ours.is_some_and(|allowed| !allowed.contains(&name)) {
                findings.push(Finding::new(&at, format!("must not depend on {name}")));
            }
        } else if row.never.contains(&name) && dependency.kind.as_deref() != Some("dev") {
            findings.push(Finding::new(&at, format!("must never name {name}")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: [&str; 4] = ["oauth-rs", "resource-guard", "mcp-protocol", "mcp-server"];

    fn found(name: &str, dependencies: &str) -> Vec<String> {
        let json = format!(
            r#"{{"id":"x","name":"{name}","source":null,"dependencies":[{dependencies}]}}"#
        );
        let package: Package = serde_json::from_str(&json).unwrap();
        check_package(&package, &OURS)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn an_edge_of_the_table_is_fine() {
        assert!(found("resource-guard", r#"{"name":"oauth-rs","kind":null}"#).is_empty());
        assert!(found("mcp-server", r#"{"name":"mcp-protocol","kind":null}"#).is_empty());
        assert!(found("oauth-rs", r#"{"name":"serde","kind":null}"#).is_empty());
    }

    #[test]
    fn any_other_edge_is_found() {
        let upwards = found("oauth-rs", r#"{"name":"resource-guard","kind":null}"#);
        assert_eq!(upwards, ["must not depend on resource-guard"]);
        let sideways = found("resource-guard", r#"{"name":"mcp-protocol","kind":"dev"}"#);
        assert_eq!(sideways, ["must not depend on mcp-protocol"]);
    }

    #[test]
    fn what_a_crate_must_never_use_is_found() {
        assert_eq!(
            found("mcp-protocol", r#"{"name":"hyper","kind":null}"#),
            ["must never name hyper"]
        );
        assert!(found("mcp-protocol", r#"{"name":"hyper","kind":"dev"}"#).is_empty());
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let new = found("brand-new", "");
        assert_eq!(new, ["has no row in the table of xtask/src/tidy/edges.rs"]);
    }
}
