//! `cargo xtask ci`: the gate, cheapest first, stopping at the first failure.

use std::process::Command;

use crate::process::Step;
use crate::workspace::{Package, Workspace};
use crate::{Outcome, codegen, interop, suite, tidy};

/// Runs the whole gate.
pub(crate) fn run(workspace: &Workspace) -> Outcome {
    title("compiler");
    compiler(workspace)?;
    title("format");
    Step::cargo(&["fmt", "--all", "--check"]).run()?;
    for outside in [interop::RUST, suite::DIFFERENTIAL] {
        Step::cargo(&["fmt", "--check", "--manifest-path"])
            .arg(workspace.path(outside))
            .run()?;
    }
    title("tidy");
    tidy::run(workspace)?;
    codegen::run(workspace, true)?;
    title("clippy");
    Step::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--locked",
    ])
    .args(&["--", "-D", "warnings"])
    .run()?;
    title("documentation");
    Step::cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--all-features",
        "--locked",
    ])
    .env("RUSTDOCFLAGS", "-D warnings")
    .run()?;
    title("features");
    for step in workspace
        .members()
        .filter(|package| package.is_library())
        .flat_map(feature_steps)
    {
        println!("{}", step.line());
        step.run()?;
    }
    title("tests");
    suite::run(workspace)
}

fn title(text: &str) {
    println!("\n== {text}");
}

/// Says which compiler this is; an older one than the project is developed with is refused.
fn compiler(workspace: &Workspace) -> Outcome {
    let wanted = workspace
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.rustc.as_deref());
    let wanted = wanted.ok_or("the root manifest names no compiler: [workspace.metadata] rustc")?;
    let output = Command::new("rustc")
        .arg("--version")
        .output()
        .map_err(|error| format!("rustc cannot be started: {error}"))?;
    let found = String::from_utf8_lossy(&output.stdout);
    println!("{}", judge_compiler(found.trim(), wanted)?);
    Ok(())
}

/// Compares what `rustc --version` printed with the version that the root manifest names.
fn judge_compiler(found: &str, wanted: &str) -> Outcome<String> {
    let unreadable = || format!("cannot compare {found:?} with {wanted:?}");
    let number = found
        .split(' ')
        .nth(1)
        .and_then(minor)
        .ok_or_else(unreadable)?;
    let wanted_number = minor(wanted).ok_or_else(unreadable)?;
    match number.cmp(&wanted_number) {
        std::cmp::Ordering::Equal => Ok(format!("{found}, as developed with")),
        std::cmp::Ordering::Greater => Ok(format!(
            "{found}; developed with {wanted}, so a new lint may speak up"
        )),
        std::cmp::Ordering::Less => Err(format!("{found} is older than {wanted}")),
    }
}

/// Major and minor of a version.
fn minor(version: &str) -> Option<(u64, u64)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Each library with no features, with each alone, and with all: what an adopter may choose.
fn feature_steps(package: &Package) -> Vec<Step> {
    let check = || {
        Step::cargo(&[
            "clippy",
            "--quiet",
            "--lib",
            "--locked",
            "--package",
            &package.name,
        ])
    };
    let finish = |step: Step| step.args(&["--", "-D", "warnings"]);
    let mut steps = vec![finish(check().arg("--no-default-features"))];
    // The default set is the empty one everywhere; where it is not, it is one more to check.
    if package
        .features
        .get("default")
        .is_some_and(|default| !default.is_empty())
    {
        steps.push(finish(check()));
    }
    let named: Vec<&String> = package
        .features
        .keys()
        .filter(|name| *name != "default")
        .collect();
    for name in &named {
        steps.push(finish(check().args(&[
            "--no-default-features",
            "--features",
            name,
        ])));
    }
    if named.len() > 1 {
        steps.push(finish(check().arg("--all-features")));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_is_compared_by_its_minor_version() {
        let says = |found| judge_compiler(found, "1.95");
        assert!(
            says("rustc 1.95.0 (59807616e 2026-04-14)")
                .unwrap()
                .ends_with("as developed with")
        );
        assert!(
            says("rustc 1.96.1 (0 2026-06-01)")
                .unwrap()
                .contains("developed with 1.95")
        );
        assert!(says("rustc 1.94.0 (0 2026-03-01)").is_err());
        assert!(says("something else").is_err());
    }

    #[test]
    fn each_choice_of_features_is_one_step() {
        let lines = |features: &str| -> Vec<String> {
            let json = format!(
                r#"{{"id":"x","name":"x","source":null,"dependencies":[],"features":{features}}}"#
            );
            let package: Package = serde_json::from_str(&json).unwrap();
            let start = "cargo clippy --quiet --lib --locked --package x ";
            feature_steps(&package)
                .iter()
                .map(|step| {
                    step.line()
                        .replace(start, "")
                        .replace(" -- -D warnings", "")
                })
                .collect()
        };
        assert_eq!(lines(r#"{"default":[]}"#), ["--no-default-features"]);
        assert_eq!(
            lines(r#"{"default":["a"],"a":[],"b":[]}"#),
            [
                "--no-default-features",
                "-- -D warnings",
                "--no-default-features --features a",
                "--no-default-features --features b",
                "--all-features",
            ]
        );
    }
}
