//! The folder that `dev` keeps its database and keys in.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use oauth_rs::entropy::{Entropy, random_id};
use zeroize::Zeroizing;

/// A folder that only this user can read, removed at the end when it is a temporary one.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    temporary: bool,
}

impl DataDir {
    /// The folder that the user named, made if it is not there.
    pub(crate) fn named(path: PathBuf) -> Result<Self, DataError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(at(&path))?;
        Ok(Self {
            path,
            temporary: false,
        })
    }

    /// A new folder below the system's temporary one.
    pub(crate) fn temporary(entropy: &dyn Entropy) -> Result<Self, DataError> {
        let path = std::env::temp_dir().join(format!("mcp-server-dev-{}", random_id(entropy)));
        // Not recursive: a folder that somebody else made under this name is an error.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(at(&path))?;
        Ok(Self {
            path,
            temporary: true,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret kept under `name`, made by `make` the first time.
    ///
    /// Refuses a file that others may read, or one that is larger than any key.
    pub(crate) fn secret(
        &self,
        name: &str,
        make: impl FnOnce() -> Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, DataError> {
        let path = self.path.join(name);
        match read_secret(&path) {
            Err(DataError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let secret = make();
                write_secret(&path, &secret)?;
                Ok(secret)
            }
            read => read,
        }
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        if self.temporary
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "temporary folder not removed");
        }
    }
}

/// Why the folder or a key in it cannot be used.
#[derive(Debug)]
pub(crate) enum DataError {
    /// The operating system refused.
    Io { path: PathBuf, source: io::Error },
    /// Others than the owner may read the file.
    Readable { path: PathBuf, mode: u32 },
    /// The file is not a key.
    NotAKey { path: PathBuf },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Readable { path, mode } => write!(
                f,
                "{} can be read by others (mode {mode:o}): run `chmod 600` on it if nobody else \
                 has seen it, remove it otherwise",
                path.display()
            ),
            Self::NotAKey { path } => write!(
                f,
                "{} does not hold a key: remove it to have a new one made (everybody has to sign \
                 in again then)",
                path.display()
            ),
        }
    }
}

impl std::error::Error for DataError {}

/// The largest secret kept here; a P-256 key in PKCS#8 has 138 bytes.
const MAX_SECRET_BYTES: u64 = 4096;

fn at(path: &Path) -> impl Fn(io::Error) -> DataError {
    move |source| DataError::Io {
        path: path.to_owned(),
        source,
    }
}

fn read_secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, DataError> {
    let file = fs::File::open(path).map_err(at(path))?;
    let mode = file.metadata().map_err(at(path))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(DataError::Readable {
            path: path.to_owned(),
            mode,
        });
    }
    let mut secret = Zeroizing::new(Vec::new());
    file.take(MAX_SECRET_BYTES + 1)
        .read_to_end(&mut secret)
        .map_err(at(path))?;
    if secret.is_empty() || secret.len() as u64 > MAX_SECRET_BYTES {
        return Err(DataError::NotAKey {
            path: path.to_owned(),
        });
    }
    Ok(secret)
}

/// Writes beside and renames, so that a crash leaves either no key or a whole one.
fn write_secret(path: &Path, secret: &[u8]) -> Result<(), DataError> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(at(&beside))?;
    file.write_all(secret)
        .and_then(|()| file.sync_all())
        .map_err(at(&beside))?;
    fs::rename(&beside, path).map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    fn key(byte: u8) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(vec![byte; 32])
    }

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        assert_eq!(folder.secret("a.key", || key(1)).unwrap(), key(1));
        assert_eq!(folder.secret("a.key", || key(2)).unwrap(), key(1));
        assert_eq!(folder.secret("b.key", || key(2)).unwrap(), key(2));
        let mode = fs::metadata(folder.path().join("a.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_with_the_remedy() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        folder.secret("a.key", || key(1)).unwrap();
        let path = folder.path().join("a.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = folder.secret("a.key", || key(2)).unwrap_err();
        assert!(
            matches!(refused, DataError::Readable { mode: 0o640, .. }),
            "{refused}"
        );
        assert!(refused.to_string().contains("chmod 600"));
    }

    #[test]
    fn an_empty_or_oversized_file_is_not_a_key() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        for (name, bytes) in [("empty", 0), ("large", 5000)] {
            let path = folder.path().join(name);
            fs::write(&path, vec![0; bytes]).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let refused = folder.secret(name, || key(1)).unwrap_err();
            assert!(matches!(refused, DataError::NotAKey { .. }), "{refused}");
        }
    }

    #[test]
    fn only_a_temporary_folder_is_removed() {
        let entropy = SystemEntropy::new();
        let outer = DataDir::temporary(&entropy).unwrap();
        let named = outer.path().join("kept");
        drop(DataDir::named(named.clone()).unwrap());
        assert!(named.is_dir());
        let path = outer.path().to_owned();
        drop(outer);
        assert!(!path.exists());
    }
}
