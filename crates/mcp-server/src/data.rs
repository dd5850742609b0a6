//! The folder that `dev` keeps its database and keys in.

use std::fmt;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use oauth_rs::entropy::{Entropy, random_id};
use zeroize::Zeroizing;

/// A folder that only this user can change, removed at the end when it is a temporary one.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    temporary: bool,
}

impl DataDir {
    /// The folder that the user named, made for this user alone if it is not there.
    ///
    /// Refuses one that others may write in: they could put their own keys there, or take ours away.
    pub(crate) fn named(path: PathBuf) -> Result<Self, DataError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(at(&path))?;
        let mode = fs::metadata(&path).map_err(at(&path))?.permissions().mode() & 0o777;
        if mode & 0o022 != 0 {
            return Err(DataError::Writable { path, mode });
        }
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
    pub(crate) fn secret<E: From<DataError>>(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
    ) -> Result<Zeroizing<Vec<u8>>, E> {
        secret_at(&self.path.join(name), make)
    }
}

/// The secret kept in this file, made by `make` the first time.
///
/// Refuses a file that others may read, or one that is larger than any key.
pub(crate) fn secret_at<E: From<DataError>>(
    path: &Path,
    make: impl FnOnce() -> Result<Zeroizing<Vec<u8>>, E>,
) -> Result<Zeroizing<Vec<u8>>, E> {
    match read_secret(path) {
        Err(DataError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            let secret = make()?;
            match write_secret(path, &secret) {
                Ok(()) => Ok(secret),
                // Another process made one in the meantime; theirs is the one that is kept.
                Err(DataError::Io { source, .. })
                    if source.kind() == io::ErrorKind::AlreadyExists =>
                {
                    Ok(read_secret(path)?)
                }
                Err(error) => Err(error.into()),
            }
        }
        read => Ok(read?),
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
    /// Others than the owner may write in the folder.
    Writable { path: PathBuf, mode: u32 },
    /// Others than the owner may read the file.
    Readable { path: PathBuf, mode: u32 },
    /// The file is not a key.
    NotAKey { path: PathBuf },
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::Writable { path, mode } => write!(
                f,
                "others can change what is in {} (mode {mode:o}): run `chmod 700` on it, or name a \
                 folder that is not there yet",
                path.display()
            ),
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

/// Writes beside and gives it the name, so that a crash leaves either no key or a whole one.
///
/// What has the name already is never replaced, and nothing is written through a link.
fn write_secret(path: &Path, secret: &[u8]) -> Result<(), DataError> {
    let beside = beside(path);
    // A leftover of a crash may have any rights; it is not written into.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&beside)(error)),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .map_err(at(&beside))?;
    file.write_all(secret)
        .and_then(|()| file.sync_all())
        .map_err(at(&beside))?;
    // Unlike a rename, a link fails where the name is taken.
    let linked = fs::hard_link(&beside, path).map_err(at(path));
    fs::remove_file(&beside).map_err(at(&beside))?;
    linked
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::SystemEntropy;

    fn key(byte: u8) -> Result<Zeroizing<Vec<u8>>, DataError> {
        Ok(Zeroizing::new(vec![byte; 32]))
    }

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        assert_eq!(folder.secret("a.key", || key(1)).unwrap(), key(1).unwrap());
        assert_eq!(folder.secret("a.key", || key(2)).unwrap(), key(1).unwrap());
        assert_eq!(folder.secret("b.key", || key(2)).unwrap(), key(2).unwrap());
        let mode = fs::metadata(folder.path().join("a.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn of_two_that_are_made_at_once_one_is_kept_for_both() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let late = folder.secret("a.key", || {
            folder.secret("a.key", || key(1)).unwrap();
            key(2)
        });
        assert_eq!(late.unwrap(), key(1).unwrap());
        assert_eq!(folder.secret("a.key", || key(3)).unwrap(), key(1).unwrap());
        let files = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(files, 1, "nothing is left beside it");
    }

    #[test]
    fn a_leftover_that_others_may_read_does_not_become_the_key() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let path = folder.path().join("a.key");
        fs::write(beside(&path), "left over").unwrap();
        fs::set_permissions(beside(&path), fs::Permissions::from_mode(0o666)).unwrap();
        folder.secret("a.key", || key(1)).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap(), *key(1).unwrap());
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let folder = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let target = folder.path().join("elsewhere");
        for name in ["a.key".into(), beside(Path::new("b.key"))] {
            std::os::unix::fs::symlink(&target, folder.path().join(name)).unwrap();
        }
        assert!(folder.secret("a.key", || key(1)).is_err());
        assert_eq!(folder.secret("b.key", || key(1)).unwrap(), key(1).unwrap());
        assert!(!target.exists());
    }

    #[test]
    fn a_folder_that_others_may_write_in_is_refused_with_the_remedy() {
        let outer = DataDir::temporary(&SystemEntropy::new()).unwrap();
        let path = outer.path().join("open");
        fs::create_dir(&path).unwrap();
        for mode in [0o770, 0o702, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let refused = DataDir::named(path.clone()).unwrap_err();
            assert!(matches!(refused, DataError::Writable { mode: m, .. } if m == mode));
            assert!(refused.to_string().contains("chmod 700"), "{refused}");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(DataDir::named(path).is_ok());
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
