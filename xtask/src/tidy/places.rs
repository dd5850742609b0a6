//! No file may name a place that exists only on somebody's machine or network.

use crate::tidy::Finding;
use crate::tidy::files::TextFile;

/// Folders of one machine, in halves so that this file passes its own rule.
const FOLDERS: [(&str, &str); 5] = [
    ("/", "work/"),
    ("/", "tmp/"),
    ("/", "root/"),
    ("/", "home/"),
    ("/", "Users/"),
];

/// Hosts of package registries: a build finds them by its own configuration.
const HOSTS: [(&str, &str); 6] = [
    ("registry.", "npmjs.org"),
    ("registry.", "yarnpkg.com"),
    ("static.", "crates.io"),
    ("index.", "crates.io"),
    ("files.", "pythonhosted.org"),
    ("deb.", "debian.org"),
];

/// Checks every line of every text file.
pub(crate) fn check(files: &[TextFile]) -> Vec<Finding> {
    files.iter().flat_map(check_file).collect()
}

fn check_file(file: &TextFile) -> Vec<Finding> {
    let folders = FOLDERS.map(|(a, b)| format!("{a}{b}"));
    let hosts = HOSTS.map(|(a, b)| format!("{a}{b}"));
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        let at = || format!("{}:{number}", file.path);
        for folder in folders.iter().filter(|folder| names_folder(line, folder)) {
            findings.push(Finding::new(
                at(),
                format!("names a folder of one machine, {folder}"),
            ));
        }
        for host in hosts.iter().filter(|host| line.contains(host.as_str())) {
            findings.push(Finding::new(
                at(),
                format!("names the host of a registry, {host}"),
            ));
        }
    }
    findings
}

/// Whether a path starts with `folder` in this line; inside a longer path or an address it is something else.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric() && !"._-}/".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::files::file;

    fn findings(line: &str) -> usize {
        check(&[file("a.md", line)]).len()
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        for (a, b) in FOLDERS {
            let folder = format!("{a}{b}");
            assert_eq!(findings(&format!("see `{folder}thing`")), 1, "{folder}");
            assert_eq!(findings(&format!("{folder}thing")), 1, "{folder}");
        }
    }

    #[test]
    fn the_same_word_elsewhere_is_fine() {
        for line in [
            "https://example.com/work/1",
            "target/tmp/x",
            "a home/office b",
            "the /usr/bin/env",
        ] {
            assert_eq!(findings(line), 0, "{line}");
        }
    }

    #[test]
    fn the_host_of_a_registry_is_found() {
        for (a, b) in HOSTS {
            assert_eq!(
                findings(&format!("\"resolved\": \"https://{a}{b}/x\"")),
                1,
                "{b}"
            );
        }
    }
}
