//! The world that a configuration is read from: files, the environment, the command line.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use oauth_rs::secret::Secret;
use zeroize::Zeroizing;

use crate::config::error::ConfigErrors;
use crate::config::source::{Layers, MAX_FILE_BYTES, Sources};

/// Where settings are said on the command line.
#[derive(clap::Args, Debug)]
pub(crate) struct SettingsArgs {
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, as its key in the file: --set listen.port=4000; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The same as --set listen.port=N
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

impl SettingsArgs {
    /// Reads everything that was named, and the environment.
    ///
    /// # Errors
    /// A file cannot be read, or what is said cannot be used.
    pub(crate) fn read<T>(
        self,
        read: impl FnOnce(&Sources<'_>) -> Result<(T, Layers), ConfigErrors>,
    ) -> Result<(T, Layers), Box<dyn Error>> {
        let file = self.config.as_deref().map(config_file).transpose()?;
        let name = self
            .config
            .as_deref()
            .map(|path| path.display().to_string());
        // What is no text is no setting of ours.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let mut flags = self.set;
        flags.extend(self.port.map(|port| format!("listen.port={port}")));
        let sources = Sources {
            file: name.as_deref().zip(file.as_deref()),
            environment: &environment,
            flags: &flags,
            read_secret: &|path| read_private(path, MAX_SECRET_BYTES),
        };
        Ok(read(&sources)?)
    }
}

/// The largest secret: an access token has at most 16 KiB.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

fn config_file(path: &Path) -> Result<String, String> {
    let at = |why: std::io::Error| format!("{}: {why}", path.display());
    let mut text = String::new();
    let limit = u64::try_from(MAX_FILE_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let file = fs::File::open(path).map_err(at)?;
    file.take(limit).read_to_string(&mut text).map_err(at)?;
    Ok(text)
}

/// The text of a file that nobody but its owner may read.
///
/// # Errors
/// It cannot be read, others may read it, it is longer than `most`, or it is no text.
pub(crate) fn read_private(path: &Path, most: u64) -> Result<Secret, String> {
    let shown = path.display();
    let at = |why: std::io::Error| format!("{shown}: {why}");
    let file = fs::File::open(path).map_err(at)?;
    let mode = file.metadata().map_err(at)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "{shown} can be read by others (mode {mode:o}): run `chmod 600` on it if nobody else has seen it, and have a new secret made otherwise"
        ));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(at)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("{shown} has more than {most} bytes"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Secret::new(text)),
        Err(_) => Err(format!("{shown} is no text")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use super::*;
    use crate::data::DataDir;
    use crate::system::SystemEntropy;

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let write = |name: &str, mode: u32, bytes: &[u8]| {
            let path = folder.path().join(name);
            let mut options = fs::OpenOptions::new();
            let file = options.write(true).create_new(true).mode(mode).open(&path);
            file.unwrap().write_all(bytes).unwrap();
            path
        };
        let read = |path: &Path| read_private(path, 10);
        assert!(
            read(&write("good", 0o600, b"hunter2\n"))
                .unwrap()
                .ct_eq("hunter2\n")
        );
        let why = read(&write("open", 0o604, b"hunter2")).unwrap_err();
        assert!(
            why.contains("can be read by others (mode 604)") && !why.contains("hunter2"),
            "{why}"
        );
        let why = read(&write("long", 0o600, b"01234567890")).unwrap_err();
        assert!(why.ends_with("has more than 10 bytes"), "{why}");
        let why = read(&write("bytes", 0o600, b"\xff")).unwrap_err();
        assert!(why.ends_with("is no text"), "{why}");
        assert!(read(&folder.path().join("absent")).is_err());
    }
}
