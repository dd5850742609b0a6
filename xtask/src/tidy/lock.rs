//! The lists of Node and Python packages: exact versions and hashes, and no download address.

use serde_json::Value;

use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// Checks every package list and lock file of npm, and every list of requirements of pip.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    files
        .iter()
        .flat_map(|file| match file.name() {
            "package-lock.json" | "npm-shrinkwrap.json" => check_lock(file),
            "package.json" => check_versions(file),
            "requirements.txt" => check_requirements(file),
            _ => Vec::new(),
        })
        .collect()
}

/// A lock file with addresses works only where those addresses do; the name, version and hash are enough.
fn check_lock(file: &TextFile) -> Vec<Finding> {
    let packages = match parsed(file) {
        Ok(Value::Object(mut members)) => members.remove("packages"),
        Ok(_) => None,
        Err(finding) => return vec![finding],
    };
    let Some(Value::Object(packages)) = packages else {
        return vec![Finding::new(&file.path, "has no list of packages")];
    };
    let mut findings = Vec::new();
    for (name, package) in packages.iter().filter(|(name, _)| !name.is_empty()) {
        if package.get("resolved").is_some() {
            findings.push(Finding::new(
                &file.path,
                format!("{name} has a download address"),
            ));
        }
        if package.get("integrity").is_none() {
            findings.push(Finding::new(&file.path, format!("{name} has no hash")));
        }
    }
    findings
}

fn check_versions(file: &TextFile) -> Vec<Finding> {
    let list = match parsed(file) {
        Ok(list) => list,
        Err(finding) => return vec![finding],
    };
    ["dependencies", "devDependencies", "optionalDependencies"]
        .iter()
        .filter_map(|kind| list.get(kind)?.as_object())
        .flatten()
        .filter(|(_, version)| {
            !version
                .as_str()
                .is_some_and(|text| text.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(|(name, _)| Finding::new(&file.path, format!("{name} has no exact version")))
        .collect()
}

/// Each package at one version, with the hashes of its files; where they are is for the machine to know.
fn check_requirements(file: &TextFile) -> Vec<Finding> {
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let mut findings = Vec::new();
    for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
        let mut add =
            |what: &str| findings.push(Finding::new(&file.path, format!("{line} {what}")));
        if line.is_empty() || line.starts_with('#') || line.starts_with("--hash=sha256:") {
            continue;
        }
        if line.starts_with('-') || line.contains("://") {
            add("is an option or an address");
        } else if !line.contains("==") {
            add("has no exact version");
        } else if !next.starts_with("--hash=sha256:") {
            add("has no hash");
        }
    }
    findings
}

fn parsed(file: &TextFile) -> Result<Value, Finding> {
    serde_json::from_str(&file.text)
        .map_err(|error| Finding::new(&file.path, format!("is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&[file(path, text)])
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn a_download_address_is_found() {
        let lock = |more: &str| {
            format!(
                r#"{{"packages":{{"":{{}},"node_modules/a":{{"integrity":"sha512-x"{more}}}}}}}"#
            )
        };
        assert!(found("x/package-lock.json", &lock("")).is_empty());
        let with = found(
            "x/package-lock.json",
            &lock(r#","resolved":"https://example.com/a.tgz""#),
        );
        assert_eq!(with, ["node_modules/a has a download address"]);
    }

    #[test]
    fn a_missing_hash_is_found() {
        let lock = r#"{"packages":{"node_modules/a":{"version":"1.0.0"}}}"#;
        assert_eq!(
            found("package-lock.json", lock),
            ["node_modules/a has no hash"]
        );
        assert_eq!(
            found("package-lock.json", "{}"),
            ["has no list of packages"]
        );
    }

    #[test]
    fn a_requirement_without_version_or_hash_or_with_an_address_is_found() {
        let of = |text: &str| found("x/requirements.txt", text);
        let good =
            "# Why.\na==1.2.3 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n    # via b\n";
        assert!(of(good).is_empty());
        assert_eq!(of("a==1.2.3\n"), ["a==1.2.3 has no hash"]);
        assert_eq!(of("a>=1 \\\n    --hash=sha256:00\n").len(), 1);
        for address in [
            "--index-url https://example.com/simple",
            "-f packages",
            "a @ https://example.com/a.whl",
        ] {
            assert_eq!(
                of(address),
                [format!("{address} is an option or an address")]
            );
        }
    }

    #[test]
    fn a_range_of_versions_is_found() {
        assert!(found("package.json", r#"{"dependencies":{"a":"1.2.3"}}"#).is_empty());
        let loose = r#"{"dependencies":{"a":"^1.2.3"},"devDependencies":{"b":"latest"}}"#;
        assert_eq!(
            found("package.json", loose),
            ["a has no exact version", "b has no exact version"]
        );
    }
}
