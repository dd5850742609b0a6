//! What may be in the resolved graph of packages, and with which features.

use crate::tidy::Finding;
use crate::workspace::{Package, Workspace};

/// Packages that must not get in, however deep, and what is used instead.
const FORBIDDEN: [(&str, &str); 15] = [
    ("openssl", "rustls"),
    ("openssl-sys", "rustls"),
    ("native-tls", "rustls"),
    ("aws-lc-rs", "ring"),
    ("aws-lc-sys", "ring"),
    ("rsa", "ring"),
    ("reqwest", "egress-guard"),
    ("jsonwebtoken", "oauth-rs"),
    ("josekit", "oauth-rs"),
    ("chrono", "seconds since 1970"),
    ("uuid", "random identifiers of oauth-rs"),
    ("rustls-pemfile", "rustls-pki-types"),
    ("serde_yaml", "JSON or TOML"),
    ("async-std", "tokio"),
    ("anyhow", "an error type of the crate"),
];

/// Features that would change what others see of a package, since features are unified over the whole graph.
const FORBIDDEN_FEATURES: [(&str, &str); 5] = [
    ("serde_json", "arbitrary_precision"),
    ("serde_json", "preserve_order"),
    ("serde_json", "float_roundtrip"),
    ("rustls", "aws_lc_rs"),
    ("tokio", "full"),
];

/// Checks the graph that cargo resolved with every feature of ours on.
pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings: Vec<Finding> = workspace.packages.iter().flat_map(check_package).collect();
    let Some(resolve) = &workspace.resolve else {
        findings.push(Finding::new("cargo metadata", "has no resolved graph"));
        return findings;
    };
    for node in &resolve.nodes {
        if let Some(package) = workspace
            .packages
            .iter()
            .find(|package| package.id == node.id)
        {
            findings.extend(check_features(&package.name, &node.features));
        }
    }
    findings
}

fn check_package(package: &Package) -> Vec<Finding> {
    let at = format!("package {}", package.name);
    let mut findings = Vec::new();
    if let Some((_, instead)) = FORBIDDEN.iter().find(|(name, _)| *name == package.name) {
        findings.push(Finding::new(&at, format!("is not used here; {instead} is")));
    }
    if package
        .source
        .as_deref()
        .is_some_and(|source| !source.starts_with("registry+"))
    {
        findings.push(Finding::new(&at, "does not come from the registry"));
    }
    findings
}

fn check_features(package: &str, features: &[String]) -> Vec<Finding> {
    FORBIDDEN_FEATURES
        .iter()
        .filter(|(name, feature)| *name == package && features.iter().any(|on| on == feature))
        .map(|(name, feature)| {
            Finding::new(
                format!("package {name}"),
                format!("its feature {feature} must stay off"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, source: &str) -> Vec<String> {
        let json = format!(r#"{{"id":"x","name":"{name}","source":{source},"dependencies":[]}}"#);
        let package: Package = serde_json::from_str(&json).unwrap();
        check_package(&package)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_forbidden_package_is_found() {
        assert!(found("serde", r#""registry+x""#).is_empty());
        assert_eq!(
            found("native-tls", r#""registry+x""#),
            ["is not used here; rustls is"]
        );
    }

    #[test]
    fn a_package_from_elsewhere_is_found() {
        assert!(found("ours", "null").is_empty());
        assert_eq!(found("theirs", r#""git+https://example.com/x""#).len(), 1);
    }

    #[test]
    fn a_forbidden_feature_is_found() {
        let on = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(check_features("serde_json", &on(&["std", "raw_value"])).is_empty());
        for feature in ["arbitrary_precision", "preserve_order", "float_roundtrip"] {
            assert_eq!(
                check_features("serde_json", &on(&["std", feature])).len(),
                1,
                "{feature}"
            );
        }
        // The same word elsewhere means something else.
        assert!(check_features("indexmap", &on(&["preserve_order"])).is_empty());
    }
}
