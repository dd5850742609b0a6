//! Which paths may be read: rules on the text alone.

use std::path::{Path, PathBuf};

/// The longest path, in bytes: what common systems open.
const MAX_PATH: usize = 4096;

/// Folders of the system, where no picture of a person is; each with all that is under it.
const SYSTEM: &[&str] = &[
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/root",
    "/run",
    "/var/run",
    "/boot",
    // Where macOS keeps what it links to from /etc and /var/run.
    "/private/etc",
    "/private/var/run",
];

/// Names that keys and passwords go by, with or without an extension.
const SECRETS: &[&str] = &[
    "authorized_keys",
    "credentials",
    "htpasswd",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "known_hosts",
    "passwd",
    "secret",
    "secrets",
    "shadow",
];

/// Names of files that say how a program is built or run.
const MANIFESTS: &[&str] = &[
    "cargo.lock",
    "cargo.toml",
    "composer.json",
    "docker-compose.yml",
    "dockerfile",
    "gemfile",
    "go.mod",
    "makefile",
    "package-lock.json",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "requirements.txt",
    "tsconfig.json",
];

/// Why a path may not be read. The path itself is not repeated: it may be a secret or an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RefusedPath {
    #[error("is a path of more than 4096 bytes")]
    TooLong,
    #[error("is a path with a control character")]
    Control,
    #[error("is not an absolute path; it has to begin with /")]
    Relative,
    #[error("is a path with .. in it")]
    DotDot,
    #[error("is a path into a folder of the system")]
    System,
    #[error("is a hidden file, or in a hidden folder")]
    Hidden,
    #[error("has the name of a file with secrets")]
    Secret,
    #[error("has the name of a file of a program")]
    Manifest,
    #[error("has none of the extensions of the files that are taken here: {}", .allowed.join(", "))]
    Extension { allowed: &'static [&'static str] },
    #[error("does not exist")]
    Missing,
    #[error("is a link, or is reached through one; give the path it leads to")]
    Link,
    #[error("is not a regular file")]
    NotRegular,
    #[error("may not be read by this server")]
    Forbidden,
    #[error("could not be read")]
    Unreadable,
    #[error("is a path, and paths cannot be read safely on this system; send its bytes as base64")]
    Unsupported,
}

/// A path whose text breaks no rule; what it leads to is another matter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CheckedPath {
    path: PathBuf,
    name: String,
}

impl CheckedPath {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The name without its folder.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Checks the text of a path.
pub(super) fn check(
    text: &str,
    allowed: &'static [&'static str],
) -> Result<CheckedPath, RefusedPath> {
    let text = text.trim();
    if text.len() > MAX_PATH {
        return Err(RefusedPath::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(RefusedPath::Control);
    }
    let inner = text.strip_prefix('/').ok_or(RefusedPath::Relative)?;
    // Written once: without empty parts and without `.`, so that it can be compared.
    let parts: Vec<&str> = inner
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.contains(&"..") {
        return Err(RefusedPath::DotDot);
    }
    let path = format!("/{}", parts.join("/"));
    // Some file systems do not tell cases apart, so neither does this.
    let lower = path.to_lowercase();
    let is_under = |folder: &&str| {
        lower
            .strip_prefix(*folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if SYSTEM.iter().any(is_under) {
        return Err(RefusedPath::System);
    }
    if parts.iter().any(|part| part.starts_with('.')) {
        return Err(RefusedPath::Hidden);
    }
    let name = parts.last().copied().unwrap_or_default();
    check_name(name, allowed)?;
    Ok(CheckedPath {
        path: path.into(),
        name: name.to_owned(),
    })
}

fn check_name(name: &str, allowed: &'static [&'static str]) -> Result<(), RefusedPath> {
    let lower = name.to_lowercase();
    let first = lower.split('.').next().unwrap_or_default();
    if SECRETS.contains(&first) {
        return Err(RefusedPath::Secret);
    }
    if MANIFESTS.contains(&lower.as_str()) {
        return Err(RefusedPath::Manifest);
    }
    let extension = lower.rsplit_once('.').map(|(_, extension)| extension);
    if extension.is_some_and(|extension| allowed.contains(&extension)) {
        Ok(())
    } else {
        Err(RefusedPath::Extension { allowed })
    }
}
